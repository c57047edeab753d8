//! What a JSON value becomes in a column of a given type: the one place that decides what fits.
//!
//! | column | takes |
//! |---|---|
//! | boolean | `true` and `false` |
//! | int32 | a whole number in range, however it is written (`1e3`); never text: this is the `Int` of GraphQL |
//! | int64 | the same, and text that is such a number, for that is how many APIs send 64 bits |
//! | float64 | a number within range, rounded to the nearest float |
//! | string | text; numbers and booleans as the very text in the response |
//! | decimal | a number, or text that is one, if no digit but a zero has to be left out |
//! | date, timestamp, timestamp(+HH:MM) | text, see `time.rs` |
//! | timestamp_s, timestamp_ms | a number, or text that is one: no finer than a microsecond, in the years 0 to 9999 |
//! | json | anything, as its text |
//!
//! In any of them a text that the author says to mean null is null.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde_json::value::RawValue;

use crate::rows::column::{ColumnBuffer, Values};
use crate::rows::fields::Fields;
use crate::rows::misfit::{Misfit, MisfitCause};
use crate::rows::number::ExactNumber;
use crate::rows::time::{parse_date, parse_local_timestamp, parse_timestamp};

/// Decimal places of a second that a timestamp keeps.
const MICRO_PLACES: u8 = 6;

/// From 0000-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z, in microseconds since 1970.
const YEARS_0_TO_9999: RangeInclusive<i64> = -62_167_219_200_000_000..=253_402_300_799_999_999;

impl ColumnBuffer {
    /// Adds a value given as its JSON text.
    pub(super) fn push_json(&mut self, raw: &str) -> Result<(), Misfit> {
        let fits = match raw.as_bytes().first() {
            Some(b'n') => return self.push_null(),
            _ if matches!(self.values, Values::Json(_)) => return self.push_raw(raw),
            Some(b'[') => return self.push_list(raw),
            Some(b'{') => return self.push_object(raw),
            Some(b'"') => {
                let text = string_of(raw).map_err(|cause| cause.at(self.name.as_str()))?;
                self.accept_text(&text)
            }
            Some(b't') => self.accept_boolean(true),
            Some(b'f') => self.accept_boolean(false),
            _ => self.accept_number(raw),
        };
        if fits { Ok(()) } else { Err(self.wrong_type(raw)) }
    }

    /// Adds the value of a JSON string, given without quotes and escapes; false, and nothing added, where it does not
    /// fit.
    pub(super) fn accept_text(&mut self, text: &str) -> bool {
        if self.is_null_text(text) {
            return self.push_null().is_ok();
        }
        let fits = match &mut self.values {
            Values::String(texts) => texts.push(text),
            Values::Int64(values) => push(values, ExactNumber::parse(text).and_then(ExactNumber::integer)),
            Values::Decimal {
                values,
                precision,
                scale,
            } => push(values, decimal(text, *precision, *scale)),
            Values::Date(values) => push(values, parse_date(text)),
            Values::Timestamp(values) => push(values, parse_timestamp(text)),
            Values::LocalTimestamp { values, offset } => push(values, parse_local_timestamp(text, offset.seconds())),
            Values::Epoch { values, scale } => push(values, epoch_micros(text, *scale)),
            _ => false,
        };
        self.note(fits)
    }

    /// Adds a JSON number, given as its text; false, and nothing added, where it does not fit.
    pub(super) fn accept_number(&mut self, text: &str) -> bool {
        let whole = || ExactNumber::parse(text).and_then(ExactNumber::integer);
        let fits = match &mut self.values {
            Values::String(texts) => texts.push(text),
            Values::Int32(values) => push(values, whole().and_then(|value| i32::try_from(value).ok())),
            Values::Int64(values) => push(values, whole()),
            Values::Float64(values) => push(values, text.parse().ok().filter(|value: &f64| value.is_finite())),
            Values::Decimal {
                values,
                precision,
                scale,
            } => push(values, decimal(text, *precision, *scale)),
            Values::Epoch { values, scale } => push(values, epoch_micros(text, *scale)),
            _ => false,
        };
        self.note(fits)
    }

    /// Adds a JSON number that was already read as an integer: what [`Self::accept_number`] does with its text.
    pub(super) fn accept_integer(&mut self, value: i64) -> bool {
        let fits = match &mut self.values {
            Values::Int32(values) => push(values, i32::try_from(value).ok()),
            Values::Int64(values) => push(values, Some(value)),
            _ => return self.accept_number(&value.to_string()),
        };
        self.note(fits)
    }

