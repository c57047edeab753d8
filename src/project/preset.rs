//! What we know of public APIs: shipped as data, named by `preset = "…"`. A preset can be laid over another in the same way.

use crate::project::diagnostic::Document;

/// The presets, by name.
const PRESETS: [(&str, &str); 7] = [
    ("arm", include_str!("presets/arm.toml")),
    ("asm", include_str!("presets/asm.toml")),
    ("conviso", include_str!("presets/conviso.toml")),
    ("demo", include_str!("presets/demo.toml")),
    ("fibery", include_str!("presets/fibery.toml")),
    ("fluidattacks", include_str!("presets/fluidattacks.toml")),
    ("github", include_str!("presets/github.toml")),
];

/// The preset of this name.
pub(crate) fn find(name: &str) -> Option<Document> {
    let (name, text) = PRESETS.iter().find(|(preset, _)| *preset == name)?;
    Some(Document {
        name: format!("preset `{name}`"),
        text: (*text).to_owned(),
    })
}

/// The names of all presets, sorted.
pub(crate) fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}
