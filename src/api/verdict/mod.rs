mod hint;
mod judge;
mod reply;
mod signs;

pub(in crate::api) use hint::pause_hint;
pub use judge::{Verdict, judge};
pub use reply::{Reply, ReplyBody};
