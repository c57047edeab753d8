//! Response bytes turned into Arrow record batches: pure, one streaming pass, and nothing silently changed.
//!
//! `decoder.rs` is the way in. A body is read along its layout (`walk.rs`, `items.rs`), and each row by one of two
//! readers: `quick.rs`, or, for a page with anything unusual in it, `careful.rs`. The rows that a row holds are read
//! after it, from their text (`below.rs`). What a value becomes is decided in `value.rs` alone. Must not know where a body came from or what becomes of a batch: no tokio, no file, no clock.

mod arrays;
mod below;
mod careful;
mod column;
mod decoder;
mod fields;
mod identity;
mod item_reader;
mod items;
mod layout_check;
mod misfit;
mod number;
mod page;
mod quick;
mod schema;
mod slot;
mod table_buffer;
#[cfg(test)]
mod tests;
mod time;
mod value;
mod walk;

pub use decoder::{Batches, DecodeError, Decoder};
pub use identity::{key_id, position_id, text_at};
pub use layout_check::LayoutFault;
pub use page::TableCount;
pub use schema::{arrow_schema, is_json, rejects_schema};
pub use slot::Slot;
