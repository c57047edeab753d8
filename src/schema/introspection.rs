//! Asking an API for its schema: the query texts, and the answer turned into the schema definition language.
//!
//! Servers differ in what they let one ask: some refuse what came with the 2021 specification, some refuse
//! directives or deprecated members, or fragments. [`IntrospectionQuery::ladder`] goes from the fullest text to the barest.

use apollo_compiler::ast::{
    Definition, DirectiveDefinition, DirectiveList, DirectiveLocation, Document, EnumTypeDefinition,
    EnumValueDefinition, FieldDefinition, InputObjectTypeDefinition, InputValueDefinition, InterfaceTypeDefinition,
    ObjectTypeDefinition, OperationType, ScalarTypeDefinition, SchemaDefinition, Type, UnionTypeDefinition, Value,
};
use apollo_compiler::{Name, Node};
use serde::Deserialize;

/// Levels of `ofType` that are asked for: enough for a list of lists of non-null items and one more wrapping.
const TYPE_WRAPPERS: usize = 7;

/// The longest default value of an argument that is read, in bytes.
const LONGEST_DEFAULT: usize = 1_000;

/// A way to ask for the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntrospectionQuery {
    extent: Extent,
    has_fragments: bool,
}

/// How much of the schema is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// What the current specification offers: deprecated arguments, repeatable directives.
    Current,
    /// What the specification of 2018 offers.
    June2018,
    /// Types, fields and arguments only.
    Bare,
}

impl IntrospectionQuery {
    /// From the fullest to the barest, in the order in which they are tried. Where it is not known that the API takes no
    /// fragments, the last goes without them.
    pub fn ladder(without_fragments: bool) -> Vec<Self> {
        let extents = [Extent::Current, Extent::June2018, Extent::Bare].map(|extent| Self {
            extent,
            has_fragments: !without_fragments,
        });
        let last = Self {
            extent: Extent::Bare,
            has_fragments: false,
        };
        let last = (!without_fragments).then_some(last);
        extents.into_iter().chain(last).collect()
    }

    /// The query's text. Fragments keep it short.
    pub fn text(self) -> String {
        let (arguments, fields, is_repeatable) = match self.extent {
            Extent::Current => ("(includeDeprecated:true)", "(includeDeprecated:true)", " isRepeatable"),
            Extent::June2018 => ("", "(includeDeprecated:true)", ""),
            Extent::Bare => ("", "", ""),
        };
        let mut fragments = String::new();
        let mut selection = |name: &str, on: &str, selection: String| {
            if !self.has_fragments {
                return selection;
            }
            fragments.push_str(&format!(" fragment {name} on {on}{selection}"));
            format!("{{...{name}}}")
        };
        let wrappers = "{kind name ofType".repeat(TYPE_WRAPPERS);
        let closing = "}".repeat(TYPE_WRAPPERS);
        let reference = selection("Ref", "__Type", format!("{wrappers}{{kind name}}{closing}"));
        let input = format!("{{name type{reference} defaultValue}}");
        let input = selection("Input", "__InputValue", input);
        let full = format!(
            "{{kind name fields{fields}{{name args{arguments}{input} type{reference}}} inputFields{arguments}{input} \
             interfaces{reference} enumValues{fields}{{name}} possibleTypes{reference}}}"
        );
        let full = selection("Full", "__Type", full);
        let directives = match self.extent {
            Extent::Current | Extent::June2018 => {
                format!(" directives{{name{is_repeatable} locations args{arguments}{input}}}")
            }
            Extent::Bare => String::new(),
        };
        format!("query Introspection{{__schema{{queryType{{name}} types{full}{directives}}}}}{fragments}")
    }

    /// The name of the operation in [`Self::text`].
    pub const OPERATION_NAME: &str = "Introspection";
}

