//! The rows that an export of nested lists must have, and whose children they are: straight from the stand-in's data.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use gqldump::demo::{Family, StandIn};
use serde_json::{Map, Value};

use crate::cell::{Cell, Kind, Row};
use crate::exported::Exported;

/// How much of two rows that differ is shown.
const SHOWN: usize = 3_000;

/// Tells of a row whether it is asked for.
type Condition = dyn Fn(&Map<String, Value>) -> bool;

/// A table, the list that its rows come from, and the tables below it.
#[derive(Clone)]
pub(crate) struct Branch {
    table: String,
    owner: &'static str,
    list: &'static str,
    columns: Vec<(&'static str, Kind)>,
    /// The fields of columns that are not called like theirs, each with the objects around it.
    fields: BTreeMap<&'static str, String>,
    /// What stands in all rows alike.
    constants: Map<String, Value>,
    /// The field whose value `_id` is; where there is none, only that no two rows share theirs is known.
    key: Option<&'static str>,
    is_wanted: Arc<Condition>,
    most: usize,
    /// Whether those behind the last of `most` rows are lacking, or not wanted.
    is_capped: bool,
    /// Whether it takes a size and says nothing else, so that a round number of rows may be where it was cut off.
    is_sized: bool,
    is_below: bool,
    below: Vec<Branch>,
}

/// How many lists of one kind there are, below rows that are there themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Lists.
    pub(crate) lists: u64,
    /// Rows that have no such list: they are of another type, or lack the object in which it would be.
    pub(crate) absent: u64,
    /// Those of `lists` that have as many rows as they can, so that nobody knows whether there were more.
    pub(crate) full: u64,
    /// Rows in all of them.
    pub(crate) rows: u64,
}

/// The lists of the stand-in, by the table of their rows and the parent's place among those of its type.
type Families = HashMap<(String, u64), Family>;

/// A row, and what lies below it: equal texts are equal rows with equal rows below.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Tree {
    row: String,
    below: Vec<Vec<Tree>>,
}

