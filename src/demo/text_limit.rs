//! How much the text of one request may say: characters, levels, fields of the query root, aliases, directives, points.

use std::collections::BTreeMap;
use std::fmt::Display;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{Selection, SelectionSet};
use serde::Deserialize;

use crate::demo::complexity::ComplexityLimit;
use crate::demo::node_limit::NodeCount;
use crate::demo::refusal::Refusal;

/// How much the text of one request may say; a request for nothing but the schema may say anything.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLimit {
    /// The most characters.
    #[serde(default)]
    pub characters: Option<u64>,
    /// The most levels of nested fields, the innermost included.
    #[serde(default)]
    pub depth: Option<u64>,
    /// The most fields of the query root.
    #[serde(default)]
    pub root_fields: Option<u64>,
    /// The most aliases, each counted where it stands in the text.
    #[serde(default)]
    pub aliases: Option<u64>,
    /// The most directives, counted likewise.
    #[serde(default)]
    pub directives: Option<u64>,
    /// The most points.
    #[serde(default)]
    pub complexity: Option<ComplexityLimit>,
    /// Whether the `operationName` beside the text may have ASCII letters and digits alone.
    #[serde(default)]
    pub plain_operation_names: bool,
    /// Whether variables beside a text that declares some must be declared in it.
    #[serde(default)]
    pub declared_variables_only: bool,
    /// The answer to a request that says more; `{what}`, `{requested}` and `{max}` in it are filled in.
    pub refusal: Refusal,
    /// Other answers for some of the limits, by their names here.
    #[serde(default)]
    pub refusals: BTreeMap<String, Refusal>,
}

impl TextLimit {
    /// A limit that bounds nothing yet, with the answer to what it will be made to refuse.
    pub fn refusing(refusal: Refusal) -> Self {
        Self {
            characters: None,
            depth: None,
            root_fields: None,
            aliases: None,
            directives: None,
            complexity: None,
            plain_operation_names: false,
            declared_variables_only: false,
            refusal,
            refusals: BTreeMap::new(),
        }
    }

    /// The answer to a request whose text says too much, if it does.
    pub(crate) fn refusal(&self, text: &str, name: Option<&str>, request: &NodeCount<'_>) -> Option<Refusal> {
        let NodeCount {
            document, operation, ..
        } = request;
        let points = |limit: &ComplexityLimit| limit.points(request);
        let most_points = self.complexity.as_ref().map(|limit| limit.max);
        let found = [
            ("characters", self.characters, text.chars().count() as u64),
            ("depth", self.depth, depth_of(document, &operation.selection_set)),
            (
                "root_fields",
                self.root_fields,
                operation.root_fields(document).count() as u64,
            ),
            ("aliases", self.aliases, aliases_of(document)),
            ("directives", self.directives, directives_of(document)),
            ("complexity", most_points, self.complexity.as_ref().map_or(0, points)),
            (
                "operation_name",
                self.plain_operation_names.then_some(0),
                name.map_or(0, unusual_characters),
            ),
            (
                "variables",
                self.declared_variables_only.then_some(0),
                undeclared_variables(request),
            ),
        ];
        found.into_iter().find_map(|(limit, max, said)| {
            let max = max?;
            let what = limit.replace('_', " ");
            let values: [(&str, &dyn Display); 3] = [("what", &what), ("requested", &said), ("max", &max)];
            let refusal = self.refusals.get(limit).unwrap_or(&self.refusal);
            (said > max).then(|| refusal.filled(&values))
        })
    }
}

fn unusual_characters(name: &str) -> u64 {
    name.chars()
        .filter(|character| !character.is_ascii_alphanumeric())
        .count() as u64
}

/// Variables beside the text that it does not declare; 0 where it declares none at all.
fn undeclared_variables(request: &NodeCount<'_>) -> u64 {
    let declared = &request.operation.variables;
    if declared.is_empty() {
        return 0;
    }
    let given = request.variables.into_iter().flat_map(|variables| variables.keys());
    let is_declared = |name: &str| declared.iter().any(|variable| variable.name == name);
    given.filter(|name| !is_declared(name.as_str())).count() as u64
}

