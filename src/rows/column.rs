//! Where the values of one column gather until they become an Arrow array.
//!
//! Unlike Arrow's own builders these can be cut back, so that a row that turns out not to fit leaves no trace.

use arrow::array::{BooleanBufferBuilder, NullBufferBuilder};
use arrow::buffer::NullBuffer;

use crate::plan::{Column, ColumnType};
use crate::rows::misfit::{Misfit, MisfitCause};
use crate::schema::{ScalarType, UtcOffset};

/// The values of one column, or of the items of a list, or of one field of an object.
pub(super) struct ColumnBuffer {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) nullable: bool,
    null_text: Option<String>,
    pub(super) values: Values,
    validity: NullBufferBuilder,
}

/// The values themselves; a null takes a place among them, too.
pub(super) enum Values {
    Boolean(BooleanBufferBuilder),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    String(Texts),
    Json(Texts),
    Decimal {
        values: Vec<i128>,
        precision: u8,
        scale: u8,
    },
    Date(Vec<i32>),
    /// Microseconds, read from RFC 3339 text.
    Timestamp(Vec<i64>),
    /// The same, read from text without an offset.
    LocalTimestamp {
        values: Vec<i64>,
        offset: UtcOffset,
    },
    /// Microseconds, read from a count of `10^-scale` seconds.
    Epoch {
        values: Vec<i64>,
        scale: u8,
    },
    List {
        /// Where each list ends among the items; begins with 0.
        ends: Vec<i32>,
        item: Box<ColumnBuffer>,
    },
    Struct(Vec<ColumnBuffer>),
}

/// Many texts in one piece of memory.
pub(super) struct Texts {
    pub(super) bytes: Vec<u8>,
    /// Where each text ends among the bytes; begins with 0.
    pub(super) ends: Vec<i32>,
}

impl Texts {
    pub(super) fn with_capacity(texts: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ends: first_end(texts),
        }
    }

    /// Adds one text; not done, and false, where all together would be 2 GiB or more.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let Ok(end) = i32::try_from(self.bytes.len() + text.len()) else {
            return false;
        };
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(end);
        true
    }

    /// Texts in it.
    pub(super) fn len(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }

    /// Takes back all texts from the given one on.
    pub(super) fn truncate(&mut self, texts: usize) {
        self.bytes.truncate(cut_ends(&mut self.ends, texts));
    }
}

impl ColumnBuffer {
    /// An empty buffer for a column.
    pub(super) fn new(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            key: column.key.clone(),
            nullable: column.nullable,
            null_text: column.null_text.clone(),
            values: Values::new(&column.ty),
            validity: NullBufferBuilder::new(0),
        }
    }

    /// Values in it, nulls included.
    pub(super) fn len(&self) -> usize {
        self.validity.len()
    }

    /// Notes that the value just added to `values` is no null.
    pub(super) fn note_value(&mut self) {
        self.validity.append_non_null();
    }

    /// Which of the values are no nulls; the notes begin again from nothing.
    pub(super) fn take_validity(&mut self) -> Option<NullBuffer> {
        self.validity.finish()
    }

    /// Whether a text is what the API writes for null in this column.
    pub(super) fn is_null_text(&self, text: &str) -> bool {
        self.null_text.as_deref() == Some(text)
    }

    /// Adds a null where the column may hold one.
    pub(super) fn push_null(&mut self) -> Result<(), Misfit> {
        if !self.nullable {
            return Err(MisfitCause::Null.at(self.name.as_str()));
        }
        self.push_filler();
        Ok(())
    }

    /// Adds a null for a value that the response does not have.
    pub(super) fn push_missing(&mut self) -> Result<(), Misfit> {
        if !self.nullable {
            return Err(MisfitCause::Missing.at(self.name.as_str()));
        }
        self.push_filler();
        Ok(())
    }

    /// Adds what stands where there is no value: a null, or, in a column without nulls below a null, anything.
    fn push_filler(&mut self) {
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Int32(values) | Values::Date(values) => values.push(0),
            Values::Int64(values)
            | Values::Timestamp(values)
            | Values::LocalTimestamp { values, .. }
            | Values::Epoch { values, .. } => values.push(0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::String(Texts { ends, .. }) | Values::Json(Texts { ends, .. }) | Values::List { ends, .. } => {
                let end = ends.last().copied().unwrap_or(0);
                ends.push(end);
            }
            Values::Struct(fields) => fields.iter_mut().for_each(Self::push_filler),
        }
        self.validity.append(!self.nullable);
    }

    /// Takes back all values from the given one on.
    pub(super) fn truncate(&mut self, len: usize) {
        if len >= self.len() && !matches!(self.values, Values::List { .. } | Values::Struct(_)) {
            return;
        }
        match &mut self.values {
            Values::Boolean(values) => values.truncate(len),
            Values::Int32(values) | Values::Date(values) => values.truncate(len),
            Values::Int64(values)
            | Values::Timestamp(values)
            | Values::LocalTimestamp { values, .. }
            | Values::Epoch { values, .. } => values.truncate(len),
            Values::Float64(values) => values.truncate(len),
            Values::Decimal { values, .. } => values.truncate(len),
            Values::String(texts) | Values::Json(texts) => texts.truncate(len),
            Values::List { ends, item } => item.truncate(cut_ends(ends, len)),
            Values::Struct(fields) => fields.iter_mut().for_each(|field| field.truncate(len)),
        }
        self.validity.truncate(len);
    }

    /// Bytes that the values take up, roughly.
    pub(super) fn bytes(&self) -> usize {
        let len = self.len();
        match &self.values {
            Values::Boolean(_) => len / 8,
            Values::Int32(_) | Values::Date(_) => len * 4,
            Values::Int64(_)
            | Values::Float64(_)
            | Values::Timestamp(_)
            | Values::LocalTimestamp { .. }
            | Values::Epoch { .. } => len * 8,
            Values::Decimal { .. } => len * 16,
            Values::String(texts) | Values::Json(texts) => len * 4 + texts.bytes.len(),
            Values::List { item, .. } => len * 4 + item.bytes(),
            Values::Struct(fields) => fields.iter().map(Self::bytes).sum(),
        }
    }
}

