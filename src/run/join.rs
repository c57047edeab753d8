//! The answers to the pieces of a request, joined to what the answer to the whole of it would be.
//!
//! Pure. The first piece has every row, in its order; the others add to its rows, which they know by their keys, what
//! they have of them; the items of plain lists go by their places. What the pieces have at odds with each other is counted: rows came, went or changed between them.

mod guide;
mod list;
mod lone;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::value::RawValue;

use crate::api::PathSegment;
use crate::plan::{Items as At, Layout, RowsLayout};
use crate::run::items::{Members, item_id};
use crate::run::join::guide::Guide;
use crate::run::join::list::items_by_place;
pub(crate) use crate::run::join::lone::{LonePart, LonePlace, LoneRows};

/// The answer to one piece of a request.
#[derive(Debug)]
pub(crate) struct PieceAnswer<'body> {
    /// Its `data`.
    pub(crate) data: &'body RawValue,
    /// The response keys of its slots, each with that of the same slot in the whole.
    pub(crate) slots: Vec<(String, String)>,
    /// The tables of whose rows it holds something.
    pub(crate) tables: BTreeSet<usize>,
    /// There are errors beside the data, which tell of what is null.
    pub(crate) has_errors: bool,
}

/// The answer to the whole.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Joined {
    /// `data`, as JSON.
    pub(crate) data: String,
    pub(crate) differences: Differences,
    /// The `_id`s of the items of some tables, by table, in their order in `data`.
    pub(crate) ids: BTreeMap<usize, Vec<Option<String>>>,
    /// The pieces that lack something which others have, as their errors tell; the first only within rows, as without it
    /// there are none.
    pub(crate) broken: BTreeSet<usize>,
    /// By table, the rows that are to be asked by themselves.
    pub(crate) lone_places: BTreeMap<usize, Vec<LonePlace>>,
}

/// What the pieces have at odds with each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Rows of the first piece that another one lacks, by table.
    pub(crate) lacking: BTreeMap<usize, u64>,
    /// Rows that the first piece lacks, and that do not stand in the place of others, by table.
    pub(crate) extra: BTreeMap<usize, u64>,
    /// Objects that are there in one piece and not in another, by their response keys.
    pub(crate) objects: BTreeMap<String, u64>,
}

impl Differences {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The index of the piece that has every row.
const FIRST: usize = 0;

/// Joins the answers to the pieces of a request, of which `layout` is that of the whole answer. The `_id`s are noted of
/// the rows of the tables in `named`, and `lone_rows` are asked by themselves.
pub(crate) fn join(
    layout: &Layout,
    pieces: &[PieceAnswer<'_>],
    named: &BTreeSet<usize>,
    lone_rows: &LoneRows<'_>,
) -> serde_json::Result<Joined> {
    let mut joiner = Joiner {
        pieces,
        named,
        lone_rows,
        path: Vec::new(),
        joined: Joined::default(),
    };
    let parts: Vec<Part<'_>> = pieces
        .iter()
        .enumerate()
        .map(|(piece, answer)| Part {
            piece,
            raw: answer.data,
            has_errors: answer.has_errors,
        })
        .collect();
    let asked: Vec<usize> = (0..pieces.len()).collect();
    joiner.write(Guide::of_data(&layout.data.role), "data", &parts, &asked)?;
    Ok(joiner.joined)
}

/// What one piece has of a value.
#[derive(Debug, Clone, Copy)]
struct Part<'body> {
    piece: usize,
    raw: &'body RawValue,
    /// There are errors beside the piece, which tell of what is null.
    has_errors: bool,
}

/// What stands for a piece where rows were asked by themselves, outside of all pieces.
const NO_PIECE: usize = usize::MAX;

impl<'body> Part<'body> {
    /// What the same piece has of something within.
    fn within(self, raw: &'body RawValue) -> Self {
        Self { raw, ..self }
    }

    fn is_null(&self) -> bool {
        self.raw.get() == "null"
    }

    fn begins_with(&self, bracket: char) -> bool {
        self.raw.get().starts_with(bracket)
    }
}

struct Joiner<'join, 'body> {
    pieces: &'join [PieceAnswer<'body>],
    named: &'join BTreeSet<usize>,
    lone_rows: &'join LoneRows<'body>,
    /// Where in the whole the joiner is.
    path: Vec<PathSegment>,
    joined: Joined,
}

