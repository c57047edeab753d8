//! Bodies and layouts that nobody thought of: nothing panics, and the fast reader agrees with the careful one.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::generator::{TABLES, any_layout_and_bodies, any_slots, any_tables, json, lenient_tables};
use super::*;
use crate::rows::{Batches, DecodeError};

/// A row of the table below: most values fit, some do not, keys are missing, doubled or in another order.
fn item() -> impl Strategy<Value = String> {
    let values = |good: &'static [&'static str]| prop_oneof![6 => select(good).prop_map(str::to_owned), 1 => json()];
    let fields = (
        option::weighted(0.95, values(&["\"x\"", "7", "\"\\u0041\""])),
        option::weighted(0.9, values(&["1", "-5", "2147483647", "1.0", "null"])),
        option::weighted(0.9, values(&["1", "\"12\"", "9007199254740993"])),
        option::weighted(0.9, values(&["1.25", "1e3", "null"])),
        option::weighted(0.9, values(&["\"s\"", "5", "1.50", "null", "true"])),
        option::weighted(0.9, values(&["{\"p\":[1, null],\"q\":\"x\"}", "{\"q\":null}", "null"])),
        option::weighted(0.1, Just("9".to_owned())),
    );
    let named = fields.prop_map(|(id, small, large, float, text, nested, again)| {
        let keys = ["id", "small", "large", "float", "text", "nested", "small"];
        let values = [id, small, large, float, text, nested, again];
        let present = keys
            .into_iter()
            .zip(values)
            .filter_map(|(key, value)| Some(format!("\"{key}\":{}", value?)));
        present.collect::<Vec<_>>()
    });
    let ordered = prop_oneof![3 => named.clone(), 1 => named.prop_shuffle()];
    ordered.prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

fn item_table() -> Table {
    let nested = vec![
        column("p", list(scalar("item", ScalarType::Int32, true)), true),
        scalar("q", ScalarType::String, true),
    ];
    table(vec![
        scalar("small", ScalarType::Int32, true),
        scalar("large", ScalarType::Int64, false),
        scalar("float", ScalarType::Float64, true),
        scalar("text", ScalarType::String, true),
        column("nested", ColumnType::Struct(nested), true),
        scalar("above", ScalarType::String, true),
    ])
}

fn same(one: &Batches, other: &Batches) -> bool {
    one.rows == other.rows && one.rejects == other.rejects
}

/// The slots of a request; each with a parent of its own, where it has one.
fn slots_of(drawn: &[(bool, u64)]) -> Vec<Slot<'static>> {
    let parents = ["p0", "p1", "p2", "p3"];
    let slot = |((has_parent, position), parent): (&(bool, u64), &'static str)| Slot {
        parent: has_parent.then_some(parent),
        position: *position,
    };
    drawn.iter().zip(parents).map(slot).collect()
}

/// The rows of all tables, as JSON lines.
fn all_lines(decoder: &mut Decoder) -> Vec<Vec<String>> {
    let rows = |table| decoder.take_rest(table).unwrap().rows;
    (0..TABLES)
        .map(rows)
        .map(|rows| rows.as_ref().map(lines).unwrap_or_default())
        .collect()
}

fn is_subsequence(some: &[String], all: &[String]) -> bool {
    let mut all = all.iter();
    some.iter().all(|line| all.any(|other| other == line))
}

