//! The stand-in APIs: a GraphQL server of our own with generated data and switchable faults, on loopback only.
//!
//! `service.rs` is the server without sockets, `server.rs` puts it on a port; each folder is one API: a schema, data and
//! behaviours, and no code. Imports nothing else of the crate and must not know its client: what tests learn from it is
//! worth as much as it is independent.

mod behaviour;
mod complexity;
mod config;
mod connection;
mod cursor;
mod cursor_words;
mod dataset;
mod definition;
mod denied;
mod description;
mod desk;
mod desk_call;
mod document;
mod drift;
mod entropy;
mod expiry;
mod fault;
mod fit;
mod generator;
mod latency;
mod list_request;
mod log;
mod moment;
mod node_limit;
mod page_object;
mod pager;
mod paging;
mod pattern;
mod points;
mod poison;
mod protocol;
mod refusal;
mod resolver;
mod rows;
mod serve;
mod server;
mod service;
mod shape;
mod shares;
mod stand_in;
mod text_limit;
mod truth;
mod wall;
mod window;
mod wording;

pub use behaviour::{
    AuthBehaviour, Behaviours, LookupAnswer, LookupTrap, RequestWindow, RequestWindowError, ThrottleBehaviour,
    ThrottleBody, WindowKind,
};
pub use complexity::ComplexityLimit;
pub use config::{DemoConfig, DemoConfigError};
pub use cursor_words::{CursorFlaw, CursorPattern, CursorWords};
pub use denied::{DeniedField, ObjectMatch};
pub use description::DatasetError;
pub use desk::{TokenAct, TokenDesk};
pub use desk_call::DeskCall;
pub use drift::{DriftStep, DriftStepError};
pub use expiry::CursorExpiry;
pub use fault::{Fault, FaultPlan, FaultRates, ScriptedFault};
pub use latency::Latency;
pub use log::{RequestLog, TypeLog, WindowLog};
pub use node_limit::NodeLimit;
pub use paging::{
    AboveCap, FieldPaging, ForeignCursor, LastCursor, MissingSize, NullPart, PagingBehaviour, PagingTraps, ReadAtOnce,
    RowDeletions, RowMove, RowMoves, Totals,
};
pub use points::PointBudget;
pub use poison::Poison;
pub use protocol::{Protocol, Wording};
pub use refusal::Refusal;
pub use serve::{
    DEMO_TOKEN_VARIABLE, DemoRowsError, DemoRowsOptions, DemoServeOptions, greeting, serve_until_interrupted,
    write_rows,
};
pub use server::{DemoServer, DemoServerError};
pub use service::{DemoRequest, DemoResponse, DemoService};
pub use stand_in::{StandIn, StandInError};
pub use text_limit::TextLimit;
pub use truth::Family;
pub use wall::{Crowd, RowWall, TimeWall, Wall};