/// A member of objects that are joined: its name, and what the pieces have of it.
type JoinedMember<'body> = (Cow<'body, str>, Vec<Part<'body>>);

impl<'body> Joiner<'_, 'body> {
    /// Writes what `parts` have of a value under `key`. `asked` are the pieces that should have all of it that is theirs.
    fn write(&mut self, guide: Guide<'_>, key: &str, parts: &[Part<'body>], asked: &[usize]) -> serde_json::Result<()> {
        match (guide, parts) {
            (_, []) => self.push("null"),
            (Guide::Items(layout), _) => self.write_items(layout, parts, asked)?,
            (Guide::Only(_), _) => self.write_only(guide, key, parts, asked)?,
            (Guide::Plain { .. }, [only]) => self.push(only.raw.get()),
            (Guide::Plain { depth }, [first, ..]) if depth > guide::DEEPEST => self.push(first.raw.get()),
            (Guide::Plain { depth }, _) if parts.iter().any(|part| part.begins_with('[')) => {
                self.write_list(depth, key, parts, asked)?;
            }
            _ => self.write_object(guide, key, parts, asked)?,
        }
        Ok(())
    }

    fn push(&mut self, text: &str) {
        self.joined.data.push_str(text);
    }

    fn write_object(
        &mut self,
        guide: Guide<'_>,
        key: &str,
        parts: &[Part<'body>],
        asked: &[usize],
    ) -> serde_json::Result<()> {
        self.compare(key, parts, |part| part.begins_with('{'));
        if let Some(first) = parts.first().filter(|part| !part.begins_with('{')) {
            self.push(first.raw.get());
            return Ok(());
        }
        self.push("{");
        for (index, (key, parts)) in self.members(guide, parts)?.into_iter().enumerate() {
            if index > 0 {
                self.push(",");
            }
            self.push(&serde_json::to_string(&key)?);
            self.push(":");
            let asked = self.asked_below(guide, &key, asked);
            self.path.push(PathSegment::Field(key.to_string()));
            self.write(guide.below(&key), &key, &parts, &asked)?;
            self.path.pop();
        }
        self.push("}");
        Ok(())
    }

    /// A plain list of which several pieces have something: item by item, if they have the same ones.
    fn write_list(
        &mut self,
        depth: usize,
        key: &str,
        parts: &[Part<'body>],
        asked: &[usize],
    ) -> serde_json::Result<()> {
        self.compare(key, parts, |part| part.begins_with('['));
        let first = parts.first().map_or("null", |first| first.raw.get());
        let Some(items) = items_by_place(parts)? else {
            self.note_difference(key);
            self.push(first);
            return Ok(());
        };
        if !first.starts_with('[') {
            self.push(first);
            return Ok(());
        }
        self.push("[");
        for (index, parts) in items.into_iter().enumerate() {
            if index > 0 {
                self.push(",");
            }
            self.write(Guide::Plain { depth: depth + 1 }, key, &parts, asked)?;
        }
        self.push("]");
        Ok(())
    }

    /// Notes pieces in which an object is null that is there in others, unless an error tells of it.
    fn compare(&mut self, key: &str, parts: &[Part<'_>], is_there: impl Fn(&Part<'_>) -> bool) {
        if !parts.iter().any(&is_there) {
            return;
        }
        let lacking: Vec<&Part<'_>> = parts.iter().filter(|part| !is_there(part)).collect();
        if lacking.iter().any(|part| !part.has_errors) {
            self.note_difference(key);
        }
        let is_in_row = self.path.iter().any(|segment| matches!(segment, PathSegment::Index(_)));
        let is_of_piece = |piece: &usize| *piece != NO_PIECE && (*piece != FIRST || is_in_row);
        let told = lacking.iter().filter(|part| part.has_errors).map(|part| part.piece);
        self.joined.broken.extend(told.filter(is_of_piece));
    }

    fn note_difference(&mut self, key: &str) {
        *self.joined.differences.objects.entry(key.to_owned()).or_default() += 1;
    }

    /// The members of objects in the order in which they come, each with what the pieces have of it.
    fn members(&self, guide: Guide<'_>, parts: &[Part<'body>]) -> serde_json::Result<Vec<JoinedMember<'body>>> {
        let mut members: Vec<JoinedMember<'body>> = Vec::new();
        let mut places: HashMap<Cow<'body, str>, usize> = HashMap::new();
        for part in parts.iter().filter(|part| part.begins_with('{')) {
            for (key, raw) in Members::parse(part.raw)?.0 {
                let key = match guide {
                    Guide::Data(_) => self.slot_key(part.piece, key),
                    _ => key,
                };
                let place = *places.entry(key.clone()).or_insert_with(|| {
                    members.push((key, Vec::new()));
                    members.len() - 1
                });
                members[place].1.push(part.within(raw));
            }
        }
        Ok(members)
    }

    /// The response key in the whole of a field of the query root.
    fn slot_key(&self, piece: usize, key: Cow<'body, str>) -> Cow<'body, str> {
        let slot = self.pieces[piece].slots.iter().find(|(own, _)| *own == key);
        slot.map_or(key, |(_, whole)| Cow::Owned(whole.clone()))
    }

    /// The pieces that should have what is theirs of a member: of a slot, those that asked for it.
    fn asked_below(&self, guide: Guide<'_>, key: &str, asked: &[usize]) -> Vec<usize> {
        let has_slot = |piece: &usize| self.pieces[*piece].slots.iter().any(|(_, whole)| whole == key);
        let is_slot = matches!(guide, Guide::Data(_)) && asked.iter().any(has_slot);
        let asked = asked.iter().copied();
        asked.filter(|piece| !is_slot || has_slot(piece)).collect()
    }

    fn write_only(
        &mut self,
        guide: Guide<'_>,
        key: &str,
        parts: &[Part<'body>],
        asked: &[usize],
    ) -> serde_json::Result<()> {
        let mut only = Vec::new();
        for part in parts.iter().filter(|part| part.begins_with('[')) {
            if let [raw] = serde_json::from_str::<Vec<&RawValue>>(part.raw.get())?.as_slice() {
                only.push(part.within(raw));
            }
        }
        let is_there = |part: &Part<'_>| only.iter().any(|other| other.piece == part.piece);
        self.compare(key, parts, is_there);
        match (parts, only.as_slice()) {
            ([first, ..], [one, ..]) if first.piece == one.piece => {
                self.push("[");
                self.path.push(PathSegment::Index(0));
                self.write_object(guide, key, &only, asked)?;
                self.path.pop();
                self.push("]");
            }
            _ => self.push(parts.first().map_or("null", |first| first.raw.get())),
        }
        Ok(())
    }

    fn write_items(&mut self, layout: &RowsLayout, parts: &[Part<'body>], asked: &[usize]) -> serde_json::Result<()> {
        let first = parts.iter().find(|part| part.piece == FIRST);
        let mut others = Vec::new();
        for piece in asked.iter().filter(|piece| **piece != FIRST) {
            if self.pieces[*piece].tables.contains(&layout.table) {
                let part = parts.iter().find(|part| part.piece == *piece);
                others.push(ItemsOfPiece::parse(
                    layout,
                    *piece,
                    part,
                    self.pieces[*piece].has_errors,
                )?);
            }
        }
        let items = first.filter(|first| first.begins_with('['));
        let Some(items) =
            items.filter(|_| !others.is_empty() || !self.named.is_empty() || !self.lone_rows.tables.is_empty())
        else {
            let has_none = items.is_none();
            let extra = others.iter().map(ItemsOfPiece::left).max().unwrap_or(0);
            let is_told = self.pieces[FIRST].has_errors;
            if has_none && extra > 0 && !is_told {
                *self.joined.differences.extra.entry(layout.table).or_default() += extra;
            }
            self.push(first.map_or("null", |first| first.raw.get()));
            return Ok(());
        };
        let mut nulls = 0;
        self.push("[");
        for (index, raw) in serde_json::from_str::<Vec<&RawValue>>(items.raw.get())?
            .into_iter()
            .enumerate()
        {
            if index > 0 {
                self.push(",");
            }
            nulls += u64::from(raw.get() == "null");
            self.path.push(PathSegment::Index(index as u64));
            self.write_item(layout, raw, &mut others)?;
            self.path.pop();
        }
        self.push("]");
        let broken = others.iter().filter(|other| other.missed > 0 && other.told > 0);
        self.joined.broken.extend(broken.map(|other| other.piece));
        self.count(layout.table, &others, nulls);
        Ok(())
    }

    fn write_item(
        &mut self,
        layout: &RowsLayout,
        raw: &'body RawValue,
        others: &mut [ItemsOfPiece<'body>],
    ) -> serde_json::Result<()> {
        let id = item_id(layout, raw)?;
        let mut parts = vec![Part {
            piece: FIRST,
            raw,
            has_errors: self.pieces[FIRST].has_errors,
        }];
        for other in others {
            parts.extend(id.as_deref().and_then(|id| other.take(id)));
        }
        let asked: Vec<usize> = parts.iter().map(|part| part.piece).collect();
        if let Some(id) = id.as_deref().filter(|_| self.lone_rows.tables.contains(&layout.table)) {
            parts.extend(self.lone_parts(layout, raw, id)?);
        }
        if self.named.contains(&layout.table) {
            self.joined.ids.entry(layout.table).or_default().push(id);
        }
        let guide = match layout.items {
            At::Edges { .. } => Guide::Edge(layout),
            _ => Guide::Cells(&layout.row.cells),
        };
        self.write_object(guide, "", &parts, &asked)
    }

    /// What a row said that was asked by itself.
    fn lone_parts(&mut self, layout: &RowsLayout, raw: &RawValue, id: &str) -> serde_json::Result<Vec<Part<'body>>> {
        let places = self.joined.lone_places.entry(layout.table).or_default();
        places.extend(LonePlace::of(layout, raw, id, &self.path)?);
        let (found, lacks) = self.lone_rows.of(layout, id)?;
        if lacks {
            *self.joined.differences.lacking.entry(layout.table).or_default() += 1;
        }
        let part = |(raw, has_errors)| Part {
            piece: NO_PIECE,
            raw,
            has_errors,
        };
        Ok(found.into_iter().map(part).collect())
    }

    /// Counts the rows that not all pieces have. Those that are null in one of them are told of by its errors; rows that
    /// stand where others are missing came in their place.
    fn count(&mut self, table: usize, others: &[ItemsOfPiece<'_>], nulls: u64) {
        let told = if self.pieces[FIRST].has_errors { nulls } else { 0 };
        let lacking = others.iter().map(ItemsOfPiece::lacking).max().unwrap_or(0);
        let extra = others
            .iter()
            .map(|other| other.left().saturating_sub(other.missed + told));
        let differences = &mut self.joined.differences;
        for (counts, count) in [
            (&mut differences.lacking, lacking),
            (&mut differences.extra, extra.max().unwrap_or(0)),
        ] {
            if count > 0 {
                *counts.entry(table).or_default() += count;
            }
        }
    }
}

/// The rows that a piece has of a list, by their `_id`.
struct ItemsOfPiece<'body> {
    piece: usize,
    has_errors: bool,
    items: HashMap<String, VecDeque<&'body RawValue>>,
    /// Rows of the first piece that are not among them.
    missed: u64,
    /// Rows that are missing for an error that is told.
    told: u64,
}

impl<'body> ItemsOfPiece<'body> {
    fn parse(
        layout: &RowsLayout,
        piece: usize,
        part: Option<&Part<'body>>,
        has_errors: bool,
    ) -> serde_json::Result<Self> {
        let mut items: HashMap<String, VecDeque<&RawValue>> = HashMap::new();
        let mut nulls = 0;
        let list = part.filter(|part| part.begins_with('['));
        let raws = list.map(|part| serde_json::from_str::<Vec<&'body RawValue>>(part.raw.get()));
        for raw in raws.transpose()?.unwrap_or_default() {
            match item_id(layout, raw)? {
                Some(id) => items.entry(id).or_default().push_back(raw),
                None => nulls += 1,
            }
        }
        let told = match (has_errors, list.is_some(), part.is_some_and(Part::is_null)) {
            (true, true, _) => nulls,
            (true, false, true) => u64::MAX,
            _ => 0,
        };
        Ok(Self {
            piece,
            has_errors,
            items,
            missed: 0,
            told,
        })
    }

    fn take(&mut self, id: &str) -> Option<Part<'body>> {
        let raw = self.items.get_mut(id).and_then(VecDeque::pop_front);
        self.missed += u64::from(raw.is_none());
        Some(Part {
            piece: self.piece,
            raw: raw?,
            has_errors: self.has_errors,
        })
    }

    /// Rows of the first piece that it lacks, and no error tells of.
    fn lacking(&self) -> u64 {
        self.missed.saturating_sub(self.told)
    }

    /// Rows that the first piece does not have.
    fn left(&self) -> u64 {
        self.items.values().map(|same| same.len() as u64).sum()
    }
}