/// The answer to an introspection query is not one.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectionError {
    /// Not of the shape that was asked for.
    #[error("the answer to the introspection query is not a schema: {0}")]
    Shape(#[from] serde_json::Error),
    /// The API reports errors beside every answer.
    #[error("the API answers every introspection query with errors; save its schema as a file and set `schema` to it")]
    Holes,
    /// A name that GraphQL does not allow.
    #[error("the schema has a name that GraphQL does not allow: {0:?}")]
    Name(String),
    /// A wrapped type without the type that it wraps.
    #[error("the schema has a type wrapped more than {TYPE_WRAPPERS} times; save it as a file and set `schema` to it")]
    WrappedTooDeep,
    /// A kind of type that the specification does not know.
    #[error("the schema has a type of the unknown kind {0:?}")]
    Kind(String),
}

/// Turns the `data` of an introspection answer into the text of a schema definition.
pub fn definition_text(data: &str) -> Result<String, IntrospectionError> {
    let answer: Answer = serde_json::from_str(data)?;
    let mut document = Document::new();
    document.definitions.push(schema_definition(&answer.schema)?);
    for described in answer
        .schema
        .types
        .iter()
        .filter(|described| !described.name.starts_with("__"))
    {
        if let Some(definition) = type_definition(described)? {
            document.definitions.push(definition);
        }
    }
    for directive in answer.schema.directives.iter().flatten() {
        document.definitions.push(directive_definition(directive)?);
    }
    Ok(document.to_string())
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "__schema")]
    schema: SchemaAnswer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaAnswer {
    query_type: NamedAnswer,
    types: Vec<TypeAnswer>,
    directives: Option<Vec<DirectiveAnswer>>,
}

