//! Bodies and layouts that nobody thought of: nothing panics, and the fast reader agrees with the careful one.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::rows::page::Reading;
use crate::rows::{Batches, DecodeError};

const KEYS: [&str; 7] = ["data", "a", "b", "c", "nodes", "node", "id"];

/// Columns of a generated table, beside its `_id`.
const COLUMNS: usize = 10;

fn key() -> impl Strategy<Value = String> {
    select(&KEYS[..]).prop_map(str::to_owned)
}

/// JSON values, most of them small and some of them traps.
fn json() -> impl Strategy<Value = String> {
    let traps = [
        "null",
        "true",
        "0",
        "-1",
        "1.0",
        "1.5",
        "1e3",
        "3e9",
        "1e400",
        "-0",
        "9223372036854775808",
        "\"\"",
        "\"12\"",
        "\"1.5\"",
        "\"\\ud800\"",
        "\"é\\n\"",
        "\"2024-02-29\"",
        "\"2024-02-29T00:00:00Z\"",
        "[]",
        "{}",
        "[null]",
    ];
    let leaf = select(traps.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 4, |inner| {
        let object = vec((key(), inner.clone()), 0..5).prop_map(|fields| {
            let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        let list = vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![object, list]
    })
}

fn column_type() -> impl Strategy<Value = ColumnType> {
    let scalars = [
        ScalarType::Boolean,
        ScalarType::Int32,
        ScalarType::Int64,
        ScalarType::Float64,
        ScalarType::String,
        ScalarType::Decimal { precision: 5, scale: 2 },
        ScalarType::Date,
        ScalarType::Timestamp,
        ScalarType::TimestampMillis,
        ScalarType::Json,
    ];
    let leaf = select(scalars.to_vec()).prop_map(ColumnType::Scalar);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list_of = (inner.clone(), any::<bool>()).prop_map(|(ty, nullable)| list(column("item", ty, nullable)));
        let fields = vec((inner, any::<bool>()), 0..3).prop_map(|fields| {
            let named = fields.into_iter().zip(KEYS);
            ColumnType::Struct(named.map(|((ty, nullable), name)| column(name, ty, nullable)).collect())
        });
        prop_oneof![list_of, fields]
    })
}

/// A table of many columns, most of which may be null.
fn any_table() -> impl Strategy<Value = Table> {
    vec((column_type(), prop::bool::weighted(0.98)), COLUMNS).prop_map(|columns| {
        let named = columns.into_iter().enumerate();
        table(
            named
                .map(|(index, (ty, nullable))| column(&format!("c{index}"), ty, nullable))
                .collect(),
        )
    })
}

/// Cells whose columns are still to be chosen.
fn any_cells() -> impl Strategy<Value = Vec<Cell>> {
    let leaf = prop_oneof![Just(CellRole::Ignored), Just(CellRole::Column(0))];
    let role = leaf.prop_recursive(2, 6, 3, |inner| {
        vec((key(), inner), 0..3)
            .prop_map(|cells| CellRole::Flattened(cells.iter().map(|(key, role)| cell(key, role.clone())).collect()))
    });
    vec((key(), role).prop_map(|(key, role)| cell(&key, role)), 0..4)
}

fn any_id() -> impl Strategy<Value = RowId> {
    let position = Just(RowId::Position { path: "p".to_owned() });
    prop_oneof![position, vec(0_usize..4, 1..3).prop_map(RowId::Cells)]
}

/// Fields above the rows, whose columns are still to be chosen.
fn any_fields() -> impl Strategy<Value = Vec<AncestorField>> {
    let place = (0_usize..2).prop_map(|table| ColumnPlace { table, column: 0 });
    let leaf = prop_oneof![
        Just(AncestorRole::Ignored),
        vec(place, 0..2).prop_map(AncestorRole::Columns)
    ];
    let role = leaf.prop_recursive(3, 12, 3, |inner| {
        let fields = vec((key(), inner).prop_map(|(key, role)| field(&key, role)), 0..4).boxed();
        let of_edges = (key(), key(), any_cells(), fields.clone());
        let items = prop_oneof![
            Just(Items::Value),
            Just(Items::List),
            (key(), fields.clone()).prop_map(|(nodes, beside)| Items::Nodes { nodes, beside }),
            of_edges.prop_map(|(edges, node, edge_cells, beside)| Items::Edges {
                edges,
                node,
                edge_cells,
                beside
            }),
        ];
        let rows = (0_usize..2, items, any_id(), any_cells()).prop_map(|(table, items, id, cells)| {
            let row = RowLayout { id, cells };
            AncestorRole::Rows(RowsLayout { table, items, row })
        });
        prop_oneof![1 => fields.prop_map(AncestorRole::Object), 3 => rows]
    });
    vec((key(), role).prop_map(|(key, role)| field(&key, role)), 1..4)
}

/// Gives each value of a layout the next column of its table, as far as there are any, so that the layout is a
/// possible one.
#[derive(Default)]
struct Columns([usize; 2]);

impl Columns {
    fn next(&mut self, table: usize) -> Option<usize> {
        self.0[table] += 1;
        Some(self.0[table]).filter(|column| *column <= COLUMNS)
    }

