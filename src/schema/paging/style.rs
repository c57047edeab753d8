//! The names of the pagination styles: those that people are told, and those that a hint can say.

use std::fmt;

use serde::Deserialize;

/// A style of pagination. Shown in the words of the trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// Relay connections.
    Relay,
    /// A cursor beside the items.
    FlatCursor,
    /// A cursor that goes to another root field.
    MovingCursor,
    /// Page numbers, with the number of pages or of rows.
    Page,
    /// Page numbers, with a flag for more.
    PageFlag,
    /// Page numbers inside an input object.
    PageInput,
    /// Page numbers, and nothing that says how far they go.
    PageList,
    /// Rows to leave out, with a total or a flag for more.
    Offset,
    /// Rows to leave out, and nothing that says how far they go.
    OffsetList,
    /// A filter that leaves out what is known.
    Keyset,
    /// A list that ends somewhere without saying so.
    Capped,
    /// The same, whose rows a root field lists by the row that holds them.
    Reverse,
}

impl fmt::Display for Style {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Relay => "relay cursors",
            Self::FlatCursor => "flat cursors",
            Self::MovingCursor => "moving cursor",
            Self::Page => "page numbers with totals",
            Self::PageFlag => "page numbers with a flag",
            Self::PageInput => "page numbers in an input object",
            Self::PageList => "page numbers, bare list",
            Self::Offset => "offset with a total or a flag",
            Self::OffsetList => "offset, bare list",
            Self::Keyset => "keyset",
            Self::Capped => "capped list",
            Self::Reverse => "capped list, read on from the other side",
        })
    }
}

/// A style as `@paginate` and presets name it. Whether page numbers stand inside an input object shows by the path of
/// their argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StyleHint {
    /// Relay connections.
    Relay,
    /// A cursor beside the items.
    FlatCursor,
    /// A cursor that goes to another root field.
    MovingCursor,
    /// Page numbers, with the number of pages or of rows.
    Page,
    /// Page numbers, with a flag for more.
    PageFlag,
    /// Page numbers until an empty page.
    PageList,
    /// Rows to leave out, with a total or a flag for more.
    Offset,
    /// Rows to leave out until an empty page.
    OffsetList,
    /// A filter that leaves out what is known.
    Keyset,
    /// A list that ends somewhere without saying so.
    Capped,
    /// The same, whose rows a root field lists by the row that holds them.
    Reverse,
    /// No pagination: what one answer holds is all there is.
    None,
}

impl StyleHint {
    /// All of them, in the order of the directive's definition.
    pub const ALL: [Self; 12] = [
        Self::Relay,
        Self::FlatCursor,
        Self::MovingCursor,
        Self::Page,
        Self::PageFlag,
        Self::PageList,
        Self::Offset,
        Self::OffsetList,
        Self::Keyset,
        Self::Capped,
        Self::Reverse,
        Self::None,
    ];

    /// The name that the directive uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relay => "RELAY",
            Self::FlatCursor => "FLAT_CURSOR",
            Self::MovingCursor => "MOVING_CURSOR",
            Self::Page => "PAGE",
            Self::PageFlag => "PAGE_FLAG",
            Self::PageList => "PAGE_LIST",
            Self::Offset => "OFFSET",
            Self::OffsetList => "OFFSET_LIST",
            Self::Keyset => "KEYSET",
            Self::Capped => "CAPPED",
            Self::Reverse => "REVERSE",
            Self::None => "NONE",
        }
    }

    /// The style of that name in a directive.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.name() == name)
    }
}