#[derive(Deserialize)]
struct NamedAnswer {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeAnswer {
    kind: String,
    name: String,
    fields: Option<Vec<FieldAnswer>>,
    input_fields: Option<Vec<InputAnswer>>,
    interfaces: Option<Vec<TypeReference>>,
    enum_values: Option<Vec<NamedAnswer>>,
    possible_types: Option<Vec<TypeReference>>,
}

#[derive(Deserialize)]
struct FieldAnswer {
    name: String,
    args: Option<Vec<InputAnswer>>,
    #[serde(rename = "type")]
    ty: TypeReference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputAnswer {
    name: String,
    #[serde(rename = "type")]
    ty: TypeReference,
    default_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectiveAnswer {
    name: String,
    is_repeatable: Option<bool>,
    locations: Vec<String>,
    args: Option<Vec<InputAnswer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeReference {
    kind: String,
    name: Option<String>,
    of_type: Option<Box<TypeReference>>,
}

fn schema_definition(schema: &SchemaAnswer) -> Result<Definition, IntrospectionError> {
    // Only queries are ever sent, so the other root operations are left out.
    let query = Node::new((OperationType::Query, name(&schema.query_type.name)?));
    Ok(Definition::SchemaDefinition(Node::new(SchemaDefinition {
        description: None,
        directives: DirectiveList::default(),
        root_operations: vec![query],
    })))
}

/// `None` for the built-in scalars, which need no definition.
fn type_definition(described: &TypeAnswer) -> Result<Option<Definition>, IntrospectionError> {
    let type_name = name(&described.name)?;
    let directives = DirectiveList::default();
    let definition = match described.kind.as_str() {
        "SCALAR" => {
            if matches!(described.name.as_str(), "Int" | "Float" | "String" | "Boolean" | "ID") {
                return Ok(None);
            }
            let scalar = ScalarTypeDefinition {
                description: None,
                name: type_name,
                directives,
            };
            Definition::ScalarTypeDefinition(Node::new(scalar))
        }
        "OBJECT" => Definition::ObjectTypeDefinition(Node::new(ObjectTypeDefinition {
            description: None,
            name: type_name,
            implements_interfaces: type_names(described.interfaces.as_deref())?,
            directives,
            fields: fields(described.fields.as_deref())?,
        })),
        "INTERFACE" => Definition::InterfaceTypeDefinition(Node::new(InterfaceTypeDefinition {
            description: None,
            name: type_name,
            implements_interfaces: type_names(described.interfaces.as_deref())?,
            directives,
            fields: fields(described.fields.as_deref())?,
        })),
        "UNION" => Definition::UnionTypeDefinition(Node::new(UnionTypeDefinition {
            description: None,
            name: type_name,
            directives,
            members: type_names(described.possible_types.as_deref())?,
        })),
        "ENUM" => Definition::EnumTypeDefinition(Node::new(EnumTypeDefinition {
            description: None,
            name: type_name,
            directives,
            values: enum_values(described.enum_values.as_deref())?,
        })),
        "INPUT_OBJECT" => Definition::InputObjectTypeDefinition(Node::new(InputObjectTypeDefinition {
            description: None,
            name: type_name,
            directives,
            fields: inputs(described.input_fields.as_deref())?,
        })),
        other => return Err(IntrospectionError::Kind(other.to_owned())),
    };
    Ok(Some(definition))
}

fn directive_definition(directive: &DirectiveAnswer) -> Result<Definition, IntrospectionError> {
    let locations = directive.locations.iter();
    // A location that a later specification added concerns no query of ours.
    let locations = locations.filter_map(|location| directive_location(location)).collect();
    Ok(Definition::DirectiveDefinition(Node::new(DirectiveDefinition {
        description: None,
        name: name(&directive.name)?,
        arguments: inputs(directive.args.as_deref())?,
        repeatable: directive.is_repeatable.unwrap_or(false),
        locations,
    })))
}

fn directive_location(text: &str) -> Option<DirectiveLocation> {
    let document = Document::parse(format!("directive @held on {text}"), "directive location").ok()?;
    document
        .definitions
        .first()?
        .as_directive_definition()?
        .locations
        .first()
        .copied()
}

fn fields(answers: Option<&[FieldAnswer]>) -> Result<Vec<Node<FieldDefinition>>, IntrospectionError> {
    let define = |answer: &FieldAnswer| {
        Ok(Node::new(FieldDefinition {
            description: None,
            name: name(&answer.name)?,
            arguments: inputs(answer.args.as_deref())?,
            ty: answer.ty.resolve()?,
            directives: DirectiveList::default(),
        }))
    };
    answers.unwrap_or_default().iter().map(define).collect()
}

fn inputs(answers: Option<&[InputAnswer]>) -> Result<Vec<Node<InputValueDefinition>>, IntrospectionError> {
    let define = |answer: &InputAnswer| {
        Ok(Node::new(InputValueDefinition {
            description: None,
            name: name(&answer.name)?,
            ty: Node::new(answer.ty.resolve()?),
            default_value: answer.default_value.as_deref().and_then(value),
            directives: DirectiveList::default(),
        }))
    };
    answers.unwrap_or_default().iter().map(define).collect()
}

fn enum_values(answers: Option<&[NamedAnswer]>) -> Result<Vec<Node<EnumValueDefinition>>, IntrospectionError> {
    let define = |answer: &NamedAnswer| {
        Ok(Node::new(EnumValueDefinition {
            description: None,
            value: name(&answer.name)?,
            directives: DirectiveList::default(),
        }))
    };
    answers.unwrap_or_default().iter().map(define).collect()
}

fn type_names(references: Option<&[TypeReference]>) -> Result<Vec<Name>, IntrospectionError> {
    let references = references.unwrap_or_default().iter();
    references
        .map(|reference| Ok(reference.resolve()?.inner_named_type().clone()))
        .collect()
}

impl TypeReference {
    fn resolve(&self) -> Result<Type, IntrospectionError> {
        let wrapped = || {
            self.of_type
                .as_deref()
                .ok_or(IntrospectionError::WrappedTooDeep)?
                .resolve()
        };
        match self.kind.as_str() {
            "NON_NULL" => Ok(wrapped()?.non_null()),
            "LIST" => Ok(wrapped()?.list()),
            _ => Ok(Type::Named(name(self.name.as_deref().unwrap_or_default())?)),
        }
    }
}

fn name(text: &str) -> Result<Name, IntrospectionError> {
    Name::new(text).map_err(|_| IntrospectionError::Name(text.to_owned()))
}

/// Reads a literal. A default value that does not parse is left out: a server that garbles it must not keep the rest of
/// its schema from us. So is one that is longer than any that somebody means: the compiler takes the square of its length
/// over what is no GraphQL.
pub(super) fn value(text: &str) -> Option<Node<Value>> {
    if text.len() > LONGEST_DEFAULT {
        return None;
    }
    let source = format!("input Holder {{ held: Any = {text} }}");
    let document = Document::parse(source, "default value").ok()?;
    document
        .definitions
        .first()?
        .as_input_object_type_definition()?
        .fields
        .first()?
        .default_value
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_definition() {
        let text = definition_text(
            r#"{"__schema":{"queryType":{"name":"Root"},"directives":null,"types":[
                {"kind":"OBJECT","name":"Root","fields":[{"name":"rows","args":[
                    {"name":"first","type":{"kind":"SCALAR","name":"Int"},"defaultValue":"10"},
                    {"name":"order","type":{"kind":"ENUM","name":"Order"},"defaultValue":"{broken"}],
                  "type":{"kind":"NON_NULL","name":null,"ofType":{"kind":"LIST","name":null,"ofType":
                    {"kind":"SCALAR","name":"Long"}}}}],"interfaces":[]},
                {"kind":"SCALAR","name":"Int"},{"kind":"SCALAR","name":"Long"},
                {"kind":"ENUM","name":"Order","enumValues":[{"name":"ASC"}]},
                {"kind":"OBJECT","name":"__Type","fields":[]}]}}"#,
        );
        let expected = "schema {\n  query: Root\n}\n\ntype Root {\n  rows(first: Int = 10, order: Order): [Long]!\n}\n\n\
                        scalar Long\n\nenum Order {\n  ASC\n}\n";
        assert_eq!(text.unwrap(), expected);
    }