/// Levels of nested fields, through fragments.
fn depth_of(document: &ExecutableDocument, set: &SelectionSet) -> u64 {
    let depth = |selection: &Selection| match selection {
        Selection::Field(field) => 1 + depth_of(document, &field.selection_set),
        Selection::InlineFragment(fragment) => depth_of(document, &fragment.selection_set),
        Selection::FragmentSpread(spread) => {
            let fragment = spread.fragment_def(document);
            fragment.map_or(0, |fragment| depth_of(document, &fragment.selection_set))
        }
    };
    set.selections.iter().map(depth).max().unwrap_or(0)
}

fn aliases_of(document: &ExecutableDocument) -> u64 {
    let is_alias = |selection: &Selection| matches!(selection, Selection::Field(field) if field.alias.is_some());
    counted(document, &|selection| u64::from(is_alias(selection)))
}

fn directives_of(document: &ExecutableDocument) -> u64 {
    let operations = document.operations.iter().map(|operation| operation.directives.len());
    let fragments = document.fragments.values().map(|fragment| fragment.directives.len());
    let definitions: usize = operations.chain(fragments).sum();
    definitions as u64 + counted(document, &|selection| selection.directives().len() as u64)
}

/// The sum over all selections of a text, each where it stands.
fn counted(document: &ExecutableDocument, count: &dyn Fn(&Selection) -> u64) -> u64 {
    let operations = document.operations.iter().map(|operation| &operation.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.selection_set);
    operations.chain(fragments).map(|set| counted_in(set, count)).sum()
}

fn counted_in(set: &SelectionSet, count: &dyn Fn(&Selection) -> u64) -> u64 {
    let below = |selection: &Selection| match selection {
        Selection::Field(field) => counted_in(&field.selection_set, count),
        Selection::InlineFragment(fragment) => counted_in(&fragment.selection_set, count),
        // Its fields stand in the text once, however often it is spread.
        Selection::FragmentSpread(_) => 0,
    };
    set.selections
        .iter()
        .map(|selection| count(selection) + below(selection))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::config::DemoConfig;
    use crate::demo::stand_in::StandIn;

    const TEXT: &str = "query ($yes: Boolean = true) { x: viewer { ...V } ...Q groups(first: 2) { nodes { id } } }
        fragment V on Viewer { y: name @include(if: $yes) z: name @skip(if: $yes) }
        fragment Q on Query { organizations(first: 1) { nodes { groups(first: 1) { nodes { name ... on Group @include(if: $yes) { id } } } } } }";

    fn refused(key: &str, max: usize) -> Option<String> {
        let config = DemoConfig::named("tracker").unwrap();
        let stand_in = StandIn::new(&config).unwrap();
        let document = ExecutableDocument::parse_and_validate(&stand_in.schema, TEXT, "request.graphql").unwrap();
        let limit: TextLimit = toml::from_str(&format!(
            "{key} = {max}\nrefusal = {{ status = 400, body = '{{requested}} {{what}}/{{max}}' }}
             refusals.depth = {{ status = 200, body = 'too deep: {{requested}} levels of {{max}}' }}"
        ))
        .unwrap();
        let request = NodeCount {
            dataset: &stand_in.dataset,
            paging: &config.behaviours.paging,
            document: &document,
            operation: document.operations.get(None).unwrap(),
            variables: None,
        };
        limit.refusal(TEXT, None, &request).map(|refusal| refusal.body)
    }

    #[test]
    fn what_a_text_says_is_counted_where_it_stands() {
        for (key, said, what) in [
            ("characters", TEXT.len(), "characters"),
            ("root_fields", 3, "root fields"),
            ("aliases", 3, "aliases"),
            ("directives", 3, "directives"),
        ] {
            assert_eq!(refused(key, said), None, "{key}");
            assert_eq!(refused(key, said - 1), Some(format!("{said} {what}/{}", said - 1)));
        }
    }

    #[test]
    fn depth_is_counted_through_fragments_and_has_words_of_its_own() {
        assert_eq!(refused("depth", 5), None);
        assert_eq!(refused("depth", 4), Some("too deep: 5 levels of 4".to_owned()));
    }
}
