//! Values as tests compare them: exact, whichever file or API they come from.

use std::collections::BTreeMap;

use arrow::array::types::{Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use serde_json::Value;
use serde_json::value::RawValue;

/// Digits behind the point of the decimals that the tests export.
const DECIMAL_SCALE: usize = 9;

/// What a value is, however it is written.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Boolean,
    Int32,
    Int64,
    Float,
    Text,
    /// Up to 38 digits, nine of them behind the point; as text or as a number.
    Decimal,
    Date,
    /// RFC 3339, with any offset.
    Timestamp,
    /// Any JSON value.
    Json,
    List(Box<Kind>),
    Object(Vec<(&'static str, Kind)>),
}

/// One value. Equal values are equal here whatever form they had, and no others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Integer(i64),
    /// The bits of a double.
    Float(u64),
    Text(String),
    /// In units of the last of its digits.
    Decimal(i128),
    /// Days since 1970.
    Date(i64),
    /// Microseconds since 1970.
    Timestamp(i64),
    Json(Value),
    List(Vec<Cell>),
    Object(BTreeMap<&'static str, Cell>),
}

/// One row: its values by column.
pub(crate) type Row = BTreeMap<&'static str, Cell>;

pub(crate) fn list(of: Kind) -> Kind {
    Kind::List(Box::new(of))
}

pub(crate) fn object(fields: &[(&'static str, Kind)]) -> Kind {
    Kind::Object(fields.to_vec())
}

impl Cell {
    /// The value in an answer of the API.
    pub(crate) fn of_answer(kind: &Kind, value: &Value) -> Self {
        if let (Kind::Object(fields), Value::Object(members)) = (kind, value) {
            let cell = |name: &str, kind| {
                members
                    .get(name)
                    .map_or(Self::Null, |value| Self::of_answer(kind, value))
            };
            return Self::Object(fields.iter().map(|(name, kind)| (*name, cell(name, kind))).collect());
        }
        if let (Kind::List(kind), Value::Array(items)) = (kind, value) {
            return Self::List(items.iter().map(|item| Self::of_answer(kind, item)).collect());
        }
        let raw = RawValue::from_string(value.to_string()).expect("JSON");
        Self::of_json(kind, &raw)
    }

    /// The value as NDJSON has it: the text is kept, since a number in it may have more digits than a double.
    pub(crate) fn of_json(kind: &Kind, raw: &RawValue) -> Self {
        let text = raw.get();
        if text == "null" {
            return Self::Null;
        }
        match kind {
            Kind::Boolean => Self::Boolean(read(text)),
            Kind::Int32 => Self::Integer(read::<i32>(text).into()),
            Kind::Int64 => Self::Integer(read(text)),
            // Not by serde_json, which may be a last digit off.
            Kind::Float => Self::Float(text.parse::<f64>().expect("a number").to_bits()),
            Kind::Text => Self::Text(read(text)),
            Kind::Decimal => Self::Decimal(unscaled(text.trim_matches('"'))),
            Kind::Date => Self::Date(days(&read::<String>(text))),
            Kind::Timestamp => Self::Timestamp(microseconds(&read::<String>(text))),
            Kind::Json => Self::Json(read(text)),
            Kind::List(kind) => {
                let items: Vec<Box<RawValue>> = read(text);
                Self::List(items.iter().map(|item| Self::of_json(kind, item)).collect())
            }
            Kind::Object(fields) => Self::Object(row_of_json(fields, text)),
        }
    }

    /// The value in a column of a Parquet file, whose type must be the kind's.
    pub(crate) fn of_array(kind: &Kind, array: &dyn Array, row: usize) -> Self {
        let ty = array.data_type();
        if array.is_null(row) {
            return Self::Null;
        }
        match kind {
            Kind::Boolean => Self::Boolean(array.as_boolean().value(row)),
            Kind::Int32 => Self::Integer(array.as_primitive::<Int32Type>().value(row).into()),
            Kind::Int64 => Self::Integer(array.as_primitive::<Int64Type>().value(row)),
            Kind::Float => Self::Float(array.as_primitive::<Float64Type>().value(row).to_bits()),
            Kind::Text => Self::Text(array.as_string::<i32>().value(row).to_owned()),
            Kind::Decimal => {
                assert_eq!(*ty, DataType::Decimal128(38, 9));
                Self::Decimal(array.as_primitive::<Decimal128Type>().value(row))
            }
            Kind::Date => Self::Date(array.as_primitive::<Date32Type>().value(row).into()),
            Kind::Timestamp => Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row)),
            Kind::Json => Self::Json(read(array.as_string::<i32>().value(row))),
            Kind::List(kind) => {
                let items = array.as_list::<i32>().value(row);
                Self::List(
                    (0..items.len())
                        .map(|item| Self::of_array(kind, &items, item))
                        .collect(),
                )
            }
            Kind::Object(fields) => {
                let object = array.as_struct();
                assert_eq!(object.num_columns(), fields.len(), "{ty}");
                let cell = |name, kind| {
                    let column = object
                        .column_by_name(name)
                        .unwrap_or_else(|| panic!("no `{name}` in {ty}"));
                    Self::of_array(kind, column, row)
                };
                Self::Object(fields.iter().map(|(name, kind)| (*name, cell(name, kind))).collect())
            }
        }
    }
}

/// A line of NDJSON. Every key must be there, and no other.
pub(crate) fn row_of_json(columns: &[(&'static str, Kind)], text: &str) -> Row {
    let mut members: BTreeMap<String, Box<RawValue>> = read(text);
    let mut cell = |name: &str, kind| {
        let member = members.remove(name).unwrap_or_else(|| panic!("no `{name}` in {text}"));
        Cell::of_json(kind, &member)
    };
    let row = columns.iter().map(|(name, kind)| (*name, cell(name, kind))).collect();
    assert!(members.is_empty(), "unknown members in {text}");
    row
}

fn read<'text, T: serde::Deserialize<'text>>(text: &'text str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn unscaled(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= DECIMAL_SCALE && !text.contains(['e', 'E']), "{text}");
    format!("{whole}{fraction:0<DECIMAL_SCALE$}")
        .parse()
        .expect("a decimal")
}

fn days(text: &str) -> i64 {
    let date: jiff::civil::Date = text.parse().expect("a date");
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).expect("a day in UTC");
    midnight.timestamp().as_second() / (24 * 60 * 60)
}

fn microseconds(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a moment").as_microsecond()
}

#[test]
fn the_comparison_tells_values_apart_that_look_alike() {
    let cell = |kind: &Kind, text: &str| Cell::of_json(kind, &RawValue::from_string(text.to_owned()).expect("JSON"));
    assert_eq!(cell(&Kind::Decimal, "\"-0.5\""), cell(&Kind::Decimal, "-0.500000000"));
    assert_ne!(cell(&Kind::Decimal, "0.000000001"), cell(&Kind::Decimal, "0"));
    let [east, west] = ["\"2026-03-01T09:30:00.125+05:30\"", "\"2026-03-01T04:00:00.125Z\""];
    assert_eq!(cell(&Kind::Timestamp, east), cell(&Kind::Timestamp, west));
    assert_ne!(
        cell(&Kind::Int64, "9007199254740993"),
        cell(&Kind::Int64, "9007199254740992")
    );
    assert_ne!(cell(&Kind::Float, "-0.0"), cell(&Kind::Float, "0.0"));
    assert_ne!(cell(&Kind::Text, "\"\""), Cell::Null);
    assert_eq!(cell(&Kind::Date, "\"1969-12-31\""), Cell::Date(-1));
}