    #[test]
    fn a_truncated_type_is_an_error() {
        let answer = r#"{"__schema":{"queryType":{"name":"Root"},"types":[
            {"kind":"OBJECT","name":"Root","fields":[{"name":"a","type":{"kind":"LIST"}}]}]}}"#;
        assert!(matches!(
            definition_text(answer),
            Err(IntrospectionError::WrappedTooDeep)
        ));
    }

    #[test]
    fn each_text_of_the_ladder_is_barer_than_the_one_before() {
        let texts = |without_fragments| {
            IntrospectionQuery::ladder(without_fragments)
                .into_iter()
                .map(IntrospectionQuery::text)
        };
        let fragments: Vec<String> = texts(false).collect();
        let [current, june_2018, bare, plain] = &fragments[..] else {
            panic!("{fragments:?}");
        };
        assert!(current.contains("isRepeatable") && current.contains("args(includeDeprecated:true)"));
        assert!(!june_2018.contains("isRepeatable") && june_2018.contains("fields(includeDeprecated:true)"));
        assert!(!bare.contains("includeDeprecated") && !bare.contains("directives"));
        assert!(bare.contains("fragment") && !plain.contains("fragment") && !plain.contains("..."));
        let without: Vec<String> = texts(true).collect();
        assert!(without.len() == 3 && without[2] == *plain && without.iter().all(|text| !text.contains("...")));
        for text in fragments.iter().chain(&without) {
            assert!(Document::parse(text.as_str(), "introspection").is_ok(), "{text}");
        }
    }

    #[test]
    fn without_fragments_the_same_is_asked_for() {
        let written_out = |text: &str| {
            let parts: Vec<&str> = text.split(" fragment ").collect();
            // Each spreads those before it.
            let fragments = parts[1..].iter().rev();
            fragments.fold(parts[0].to_owned(), |text, fragment| {
                let (head, selection) = fragment.split_at(fragment.find('{').unwrap());
                let name = head.split(' ').next().unwrap();
                text.replace(&format!("{{...{name}}}"), selection)
            })
        };
        let [with, without] = [false, true].map(IntrospectionQuery::ladder);
        for (with, without) in with.into_iter().zip(without) {
            assert_eq!(written_out(&with.text()), without.text());
        }
    }
}
