//! How much a written request has of what APIs limit in single queries.
//!
//! Pure, and blind to the schema: what counts is the text, and of the variables the sizes of pages.

use std::collections::HashMap;
use std::fmt;

use apollo_compiler::Name;
use apollo_compiler::ast::{Definition, Document, Field, Selection, Value};
use serde::Serialize;
use serde_json::{Map, Value as JsonValue};

use crate::plan::request::RequestText;
use crate::project::{ComplexityLimit, QueryLimits};

/// Points that are too few to count: what adding up fractions leaves.
const DUST: f64 = 1e-6;

/// What an API limits in single queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Characters of the text.
    Characters,
    /// Levels of nested fields.
    Depth,
    /// Fields directly under the operation.
    RootFields,
    /// Aliases in the text.
    Aliases,
    /// Directives in the text.
    Directives,
    /// The API's own count of what a query costs.
    Complexity,
    /// Rows that are asked for, at all levels.
    Nodes,
}

/// How much a request has of what is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// What is limited.
    #[serde(rename = "limit")]
    pub kind: LimitKind,
    /// What the request has of it.
    pub has: u64,
    /// The most that the API takes.
    pub most: u64,
}

impl Amount {
    /// Whether the API would refuse the request for it.
    pub fn is_over(&self) -> bool {
        self.has > self.most
    }
}

impl LimitKind {
    /// Its key under `limits.query`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Depth => "depth",
            Self::RootFields => "root_fields",
            Self::Aliases => "aliases",
            Self::Directives => "directives",
            Self::Complexity => "complexity",
            Self::Nodes => "nodes",
        }
    }
}

/// `complexity 612 of 400`, `5 root fields of 3`
impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { has, most, .. } = self;
        let counted = match self.kind {
            LimitKind::Characters => "characters",
            LimitKind::RootFields => "root fields",
            LimitKind::Aliases => "aliases",
            LimitKind::Directives => "directives",
            LimitKind::Nodes => "nodes",
            LimitKind::Depth => return write!(formatter, "depth {has} of {most}"),
            LimitKind::Complexity => return write!(formatter, "complexity {has} of {most}"),
        };
        write!(formatter, "{has} {counted} of {most}")
    }
}

/// What a request has of each limit that there is.
pub fn measured(limits: &QueryLimits, request: &RequestText) -> Vec<Amount> {
    let amount = |kind, most: Option<u32>, has: u64| {
        most.map(|most| Amount {
            kind,
            has,
            most: most.into(),
        })
    };
    let characters = number(request.text.chars().count());
    let mut amounts = Vec::from_iter(amount(LimitKind::Characters, limits.characters, characters));
    let of_structure = [
        (LimitKind::Depth, limits.depth),
        (LimitKind::RootFields, limits.root_fields),
        (LimitKind::Aliases, limits.aliases),
        (LimitKind::Directives, limits.directives),
        (
            LimitKind::Complexity,
            limits.complexity.as_ref().map(|complexity| complexity.max),
        ),
    ];
    if of_structure.iter().all(|(_, most)| most.is_none()) {
        return amounts;
    }
    // What the planner writes always parses; what else there was would be counted as far as it does.
    let document = Document::parse(&*request.text, "request.graphql").unwrap_or_else(|flawed| flawed.partial);
    let counts = Counter::new(&document, limits.complexity.as_ref(), &request.variables).count();
    let structure = of_structure
        .into_iter()
        .filter_map(|(kind, most)| amount(kind, most, counts.of(kind)));
    amounts.extend(structure);
    amounts
}

/// What is counted by structure.
#[derive(Debug, Default)]
struct Counts {
    root_fields: u64,
    aliases: u64,
    directives: u64,
    nested: Nested,
}

impl Counts {
    fn of(&self, kind: LimitKind) -> u64 {
        match kind {
            LimitKind::Characters | LimitKind::Nodes => 0,
            LimitKind::Depth => self.nested.depth,
            LimitKind::RootFields => self.root_fields,
            LimitKind::Aliases => self.aliases,
            LimitKind::Directives => self.directives,
            // Points are many times fewer than what a whole number can hold.
            LimitKind::Complexity => (self.nested.points - DUST).ceil() as u64,
        }
    }
}

