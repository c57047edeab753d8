//! To whom rows belong: to what a root field of the response was asked for, or to the row that holds them.

use crate::rows::misfit::MisfitCause;

/// What a root field of a response belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'s> {
    /// The `_id` of the row that holds the connection, for a nested one; for an outermost one what stands for it in the
    /// `_id` of rows without a key, if anything does.
    pub parent: Option<&'s str>,
    /// Rows of the connection before this page: the position of the first item of each row field that is reached
    /// without passing through a row.
    pub position: u64,
}

/// What stands above a value of a body, as far as it matters to the rows within the value.
#[derive(Clone, Copy)]
pub(super) enum Above<'s> {
    /// The body itself, with the slots of the fields of its `data`.
    Body(&'s [Slot<'s>]),
    /// The body's `data`, with the slots of its fields.
    Data(&'s [Slot<'s>]),
    /// A root field, or a row, whose lists begin at 0 each.
    Slot(Slot<'s>),
    /// A row of which no `_id` can be made.
    Keyless,
}

impl<'s> Above<'s> {
    /// A row with this `_id`, if there is one.
    pub(super) fn row(id: Option<&'s str>) -> Self {
        match id {
            Some(_) => Self::Slot(Slot {
                parent: id,
                position: 0,
            }),
            None => Self::Keyless,
        }
    }

    /// What stands above the value of the field of this index, in an object below which this stands.
    pub(super) fn of_field(self, index: usize) -> Self {
        match self {
            Self::Body(slots) => Self::Data(slots),
            Self::Data(slots) => Self::Slot(slots.get(index).copied().unwrap_or_default()),
            Self::Slot(_) | Self::Keyless => self,
        }
    }

    /// The position of the first item of a list.
    pub(super) fn position(self) -> u64 {
        match self {
            Self::Slot(slot) => slot.position,
            Self::Body(_) | Self::Data(_) | Self::Keyless => 0,
        }
    }

    /// The `_id` of the row that holds the rows; `None` for rows that no row holds.
    pub(super) fn parent(self) -> Result<Option<&'s str>, MisfitCause> {
        match self {
            Self::Slot(slot) => Ok(slot.parent),
            // The answer is itself the one row.
            Self::Data(slots) => Ok(slots.first().and_then(|slot| slot.parent)),
            Self::Body(_) => Ok(None),
            Self::Keyless => Err(MisfitCause::KeylessParent),
        }
    }
}