    fn choose(&mut self, fields: &mut [AncestorField]) {
        for field in fields {
            match &mut field.role {
                AncestorRole::Ignored => {}
                AncestorRole::Object(fields) => self.choose(fields),
                AncestorRole::Columns(places) => places.retain_mut(|place| {
                    let column = self.next(place.table);
                    place.column = column.unwrap_or(0);
                    column.is_some()
                }),
                AncestorRole::Rows(layout) => self.choose_in_rows(layout),
            }
        }
    }

    fn choose_in_rows(&mut self, layout: &mut RowsLayout) {
        match &mut layout.items {
            Items::Value | Items::List => {}
            Items::Nodes { beside, .. } => self.choose(beside),
            Items::Edges { beside, edge_cells, .. } => {
                self.choose(beside);
                self.choose_in_cells(layout.table, edge_cells);
            }
        }
        self.choose_in_cells(layout.table, &mut layout.row.cells);
        let count = layout.row.cells.len();
        match &mut layout.row.id {
            RowId::Cells(cells) if count > 0 => cells.iter_mut().for_each(|cell| *cell %= count),
            id => *id = RowId::Position { path: "p".to_owned() },
        }
    }

    fn choose_in_cells(&mut self, table: usize, cells: &mut [Cell]) {
        for cell in cells {
            match &mut cell.role {
                CellRole::Ignored => {}
                CellRole::Flattened(cells) => self.choose_in_cells(table, cells),
                role @ CellRole::Column(_) => *role = self.next(table).map_or(CellRole::Ignored, CellRole::Column),
            }
        }
    }
}

/// The value in most cases, and any JSON in the others.
fn mostly(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![40 => value, 1 => json()].boxed()
}

fn object(mut fields: Vec<(String, BoxedStrategy<String>)>) -> BoxedStrategy<String> {
    let mut seen = BTreeSet::new();
    fields.retain(|(key, _)| seen.insert(key.clone()));
    let (keys, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let object = values.prop_map(move |values| {
        let fields: Vec<_> = keys
            .iter()
            .zip(&values)
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    });
    mostly(object.boxed())
}

fn list_of(item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    mostly(
        vec(item, 0..4)
            .prop_map(|items| format!("[{}]", items.join(",")))
            .boxed(),
    )
}

/// A body that mostly has what the layout says.
fn body_of(fields: &[AncestorField]) -> BoxedStrategy<String> {
    object(
        fields
            .iter()
            .map(|field| (field.key.clone(), value_of(&field.role)))
            .collect(),
    )
}

fn value_of(role: &AncestorRole) -> BoxedStrategy<String> {
    let layout = match role {
        AncestorRole::Ignored | AncestorRole::Columns(_) => return json().boxed(),
        AncestorRole::Object(fields) => return body_of(fields),
        AncestorRole::Rows(layout) => layout,
    };
    let item = object(cells_of(&layout.row.cells));
    let (fields, key, list) = match &layout.items {
        Items::Value => return item,
        Items::List => return list_of(item),
        Items::Nodes { nodes, beside } => (beside, nodes, list_of(item)),
        Items::Edges {
            edges,
            node,
            edge_cells,
            beside,
        } => {
            let fields = cells_of(edge_cells).into_iter().chain([(node.clone(), item)]);
            (beside, edges, list_of(object(fields.collect())))
        }
    };
    let fields = fields.iter().map(|field| (field.key.clone(), value_of(&field.role)));
    object(fields.chain([(key.clone(), list)]).collect())
}

fn cells_of(cells: &[Cell]) -> Vec<(String, BoxedStrategy<String>)> {
    let value = |cell: &Cell| match &cell.role {
        CellRole::Ignored | CellRole::Column(_) => {
            prop_oneof![json(), select(vec!["null", "7", "\"x\""]).prop_map(str::to_owned)].boxed()
        }
        CellRole::Flattened(cells) => object(cells_of(cells)),
    };
    cells.iter().map(|cell| (cell.key.clone(), value(cell))).collect()
}

/// A layout, and bodies that mostly have what it says.
fn any_layout_and_bodies() -> impl Strategy<Value = (Layout, Vec<String>)> {
    any_fields().prop_flat_map(|mut root| {
        Columns::default().choose(&mut root);
        let bodies = vec(body_of(&root), 1..4);
        (Just(super::layout(root)), bodies)
    })
}

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_body_and_no_layout_panics(
        one in any_table(), other in any_table(), (layout, values) in any_layout_and_bodies(), is_cut in prop::bool::weighted(0.1),
    ) {
        let mut decoder = Decoder::new([one, other].into());
        for value in values {
            let mut body = format!("{{\"data\":{value}}}");
            if is_cut {
                body.pop();
            }
            match decoder.decode(&body, &layout, &[]) {
                Ok(counts) => prop_assert_eq!(counts.len(), 2),
                Err(error) => prop_assert!(matches!(error, DecodeError::Body(_)), "{}", error),
            }
        }
        for table in 0..2 {
            prop_assert!(decoder.take_rest(table).is_ok());
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
            let usual_counts = usual.decode(&body, &layout, &[0]);
            let careful_counts = careful.read(&body, &layout, &[0], Reading::Careful);
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
