//! The API's schema: asked for or read from a file, how its fields turn their pages, and what single values can become.
//!
//! Pure, and tolerant: published schemas often fail strict validation. Must not know any query, nor how a schema is got:
//! `run/` asks for it, `state/` keeps it.

mod introspection;
mod load;
mod nearest;
mod paging;
mod scalar;
pub use introspection::{IntrospectionError, IntrospectionQuery, definition_text};
pub use load::{ApiSchema, CLIENT_DIRECTIVE_NAMES, CLIENT_DIRECTIVES, SchemaError};
pub use nearest::nearest;
pub use paging::{
    ArgumentPath, FieldPath, PagedField, Pager, Paging, PagingHints, PagingRule, Proposal, Style, StyleHint,
    object_field, page_argument, paging,
};
pub use scalar::{ScalarType, UnknownScalarType, UtcOffset};
