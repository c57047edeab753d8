//! What a request costs by what it says: points for each field, multiplied by the sizes of pages where the API does so.

use std::collections::BTreeMap;

use apollo_compiler::executable::{Field, Selection, SelectionSet};
use serde::Deserialize;

use crate::demo::node_limit::NodeCount;

/// The most points that a request may cost, and how they are counted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplexityLimit {
    /// So many.
    pub max: u64,
    /// For each field that holds objects.
    pub object: f64,
    /// For each field that holds none.
    pub scalar: f64,
    /// Whether what stands below a list counts as often as its page has rows.
    #[serde(default)]
    pub is_multiplied: bool,
    /// The arguments of the lists for which that holds, `first` for instance; of all lists where none is given.
    #[serde(default)]
    pub multiplied_by: Vec<String>,
}

impl ComplexityLimit {
    /// What an operation costs, rounded up. Fields that variables switch off cost nothing.
    pub(crate) fn points(&self, request: &NodeCount<'_>) -> u64 {
        self.of_selections(request, &request.operation.selection_set).ceil() as u64
    }

    /// Of the branches for several types of an object only one is taken, so the costliest counts.
    fn of_selections(&self, request: &NodeCount<'_>, set: &SelectionSet) -> f64 {
        let mut branches = BTreeMap::<&str, f64>::new();
        self.add(request, set, &set.ty, &mut branches);
        let for_all = branches.remove(set.ty.as_str()).unwrap_or_default();
        for_all + branches.into_values().fold(0.0, f64::max)
    }

    fn add<'s>(
        &self,
        request: &NodeCount<'s>,
        set: &'s SelectionSet,
        branch: &'s str,
        branches: &mut BTreeMap<&'s str, f64>,
    ) {
        for selection in &set.selections {
            if !request.is_asked(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    *branches.entry(branch).or_default() += self.of_field(request, &set.ty, field);
                }
                Selection::InlineFragment(fragment) => {
                    let set = &fragment.selection_set;
                    self.add(request, set, &set.ty, branches);
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = spread.fragment_def(request.document) else {
                        continue;
                    };
                    let set = &fragment.selection_set;
                    self.add(request, set, &set.ty, branches);
                }
            }
        }
    }

    fn of_field(&self, request: &NodeCount<'_>, ty: &str, field: &Field) -> f64 {
        if field.selection_set.is_empty() {
            return self.scalar;
        }
        let below = self.of_selections(request, &field.selection_set);
        let times = request.width(ty, field).filter(|_| self.multiplies(field));
        self.object + below * times.map_or(1.0, |times| times as f64)
    }

    fn multiplies(&self, field: &Field) -> bool {
        let is_named = |name: &String| field.definition.argument_by_name(name).is_some();
        self.is_multiplied && (self.multiplied_by.is_empty() || self.multiplied_by.iter().any(is_named))
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ExecutableDocument;

    use super::*;
    use crate::demo::config::DemoConfig;
    use crate::demo::stand_in::StandIn;

    fn points(query: &str, rule: &str) -> u64 {
        let config = DemoConfig::named("tracker").unwrap();
        let stand_in = StandIn::new(&config).unwrap();
        let document = ExecutableDocument::parse_and_validate(&stand_in.schema, query, "request.graphql").unwrap();
        let limit: ComplexityLimit = toml::from_str(&format!("max = 1\n{rule}")).unwrap();
        limit.points(&NodeCount {
            dataset: &stand_in.dataset,
            paging: &config.behaviours.paging,
            document: &document,
            operation: document.operations.get(None).unwrap(),
            variables: None,
        })
    }

    const NESTED: &str = "{ groups(first: 20) { nodes { id ...G } } } fragment G on Group {
        findings(first: 5) { nodes { id title off: title @skip(if: true) } pageInfo { hasNextPage } } }";

    #[test]
    fn every_field_costs_what_its_kind_costs() {
        assert_eq!(points(NESTED, "object = 1.0\nscalar = 1.0"), 9);
        assert_eq!(
            points(NESTED, "object = 1.0\nscalar = 0.1"),
            6,
            "5 objects and 4 tenths"
        );
    }

    #[test]
    fn what_stands_below_a_page_may_count_as_often_as_it_has_rows() {
        // 1 + 20 x (1 + 1 + (1 + 5 x (1 + 2 + 1 + 1)))
        assert_eq!(
            points(NESTED, "object = 1.0\nscalar = 1.0\nis_multiplied = true"),
            1 + 20 * 28
        );
    }

    #[test]
    fn only_lists_of_certain_arguments_may_be_multiplied() {
        let by = |argument: &str| {
            points(
                NESTED,
                &format!("object = 1.0\nscalar = 1.0\nis_multiplied = true\nmultiplied_by = ['{argument}']"),
            )
        };
        assert_eq!((by("first"), by("limit")), (1 + 20 * 28, 9));
    }

    #[test]
    fn of_several_types_the_costliest_counts() {
        let query = "{ vulnerabilities(first: 9) { nodes { id location { __typename
            ... on FileLocation { path line } ... on UrlLocation { url } ... on FileLocation { path } } } } }";
        assert_eq!(points(query, "object = 1.0\nscalar = 1.0"), 3 + 1 + 1 + 3);
    }
}
