//! The budget of one source: every attempt on the wire waits here for its permit.
//!
//! `slots.rs` and `window.rs` decide, without a clock of their own; `gate.rs` is where requests wait; `permit_log.rs`
//! remembers across processes. Knows nothing of what the requests ask for, nor of why one is made again.

mod budget;
mod gate;
mod permit;
mod permit_log;
mod slots;
mod window;

#[cfg(test)]
mod simulation;

pub(in crate::api) use gate::stopped;
pub use gate::{Limiter, PermitError};
pub use permit::Permit;
pub use permit_log::PermitLog;