/// What counts again wherever a fragment is spread.
#[derive(Debug, Default, Clone, Copy)]
struct Nested {
    /// Levels of fields.
    depth: u64,
    points: f64,
}

struct Counter<'text> {
    document: &'text Document,
    complexity: Option<&'text ComplexityLimit>,
    variables: &'text Map<String, JsonValue>,
    /// What the fragments have that were looked into.
    fragments: HashMap<&'text Name, Nested>,
    counts: Counts,
}

impl<'text> Counter<'text> {
    fn new(
        document: &'text Document,
        complexity: Option<&'text ComplexityLimit>,
        variables: &'text Map<String, JsonValue>,
    ) -> Self {
        Self {
            document,
            complexity,
            variables,
            fragments: HashMap::new(),
            counts: Counts::default(),
        }
    }

    fn count(mut self) -> Counts {
        for definition in &self.document.definitions {
            if let Definition::OperationDefinition(operation) = definition {
                self.counts.directives += number(operation.directives.len());
                let root_fields = self.root_fields(&operation.selection_set);
                self.counts.root_fields += root_fields;
                self.counts.nested = self.selections(&operation.selection_set);
            }
        }
        self.counts
    }

    fn fragment(&self, name: &Name) -> Option<(&'text Name, &'text [Selection])> {
        self.document
            .definitions
            .iter()
            .find_map(|definition| match definition {
                Definition::FragmentDefinition(fragment) if fragment.name == *name => {
                    Some((&fragment.name, fragment.selection_set.as_slice()))
                }
                _ => None,
            })
    }

    fn root_fields(&self, selections: &[Selection]) -> u64 {
        let fields = selections.iter().map(|selection| match selection {
            Selection::Field(_) => 1,
            Selection::InlineFragment(inline) => self.root_fields(&inline.selection_set),
            Selection::FragmentSpread(spread) => self
                .fragment(&spread.fragment_name)
                .map_or(0, |(_, selections)| self.root_fields(selections)),
        });
        fields.sum()
    }

    /// Fragments on different types are all counted, though an object is of one type only: no schema tells here which
    /// of them exclude each other, and counting too much is safe.
    fn selections(&mut self, selections: &'text [Selection]) -> Nested {
        let mut all = Nested::default();
        for selection in selections {
            let (nested, directives) = match selection {
                Selection::Field(field) => (self.field(field), &field.directives),
                Selection::InlineFragment(inline) => (self.selections(&inline.selection_set), &inline.directives),
                Selection::FragmentSpread(spread) => (self.spread(&spread.fragment_name), &spread.directives),
            };
            self.counts.directives += number(directives.len());
            all.depth = all.depth.max(nested.depth);
            all.points += nested.points;
        }
        all
    }

    fn spread(&mut self, name: &Name) -> Nested {
        if let Some(known) = self.fragments.get(name) {
            return *known;
        }
        let Some((name, selections)) = self.fragment(name) else {
            return Nested::default();
        };
        let nested = self.selections(selections);
        self.fragments.insert(name, nested);
        nested
    }

    fn field(&mut self, field: &'text Field) -> Nested {
        self.counts.aliases += u64::from(field.alias.is_some());
        let below = self.selections(&field.selection_set);
        let points = self.complexity.map_or(0.0, |rule| {
            let own = match field.selection_set.is_empty() {
                true => rule.scalar,
                false => rule.object,
            };
            own + below.points * self.factor(field, rule)
        });
        Nested {
            depth: below.depth + 1,
            points,
        }
    }

    /// What the points below a field are multiplied by: the size of its page.
    fn factor(&self, field: &Field, rule: &ComplexityLimit) -> f64 {
        let arguments = field.arguments.iter();
        let sizes = arguments.filter_map(|argument| self.size(&argument.name, &argument.value, rule));
        sizes.reduce(f64::max).unwrap_or(1.0)
    }

    /// The size that an argument, or a member of an input object, gives.
    fn size(&self, name: &Name, value: &Value, rule: &ComplexityLimit) -> Option<f64> {
        if let Value::Object(members) = value {
            let sizes = members.iter().filter_map(|(name, value)| self.size(name, value, rule));
            return sizes.reduce(f64::max);
        }
        let is_meant = rule.multiplied_by.iter().any(|multiplier| multiplier == name.as_str());
        match value {
            _ if !is_meant => None,
            Value::Variable(variable) => self.variable(variable),
            literal => literal.to_f64(),
        }
    }