    /// Adds a JSON boolean; false, and nothing added, where it does not fit.
    pub(super) fn accept_boolean(&mut self, value: bool) -> bool {
        let fits = match &mut self.values {
            Values::Boolean(values) => {
                values.append(value);
                true
            }
            Values::String(texts) => texts.push(if value { "true" } else { "false" }),
            _ => false,
        };
        self.note(fits)
    }

    fn push_raw(&mut self, raw: &str) -> Result<(), Misfit> {
        let Values::Json(texts) = &mut self.values else {
            return Err(self.wrong_type(raw));
        };
        if !texts.push(raw) {
            return Err(MisfitCause::TooLong.at(self.name.as_str()));
        }
        self.note_value();
        Ok(())
    }

    fn push_list(&mut self, raw: &str) -> Result<(), Misfit> {
        let Values::List { item, .. } = &mut self.values else {
            return Err(self.wrong_type(raw));
        };
        let items: Vec<&RawValue> =
            serde_json::from_str(raw).map_err(|error| unreadable(&error).at(self.name.as_str()))?;
        for (index, value) in items.into_iter().enumerate() {
            item.push_json(value.get())
                .map_err(|misfit| misfit.inside(&format!("[{index}]")).inside(&self.name))?;
        }
        if self.end_list() {
            Ok(())
        } else {
            Err(MisfitCause::TooLong.at(self.name.as_str()))
        }
    }

    /// Ends a list whose items were added; false, and nothing added, where all lists together have more than 2^31 - 1.
    pub(super) fn end_list(&mut self) -> bool {
        let Values::List { ends, item } = &mut self.values else {
            return false;
        };
        let fits = push(ends, i32::try_from(item.len()).ok());
        self.note(fits)
    }

    fn push_object(&mut self, raw: &str) -> Result<(), Misfit> {
        let Values::Struct(columns) = &mut self.values else {
            return Err(self.wrong_type(raw));
        };
        let fields = Fields::parse(raw).map_err(|cause| cause.at(self.name.as_str()))?;
        for column in columns {
            push_field(column, &fields).map_err(|misfit| misfit.inside(&self.name))?;
        }
        self.note_value();
        Ok(())
    }

    fn note(&mut self, is_value: bool) -> bool {
        if is_value {
            self.note_value();
        }
        is_value
    }

    fn wrong_type(&self, raw: &str) -> Misfit {
        MisfitCause::wrong_type(raw, self.values.expectation()).at(self.name.as_str())
    }
}

/// Adds to a column what an object has under the column's key.
fn push_field(column: &mut ColumnBuffer, fields: &Fields<'_>) -> Result<(), Misfit> {
    match fields
        .get(&column.key)
        .map_err(|cause| cause.at(column.name.as_str()))?
    {
        Some(raw) => column.push_json(raw),
        None => column.push_missing(),
    }
}

/// The text that a JSON string, given with its quotes, stands for.
pub(super) fn string_of(raw: &str) -> Result<Cow<'_, str>, MisfitCause> {
    let plain = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match plain {
        Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
        _ => serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|error| unreadable(&error)),
    }
}

/// What to say of JSON that is well-formed and yet cannot be read, as half a surrogate pair cannot.
pub(super) fn unreadable(error: &serde_json::Error) -> MisfitCause {
    MisfitCause::Unreadable(error.to_string())
}

fn push<V>(values: &mut Vec<V>, value: Option<V>) -> bool {
    let fits = value.is_some();
    values.extend(value);
    fits
}

fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let unscaled = ExactNumber::parse(text)?.scaled(scale)?;
    let limit = 10_u128.checked_pow(u32::from(precision))?;
    (unscaled.unsigned_abs() < limit).then_some(unscaled)
}

/// Microseconds of a count of `10^-scale` seconds, within the years that a timestamp's text can have, too: what lies
/// beyond them was counted in another unit.
fn epoch_micros(text: &str, scale: u8) -> Option<i64> {
    let micros = i64::try_from(ExactNumber::parse(text)?.scaled(MICRO_PLACES - scale)?).ok()?;
    YEARS_0_TO_9999.contains(&micros).then_some(micros)
}
