//! Tables, layouts and bodies that nobody thought of.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const KEYS: [&str; 8] = ["data", "a", "b", "c", "d", "nodes", "node", "id"];

/// Tables of a generated layout; all but the first have a `_parent_id`.
pub(super) const TABLES: usize = 4;

/// Columns of a generated table for single values, beside its `_id` and `_parent_id`.
const VALUES: usize = 10;

/// Columns after those, for the objects that hold rows of other tables.
const OBJECTS: usize = 3;

fn key() -> impl Strategy<Value = String> {
    select(&KEYS[..]).prop_map(str::to_owned)
}

/// JSON values, most of them small and some of them traps.
pub(super) fn json() -> impl Strategy<Value = String> {
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

/// The table of this index with these columns, if each of them may be null.
fn table_of(index: usize, columns: Vec<(ColumnType, bool)>) -> Table {
    let named = columns.into_iter().enumerate();
    let columns = named.map(|(index, (ty, nullable))| column(&format!("c{index}"), ty, nullable));
    let parent = (index > 0).then(|| scalar("_parent_id", ScalarType::String, false));
    table(parent.into_iter().chain(columns).collect())
}

/// Tables of many columns of any type, most of which may be null.
pub(super) fn any_tables() -> impl Strategy<Value = Vec<Table>> {
    let columns = vec((column_type(), prop::bool::weighted(0.98)), VALUES + OBJECTS);
    let tables = vec(columns, TABLES);
    tables.prop_map(|tables| {
        tables
            .into_iter()
            .enumerate()
            .map(|(index, columns)| table_of(index, columns))
            .collect()
    })
}

/// Tables that most values fit.
pub(super) fn lenient_tables() -> Vec<Table> {
    let json = ColumnType::Scalar(ScalarType::Json);
    let text = ColumnType::Scalar(ScalarType::String);
    let fields = ["a", "b", "nodes"].map(|name| column(name, json.clone(), true));
    let object = ColumnType::Struct(fields.to_vec());
    let values = [json, text].into_iter().cycle().take(VALUES);
    let columns: Vec<_> = values.chain(vec![object; OBJECTS]).map(|ty| (ty, true)).collect();
    (0..TABLES).map(|index| table_of(index, columns.clone())).collect()
}

/// Cells whose tables and columns are still to be chosen, with rows below rows as deep as this.
fn any_cells(depth: u32) -> BoxedStrategy<Vec<Cell>> {
    let leaf = prop_oneof![Just(CellRole::Ignored), Just(CellRole::Column(0))].boxed();
    let role = if depth == 0 {
        leaf
    } else {
        let flattened = any_cells(depth - 1).prop_map(CellRole::Flattened);
        let below =
            (option::of(Just(0)), any_below(depth - 1)).prop_map(|(column, below)| CellRole::Below { column, below });
        prop_oneof![4 => leaf, 1 => flattened, 3 => below].boxed()
    };
    vec((key(), role).prop_map(|(key, role)| cell(&key, role)), 0..5).boxed()
}

fn any_below(depth: u32) -> BoxedStrategy<AncestorRole> {
    prop_oneof![
        1 => any_fields(depth).prop_map(AncestorRole::Object),
        1 => any_fields(depth).prop_map(AncestorRole::Only),
        3 => any_rows(depth).prop_map(AncestorRole::Rows),
    ]
    .boxed()
}

fn any_rows(depth: u32) -> BoxedStrategy<RowsLayout> {
    let beside = any_fields(depth.saturating_sub(1));
    let of_edges = (key(), key(), any_cells(depth), beside.clone());
    let items = prop_oneof![
        Just(Items::Value),
        key().prop_map(|key| Items::Field { key }),
        Just(Items::List),
        (key(), beside).prop_map(|(nodes, beside)| Items::Nodes { nodes, beside }),
        of_edges.prop_map(|(edges, node, edge_cells, beside)| Items::Edges {
            edges,
            node,
            cursor: None,
            edge_cells,
            beside
        }),
    ];
    let id = prop_oneof![
        Just(RowId::Position { path: "p".to_owned() }),
        vec((0_usize..8).prop_map(ValuePlace::from), 1..3).prop_map(RowId::Key)
    ];
    let rows = (0..TABLES, items, id, any_cells(depth)).prop_map(|(table, items, id, cells)| RowsLayout {
        table,
        items,
        row: RowLayout {
            id,
            has_parent: false,
            address: None,
            marks: Vec::new(),
            detached: Vec::new(),
            cells,
        },
        page: None,
    });
    rows.boxed()
}

/// Fields above rows, whose tables and columns are still to be chosen.
fn any_fields(depth: u32) -> BoxedStrategy<Vec<AncestorField>> {
    let place = (0..TABLES).prop_map(|table| ColumnPlace { table, column: 0 });
    let leaf = prop_oneof![
        Just(AncestorRole::Ignored),
        vec(place, 0..2).prop_map(AncestorRole::Columns)
    ];
    let role = if depth == 0 {
        leaf.boxed()
    } else {
        prop_oneof![1 => leaf, 2 => any_below(depth - 1)].boxed()
    };
    vec((key(), role).prop_map(|(key, role)| field(&key, role)), 1..4).boxed()
}

/// Gives each row field a table that it does not stand in already, and each value the next column of its table, as far
/// as there are any, so that the layout is a possible one.
#[derive(Default)]
struct Chooser {
    values: [usize; TABLES],
    objects: [usize; TABLES],
    enclosing: Vec<usize>,
}

impl Chooser {
    fn value(&mut self, table: usize) -> Option<usize> {
        self.values[table] += 1;
        let index = self.values[table];
        (index <= VALUES).then_some(index + usize::from(table > 0))
    }

    fn object(&mut self, table: usize) -> Option<usize> {
        self.objects[table] += 1;
        let index = self.objects[table];
        (index <= OBJECTS).then_some(VALUES + index + usize::from(table > 0))
    }

    fn fields(&mut self, fields: &mut Vec<AncestorField>, taken: Option<&str>) {
        let mut seen: BTreeSet<_> = taken.map(str::to_owned).into_iter().collect();
        fields.retain(|field| seen.insert(field.key.clone()));
        fields.iter_mut().for_each(|field| self.role(&mut field.role));
    }

    fn role(&mut self, role: &mut AncestorRole) {
        match role {
            AncestorRole::Ignored => {}
            AncestorRole::Object(fields) | AncestorRole::Only(fields) => self.fields(fields, None),
            AncestorRole::Columns(places) => places.retain_mut(|place| {
                let column = self.value(place.table);
                place.column = column.unwrap_or(0);
                column.is_some()
            }),
            AncestorRole::Rows(layout) => {
                if !self.rows(layout) {
                    *role = AncestorRole::Object(Vec::new());
                }
            }
        }
    }

    /// False where there is no table left for the rows.
    fn rows(&mut self, layout: &mut RowsLayout) -> bool {
        let is_free = |table: &usize| !self.enclosing.contains(table) && (*table > 0 || self.enclosing.is_empty());
        let mut candidates = (layout.table..TABLES).chain(1..TABLES);
        let Some(table) = candidates.find(is_free) else {
            return false;
        };
        layout.table = table;
        layout.row.has_parent = table > 0;
        match &mut layout.items {
            Items::Value | Items::List => {}
            Items::Field { key } => {
                layout.row.cells.truncate(1);
                layout.row.cells.iter_mut().for_each(|cell| cell.key.clone_from(key));
            }
            Items::Nodes { nodes, beside } => self.fields(beside, Some(nodes)),
            Items::Edges { edges, beside, .. } => self.fields(beside, Some(edges)),
        }
        self.enclosing.push(table);
        if let Items::Edges { node, edge_cells, .. } = &mut layout.items {
            self.cells(table, edge_cells, Some(node));
        }
        self.cells(table, &mut layout.row.cells, None);
        self.enclosing.pop();
        choose_id(&mut layout.row);
        true
    }

    fn cells(&mut self, table: usize, cells: &mut Vec<Cell>, taken: Option<&str>) {
        let mut seen: BTreeSet<_> = taken.map(str::to_owned).into_iter().collect();
        cells.retain(|cell| seen.insert(cell.key.clone()));
        for cell in cells {
            match &mut cell.role {
                CellRole::Ignored => {}
                CellRole::Flattened(cells) => self.cells(table, cells, None),
                role @ CellRole::Column(_) => *role = self.value(table).map_or(CellRole::Ignored, CellRole::Column),
                CellRole::Below { column, below } => {
                    *column = column.and_then(|_| self.object(table));
                    self.role(below);
                }
            }
        }
    }
}

/// Lets an `_id` be made of single values, if there are any.
fn choose_id(row: &mut RowLayout) {
    let cells = row.cells.iter().enumerate();
    let singles: Vec<ValuePlace> = cells
        .flat_map(|(cell, own)| {
            let paths = single_paths(own).into_iter();
            paths.map(move |below| ValuePlace { cell, below })
        })
        .collect();
    match &mut row.id {
        RowId::Key(places) if !singles.is_empty() => {
            let chosen = |place: &mut ValuePlace| *place = singles[place.cell % singles.len()].clone();
            places.iter_mut().for_each(chosen);
        }
        id => *id = RowId::Position { path: "p".to_owned() },
    }
}

/// The ways from a cell's value to single values.
fn single_paths(cell: &Cell) -> Vec<Vec<String>> {
    let below = |key: &str, path: Vec<String>| [vec![key.to_owned()], path].concat();
    match &cell.role {
        CellRole::Ignored | CellRole::Column(_) => vec![Vec::new()],
        CellRole::Flattened(cells) => {
            let inner = cells.iter().map(|inner| (&inner.key, single_paths(inner)));
            let paths = inner.flat_map(|(key, paths)| paths.into_iter().map(move |path| below(key, path)));
            paths.collect()
        }
        CellRole::Below { below: role, .. } => match role {
            AncestorRole::Object(fields) => fields.iter().map(|field| below(&field.key, Vec::new())).collect(),
            _ => Vec::new(),
        },
    }
}

/// The value in most cases, and any JSON in the others.
fn mostly(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![120 => value, 3 => Just("null".to_owned()), 1 => json()].boxed()
}

/// An object of these fields; some of them in another order, some twice.
fn object(fields: Vec<(String, BoxedStrategy<String>)>) -> BoxedStrategy<String> {
    let (keys, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let fields = values.prop_map(move |values| {
        let fields = keys.iter().zip(values);
        fields
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect::<Vec<_>>()
    });
    let again = fields.clone().prop_map(|mut fields| {
        fields.extend(fields.first().cloned());
        fields
    });
    let fields = prop_oneof![60 => fields.clone(), 12 => fields.prop_shuffle(), 1 => again.prop_shuffle()];
    mostly(fields.prop_map(|fields| format!("{{{}}}", fields.join(","))).boxed())
}

fn list_of(item: BoxedStrategy<String>, most: usize) -> BoxedStrategy<String> {
    let items = vec(item, 0..=most);
    mostly(items.prop_map(|items| format!("[{}]", items.join(","))).boxed())
}

/// A body that mostly has what the layout says.
fn body_of(fields: &[AncestorField]) -> BoxedStrategy<String> {
    let fields = fields.iter().map(|field| (field.key.clone(), value_of(&field.role)));
    object(fields.collect())
}

fn value_of(role: &AncestorRole) -> BoxedStrategy<String> {
    let layout = match role {
        AncestorRole::Ignored => return json().boxed(),
        AncestorRole::Columns(_) => return value(),
        AncestorRole::Object(fields) => return body_of(fields),
        AncestorRole::Only(fields) => return list_of(body_of(fields), 1),
        AncestorRole::Rows(layout) => layout,
    };
    let mut cells = cells_of(&layout.row.cells);
    if let (Items::Field { .. }, Some((_, value))) = (&layout.items, cells.pop()) {
        return value;
    }
    let item = object(cells_of(&layout.row.cells));
    let (fields, key, list) = match &layout.items {
        Items::Value | Items::Field { .. } => return item,
        Items::List => return list_of(item, 3),
        Items::Nodes { nodes, beside } => (beside, nodes, list_of(item, 3)),
        Items::Edges {
            edges,
            node,
            edge_cells,
            beside,
            ..
        } => {
            let fields = cells_of(edge_cells).into_iter().chain([(node.clone(), item)]);
            (beside, edges, list_of(object(fields.collect()), 3))
        }
    };
    let fields = fields.iter().map(|field| (field.key.clone(), value_of(&field.role)));
    object(fields.chain([(key.clone(), list)]).collect())
}

/// A value that fits a lenient column, most of the time.
fn value() -> BoxedStrategy<String> {
    let plain = select(vec!["7", "\"x\"", "\"y\"", "true"]).prop_map(str::to_owned);
    prop_oneof![60 => plain, 1 => json()].boxed()
}

fn cells_of(cells: &[Cell]) -> Vec<(String, BoxedStrategy<String>)> {
    let value = |cell: &Cell| match &cell.role {
        CellRole::Ignored | CellRole::Column(_) => value(),
        CellRole::Flattened(cells) => object(cells_of(cells)),
        CellRole::Below { below, .. } => value_of(below),
    };
    cells.iter().map(|cell| (cell.key.clone(), value(cell))).collect()
}

/// A layout of three levels of rows at most, and bodies that mostly have what it says.
pub(super) fn any_layout_and_bodies() -> impl Strategy<Value = (Layout, Vec<String>)> {
    any_fields(4).prop_flat_map(|mut root| {
        Chooser::default().fields(&mut root, None);
        let bodies = vec(body_of(&root).prop_map(|value| format!("{{\"data\":{value}}}")), 1..4);
        (Just(super::layout(root)), bodies)
    })
}

/// Parents, where there are any, and positions of root fields.
pub(super) fn any_slots() -> impl Strategy<Value = Vec<(bool, u64)>> {
    vec((prop::bool::weighted(0.9), 0_u64..3), 0..4)
}
