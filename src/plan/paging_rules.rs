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
        let of_field = || self.rules.iter().filter(|rule| rule.field == field.as_str());
        let own = of_field().find(|rule| rule.type_name == type_name.as_str());
        let inherited = of_field().filter(|rule| self.schema.is_subtype(&rule.type_name, type_name));
        let own = own.map_or_else(PagingHints::default, |rule| rule.hints.clone());
        inherited.fold(own, |hints, rule| hints.over(&rule.hints))
    }
}

/// One line for each rule on a type or a field that the schema does not have.
pub fn unknown_paging_rules(schema: &ApiSchema, rules: &[PagingRule]) -> Vec<String> {
    let schema = schema.compiled();
    rules.iter().filter_map(|rule| unknown(schema, rule)).collect()
}

fn unknown(schema: &Schema, rule: &PagingRule) -> Option<String> {
    let PagingRule { type_name, field, .. } = rule;
    if object_field(schema, type_name, field).is_some() {
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
    }
}
