//! What one field of a stand-in's object holds: a small language of generators, read from its `data.toml`.
//!
//! A generator turns a stream of numbers into a value. It knows the object it works for, and nothing of GraphQL.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::demo::dataset::Instance;
use crate::demo::entropy::Entropy;
use crate::demo::moment::{Moment, UtcOffset};
use crate::demo::pattern::Pattern;

/// How likely an `integer` is one of its two bounds: exporters fail there first.
const CHANCE_OF_BOUND: f64 = 1.0 / 32.0;

/// How a field's value is made. In `data.toml`, the one key of the field's table names the generator.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Generator {
    /// A text that is unique in the dataset, begins with this prefix, and from which the object can be found again.
    Identifier(String),
    /// A text in the form of a UUID, which begins with the object's index, so that it grows with it.
    Uuid(String),
    /// The object's index, counted from `start`; as text, it grows with the index as long as it has as many digits.
    Serial { start: u64, form: DecimalForm },
    /// These words by the object's index; where there are more objects than words, with a number behind.
    Label(Vec<String>),
    /// A text made of placeholders.
    Pattern(Pattern),
    /// Any of these texts.
    Text(Vec<String>),
    /// Any of these names, by weight: an enum's value.
    Choice(BTreeMap<String, u32>),
    /// A whole number in `min..=max`.
    Integer { min: i64, max: i64 },
    /// A number in `min..max`, rounded to `decimals` if given.
    Float { min: f64, max: f64, decimals: Option<u8> },
    /// A decimal number of at most `digits` digits, of which `scale` stand behind the point.
    Decimal { digits: u8, scale: u8, form: DecimalForm },
    /// True this often.
    Boolean(f64),
    /// A moment in RFC 3339 form, written with any of `offsets` and any number of digits in `fractions` (0 to 9).
    Timestamp {
        #[serde(deserialize_with = "timestamp")]
        from: Timestamp,
        #[serde(deserialize_with = "timestamp")]
        to: Timestamp,
        #[serde(default)]
        offsets: Vec<UtcOffset>,
        #[serde(default)]
        fractions: Vec<u8>,
    },
    /// A day between two moments, as `YYYY-MM-DD`.
    Date {
        #[serde(deserialize_with = "timestamp")]
        from: Timestamp,
        #[serde(deserialize_with = "timestamp")]
        to: Timestamp,
    },
    /// A moment as clocks at `offset` show it, and without that: `2018-04-07 19:45:11`, with `separator` in its date.
    LocalTime {
        #[serde(deserialize_with = "timestamp")]
        from: Timestamp,
        #[serde(deserialize_with = "timestamp")]
        to: Timestamp,
        offset: UtcOffset,
        separator: char,
    },
    /// Any of these JSON values.
    #[serde(deserialize_with = "json_values")]
    Json(Vec<Value>),
    /// Between `min` and `max` values.
    List { min: u64, max: u64, of: Box<Generator> },
    /// Null this often.
    Nullable { chance: f64, of: Box<Generator> },
    /// This text in the place of a value this often.
    Instead {
        chance: f64,
        text: String,
        of: Box<Generator>,
    },
    /// What goes with the value of another field of the object, which depends on none itself.
    By {
        field: String,
        when: BTreeMap<String, Generator>,
        otherwise: Box<Generator>,
    },
    /// An object of this type, which has no identity of its own.
    Object(String),
    /// An object of any of these types, by weight: a union's or an interface's value.
    Variant(BTreeMap<String, u32>),
    /// A value of the object's ancestor of that type.
    Ancestor {
        #[serde(rename = "type")]
        ty: String,
        field: String,
    },
    /// How many objects of this type have the object as their ancestor.
    Count(String),
}

/// How a number travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DecimalForm {
    /// As text; a decimal of up to 38 digits.
    Text,
    /// As a JSON number; a decimal of up to 15 digits, since a double keeps no more.
    Number,
}

/// A generated value.
#[derive(Debug, Clone)]
pub(crate) enum Generated<'d> {
    /// A scalar, an enum's value, or null.
    Leaf(Value),
    /// An object, whose fields are generated when they are asked for.
    Object(Instance<'d>),
    /// A list.
    List(Vec<Generated<'d>>),
}

impl Generated<'_> {
    /// Nothing.
    pub(crate) const NULL: Self = Self::Leaf(Value::Null);

    fn text(&self) -> Option<&str> {
        match self {
            Self::Leaf(value) => value.as_str(),
            Self::Object(_) | Self::List(_) => None,
        }
    }
}

