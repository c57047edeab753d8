//! Response bytes turned into Arrow record batches: pure, one streaming pass, and nothing silently changed.
//!
//! `decoder.rs` is the way in. A body is read along its layout (`walk.rs`, `items.rs`), and each row by one of two
//! readers: `quick.rs`, or, for a page with anything unusual in it, `careful.rs`. What a value becomes is decided in
//! `value.rs` alone. Must not know where a body came from or what becomes of a batch: no tokio, no file, no clock.

mod arrays;
mod careful;
mod column;
mod decoder;
mod fields;
mod identity;
mod items;
mod layout_check;
mod misfit;
mod number;
mod page;
mod quick;
mod schema;
mod table_buffer;
#[cfg(test)]
mod tests;
mod time;
mod value;
mod walk;

pub use decoder::{Batches, DecodeError, Decoder};
pub use layout_check::LayoutFault;
pub use page::TableCount;
pub use schema::{arrow_schema, is_json, rejects_schema};
