//! What a source says of the paging of single fields, looked up by the type that has the field.

use apollo_compiler::Schema;
use apollo_compiler::schema::Name;

use crate::schema::{ApiSchema, PagingHints, PagingRule, nearest, object_field};

/// The rules of a source. What is said of an interface's field holds for those of its implementers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PagingRules<'plan> {
    schema: &'plan Schema,
    rules: &'plan [PagingRule],
}

impl<'plan> PagingRules<'plan> {
    pub(crate) fn new(schema: &'plan Schema, rules: &'plan [PagingRule]) -> Self {
        Self { schema, rules }
    }

    /// What is said of a field of `type_name`: of the type itself before what is said of its interfaces.
    pub(crate) fn hints(self, type_name: &Name, field: &Name) -> PagingHints {
        let of_field = || self.rules.iter().filter(|rule| is_about(rule, field));
        let own = of_field().filter(|rule| rule.type_name == type_name.as_str());
        let inherited = of_field().filter(|rule| self.schema.is_subtype(&rule.type_name, type_name));
        let mut rules: Vec<&PagingRule> = own.chain(inherited).collect();
        // What is said of one field goes before what is said of several.
        rules.sort_by_key(|rule| rule.field != field.as_str());
        let said = rules.into_iter().map(|rule| &rule.hints);
        said.fold(PagingHints::default(), PagingHints::over)
    }
}

/// Whether a rule is about a field: by its name, or by how that begins, where the rule's ends with `*`.
fn is_about(rule: &PagingRule, field: &str) -> bool {
    match rule.field.strip_suffix('*') {
        Some(beginning) => field.starts_with(beginning),
        None => rule.field == field,
    }
}

/// One line for each rule of the source's own on a type or a field that the schema does not have.
pub fn unknown_paging_rules(schema: &ApiSchema, rules: &[PagingRule]) -> Vec<String> {
    let schema = schema.compiled();
    let own = rules.iter().filter(|rule| !rule.is_shipped);
    own.filter_map(|rule| unknown(schema, rule)).collect()
}

fn unknown(schema: &Schema, rule: &PagingRule) -> Option<String> {
    let PagingRule { type_name, field, .. } = rule;
    if object_field(schema, type_name, field).is_some() || fits_several(schema, rule) {
        return None;
    }
    let (what, meant) = match schema.types.contains_key(type_name.as_str()) {
        true => (format!("`{type_name}` has no field `{field}`"), None),
        false => {
            let names = schema.types.keys().map(Name::as_str);
            (format!("there is no type `{type_name}`"), nearest(type_name, names))
        }
    };
    let meant = meant.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"));
    Some(format!(
        "what [[paging]] says of `{type_name}.{field}` is of no use: in the schema {what}{meant}"
    ))
}

fn fits_several(schema: &Schema, rule: &PagingRule) -> bool {
    let object = schema.get_object(&rule.type_name);
    let mut fields = object.into_iter().flat_map(|object| object.fields.keys());
    fields.any(|field| is_about(rule, field))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SCHEMA: &str = "
        type Query { a: A }
        interface Named { items(first: Int): [A] }
        type A implements Named { items(first: Int): [A] }
        type B { items(first: Int): [A] }";

    fn rules() -> Vec<PagingRule> {
        let rule = |text: &str| toml::from_str(text).unwrap();
        vec![
            rule("type = 'Named'\nfield = 'items'\nstyle = 'capped'\ncap = 9"),
            rule("type = 'A'\nfield = 'items'\ncap = 7"),
            rule("type = 'B'\nfield = 'itemz'\nstyle = 'none'"),
            rule("type = 'Namd'\nfield = 'items'\nstyle = 'none'"),
        ]
    }

    #[test]
    fn what_is_said_of_an_interface_holds_for_its_implementers_and_for_no_others() {
        let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
        let rules = rules();
        let rules = PagingRules::new(schema.compiled(), &rules);
        let hints = |name: &str| {
            let name = Name::new(name).unwrap();
            rules.hints(&name, &Name::new_unchecked("items")).to_string()
        };
        assert_eq!(hints("Named"), "@paginate(style: CAPPED, cap: 9)");
        assert_eq!(hints("A"), "@paginate(style: CAPPED, cap: 7)");
        assert_eq!(hints("B"), "@paginate()");
    }

    #[test]
    fn a_rule_can_be_about_all_fields_that_begin_alike() {
        let text = "type Query { findBugs: [A] findTags: [A] other: [A] } type A { id: ID }";
        let schema = ApiSchema::read(text, Path::new("schema.graphql")).unwrap();
        let rule = |text: &str| toml::from_str(text).unwrap();
        let rules: [PagingRule; 2] = [
            rule("type = 'Query'\nfield = 'find*'\norder = 'orderBy: { id: ASC }'"),
            rule("type = 'Query'\nfield = 'findTags'\norder = 'orderBy: { name: ASC }'"),
        ];
        let query = Name::new_unchecked("Query");
        let order = |field: &str| {
            PagingRules::new(schema.compiled(), &rules)
                .hints(&query, &Name::new(field).unwrap())
                .order
        };
        assert_eq!(order("findBugs").as_deref(), Some("orderBy: { id: ASC }"));
        assert_eq!(order("findTags").as_deref(), Some("orderBy: { name: ASC }"));
        assert_eq!(order("other"), None);
        assert_eq!(unknown_paging_rules(&schema, &rules), Vec::<String>::new());
        let lost = rule("type = 'Query'\nfield = 'list*'\norder = 'orderBy: id'");
        assert_eq!(unknown_paging_rules(&schema, &[lost]).len(), 1);
    }

    #[test]
    fn rules_on_what_is_not_there_are_told() {
        let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
        assert_eq!(
            unknown_paging_rules(&schema, &rules()),
            [
                "what [[paging]] says of `B.itemz` is of no use: in the schema `B` has no field `itemz`",
                "what [[paging]] says of `Namd.items` is of no use: in the schema there is no type `Namd` \
                 (did you mean `Named`?)",
            ]
        );
        let shipped = rules().into_iter().map(|rule| PagingRule {
            is_shipped: true,
            ..rule
        });
        let unknown = unknown_paging_rules(&schema, &shipped.collect::<Vec<_>>());
        assert_eq!(unknown, Vec::<String>::new(), "a preset speaks of all of its API");
    }
}