impl Generator {
    /// The value for `instance` that follows from `entropy`.
    pub(crate) fn generate<'d>(&self, instance: Instance<'d>, entropy: &mut Entropy) -> Generated<'d> {
        match self {
            Self::Nullable { chance, .. } if entropy.happens(*chance) => Generated::NULL,
            Self::Nullable { of, .. } => of.generate(instance, entropy),
            Self::Instead { chance, text, .. } if entropy.happens(*chance) => {
                Generated::Leaf(Value::from(text.as_str()))
            }
            Self::Instead { of, .. } => of.generate(instance, entropy),
            Self::List { min, max, of } => {
                let length = min + entropy.below(max.saturating_sub(*min) + 1);
                Generated::List((0..length).map(|_| of.generate(instance, entropy)).collect())
            }
            Self::Object(ty) => embedded(instance, ty, entropy),
            Self::Variant(types) => match entropy.pick_weighted(types.iter().map(|(ty, weight)| (ty, *weight))) {
                Some(ty) => embedded(instance, ty, entropy),
                None => Generated::NULL,
            },
            Self::By { field, when, otherwise } => {
                let chosen = instance.value(field).and_then(|value| when.get(value.text()?));
                chosen.unwrap_or(otherwise).generate(instance, entropy)
            }
            Self::Ancestor { ty, field } => instance
                .ancestor(ty)
                .and_then(|ancestor| ancestor.value(field))
                .unwrap_or(Generated::NULL),
            leaf => Generated::Leaf(leaf.leaf(instance, entropy)),
        }
    }

    /// The names of the types that this generator speaks of.
    pub(crate) fn type_names(&self) -> Vec<&str> {
        match self {
            Self::Object(ty) | Self::Count(ty) | Self::Ancestor { ty, .. } => vec![ty],
            Self::Variant(types) => types.keys().map(String::as_str).collect(),
            Self::List { of, .. } | Self::Nullable { of, .. } | Self::Instead { of, .. } => of.type_names(),
            Self::By { when, otherwise, .. } => {
                let all = when.values().chain([&**otherwise]);
                all.flat_map(Self::type_names).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The field of the same object that the value depends on.
    pub(crate) fn depends_on(&self) -> Option<&str> {
        match self {
            Self::By { field, .. } => Some(field),
            Self::List { of, .. } | Self::Nullable { of, .. } | Self::Instead { of, .. } => of.depends_on(),
            _ => None,
        }
    }

    /// Whether the value says which object it is of.
    pub(crate) fn is_key(&self) -> bool {
        matches!(self, Self::Identifier(_) | Self::Uuid(_) | Self::Serial { .. })
    }

    /// The index of the object that can have this key, if any can.
    pub(crate) fn index_of(&self, key: &Value) -> Option<u64> {
        match self {
            Self::Identifier(prefix) => {
                let behind = key.as_str()?.strip_prefix(prefix.as_str())?.strip_prefix('-')?;
                behind.split('-').next()?.parse().ok()
            }
            Self::Uuid(_) => u64::from_str_radix(key.as_str()?.split('-').next()?, 16).ok(),
            Self::Serial { start, form } => {
                let number: u64 = match form {
                    DecimalForm::Text => key.as_str()?.parse().ok()?,
                    DecimalForm::Number => key.as_u64()?,
                };
                number.checked_sub(*start)
            }
            _ => None,
        }
    }

    fn leaf(&self, instance: Instance<'_>, entropy: &mut Entropy) -> Value {
        match self {
            Self::Identifier(prefix) => Value::String(instance.identifier(prefix)),
            Self::Uuid(salt) => Value::String(instance.uuid(salt)),
            Self::Serial { start, form } => serial(start + instance.index(), *form),
            Self::Label(words) => label(words, instance.index()),
            Self::Pattern(pattern) => Value::String(pattern.fill(instance.vocabulary(), entropy)),
            Self::Text(texts) => entropy
                .pick(texts)
                .map_or(Value::Null, |text| Value::String(text.clone())),
            Self::Choice(names) => entropy
                .pick_weighted(names.iter().map(|(name, weight)| (name, *weight)))
                .map_or(Value::Null, |name| Value::String(name.clone())),
            Self::Integer { min, max } => Value::from(integer(*min, *max, entropy)),
            Self::Float { min, max, decimals } => float(min + entropy.unit() * (max - min), *decimals),
            Self::Decimal { digits, scale, form } => decimal(*digits, *scale, *form, entropy),
            Self::Boolean(chance) => Value::Bool(entropy.happens(*chance)),
            Self::Timestamp {
                from,
                to,
                offsets,
                fractions,
            } => Value::String(Moment::between(*from, *to, entropy).rfc3339(offsets, fractions, entropy)),
            Self::Date { from, to } => Value::String(Moment::between(*from, *to, entropy).date()),
            Self::LocalTime {
                from,
                to,
                offset,
                separator,
            } => Value::String(Moment::between(*from, *to, entropy).local(offset, *separator)),
            Self::Json(values) => entropy.pick(values).cloned().unwrap_or(Value::Null),
            Self::Count(ty) => Value::from(instance.descendants(ty).len()),
            Self::List { .. }
            | Self::Nullable { .. }
            | Self::Instead { .. }
            | Self::By { .. }
            | Self::Object(_)
            | Self::Variant(_)
            | Self::Ancestor { .. } => Value::Null,
        }
    }
}

fn embedded<'d>(owner: Instance<'d>, ty: &str, entropy: &mut Entropy) -> Generated<'d> {
    owner
        .embedded(ty, entropy.bits())
        .map_or(Generated::NULL, Generated::Object)
}

