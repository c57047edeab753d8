//! What a response means: one function from status, headers and body to one type.
//!
//! `signs.rs` is the table, `judge.rs` the order in which it is asked. Decides nothing: what follows from a verdict is for
//! `outcome.rs` and `retry.rs` to say. Never names an API: what one of them means by a word stands in its preset.

mod hint;
mod judge;
mod reply;
mod signs;

pub(in crate::api) use hint::{pause_hint, told_budgets};
pub use judge::{Verdict, judge};
pub(in crate::api) use judge::{failed_fields, tells_of_crowd, tells_of_load};
pub(in crate::api) use reply::one_line;
pub use reply::{Reply, ReplyBody};
