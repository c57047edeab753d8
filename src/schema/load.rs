//! A schema definition turned into the compiler's schema, tolerant of what real APIs publish.

use std::path::Path;

use apollo_compiler::Schema;
use apollo_compiler::ast::Document;
use apollo_compiler::validation::Valid;
use sha2::{Digest as _, Sha256};

/// The directives that a query file may carry for us; the API never sees them.
pub const CLIENT_DIRECTIVES: &str = include_str!("client_directives.graphql");

/// The names of the directives in [`CLIENT_DIRECTIVES`].
pub const CLIENT_DIRECTIVE_NAMES: [&str; 5] = ["paginate", "table", "lookup", "each", "column"];

/// The schema of an API, ready to check query files against.
#[derive(Debug, Clone)]
pub struct ApiSchema {
    compiled: Valid<Schema>,
    /// Changes whenever its text does.
    pub(crate) digest: String,
    /// What is wrong with it by the specification, one line each; it is used all the same.
    pub flaws: Vec<String>,
}

/// A schema that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not GraphQL; the text is the compiler's report.
    #[error("the schema is not written in GraphQL\n{0}")]
    Syntax(String),
    /// Nothing can be asked of it.
    #[error("the schema in {0} has no query type: is it a schema definition?")]
    NoQueryType(String),
}

impl ApiSchema {
    /// Reads a schema definition. `path` is what reports call it.
    ///
    /// Published schemas often fail strict validation (an interface listed twice, an unused input without fields);
    /// only a text that does not parse, or one without a query type, is refused.
    pub fn read(definition: &str, path: &Path) -> Result<Self, SchemaError> {
        let document =
            Document::parse(definition, path).map_err(|flawed| SchemaError::Syntax(flawed.errors.to_string()))?;
        let client = Document::parse(CLIENT_DIRECTIVES, "gqldump.directives.graphql")
            .map_err(|flawed| SchemaError::Syntax(flawed.errors.to_string()))?;
        let builder = Schema::builder()
            .adopt_orphan_extensions()
            .ignore_builtin_redefinitions();
        let built = builder.add_ast(&document).add_ast(&client).build();
        let (schema, mut flaws) = match built {
            Ok(schema) => (schema, Vec::new()),
            Err(flawed) => (flawed.partial, first_lines(&flawed.errors)),
        };
        if schema.schema_definition.query.is_none() {
            return Err(SchemaError::NoQueryType(path.display().to_string()));
        }
        let compiled = match schema.validate() {
            Ok(valid) => valid,
            Err(flawed) => {
                flaws.extend(first_lines(&flawed.errors));
                Valid::assume_valid(flawed.partial)
            }
        };
        let digest = Sha256::digest(definition);
        Ok(Self {
            compiled,
            digest: digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
            flaws,
        })
    }

    /// The compiler's own form.
    pub fn compiled(&self) -> &Valid<Schema> {
        &self.compiled
    }
}

fn first_lines(errors: &apollo_compiler::validation::DiagnosticList) -> Vec<String> {
    errors.iter().map(|diagnostic| diagnostic.error.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_interface_is_tolerated_and_named() {
        let definition = "type Query { a: A } interface I { id: ID! } type A implements I & I { id: ID! }";
        let schema = ApiSchema::read(definition, Path::new("api.graphql")).unwrap();
        assert!(schema.compiled().get_object("A").is_some());
        assert_eq!(schema.flaws.len(), 1, "{:?}", schema.flaws);
    }

    #[test]
    fn built_in_names_may_be_defined_again() {
        let definition = "scalar Int directive @skip(if: Boolean!) on FIELD type Query { a: Int }";
        let schema = ApiSchema::read(definition, Path::new("api.graphql")).unwrap();
        assert_eq!(schema.flaws, Vec::<String>::new());
    }

    #[test]
    fn a_syntax_error_is_refused_with_its_place() {
        let error = ApiSchema::read("type Query { a: }", Path::new("api.graphql")).unwrap_err();
        assert!(error.to_string().contains("api.graphql:1:17"), "{error}");
    }

    #[test]
    fn a_text_without_a_query_type_is_refused() {
        let error = ApiSchema::read("type Other { a: Int }", Path::new("api.graphql")).unwrap_err();
        assert!(matches!(error, SchemaError::NoQueryType(_)), "{error}");
    }

    #[test]
    fn the_names_of_the_client_directives_are_those_of_the_text() {
        let document = Document::parse(CLIENT_DIRECTIVES, "directives").unwrap();
        let defined = document
            .definitions
            .iter()
            .filter_map(|definition| definition.as_directive_definition());
        let names: Vec<_> = defined.map(|definition| definition.name.as_str()).collect();
        assert_eq!(names, CLIENT_DIRECTIVE_NAMES);
    }
}