impl Branch {
    /// The table of the list that `place` names, such as `Vendor.products`, with its columns but for `_id` and
    /// `_parent_id`.
    pub(crate) fn new(table: &str, place: &'static str, columns: &[(&'static str, Kind)]) -> Self {
        let (owner, list) = place.split_once('.').expect("a type and a field");
        Self {
            table: table.to_owned(),
            owner,
            list,
            columns: columns.to_vec(),
            fields: BTreeMap::new(),
            constants: Map::new(),
            key: columns.iter().map(|(name, _)| *name).find(|name| *name == "id"),
            is_wanted: Arc::new(|_| true),
            most: usize::MAX,
            is_capped: false,
            is_sized: false,
            is_below: false,
            below: Vec::new(),
        }
    }

    /// The same, where only these rows are asked for.
    pub(crate) fn only(mut self, is_wanted: impl Fn(&Map<String, Value>) -> bool + 'static) -> Self {
        self.is_wanted = Arc::new(is_wanted);
        self
    }

    /// The same, where `_id` is the value of this field; without one, it only tells rows apart.
    pub(crate) fn keyed(mut self, key: Option<&'static str>) -> Self {
        self.key = key;
        self
    }

    /// The same, where a column has another name than its field, or is one of an object: `chart.bloodGroup`.
    pub(crate) fn reading(mut self, column: &'static str, field: &str) -> Self {
        self.fields.insert(column, field.to_owned());
        self
    }

    /// The same with a value that all rows have.
    pub(crate) fn always(mut self, column: &str, value: Value) -> Self {
        self.constants.insert(column.to_owned(), value);
        self
    }

    /// The same, where a list has so many rows at most, and those behind them cannot be had.
    pub(crate) fn capped(mut self, most: usize) -> Self {
        self.most = most;
        self.is_capped = true;
        self
    }

    /// The same for one that takes a size and says nothing else.
    pub(crate) fn sized(self) -> Self {
        Self { is_sized: true, ..self }
    }

    /// The same, where a list is read to so many rows and no further.
    pub(crate) fn ended(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// The same with tables below it, which are named after what is added to its own name.
    pub(crate) fn with(mut self, below: impl IntoIterator<Item = Self>) -> Self {
        let table = self.table.clone();
        let below = below.into_iter().map(|branch| branch.under(&table));
        self.below.extend(below);
        self
    }

    /// The same with tables below it that go by names of their own.
    pub(crate) fn over(mut self, below: impl IntoIterator<Item = Self>) -> Self {
        let below = below.into_iter().map(|branch| Self {
            is_below: true,
            ..branch
        });
        self.below.extend(below);
        self
    }

    fn under(mut self, table: &str) -> Self {
        self.table = format!("{table}__{}", self.table);
        self.is_below = true;
        self.below = self.below.into_iter().map(|branch| branch.under(table)).collect();
        self
    }

    /// Panics unless a run is complete and has exactly the rows of the stand-in, each as often, below the right rows,
    /// and unless `_id` tells them apart. How many rows there are in all comes back.
    #[track_caller]
    pub(crate) fn check(&self, exported: &Exported, stand_in: &StandIn) -> usize {
        assert_eq!(exported.incomplete(), Vec::<&str>::new());
        self.check_rows(exported, stand_in)
    }

    /// The same without a word on whether the run is complete.
    #[track_caller]
    pub(crate) fn check_rows(&self, exported: &Exported, stand_in: &StandIn) -> usize {
        let mut found = HashMap::new();
        let ids = self.find(exported, None, &mut found);
        let mut found = self.found_trees("", &found);
        let mut expected = self.truth(stand_in).0;
        self.compare_tables(&Vec::from_iter(&found), &Vec::from_iter(&expected));
        found.sort_unstable();
        expected.sort_unstable();
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                found == expected,
                "below a row of {}:\n{}\nand should be\n{}",
                self.table,
                found.shown(),
                expected.shown()
            );
        }
        ids
    }

    /// Panics unless each row of a run is one of the stand-in's, below its own parent, and there no more often.
    #[track_caller]
    pub(crate) fn check_no_strangers(&self, exported: &Exported, stand_in: &StandIn) {
        let mut found = HashMap::new();
        self.find(exported, None, &mut found);
        let expected = self.truth(stand_in).0;
        let (mut found, mut expected) = (pairs(&self.found_trees("", &found), ""), pairs(&expected, ""));
        found.sort_unstable();
        expected.sort_unstable();
        let mut expected = expected.iter();
        for pair in &found {
            assert!(
                expected.any(|other| other == pair),
                "{}: no such row, or too often: {pair:?}",
                self.table
            );
        }
    }

    /// How many lists there are of each kind, by the table of their rows.
    pub(crate) fn census(&self, stand_in: &StandIn) -> BTreeMap<String, Census> {
        self.truth(stand_in).1
    }

    fn truth(&self, stand_in: &StandIn) -> (Vec<Tree>, BTreeMap<String, Census>) {
        let (mut families, mut census) = (Families::new(), BTreeMap::new());
        self.gather(stand_in, &mut families);
        let trees = self.true_trees(&Map::new(), 0, &families, &mut census);
        (trees, census)
    }

    /// Reads the tables: the rows by table and parent, each with its `_id`. How many there are comes back.
    #[track_caller]
    fn find(
        &self,
        exported: &Exported,
        parents: Option<&BTreeSet<String>>,
        found: &mut HashMap<(String, String), Vec<(String, Row)>>,
    ) -> usize {
        let mut columns = vec![("_id", Kind::Text)];
        columns.extend(parents.map(|_| ("_parent_id", Kind::Text)));
        columns.extend(self.columns.clone());
        let rows = exported.rows(&self.table, &columns);
        let mut count = rows.len();
        let mut ids = BTreeSet::new();
        for mut row in rows {
            let id = text(row.get("_id").cloned());
            let parent = parents.map_or_else(String::new, |_| text(row.remove("_parent_id")));
            if let Some(parents) = parents {
                assert!(parents.contains(&parent), "{}: {row:?} has no parent", self.table);
            }
            if self.key.is_none() {
                row.remove("_id");
            }
            assert!(ids.insert(id.clone()), "{}: rows share the `_id` {id}", self.table);
            found.entry((self.table.clone(), parent)).or_default().push((id, row));
        }
        for branch in &self.below {
            count += branch.find(exported, Some(&ids), found);
        }
        count
    }

    fn found_trees(&self, parent: &str, found: &HashMap<(String, String), Vec<(String, Row)>>) -> Vec<Tree> {
        let rows = found.get(&(self.table.clone(), parent.to_owned()));
        let tree = |(id, row): &(String, Row)| Tree {
            row: format!("{row:?}"),
            below: self
                .below
                .iter()
                .map(|branch| sorted(branch.found_trees(id, found)))
                .collect(),
        };
        rows.into_iter().flatten().map(tree).collect()
    }

    fn gather(&self, stand_in: &StandIn, families: &mut Families) {
        for family in stand_in.families(self.owner, self.list).expect("a list") {
            families.insert((self.table.clone(), family.index), family);
        }
        for branch in &self.below {
            branch.gather(stand_in, families);
        }
    }

    /// What is below a parent, of whose type there are `index` before it.
    fn true_trees(
        &self,
        parent: &Map<String, Value>,
        index: u64,
        families: &Families,
        census: &mut BTreeMap<String, Census>,
    ) -> Vec<Tree> {
        let is_owner = parent.get("__typename").is_none_or(|ty| ty == self.owner);
        let family = families.get(&(self.table.clone(), index)).filter(|_| is_owner);
        let mut trees = Vec::new();
        let rows = family
            .into_iter()
            .flat_map(|family| family.children.iter().zip(&family.child_indices));
        for (row, index) in rows.filter(|(row, _)| (self.is_wanted)(row)).take(self.most) {
            let below = self.below.iter();
            let below = below.map(|branch| sorted(branch.true_trees(row, *index, families, census)));
            trees.push(Tree {
                below: below.collect(),
                row: format!("{:?}", self.true_row(row)),
            });
        }
        let counted = census.entry(self.table.clone()).or_default();
        counted.lists += u64::from(family.is_some());
        counted.absent += u64::from(family.is_none());
        counted.full += u64::from(self.is_capped && (trees.len() >= self.most || self.looks_cut(trees.len())));
        counted.rows += trees.len() as u64;
        trees
    }

    fn looks_cut(&self, rows: usize) -> bool {
        const ROUND: [usize; 13] = [10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 500];
        let least = if self.is_below { 100 } else { 10 };
        self.is_sized && rows >= least && ROUND.contains(&rows)
    }

    fn true_row(&self, row: &Map<String, Value>) -> Row {
        let cell = |(name, kind): &(&'static str, Kind)| {
            let field = self.fields.get(name).map_or(*name, String::as_str);
            let mut steps = field.split('.');
            let first = steps.next().and_then(|step| row.get(step));
            let found = first.and_then(|first| steps.try_fold(first, |at, step| at.get(step)));
            let value = self.constants.get(*name).or(found);
            (*name, value.map_or(Cell::Null, |value| Cell::of_answer(kind, value)))
        };
        let mut cells: Row = self.columns.iter().map(cell).collect();
        cells.extend(self.key.map(|key| ("_id", Cell::Text(plain(&row[key])))));
        cells
    }

    /// Compares the tables one by one first: what differs is easier to see so.
    #[track_caller]
    fn compare_tables(&self, found: &[&Tree], expected: &[&Tree]) {
        assert_eq!(found.len(), expected.len(), "rows of {}", self.table);
        for (found, expected) in rows(found).into_iter().zip(rows(expected)) {
            assert_eq!(found, expected, "a row of {}", self.table);
        }
        for (index, branch) in self.below.iter().enumerate() {
            branch.compare_tables(&children(found, index), &children(expected, index));
        }
    }
}

