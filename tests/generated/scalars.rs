//! The values that generated rows have: every kind of scalar, lists and objects of them, null or not.

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::cell::{Kind, list, object};
use crate::generated::world::Field;

/// The type that objects in the place of values have, and what the schema and `data.toml` say of it.
pub(super) const VALUE_SCHEMA: &str = "type Reading { gauge: String! depth: Int }\n";
pub(super) const VALUE_DATA: &str = "[types.Reading.fields]
gauge = { pattern = '{word} {number}' }
depth = { nullable = { chance = 0.3, of = { integer = { min = -9, max = 9 } } } }
";

/// The enum of fields that filters take.
pub(super) const CHOICE_SCHEMA: &str = "enum Hue { RED GREEN GREY }\n";
const CHOICES: &[&str] = &["RED", "GREEN", "GREY"];

/// The custom scalars, and what they are exported as.
pub(super) const SCALAR_SCHEMA: &str =
    "scalar DateTime\nscalar Day\nscalar Money\nscalar BigInt\nscalar Anything\nscalar Word\n";
pub(super) const SCALAR_SETTINGS: &str = "[scalars]
DateTime = 'timestamp'
Day = 'date'
Money = 'decimal(38, 9)'
BigInt = 'int64'
Word = 'string'
";

/// A type, its generator in `data.toml`, and what comes of it.
type Scalar = (&'static str, &'static str, Kind);

const SCALARS: [Scalar; 12] = [
    ("String", "{ pattern = '{word} \"{word}\" {number}' }", Kind::Text),
    ("String", "{ text = ['', 'ä', 'a\\b', '🙂 x'] }", Kind::Text),
    ("ID", "{ pattern = '{number}' }", Kind::Text),
    ("Word", "{ pattern = '{word}' }", Kind::Text),
    (
        "Int",
        "{ integer = { min = -2147483648, max = 2147483647 } }",
        Kind::Int32,
    ),
    ("Float", "{ float = { min = -1e6, max = 1e6 } }", Kind::Float),
    ("Boolean", "{ boolean = 0.4 }", Kind::Boolean),
    (
        "BigInt",
        "{ integer = { min = -9223372036854775808, max = 9223372036854775807 } }",
        Kind::Int64,
    ),
    (
        "Money",
        "{ decimal = { digits = 30, scale = 4, form = 'text' } }",
        Kind::Decimal,
    ),
    (
        "DateTime",
        "{ timestamp = { from = '1965-01-01T00:00:00Z', to = '2030-01-01T00:00:00Z', offsets = ['Z', '+05:30'], fractions = [0, 3, 6] } }",
        Kind::Timestamp,
    ),
    (
        "Day",
        "{ date = { from = '1950-01-01T00:00:00Z', to = '2030-01-01T00:00:00Z' } }",
        Kind::Date,
    ),
    (
        "Anything",
        "{ json = ['{\"a\":[1,null]}', '\"x\"', '[]', '7'] }",
        Kind::Json,
    ),
];

/// Any field of that name.
pub(super) fn field(name: &'static str, random: &mut StdRng) -> Field {
    match random.random_range(0..10) {
        0 => {
            let kind = object(&[("gauge", Kind::Text), ("depth", Kind::Int32)]);
            nullable(name, "Reading", "{ object = 'Reading' }".to_owned(), kind, random)
        }
        1 => listed(name, random),
        _ => single(name, random),
    }
}

/// A field that is neither an object nor a list.
pub(super) fn single(name: &'static str, random: &mut StdRng) -> Field {
    let (ty, generator, kind) = SCALARS.choose(random).expect("scalars").clone();
    nullable(name, ty, generator.to_owned(), kind, random)
}

/// A field by which a list can be filtered.
pub(super) fn choice(name: &'static str, random: &mut StdRng) -> Field {
    let generator = "{ choice = { RED = 5, GREEN = 2, GREY = 1 } }".to_owned();
    Field {
        choices: CHOICES,
        ..nullable(name, "Hue", generator, Kind::Text, random)
    }
}

fn listed(name: &'static str, random: &mut StdRng) -> Field {
    let inner = single(name, random);
    let generator = format!("{{ list = {{ min = 0, max = 3, of = {} }} }}", inner.generator);
    nullable(name, &format!("[{}]", inner.ty), generator, list(inner.kind), random)
}

fn nullable(name: &'static str, ty: &str, generator: String, kind: Kind, random: &mut StdRng) -> Field {
    let selection = match &kind {
        Kind::Object(_) => " { gauge depth }",
        _ => "",
    };
    let (ty, generator) = if random.random_bool(0.4) {
        (
            ty.to_owned(),
            format!("{{ nullable = {{ chance = 0.3, of = {generator} }} }}"),
        )
    } else {
        (format!("{ty}!"), generator)
    };
    Field {
        name,
        ty,
        generator,
        kind,
        selection,
        choices: &[],
    }
}
