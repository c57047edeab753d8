//! The stand-in APIs: a GraphQL server of our own with generated data and switchable faults, on loopback only.
//!
//! `service.rs` is the server without sockets, `server.rs` puts it on a port, `tracker/` is the one API there is. Imports
//! nothing else of the crate and must not know its client: what tests learn from it is worth as much as it is independent.

mod behaviour;
mod config;
mod dataset;
mod document;
mod entropy;
mod fault;
mod generator;
mod log;
mod moment;
mod paging;
mod pattern;
mod resolver;
mod serve;
mod server;
mod service;
mod shares;
mod stand_in;
mod truth;
mod window;

pub use behaviour::{
    AuthBehaviour, Behaviours, Latency, RequestWindow, RequestWindowError, ThrottleBehaviour, ThrottleBody, WindowKind,
};
pub use config::{DemoConfig, DemoConfigError};
pub use dataset::DatasetError;
pub use fault::{Fault, FaultPlan, FaultRates, ScriptedFault};
pub use log::{RequestLog, WindowLog};
pub use paging::{AboveCap, PagingBehaviour};
pub use serve::{
    DEMO_TOKEN_VARIABLE, DemoRowsError, DemoRowsOptions, DemoServeOptions, greeting, serve_until_interrupted,
    write_rows,
};
pub use server::{DemoServer, DemoServerError};
pub use service::{DemoRequest, DemoResponse, DemoService};
pub use stand_in::{StandIn, StandInError};
