//! The types that a single value can have in the output.

use std::fmt;
use std::str::FromStr;

/// The type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarType {
    /// `boolean`
    Boolean,
    /// `int32`: GraphQL's own `Int`.
    Int32,
    /// `int64`: a JSON number, or text that is one.
    Int64,
    /// `float64`: GraphQL's own `Float`.
    Float64,
    /// `string`: text; numbers and booleans are taken as the text that stands in the response.
    String,
    /// `decimal(precision, scale)`: a JSON number, or text that is one, exact; too many digits do not fit.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: u8,
    },
    /// `date`: `YYYY-MM-DD`.
    Date,
    /// `timestamp`: RFC 3339 text with its offset, as microseconds in UTC.
    Timestamp,
    /// `timestamp(-05:00)`: the same without an offset, as the time of day where clocks differ from UTC by this; dates may
    /// have slashes (`2020/04/13`).
    LocalTimestamp(UtcOffset),
    /// `timestamp_s`: seconds since 1970 as a JSON number, or text that is one.
    TimestampSeconds,
    /// `timestamp_ms`: milliseconds since 1970 as a JSON number, or text that is one.
    TimestampMillis,
    /// `json`: any JSON value, kept as its text.
    Json,
}

impl fmt::Display for ScalarType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => formatter.write_str("boolean"),
            Self::Int32 => formatter.write_str("int32"),
            Self::Int64 => formatter.write_str("int64"),
            Self::Float64 => formatter.write_str("float64"),
            Self::String => formatter.write_str("string"),
            Self::Decimal { precision, scale } => write!(formatter, "decimal({precision}, {scale})"),
            Self::Date => formatter.write_str("date"),
            Self::Timestamp => formatter.write_str("timestamp"),
            Self::LocalTimestamp(offset) => write!(formatter, "timestamp({offset})"),
            Self::TimestampSeconds => formatter.write_str("timestamp_s"),
            Self::TimestampMillis => formatter.write_str("timestamp_ms"),
            Self::Json => formatter.write_str("json"),
        }
    }
}

/// How far clocks are ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcOffset {
    /// Whole minutes, negative in the west; less than a day.
    minutes: i32,
}

impl UtcOffset {
    /// In seconds.
    pub fn seconds(self) -> i64 {
        i64::from(self.minutes) * 60
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.unsigned_abs();
        write!(formatter, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// A type name that is none of [`ScalarType`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no column type: use boolean, int32, int64, float64, string, decimal(PRECISION, SCALE), date, timestamp, \
     timestamp(+HH:MM), timestamp_s, timestamp_ms or json"
)]
pub struct UnknownScalarType(String);

impl FromStr for ScalarType {
    type Err = UnknownScalarType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "boolean" => Ok(Self::Boolean),
            "int32" => Ok(Self::Int32),
            "int64" => Ok(Self::Int64),
            "float64" => Ok(Self::Float64),
            "string" => Ok(Self::String),
            "date" => Ok(Self::Date),
            "timestamp" => Ok(Self::Timestamp),
            "timestamp_s" => Ok(Self::TimestampSeconds),
            "timestamp_ms" => Ok(Self::TimestampMillis),
            "json" => Ok(Self::Json),
            other => decimal(other)
                .or_else(|| local_timestamp(other))
                .ok_or_else(|| UnknownScalarType(other.to_owned())),
        }
    }
}

fn decimal(text: &str) -> Option<ScalarType> {
    let arguments = text.strip_prefix("decimal(")?.strip_suffix(')')?;
    let (precision, scale) = arguments.split_once(',')?;
    let precision = precision.trim().parse().ok()?;
    let scale = scale.trim().parse().ok()?;
    let is_representable = (1..=38).contains(&precision) && scale <= precision;
    is_representable.then_some(ScalarType::Decimal { precision, scale })
}

fn local_timestamp(text: &str) -> Option<ScalarType> {
    let offset = text.strip_prefix("timestamp(")?.strip_suffix(')')?.trim();
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |digits: &str, below: i32| -> Option<i32> {
        let is_plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|number| is_plain && *number < below)
    };
    let minutes = sign * (number(hours, 24)? * 60 + number(minutes, 60)?);
    Some(ScalarType::LocalTimestamp(UtcOffset { minutes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_written() {
        for name in [
            "timestamp(-05:00)",
            "timestamp(+05:30)",
            "timestamp(-00:30)",
            "timestamp",
            "decimal(9, 2)",
        ] {
            assert_eq!(name.parse::<ScalarType>().map(|ty| ty.to_string()), Ok(name.to_owned()));
        }
        for name in [
            "timestamp(05:00)",
            "timestamp(-5:00)",
            "timestamp(+24:00)",
            "timestamp(+00:60)",
            "timestamp(+-1:00)",
            "timestamp()",
        ] {
            assert!(name.parse::<ScalarType>().is_err(), "{name}");
        }
    }
}
