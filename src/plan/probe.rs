//! What of a response decides how the paging goes on: where the engine finds it while the rows are skipped.

/// The parts of `data` that the engine looks at when a response comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Fields of `data`.
    pub root: Vec<ProbeField>,
}

/// A field on the way to a row field, or the row field itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeField {
    /// The response key.
    pub key: String,
    /// Whether a complete response may lack it: a condition may leave it out.
    pub is_optional: bool,
    /// What stands there.
    pub role: ProbeRole,
}

/// What stands at a place of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeRole {
    /// A singular object to look into.
    Object(Vec<ProbeField>),
    /// A page of a connection.
    Page(PageProbe),
    /// A list that is not paginated: its items are counted for the table of this index.
    List(usize),
}

/// Where, within a connection, the paging stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageProbe {
    /// Index into the plan's connections.
    pub connection: usize,
    /// The response key of the list of items, or of edges.
    pub items: String,
    /// Whether a complete response may lack that list: a condition may leave it out.
    pub are_items_optional: bool,
    /// The response key of `pageInfo`.
    pub page_info: String,
    /// The response key of `hasNextPage` in it.
    pub has_next_page: String,
    /// The response key of `endCursor` in it.
    pub end_cursor: String,
    /// The response key of `totalCount`, where the author asks for it.
    pub total: Option<String>,
}
