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