fn items(count: &TableCount) -> u64 {
    count.rows + count.rejected + count.null_items + count.skipped
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_body_and_no_layout_panics(
        tables in any_tables(),
        (layout, mut bodies) in any_layout_and_bodies(),
        slots in any_slots(),
        skips in vec(vec(0_u64..2, 0..2), 0..TABLES),
        is_cut in prop::bool::weighted(0.1),
    ) {
        let mut decoder = Decoder::new(tables.into());
        for body in &mut bodies {
            if is_cut {
                body.pop();
            }
            match decoder.decode(body, &layout, &slots_of(&slots), &skips) {
                Ok(counts) => prop_assert_eq!(counts.len(), TABLES),
                Err(error) => prop_assert!(matches!(error, DecodeError::Body(_)), "{}", error),
            }
        }
        for table in 0..TABLES {
            prop_assert!(decoder.take_rest(table).is_ok());
        }
    }

    #[test]
    fn both_readers_agree_on_rows_below_rows(
        (layout, bodies) in any_layout_and_bodies(),
        slots in any_slots(),
        skips in vec(vec(0_u64..2, 0..2), 0..TABLES),
    ) {
        let slots = slots_of(&slots);
        let tables = lenient_tables();
        let (mut usual, mut careful) = (Decoder::new(tables.clone().into()), Decoder::new(tables.into()));
        for body in &bodies {
            for skips in [&[], &skips[..]] {
                let page = PageBody { body, layout: &layout, slots: &slots, skips };
                let usual_counts = usual.decode(body, &layout, &slots, skips);
                match (usual_counts, careful.read(page, Reading::Careful)) {
                    (Ok(usual), Ok(careful)) => prop_assert_eq!(usual, careful),
                    (Err(_), Err(_)) => {}
                    (usual, careful) => prop_assert!(false, "{:?} and {:?}", usual, careful),
                }
            }
        }
        for table in 0..TABLES {
            prop_assert!(same(&usual.take_rest(table).unwrap(), &careful.take_rest(table).unwrap()));
        }
    }

    #[test]
    fn items_left_out_leave_the_others_as_they_are(
        (layout, bodies) in any_layout_and_bodies(),
        slots in any_slots(),
        chosen in 0..TABLES,
        draws in vec(0_u64..100, 0..3),
    ) {
        let slots = slots_of(&slots);
        let mut decoder = Decoder::new(lenient_tables().into());
        for body in &bodies {
            let Ok(all) = decoder.decode(body, &layout, &slots, &[]) else {
                continue;
            };
            let all_lines_of_it = all_lines(&mut decoder);
            let there = items(&all[chosen]);
            let mut skips = vec![Vec::new(); TABLES];
            skips[chosen] = draws.iter().filter(|_| there > 0).map(|draw| draw % there).collect();
            skips[chosen].sort_unstable();
            skips[chosen].dedup();
            let left = decoder.decode(body, &layout, &slots, &skips).unwrap();
            prop_assert_eq!(items(&left[chosen]), there);
            prop_assert_eq!(left[chosen].skipped, u64::try_from(skips[chosen].len()).unwrap());
            for (left, all) in all_lines(&mut decoder).iter().zip(&all_lines_of_it) {
                prop_assert!(is_subsequence(left, all));
            }
        }
    }

    #[test]
    fn both_readers_agree_and_no_item_is_lost(
        pages in vec((vec(prop_oneof![9 => item(), 1 => Just("null".to_owned())], 0..6), select(vec!["\"o\"", "5", "[]", "null"])), 1..4),
    ) {
        let rows = rows(Items::List, 1, &["small", "large", "float", "text", "nested"]);
        let layout = layout(vec![field("items", AncestorRole::Rows(rows)), field("above", fill(6))]);
        let mut usual = Decoder::new([item_table()].into());
        let mut careful = Decoder::new([item_table()].into());
        for (items, above) in pages {
            let body = format!("{{\"data\":{{\"items\":[{}],\"above\":{above}}}}}", items.join(","));
            let usual_counts = usual.decode(&body, &layout, &[], &[]);
            let careful_counts = read(&mut careful, &body, &layout, Reading::Careful);
            match (usual_counts, careful_counts) {
                (Ok(usual), Ok(careful)) => {
                    prop_assert_eq!(&usual, &careful);
                    let count = usual[0];
                    let accounted = count.rows + count.rejected + count.null_items;
                    prop_assert_eq!(usize::try_from(accounted).unwrap(), items.len());
                }
                (Err(_), Err(_)) => {}
                (usual, careful) => prop_assert!(false, "{:?} and {:?}", usual, careful),
            }
        }
        prop_assert!(same(&usual.take_rest(0).unwrap(), &careful.take_rest(0).unwrap()));
    }
}
