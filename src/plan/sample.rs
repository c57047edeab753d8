//! Requests as they will be sent, with stand-ins for what only answers can tell.

use apollo_compiler::ast::Document;
use serde_json::{Value as JsonValue, json};

use crate::plan::describe::{AddressDescription, PlaceKind};
use crate::plan::pieces::Piece;
use crate::plan::query_plan::{Connection, Plan};
use crate::plan::request::{Ask, RequestText};
use crate::schema::Pager;

impl Plan {
    /// The requests for the first pages of everything, or of one value of the variable that the query is run for, each
    /// with the group of columns that it asks for, of as few as the limits allow.
    pub fn first_texts(&self, inline_sizes: &[u32]) -> Vec<(usize, RequestText)> {
        let member = self.member();
        let requests = self.first_requests().iter().map(|request| {
            let asks = request.roots.iter().map(|root| first(*root, member.as_ref()));
            let group = request.group;
            let piece = Piece::Group { fineness: 0, group };
            (group, self.request(&asks.collect::<Vec<_>>(), inline_sizes, piece))
        });
        requests.collect()
    }

    /// The request for the first pages of everything; for a query that is run for each value of a variable, that for
    /// so many values.
    pub fn first_request(&self, members: usize, inline_sizes: &[u32], piece: Piece) -> RequestText {
        let member = self.member();
        let asks = self
            .roots_of_member()
            .into_iter()
            .map(|root| first(root, member.as_ref()));
        let asks: Vec<Ask<'_>> = (0..members).flat_map(|_| asks.clone()).collect();
        self.request(&asks, inline_sizes, piece)
    }

    /// A stand-in for a value of the variable that the query is run for.
    fn member(&self) -> Option<JsonValue> {
        self.each_variable().map(|each| json!(format!("<{}>", each.of())))
    }

    /// The request for the first page of a connection that does not come with the row that holds it.
    pub fn detached_request(
        &self,
        connection: usize,
        size: u32,
        inline_sizes: &[u32],
        piece: Piece,
    ) -> Option<RequestText> {
        let is_detached = self.connections.get(connection)?.is_detached;
        is_detached.then(|| self.page_request(connection, size, 1, inline_sizes, piece, None))?
    }

    /// A request for so many later pages of a connection, each of `size` rows; `None` where there are none.
    pub fn later_request(
        &self,
        connection: usize,
        size: u32,
        pages: usize,
        inline_sizes: &[u32],
        piece: Piece,
    ) -> Option<RequestText> {
        let position = position(self.connections.get(connection)?, size)?;
        self.page_request(connection, size, pages, inline_sizes, piece, Some(&position))
    }

    fn page_request(
        &self,
        connection: usize,
        size: u32,
        pages: usize,
        inline_sizes: &[u32],
        piece: Piece,
        position: Option<&JsonValue>,
    ) -> Option<RequestText> {
        let described = self.description.connections.get(connection)?;
        let address: Vec<Option<JsonValue>> = address(&described.address).into_iter().map(Some).collect();
        let member = self.member();
        let ask = Ask {
            connection: Some(connection),
            root: None,
            member: member.as_ref(),
            size,
            position,
            parent: Some("<_id>"),
            address: &address,
        };
        Some(self.request(&vec![ask; pages], inline_sizes, piece))
    }
}

fn first(root: Option<usize>, member: Option<&JsonValue>) -> Ask<'_> {
    Ask {
        connection: None,
        root,
        member,
        size: 1,
        position: None,
        parent: None,
        address: &[],
    }
}

impl RequestText {
    /// The text with line breaks and indents.
    pub fn pretty(&self) -> String {
        // What the planner writes always parses; if it did not, its own text would still be the truth.
        let parsed = Document::parse(&*self.text, "request.graphql");
        parsed.map_or_else(|_| self.text.to_string(), |document| document.to_string())
    }
}

/// Where a second page begins.
fn position(connection: &Connection, size: u32) -> Option<JsonValue> {
    match &connection.paged.pager {
        Pager::Relay { .. } | Pager::FlatCursor { .. } | Pager::MovingCursor { .. } => Some(json!("<cursor>")),
        pager @ (Pager::PageTotals { .. } | Pager::PageFlag { .. } | Pager::PageList { .. }) => {
            pager.first_page().map(|first| json!(first + 1))
        }
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. } => Some(json!(size)),
        // It is read from its beginning.
        Pager::Reverse { .. } => Some(json!(0)),
        Pager::Keyset { key, .. } => Some(json!(format!("<last {key}>"))),
        Pager::Capped { .. } => None,
    }
}

/// The values by which the row that holds a connection is asked for.
fn address(described: &AddressDescription) -> Vec<JsonValue> {
    match described {
        AddressDescription::Lookup { key, .. } => vec![json!(format!("<{key}>"))],
        AddressDescription::Place { place, within, .. } => {
            let mut values = address(within);
            values.push(match place {
                PlaceKind::EdgeCursor => json!("<cursor of the edge before>"),
                PlaceKind::Offset => json!(1),
                PlaceKind::Page => json!(2),
            });
            values
        }
        AddressDescription::Root | AddressDescription::NextField { .. } | AddressDescription::Nowhere => Vec::new(),
    }
}
