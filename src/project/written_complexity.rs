//! `limits.query.complexity` as it is written: a number of fields, or a table that says what they cost.

use std::fmt;
use std::num::NonZeroU32;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::project::complaint::with_remedy;
use crate::project::settings::ComplexityLimit;

/// A limit on complexity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WrittenComplexity(pub(crate) ComplexityLimit);

impl WrittenComplexity {
    /// What to write.
    const EXPECTED: &'static str = "a number of fields such as 400, or a table such as \
         { max = 10000, object = 1, scalar = 0.1, multiplied_by = [\"first\", \"last\"] }";
}

/// Points of a field where nothing is said.
const POINT: f64 = 1.0;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ComplexityKeys {
    max: NonZeroU32,
    object: Option<f64>,
    scalar: Option<f64>,
    #[serde(default)]
    multiplied_by: Vec<String>,
}

impl<'de> Deserialize<'de> for WrittenComplexity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ComplexityVisitor)
    }
}

struct ComplexityVisitor;

impl<'de> Visitor<'de> for ComplexityVisitor {
    type Value = WrittenComplexity;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(WrittenComplexity::EXPECTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<WrittenComplexity, E> {
        let max = u32::try_from(number).ok().filter(|max| *max > 0);
        let wrong = || {
            let remedy = format!("write {}", WrittenComplexity::EXPECTED);
            E::custom(with_remedy("this is no number of fields from 1", remedy))
        };
        Ok(WrittenComplexity(ComplexityLimit {
            max: max.ok_or_else(wrong)?,
            object: POINT,
            scalar: POINT,
            multiplied_by: Vec::new(),
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenComplexity, A::Error> {
        let keys = ComplexityKeys::deserialize(MapAccessDeserializer::new(map))?;
        Ok(WrittenComplexity(ComplexityLimit {
            max: keys.max.get(),
            object: points(keys.object)?,
            scalar: points(keys.scalar)?,
            multiplied_by: keys.multiplied_by,
        }))
    }
}

fn points<E: Error>(written: Option<f64>) -> Result<f64, E> {
    let points = written.unwrap_or(POINT);
    match points.is_finite() && points >= 0.0 {
        true => Ok(points),
        false => Err(E::custom(with_remedy(
            "a field cannot cost so many points",
            "write a number from 0",
        ))),
    }
}
