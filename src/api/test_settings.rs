//! Settings to start from in the tests of this module.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::project::{
    Auth, EndpointAddress, Limits, OnDenied, QueryLimits, RetryGrowth, RetryPolicy, SchemaOrigin, SourceSettings,
    Timing,
};

/// No token, no request limit, patient time-outs, five attempts a second apart.
pub(super) fn settings() -> SourceSettings {
    SourceSettings {
        endpoint: EndpointAddress::Demo("tracker".to_owned()),
        schema: SchemaOrigin::Introspect,
        headers: BTreeMap::new(),
        auth: Auth {
            header: "authorization".to_owned(),
            scheme: "Bearer".to_owned(),
            token: None,
        },
        limits: Limits {
            requests: Vec::new(),
            concurrency: 16,
            query: QueryLimits::default(),
            page_size: 100,
            response_bytes: 64 * 1024 * 1024,
        },
        timing: Timing {
            target: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
        },
        retry: RetryPolicy {
            attempts: 5,
            growth: RetryGrowth::Linear,
            initial_wait: Duration::from_secs(1),
            max_wait: Duration::from_secs(60),
            throttle_wait: None,
            retry_after_margin: Duration::from_secs(1),
        },
        verdicts: Vec::new(),
        paging: Vec::new(),
        left_out: Default::default(),
        variables: Default::default(),
        scalars: BTreeMap::new(),
        flatten: false,
        on_denied: OnDenied::LeaveOut,
        doubts_null: false,
        tokens: crate::project::TokenCalls::default(),
        keep: None,
    }
}
