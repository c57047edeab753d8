//! The budget of one source: every attempt on the wire waits here for its permit.
//!
//! `slots.rs` and `window.rs` decide whether there is a permit, without a clock of their own, and `queue.rs` for whom;
//! `gate.rs` is where requests wait; `permit_log.rs` remembers across processes, and side by side
//! with them. Knows nothing of what the requests ask for,
//! nor of why one is made again, but the name of the query file that makes it.

mod budget;
mod gate;
mod ledger;
mod party;
mod patience;
mod permit;
mod permit_log;
mod queue;
mod shared_file;
mod slots;
mod window;

#[cfg(test)]
mod fairness;
#[cfg(test)]
mod simulation;

pub use gate::{Limiter, PermitError, stopped};
pub(crate) use patience::{LONGEST, Look, NEXT_LOOK, Patience};
pub use permit::Permit;
pub use permit_log::PermitLog;
