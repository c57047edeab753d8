mod introspection;
mod load;
mod paging;
mod scalar;
pub use introspection::{IntrospectionError, IntrospectionQuery, definition_text};
pub use load::{ApiSchema, CLIENT_DIRECTIVE_NAMES, CLIENT_DIRECTIVES, SchemaError};
pub use paging::{Paging, object_field, paging};
pub use scalar::{ScalarType, UnknownScalarType};
