//! The file formats that tables are written in.

use std::fmt;
use std::str::FromStr;

/// The file format of a run's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `parquet`
    #[default]
    Parquet,
    /// `ndjson`: one JSON object a line.
    Ndjson,
    /// `ndjson.zst`: the same, compressed.
    NdjsonZst,
}

impl fmt::Display for Format {
    /// The format's name, which is also how its files end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Parquet => "parquet",
            Self::Ndjson => "ndjson",
            Self::NdjsonZst => "ndjson.zst",
        })
    }
}

/// A format name that is none of [`Format`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no output format: use parquet, ndjson or ndjson.zst")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Parquet, Self::Ndjson, Self::NdjsonZst]
            .into_iter()
            .find(|format| format.to_string() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_by_the_names_they_show() {
        for format in [Format::Parquet, Format::Ndjson, Format::NdjsonZst] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "csv".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`csv` is no output format: use parquet, ndjson or ndjson.zst"
        );
    }
}
