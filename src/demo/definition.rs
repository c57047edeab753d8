//! A stand-in's schema as its API publishes it, made fit for an executor.

use apollo_compiler::ast::{Definition, Document, InputValueDefinition, Value as GraphqlValue};
use apollo_compiler::collections::HashSet;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Node, Schema, name, ty};

use crate::demo::stand_in::StandInError;

/// The schema of a definition.
pub(crate) fn read_schema(text: &str) -> Result<Valid<Schema>, StandInError> {
    let invalid = |errors: DiagnosticList| StandInError::Schema(errors.to_string());
    let mut document = Document::parse(text, "schema.graphql").map_err(|invalid_text| invalid(invalid_text.errors))?;
    leave_out_repeated_interfaces(&mut document);
    let mut schema = document
        .to_schema()
        .map_err(|invalid_schema| invalid(invalid_schema.errors))?;
    accept_newer_introspection(&mut schema);
    schema
        .validate()
        .map_err(|invalid_schema| invalid(invalid_schema.errors))
}

/// Some APIs publish types that name an interface twice, which no executor takes.
fn leave_out_repeated_interfaces(document: &mut Document) {
    for definition in &mut document.definitions {
        if let Definition::ObjectTypeDefinition(object) = definition {
            let mut named = HashSet::default();
            let object = object.make_mut();
            object.implements_interfaces.retain(|name| named.insert(name.clone()));
        }
    }
}

/// The compiler's own introspection types lack this argument of the September 2025 specification,
/// though its resolvers know it.
fn accept_newer_introspection(schema: &mut Schema) {
    let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") else {
        return;
    };
    let Some(field) = ty.make_mut().fields.get_mut("inputFields") else {
        return;
    };
    if field.argument_by_name("includeDeprecated").is_some() {
        return;
    }
    field.make_mut().arguments.push(Node::new(InputValueDefinition {
        description: None,
        name: name!("includeDeprecated"),
        ty: Node::new(ty!(Boolean)),
        default_value: Some(Node::new(GraphqlValue::Boolean(false))),
        directives: Default::default(),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_named_twice_is_named_once() {
        let text = "type Query { a: A } interface I { id: ID! } type A implements I & I { id: ID! }";
        let schema = read_schema(text).unwrap();
        assert_eq!(schema.get_object("A").unwrap().implements_interfaces.len(), 1);
    }

    #[test]
    fn what_no_executor_takes_is_told() {
        for text in ["type Query { a: }", "type Query { a: B }"] {
            let refused = read_schema(text).unwrap_err().to_string();
            assert!(
                refused.starts_with("the demo API's schema is not valid:\n"),
                "{refused}"
            );
        }
    }
}
