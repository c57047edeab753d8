//! What is needed to start a stand-in: its schema, its data, its behaviours, and what a caller overrides of them.

use secrecy::SecretString;

use crate::demo::behaviour::Behaviours;
use crate::demo::description::DatasetDescription;

/// The stand-in that `demo:` means.
const DEFAULT_NAME: &str = "tracker";

/// What is needed to start a stand-in.
#[derive(Clone)]
pub struct DemoConfig {
    /// How it answers; change what you like before the start.
    pub behaviours: Behaviours,
    /// The token that requests must carry; a random one where it is `None`.
    pub token: Option<SecretString>,
    /// The loopback port to bind to; 0 for any free one.
    pub port: u16,
    /// The seed of the data, and of the faults that come by chance.
    pub seed: u64,
    /// The counts of the data's large types are multiplied by this.
    pub rows_scale: f64,
    pub(crate) schema: String,
    pub(crate) data: DatasetDescription,
}

/// A stand-in that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoConfigError {
    /// No stand-in has that name.
    #[error("there is no demo API named `{0}`: use one of {names}", names = DemoConfig::names().join(", "))]
    UnknownName(String),
    /// A file of the stand-in does not say what it must.
    #[error("{file} of the demo API `{name}` cannot be read: {source}")]
    File {
        /// The stand-in.
        name: String,
        /// The file's name.
        file: &'static str,
        /// What is wrong, with line and column.
        source: Box<toml::de::Error>,
    },
}

/// The files of one stand-in.
struct Files {
    name: &'static str,
    /// What else it is asked for by.
    aliases: &'static [&'static str],
    schema: &'static str,
    data: &'static str,
    behaviours: &'static str,
}

/// The files in the folder of that name; the schema may be the one that is shipped beside query files, so that these are
/// answered with what they are checked with.
macro_rules! files {
    ($name:literal) => {
        files!($name, "")
    };
    ($name:literal, shipped $(, also $($alias:literal)+)?) => {
        files!($name, "../../queries/" $(, $($alias)+)?)
    };
    ($name:literal, $schemas:literal $(, $($alias:literal)+)?) => {
        Files {
            name: $name,
            aliases: &[$($($alias),+)?],
            schema: include_str!(concat!($schemas, $name, "/schema.graphql")),
            data: include_str!(concat!($name, "/data.toml")),
            behaviours: include_str!(concat!($name, "/behaviours.toml")),
        }
    };
}

/// All stand-ins.
const STAND_INS: [Files; 12] = [
    files!("tracker"),
    files!("shop"),
    files!("clinic"),
    files!("library"),
    files!("factory"),
    files!("space"),
    files!("board"),
    files!("press"),
    files!("fluidattacks", shipped, also "arm" "asm"),
    files!("conviso", shipped),
    files!("fibery", shipped),
    files!("github", shipped),
];

impl DemoConfig {
    /// The names of all stand-ins.
    pub fn names() -> [&'static str; STAND_INS.len()] {
        STAND_INS.map(|files| files.name)
    }

    /// The stand-in of that name, as it is shipped; the empty name means `tracker`.
    pub fn named(name: &str) -> Result<Self, DemoConfigError> {
        let name = if name.is_empty() { DEFAULT_NAME } else { name };
        let is_meant = |files: &&Files| files.name == name || files.aliases.contains(&name);
        let files = STAND_INS.iter().find(is_meant);
        let files = files.ok_or_else(|| DemoConfigError::UnknownName(name.to_owned()))?;
        Self::of_texts(name, files.schema, files.data, files.behaviours)
    }

    /// A stand-in of a caller's own: its schema in GraphQL, and what `data.toml` and `behaviours.toml` say of it. `name`
    /// stands in messages.
    pub fn of_texts(name: &str, schema: &str, data: &str, behaviours: &str) -> Result<Self, DemoConfigError> {
        let unreadable = |file| {
            move |source| DemoConfigError::File {
                name: name.to_owned(),
                file,
                source: Box::new(source),
            }
        };
        let data: DatasetDescription = toml::from_str(data).map_err(unreadable("data.toml"))?;
        let behaviours = toml::from_str(behaviours).map_err(unreadable("behaviours.toml"))?;
        Ok(Self {
            behaviours,
            token: None,
            port: 0,
            seed: data.seed,
            rows_scale: 1.0,
            schema: schema.to_owned(),
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_name_means_the_tracker_and_others_are_refused() {
        assert!(DemoConfig::named("").unwrap().schema.contains("type Vulnerability"));
        let refused = DemoConfig::named("trakker").err().unwrap().to_string();
        assert!(
            refused.starts_with("there is no demo API named `trakker`: use one of tracker"),
            "{refused}"
        );
    }

    #[test]
    fn earlier_names_of_an_api_have_its_stand_in() {
        let of_today = DemoConfig::named("fluidattacks").unwrap();
        for name in ["arm", "asm"] {
            let config = DemoConfig::named(name).unwrap();
            assert_eq!(
                (config.schema, config.seed, config.behaviours),
                (of_today.schema.clone(), of_today.seed, of_today.behaviours.clone()),
                "{name}"
            );
        }
    }

    #[test]
    fn texts_that_cannot_be_read_are_named() {
        let behaviours = include_str!("shop/behaviours.toml");
        let refused = DemoConfig::of_texts("mine", "", "seed = 'x'", behaviours)
            .err()
            .unwrap();
        let refused = refused.to_string();
        assert!(
            refused.starts_with("data.toml of the demo API `mine` cannot be read: "),
            "{refused}"
        );
    }
}
