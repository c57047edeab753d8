//! What the errors of known APIs and servers mean: one table, read from the top; the first sign that fits an error decides.
//!
//! Codes come first where they say enough; then the texts; then the codes that servers use for many things. What one
//! API means by a word that others use differently belongs into its preset, not here.

use crate::project::VerdictName::{
    self, CursorExpired, Denied, Invalid, Throttled, TooBig, TooComplex, Transient, Unauthorized,
};

/// A sign, and what it means.
pub(super) struct Sign {
    pub(super) on: Mark,
    pub(super) means: VerdictName,
    /// In which responses it means that.
    pub(super) scope: Scope,
}

/// What of an error is looked at.
pub(super) enum Mark {
    /// Its code or type, reduced to lower-case letters and digits: `RATE_LIMITED`, `rate-limited` and `RateLimited` are one.
    Code(&'static str),
    /// Its message holds all of these, compared in lower case.
    Message(&'static [&'static str]),
    /// Its message holds all words of any of these, compared in lower case.
    AnyOf(&'static [&'static [&'static str]]),
}

/// In which responses a sign counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Any,
    /// Beside `data`, such an error concerns a field alone, and is recorded.
    WithoutData,
    WithData,
}

const fn code(code: &'static str, means: VerdictName) -> Sign {
    Sign {
        on: Mark::Code(code),
        means,
        scope: Scope::Any,
    }
}

const fn text(parts: &'static [&'static str], means: VerdictName) -> Sign {
    Sign {
        on: Mark::Message(parts),
        means,
        scope: Scope::Any,
    }
}