fn label(words: &[String], index: u64) -> Value {
    let count = words.len().max(1) as u64;
    let word = usize::try_from(index % count)
        .ok()
        .and_then(|position| words.get(position));
    let word = word.map_or("", String::as_str);
    match index / count {
        0 => Value::from(word),
        round => Value::String(format!("{word}-{}", round + 1)),
    }
}

fn serial(number: u64, form: DecimalForm) -> Value {
    match form {
        DecimalForm::Text => Value::String(number.to_string()),
        DecimalForm::Number => Value::from(number),
    }
}

fn integer(min: i64, max: i64, entropy: &mut Entropy) -> i64 {
    if entropy.happens(CHANCE_OF_BOUND) {
        return if entropy.happens(0.5) { min } else { max };
    }
    match max.abs_diff(min).checked_add(1) {
        Some(span) => min.wrapping_add_unsigned(entropy.below(span)),
        None => min.wrapping_add_unsigned(entropy.bits()),
    }
}

fn float(exact: f64, decimals: Option<u8>) -> Value {
    let Some(decimals) = decimals else {
        return Number::from_f64(exact).map_or(Value::Null, Value::Number);
    };
    let factor = 10_f64.powi(i32::from(decimals));
    Number::from_f64((exact * factor).round() / factor).map_or(Value::Null, Value::Number)
}

/// Any number of digits up to `digits` is equally likely, so that small and large numbers both occur.
fn decimal(digits: u8, scale: u8, form: DecimalForm, entropy: &mut Entropy) -> Value {
    let length = 1 + entropy.below(u64::from(digits));
    let unscaled: String = (0..length)
        .map(|_| char::from(b'0' + entropy.below(10) as u8))
        .collect();
    let scale = usize::from(scale);
    let padded = format!("{unscaled:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    let sign = if entropy.happens(0.25) { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let text = format!("{sign}{whole}{point}{fraction}");
    match form {
        DecimalForm::Text => Value::String(text),
        DecimalForm::Number => text.parse().map_or(Value::Null, |number| float(number, None)),
    }
}

fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn json_values<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| serde_json::from_str(text).map_err(D::Error::custom))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws<T>(mut draw: impl FnMut(&mut Entropy) -> T) -> Vec<T> {
        let mut entropy = Entropy::of_seed(5);
        (0..2_000).map(|_| draw(&mut entropy)).collect()
    }

    #[test]
    fn labels_are_unique() {
        let words = ["a".to_owned(), "b".to_owned()];
        let labels: Vec<Value> = (0..5).map(|index| label(&words, index)).collect();
        assert_eq!(labels, ["a", "b", "a-2", "b-2", "a-3"]);
    }

    #[test]
    fn integers_reach_both_bounds_and_all_64_bits() {
        let drawn = draws(|entropy| integer(i64::MIN, i64::MAX, entropy));
        assert!(drawn.contains(&i64::MIN) && drawn.contains(&i64::MAX));
        assert!(
            drawn
                .iter()
                .any(|number| number % 2 != 0 && number.unsigned_abs() > 1 << 60)
        );
        assert!(
            draws(|entropy| integer(-2, 3, entropy))
                .iter()
                .all(|number| (-2..=3).contains(number))
        );
    }

    #[test]
    fn decimals_as_text_keep_scale_and_bound() {
        for value in draws(|entropy| decimal(38, 9, DecimalForm::Text, entropy)) {
            let text = value.as_str().unwrap();
            let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.').unwrap();
            assert_eq!(fraction.len(), 9, "{text}");
            assert!((1..=29).contains(&whole.len()), "{text}");
            assert!(whole == "0" || !whole.starts_with('0'), "{text}");
        }
        let long = |value: &Value| value.as_str().unwrap().len() >= 39;
        assert!(
            draws(|entropy| decimal(38, 9, DecimalForm::Text, entropy))
                .iter()
                .any(long)
        );
    }

    #[test]
    fn decimals_as_numbers_are_written_with_no_more_digits_than_they_have() {
        for value in draws(|entropy| decimal(9, 4, DecimalForm::Number, entropy)) {
            let text = value.to_string();
            let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
            assert!(fraction.len() <= 4 && !text.contains('e'), "{text}");
        }
    }

    #[test]
    fn floats_are_rounded_where_asked() {
        assert_eq!(float(2.7459, Some(1)), Value::from(2.7));
        assert_eq!(float(2.0, Some(0)).to_string(), "2.0");
        assert_eq!(float(0.1 + 0.2, None), Value::from(0.1 + 0.2));
    }
}