/// All rows of some trees, each behind its parent.
fn pairs(trees: &[Tree], parent: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for tree in trees {
        all.push((parent.to_owned(), tree.row.clone()));
        for (table, below) in tree.below.iter().enumerate() {
            all.extend(pairs(below, &format!("{} {table}", tree.row)));
        }
    }
    all
}

/// The rows of some trees, in an order of their own.
fn rows<'tree>(trees: &[&'tree Tree]) -> Vec<&'tree str> {
    let mut rows: Vec<&str> = trees.iter().map(|tree| tree.row.as_str()).collect();
    rows.sort_unstable();
    rows
}

/// The trees in one of the tables below some trees.
fn children<'tree>(trees: &[&'tree Tree], table: usize) -> Vec<&'tree Tree> {
    trees.iter().flat_map(|tree| &tree.below[table]).collect()
}

impl Tree {
    fn shown(&self) -> String {
        let below = self.below.iter().flatten().map(Self::shown);
        let whole = [self.row.clone()]
            .into_iter()
            .chain(below)
            .collect::<Vec<_>>()
            .join("\n  ");
        whole.chars().take(SHOWN).collect()
    }
}

fn sorted(mut trees: Vec<Tree>) -> Vec<Tree> {
    trees.sort_unstable();
    trees
}

fn text(cell: Option<Cell>) -> String {
    match cell {
        Some(Cell::Text(text)) => text,
        other => panic!("{other:?} is no text"),
    }
}

/// A key as `_id` has it.
fn plain(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => panic!("{other} is no key"),
    }
}