const fn texts(wordings: &'static [&'static [&'static str]], means: VerdictName) -> Sign {
    Sign {
        on: Mark::AnyOf(wordings),
        means,
        scope: Scope::Any,
    }
}

impl Sign {
    const fn only(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }
}

/// The signs, in the order in which they are tried on an error.
pub(super) const SIGNS: &[Sign] = &[
    // Asked too often.
    code("throttled", Throttled),                 // Shopify
    code("ratelimited", Throttled),               // GitHub, Linear
    code("ratelimit", Throttled),                 // GitHub
    code("ratelimitexceeded", Throttled),         // Contentful, Hasura
    code("graphqlratelimit", Throttled),          // GitHub
    code("toomanyrequests", Throttled),           // Healthie
    code("requestsexceeded", Throttled),          // Directus
    code("requestlimitexceeded", Throttled),      // Salesforce
    code("userapiratelimitexceeded", Throttled),  // NetApp
    code("complexitybudgetexhausted", Throttled), // this and the next five: Monday
    code("fieldlimitexceeded", Throttled),
    code("maxconcurrencyexceeded", Throttled),
    code("ipratelimitexceeded", Throttled),
    code("dailylimitexceeded", Throttled),
    code("minutelimitexceeded", Throttled),
    // More in one query than is allowed, whatever its pages hold.
    code("maxcostexceeded", TooComplex),              // Shopify
    code("toocomplexquery", TooComplex),              // Contentful
    code("hc0047", TooComplex),                       // HotChocolate
    code("maxnodelimitexceeded", TooComplex),         // GitHub
    code("querycomplexitylimitexceeded", TooComplex), // commercetools
    code("depthlimitexceeded", TooComplex),           // Hasura
    code("nodelimitexceeded", TooComplex),            // Hasura
    code("validationtimeout", TooComplex),            // graphql-ruby
    // More in one answer than the API can give in time.
    code("querytimedout", TooBig),     // commercetools
    code("timelimitexceeded", TooBig), // Hasura
    code("hc0051", TooBig),            // HotChocolate: page too large
    code("responsetoolarge", TooBig),
    code("resulttoolarge", TooBig),
    code("payloadtoolarge", TooBig),
    code("responsesizeexceeded", TooBig),
    code("resultsizeexceeded", TooBig),
    code("resourcelimitsexceeded", TooBig),
    code("querytoocomplex", TooComplex),
    // Cursors.
    code("cursorexpirederror", CursorExpired),     // Monday
    code("cursorexception", CursorExpired),        // Monday
    code("invalidcursorarguments", CursorExpired), // GitHub
    // Who is asking.
    code("unauthenticated", Unauthorized), // Apollo
    code("notauthenticated", Unauthorized),
    code("authenticationerror", Unauthorized),
    code("authnotauthenticated", Unauthorized), // HotChocolate
    code("invalidjwt", Unauthorized),           // Hasura
    code("invalidtoken", Unauthorized),
    code("tokenexpired", Unauthorized),
    // A field that this token may not see.
    code("forbidden", Denied), // Apollo
    code("accessdenied", Denied),
    code("permissiondenied", Denied),
    code("notauthorized", Denied),
    code("authnotauthorized", Denied),  // HotChocolate
    code("insufficientscopes", Denied), // GitHub
    code("unauthorized", Denied).only(Scope::WithData),
    code("unauthorized", Unauthorized).only(Scope::WithoutData),
    // Failed by chance.
    code("serviceunavailable", Transient),
    code("requesttimeout", Transient), // NetApp
    code("gatewaytimeout", Transient),
    // Texts: asked too often.
    text(&["rate limit", "exceeded"], Throttled), // GitHub, Buildkite
    text(&["secondary rate limit"], Throttled),   // GitHub
    text(&["too many requests"], Throttled),      // AniList, Fibery
    text(&["throttled"], Throttled),
    text(&["try again in", "second"], Throttled),      // Buildkite
    text(&["complexity budget exhausted"], Throttled), // Monday
    // Texts: too much in one query.
    text(&["exceeds max complexity"], TooComplex), // graphql-ruby: GitLab, Buildkite, Conviso
    text(&["exceeds max depth"], TooComplex),      // graphql-ruby
    text(&["exceeds maximum operation depth"], TooComplex), // graphql-depth-limit
    text(&["exceeds the maximum", "complexity"], TooComplex),
    text(&["exceeds the maximum", "depth"], TooComplex),
    text(&["exceeded the maximum cost"], TooComplex), // Saleor
    text(&["max query depth exceeded"], TooComplex),  // this and the next three: Fluid Attacks
    text(&["max query breadth exceeded"], TooComplex),
    text(&["max characters exceeded"], TooComplex),
    text(&["max directives exceeded"], TooComplex),
    text(&["query is too complex"], TooComplex),
    text(&["skip argument must be between"], TooComplex), // The Graph
    code("complexityexception", Throttled), // Monday, where no text says that the query itself is too much
    // Texts: the query is wrong. They quote names out of it, which must not be taken for signs.
    text(&["cannot query field"], Invalid).only(Scope::WithoutData),
    text(&["doesn't exist on type"], Invalid).only(Scope::WithoutData),
    text(&["syntax error"], Invalid).only(Scope::WithoutData),
    text(&["parse error on"], Invalid).only(Scope::WithoutData),
    text(&["unknown argument"], Invalid).only(Scope::WithoutData),
    text(&["unknown type"], Invalid).only(Scope::WithoutData),
    text(&["unknown operation named"], Invalid).only(Scope::WithoutData),
    text(&["of required type", "was not provided"], Invalid).only(Scope::WithoutData),
    text(&["got invalid value"], Invalid).only(Scope::WithoutData),
    text(&["was provided invalid value"], Invalid).only(Scope::WithoutData),
    text(&["must have a selection of subfields"], Invalid).only(Scope::WithoutData),
    text(&["is never used in operation"], Invalid).only(Scope::WithoutData),
    text(&["must be a positive integer"], Invalid).only(Scope::WithoutData),
    text(&["extra variables in operation"], Invalid).only(Scope::WithoutData),
    text(&["invalid operation name"], Invalid).only(Scope::WithoutData),
    // Texts: too many in flight.
    texts(CROWDS, Throttled),
    // Texts: cursors.
    text(&["cursor", "expired"], CursorExpired),
    text(&["cursor", "invalid"], CursorExpired), // Fluid Attacks
    text(&["not appear to be a valid cursor"], CursorExpired), // GitHub
    // Texts: who is asking.
    text(&["login required"], Unauthorized), // this and the next four: Fluid Attacks
    text(&["invalid authorization"], Unauthorized),
    text(&["token format unrecognized"], Unauthorized),
    text(&["token has expired"], Unauthorized),
    text(&["algorithm used in the jwt"], Unauthorized),
    text(&["invalid token"], Unauthorized).only(Scope::WithoutData), // GitLab
    text(&["bad credentials"], Unauthorized).only(Scope::WithoutData), // GitHub
    text(&["not authenticated"], Unauthorized),
    text(&["authentication required"], Unauthorized),
    text(&["unauthenticated"], Unauthorized),
    text(&["unauthorized"], Unauthorized).only(Scope::WithoutData),
    text(&["unauthorized"], Denied).only(Scope::WithData),
    // Texts: a field that this token may not see.
    text(&["access denied"], Denied), // Fluid Attacks
    text(&["not authorized"], Denied),
    text(&["not authorised"], Denied),
    text(&["permission denied"], Denied),
    text(&["not have permission"], Denied),
    text(&["insufficient permission"], Denied),
    text(&["resource not accessible"], Denied), // GitHub, Conviso
    text(&["forbidden"], Denied),
    texts(DENIALS, Denied),
    // Texts: too much in one answer.
    text(&["something went wrong while executing your query"], TooBig), // GitHub
    text(&["resource limits for this query exceeded"], TooBig),         // GitHub
    text(&["takes too many resources"], TooBig),
    text(&["exceed", "node count"], TooBig),
    text(&["exceed", "number of nodes"], TooBig),
    text(&["query", "timed out"], TooBig),
    text(&["exceeded", "time quota"], TooBig),
    text(&["result", "too big"], TooBig),
    text(&["result", "too large"], TooBig),
    text(&["response", "too large"], TooBig),
    text(&["response", "too big"], TooBig),
    text(&["statement timeout"], TooBig), // PostgreSQL behind Hasura and PostGraphile
    text(&["objects may be returned"], TooBig), // start.gg
    // Texts: failed by chance.
    text(&["please retry"], Transient), // Fluid Attacks
    text(&["please try again"], Transient),
    text(&["try again later"], Transient),
    text(&["timed out"], Transient),
    text(&["timeout"], Transient),
    text(&["temporarily unavailable"], Transient),
    text(&["service unavailable"], Transient),
    texts(LOADS, Transient),
    text(&["bad gateway"], Transient),
    text(&["connection reset"], Transient),
    // Codes that servers use for many things.
    code("graphqlvalidationfailed", Invalid).only(Scope::WithoutData), // Apollo
    code("graphqlparsefailed", Invalid).only(Scope::WithoutData),      // Apollo
    code("baduserinput", Invalid).only(Scope::WithoutData),            // Apollo
    code("operationresolutionfailure", Invalid).only(Scope::WithoutData), // Apollo
    code("badrequest", Invalid).only(Scope::WithoutData),
    code("validationfailed", Invalid).only(Scope::WithoutData), // Hasura
    code("parsefailed", Invalid).only(Scope::WithoutData),      // Hasura
    code("validationerror", Invalid).only(Scope::WithoutData),  // graphql-java
    code("invalidsyntax", Invalid).only(Scope::WithoutData),    // graphql-java
    code("undefinedfield", Invalid).only(Scope::WithoutData),   // this and all below but two: graphql-ruby
    code("undefinedtype", Invalid).only(Scope::WithoutData),
    code("missingrequiredarguments", Invalid).only(Scope::WithoutData),
    code("missingrequiredinputobjectattribute", Invalid).only(Scope::WithoutData),
    code("argumentliteralsincompatible", Invalid).only(Scope::WithoutData),
    code("argumentnotaccepted", Invalid).only(Scope::WithoutData),
    code("fieldconflict", Invalid).only(Scope::WithoutData),
    code("selectionmismatch", Invalid).only(Scope::WithoutData),
    code("cannotspreadfragment", Invalid).only(Scope::WithoutData),
    code("useanddefinefragment", Invalid).only(Scope::WithoutData),
    code("variablemismatch", Invalid).only(Scope::WithoutData),
    code("variablerequiresvalidtype", Invalid).only(Scope::WithoutData),
    code("infiniteloop", Invalid).only(Scope::WithoutData),
    code("internalservererror", Transient).only(Scope::WithoutData), // Apollo
    text(&["internal server error"], Transient).only(Scope::WithoutData),
    code("internalerror", Transient).only(Scope::WithoutData),
];

/// Other ways to say that a token may not see something. What is not allowed has to be to see it: values, queries and page
/// sizes are not allowed, too.
const DENIALS: &[&[&str]] = &[
    &["not allowed to see"],
    &["not allowed to view"],
    &["not allowed to read"],
    &["not allowed to access"],
    &["not permitted to see"],
    &["not permitted to view"],
    &["not permitted to read"],
    &["not permitted to access"],
    &["insufficient privilege"],
    &["insufficient access rights"],
    &["insufficient rights"],
    &["not have access to "],
    &["n't have access to "],
    &["have no access to "],
    &["has no access to "],
    &["n't have permission"],
    &["no permission to "],
    &["lacks permission"],
    &["lack permission"],
    &["lacks the permission"],
    &["lack the permission"],
    &["lacks the required permission"],
    &["lack the required permission"],
    &["missing permission"],
];

/// Signs in a message, in lower case, that more requests are in flight than the API takes: all words of one of these.
pub(super) const CROWDS: &[&[&str]] = &[
    &["too many", "concurrent"],
    &["too many", "parallel"],
    &["too many", "simultaneous"],
    &["too many", "in flight"],
    &["concurren", "limit"],
    &["concurren", "exceed"],
    &["concurren", "maximum"],
    &["parallel", "limit"],
    &["parallel", "exceed"],
    &["parallel", "maximum"],
    &["simultaneous", "limit"],
    &["simultaneous", "exceed"],
    &["simultaneous", "maximum"],
    &["slow down"],
];

/// The same of a server that has too much to do.
pub(super) const LOADS: &[&[&str]] = &[&["overloaded"], &["server is busy"], &["server is too busy"]];

/// Signs in a body that is not JSON. Beyond these, such a body is judged by its status: the words of an error page
/// are not about the query.
pub(super) const TEXT_THROTTLES: &[&[&str]] = &[
    &["rate limit"],
    &["too many requests"],
    &["retry later"],      // GitLab
    &["error code: 1015"], // Cloudflare
    &["throttled"],
];
