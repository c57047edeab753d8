//! How much the text of one request may say: characters, fields of the query root, aliases.

use std::fmt::Display;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use serde::Deserialize;

use crate::demo::refusal::Refusal;

/// How much the text of one request may say; a request for nothing but the schema may say anything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLimit {
    /// The most characters.
    #[serde(default)]
    pub characters: Option<u64>,
    /// The most fields of the query root.
    #[serde(default)]
    pub root_fields: Option<u64>,
    /// The most aliases, each counted where it stands in the text.
    #[serde(default)]
    pub aliases: Option<u64>,
    /// The answer to a request that says more; `{what}`, `{requested}` and `{max}` in it are filled in.
    pub refusal: Refusal,
}

impl TextLimit {
    /// The answer to a request whose text says too much, if it does.
    pub(crate) fn refusal(&self, text: &str, document: &ExecutableDocument, operation: &Operation) -> Option<Refusal> {
        let found = [
            ("characters", self.characters, text.chars().count()),
            ("root fields", self.root_fields, operation.root_fields(document).count()),
            ("aliases", self.aliases, aliases_of(document)),
        ];
        found.into_iter().find_map(|(what, max, said)| {
            let (max, said) = (max?, said as u64);
            let values: [(&str, &dyn Display); 3] = [("what", &what), ("requested", &said), ("max", &max)];
            (said > max).then(|| self.refusal.filled(&values))
        })
    }
}

fn aliases_of(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter().map(|operation| &operation.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.selection_set);
    operations.chain(fragments).map(aliases_in).sum()
}

fn aliases_in(set: &SelectionSet) -> usize {
    let count = |selection: &Selection| match selection {
        Selection::Field(field) => usize::from(field.alias.is_some()) + aliases_in(&field.selection_set),
        Selection::InlineFragment(fragment) => aliases_in(&fragment.selection_set),
        // Its fields stand in the text once, however often it is spread.
        Selection::FragmentSpread(_) => 0,
    };
    set.selections.iter().map(count).sum()
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;

    use super::*;

    #[test]
    fn what_a_text_says_is_counted_where_it_stands() {
        let schema = Schema::parse_and_validate("type Query { a: Query b: Int }", "schema.graphql").unwrap();
        let text = "{ x: a { ...F } ...G } fragment F on Query { y: b z: b } fragment G on Query { b a { ...F } }";
        let document = ExecutableDocument::parse_and_validate(&schema, text, "request.graphql").unwrap();
        let operation = document.operations.get(None).unwrap();
        let refused = |key: &str, max: usize| {
            let limit: TextLimit = toml::from_str(&format!(
                "{key} = {max}\n[refusal]\nstatus = 400\nbody = '{{requested}} {{what}}/{{max}}'"
            ))
            .unwrap();
            limit.refusal(text, &document, operation).map(|refusal| refusal.body)
        };
        for (key, said, what) in [
            ("characters", text.len(), "characters"),
            ("root_fields", 3, "root fields"),
            ("aliases", 3, "aliases"),
        ] {
            assert_eq!(refused(key, said), None, "{key}");
            assert_eq!(refused(key, said - 1), Some(format!("{said} {what}/{}", said - 1)));
        }
    }
}