    /// The number that a variable stands for: its value, or its default.
    fn variable(&self, name: &Name) -> Option<f64> {
        if let Some(given) = self.variables.get(name.as_str()) {
            return given.as_f64();
        }
        let operations = self
            .document
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                Definition::OperationDefinition(operation) => Some(&operation.variables),
                _ => None,
            });
        let definition = operations.flatten().find(|definition| definition.name == *name)?;
        definition.default_value.as_ref()?.to_f64()
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn amounts(text: &str, variables: JsonValue, complexity: ComplexityLimit) -> Vec<u64> {
        let limits = QueryLimits {
            characters: Some(1),
            depth: Some(1),
            root_fields: Some(1),
            aliases: Some(1),
            directives: Some(1),
            complexity: Some(complexity),
            ..QueryLimits::default()
        };
        let JsonValue::Object(variables) = variables else {
            panic!("an object was expected")
        };
        let text = text.into();
        let amounts = measured(&limits, &RequestText { text, variables });
        amounts.iter().map(|amount| amount.has).collect()
    }

    fn fields() -> ComplexityLimit {
        ComplexityLimit {
            max: 1,
            object: 1.0,
            scalar: 1.0,
            multiplied_by: Vec::new(),
        }
    }

    #[test]
    fn aliases_are_told_from_arguments_variables_and_texts() {
        let text =
            r#"query($a:Int=1)@x{t0:f(x:{y:$a},z:"):\"(")@include(if:true){b c:d}t1:g{...F}}fragment F on T{e:h}"#;
        let characters = text.len() as u64;
        assert_eq!(amounts(text, json!({}), fields()), [characters, 2, 2, 4, 2, 5]);
        assert_eq!(amounts(r#"{a(b:"\\")c:d}"#, json!({}), fields())[3], 1);
    }

    #[test]
    fn depth_and_complexity_go_through_fragments_and_aliases_and_directives_are_those_of_the_text() {
        let text = "{a{...F}b:a{...F}}fragment F on T{...on U@include(if:true){c{d}}e:x{f:y{g}}}";
        // Of each spread: c, d, e, f, g; and the two fields that spread it.
        assert_eq!(amounts(text, json!({}), fields())[1..], [4, 2, 3, 1, 12]);
        assert_eq!(amounts("{...on Query{a b}c}", json!({}), fields())[2], 3);
    }

    #[test]
    fn what_stands_below_a_page_is_multiplied_by_its_size() {
        let rule = |multiplied_by: &[&str]| ComplexityLimit {
            scalar: 0.1,
            multiplied_by: multiplied_by.iter().map(ToString::to_string).collect(),
            ..fields()
        };
        let points =
            |text: &str, multiplied_by: &[&str]| amounts(text, json!({ "n": 10, "m": 3 }), rule(multiplied_by))[5];
        let text = "query($n:Int,$m:Int){a(first:$n){nodes{id b(first:$m){nodes{id}}}}}";
        assert_eq!(points(text, &[]), 5, "4 objects and 2 scalars, rounded up");
        // 1 + 10 * (1 + 0.1 + 1 + 3 * (1 + 0.1))
        assert_eq!(points(text, &["first", "last"]), 55);
        assert_eq!(points("{a(page:{size:20}){b}}", &["size"]), 3);
        assert_eq!(
            points("query($k:Int=40){a(last:$k){b}}", &["last"]),
            5,
            "a default counts"
        );
        assert_eq!(points("{a{x y z t u v w p q r}}", &[]), 2, "ten tenths are one");
    }

    #[test]
    fn nothing_is_measured_that_is_not_limited() {
        let request = RequestText {
            text: "{a:b c:d}".into(),
            variables: Map::new(),
        };
        assert_eq!(measured(&QueryLimits::default(), &request), []);
        let limits = QueryLimits {
            aliases: Some(1),
            depth: Some(1),
            ..QueryLimits::default()
        };
        let amounts = measured(&limits, &request);
        let words: Vec<String> = amounts.iter().map(Amount::to_string).collect();
        assert_eq!(words, ["depth 1 of 1", "2 aliases of 1"]);
        assert!(!amounts[0].is_over() && amounts[1].is_over());
    }
}
