mod event;
pub use event::{Event, Observer, QuerySummary, Resumed, SharedObserver, TableSummary, WindowUse};