impl Values {
    fn new(ty: &ColumnType) -> Self {
        let scalar = match ty {
            ColumnType::Scalar(scalar) => *scalar,
            ColumnType::List(item) => {
                let mut item = ColumnBuffer::new(item);
                // In a reason an item is told by its place.
                item.name.clear();
                return Self::List {
                    ends: first_end(0),
                    item: Box::new(item),
                };
            }
            ColumnType::Struct(fields) => return Self::Struct(fields.iter().map(ColumnBuffer::new).collect()),
        };
        match scalar {
            ScalarType::Boolean => Self::Boolean(BooleanBufferBuilder::new(0)),
            ScalarType::Int32 => Self::Int32(Vec::new()),
            ScalarType::Int64 => Self::Int64(Vec::new()),
            ScalarType::Float64 => Self::Float64(Vec::new()),
            ScalarType::String => Self::String(Texts::with_capacity(0, 0)),
            ScalarType::Json => Self::Json(Texts::with_capacity(0, 0)),
            ScalarType::Decimal { precision, scale } => Self::Decimal {
                values: Vec::new(),
                precision,
                scale,
            },
            ScalarType::Date => Self::Date(Vec::new()),
            ScalarType::Timestamp => Self::Timestamp(Vec::new()),
            ScalarType::LocalTimestamp(offset) => Self::LocalTimestamp {
                values: Vec::new(),
                offset,
            },
            ScalarType::TimestampSeconds => Self::Epoch {
                values: Vec::new(),
                scale: 0,
            },
            ScalarType::TimestampMillis => Self::Epoch {
                values: Vec::new(),
                scale: 3,
            },
        }
    }

    /// What a value has to be, for the reason that a reject gives.
    pub(super) fn expectation(&self) -> String {
        match self {
            Self::Boolean(_) => ScalarType::Boolean.to_string(),
            Self::Int32(_) => ScalarType::Int32.to_string(),
            Self::Int64(_) => ScalarType::Int64.to_string(),
            Self::Float64(_) => ScalarType::Float64.to_string(),
            Self::String(_) => ScalarType::String.to_string(),
            Self::Json(_) => ScalarType::Json.to_string(),
            Self::Decimal { precision, scale, .. } => ScalarType::Decimal {
                precision: *precision,
                scale: *scale,
            }
            .to_string(),
            Self::Date(_) => ScalarType::Date.to_string(),
            Self::Timestamp(_) => "timestamp (RFC 3339 with its offset, no finer than a microsecond)".to_owned(),
            Self::LocalTimestamp { offset, .. } => {
                format!("timestamp (as 2020-04-13 00:00:00, {offset} from UTC, no finer than a microsecond)")
            }
            Self::Epoch { scale: 0, .. } => ScalarType::TimestampSeconds.to_string(),
            Self::Epoch { .. } => ScalarType::TimestampMillis.to_string(),
            Self::List { .. } => "list".to_owned(),
            Self::Struct(_) => "object".to_owned(),
        }
    }
}

/// The ends of no texts yet, with room for so many.
pub(super) fn first_end(capacity: usize) -> Vec<i32> {
    let mut ends = Vec::with_capacity(capacity + 1);
    ends.push(0);
    ends
}

/// Cuts the ends back to so many pieces, and returns where the last of them ends.
fn cut_ends(ends: &mut Vec<i32>, pieces: usize) -> usize {
    ends.truncate(pieces + 1);
    ends.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or(0)
}
