//! Everything that a query asks for, by its place in the response: what can be asked for by itself, and what has to
//! come with it.
//!
//! An *atom* is what is never parted: a single value, a plain list with all that is in it unless it is too much for one
//! request, what stands together in a fragment with a directive. Of the rest, the *base* is what the rows are known, placed and read on by.

use std::collections::HashMap;

use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::Name;

use crate::plan::parted::Parted;
use crate::plan::row_plan::{RowPlan, everything};
use crate::plan::selection::TYPE_NAME;
use crate::plan::survey::{RowField, Survey};
use crate::plan::table::{Items, RowAddress, RowId, ValuePlace};
use crate::plan::text::is_for_the_api;

/// The fields that a query asks for, each after those that it stands in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    places: HashMap<Vec<Name>, usize>,
    pub(crate) nodes: Vec<Node>,
    /// In the order of the query: the plain fields that are never parted.
    pub(crate) atoms: Vec<Vec<usize>>,
    /// The plain lists of objects that are atoms.
    whole_lists: Vec<Vec<Name>>,
    /// The `id`s of their items.
    ids: Vec<usize>,
}

/// A field at its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Response keys from `data`.
    pub(crate) path: Vec<Name>,
    /// The field that it stands in.
    pub(crate) above: Option<usize>,
    /// The row field in which it stands.
    pub(crate) row: Option<usize>,
    pub(crate) part: Part,
}

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It leads to others.
    Structure,
    /// It is a value, or belongs to one.
    Value,
    /// The rows that it stands in are known by it.
    Key,
    /// It tells the type of the object that it stands in.
    TypeName,
    /// The items of a plain list that is cut are told by it.
    ItemKey,
    /// The rows that it stands in are placed or read on by it, or it stands beside them.
    Signal,
    /// It stands in rows without a key, which cannot be put together from several answers.
    Unkeyed,
}

impl Outline {
    /// The outline of a query.
    pub(crate) fn of(operation: &Operation, survey: &Survey, plans: &[RowPlan], parted: &Parted) -> Self {
        let mut reader = Reader {
            parted,
            survey,
            plans,
            known: known(survey, plans),
            outline: Self::default(),
            atom_of: HashMap::new(),
        };
        reader.read(&everything(operation, survey, plans), &[], Togetherness::default());
        reader.finish()
    }

    /// The field of that response path.
    pub(crate) fn at(&self, path: &[Name]) -> Option<usize> {
        self.places.get(path).copied()
    }

    /// The plain list that an atom is nothing but, where there is more than one value in its items.
    pub(crate) fn list_of(&self, atom: usize) -> Option<&[Name]> {
        let nodes = &self.atoms[atom];
        let holds_all = |list: &&Vec<Name>| nodes.iter().all(|node| self.nodes[*node].path.starts_with(list));
        let list = self.whole_lists.iter().find(holds_all)?;
        (nodes.len() > 1).then_some(list)
    }

    /// Whether a plain field tells the items of a plain list in which other values stand.
    pub(crate) fn tells_items(&self, node: usize) -> bool {
        let is_of_list = |atom: usize| self.atoms[atom].contains(&node) && self.list_of(atom).is_some();
        self.ids.contains(&node) && (0..self.atoms.len()).any(is_of_list)
    }
}

/// What is known of single places: what rows are known and read on by.
fn known(survey: &Survey, plans: &[RowPlan]) -> HashMap<Vec<Name>, Part> {
    let mut known = HashMap::new();
    for (row, plan) in survey.rows.iter().zip(plans) {
        let in_items = |key: &str| [row.items_path().as_slice(), &[Name::new_unchecked(key)]].concat();
        let at = |place: &ValuePlace| {
            let keys = plan.layout.row.path(place).unwrap_or_default().into_iter();
            row.items_path()
                .into_iter()
                .chain(keys.map(Name::new_unchecked))
                .collect::<Vec<Name>>()
        };
        let in_field = |keys: &[&str]| {
            let keys = keys.iter().map(|key| Name::new_unchecked(key));
            row.path.iter().cloned().chain(keys).collect::<Vec<Name>>()
        };
        let layout = &plan.layout;
        if let Some(RowAddress::Value(place)) = &layout.row.address {
            known.insert(at(place), Part::Signal);
        }
        if let Some(key) = &plan.page_key {
            known.insert(in_items(key), Part::Signal);
        }
        for signal in layout.page.iter().flat_map(|page| &page.signals) {
            let keys: Vec<&str> = signal.path.iter().map(String::as_str).collect();
            known.insert(in_field(&keys), Part::Signal);
        }
        if let Items::Edges {
            edges,
            cursor: Some(cursor),
            ..
        } = &layout.items
        {
            known.insert(in_field(&[edges, cursor]), Part::Signal);
        }
        if let Items::Edges { beside, .. } | Items::Nodes { beside, .. } = &layout.items {
            known.extend(beside.iter().map(|field| (in_field(&[&field.key]), Part::Signal)));
        }
        known.extend(plan.item_keys.iter().map(|key| (key.clone(), Part::ItemKey)));
        // Last, since a key can be an address as well.
        if let RowId::Key(places) = &layout.row.id {
            known.extend(places.iter().map(|place| (at(place), Part::Key)));
        }
    }
    known
}

/// What the plain fields below belong together in.
#[derive(Clone, Copy, Default)]
struct Togetherness {
    /// An atom that is begun.
    atom: Option<usize>,
    /// What all of them are for, where that is settled.
    part: Option<Part>,
}

struct Reader<'plan> {
    parted: &'plan Parted,
    survey: &'plan Survey,
    plans: &'plan [RowPlan],
    known: HashMap<Vec<Name>, Part>,
    outline: Outline,
    /// The atom of each plain field that has one.
    atom_of: HashMap<usize, usize>,
}

impl Reader<'_> {
    fn read(&mut self, set: &SelectionSet, above: &[Name], together: Togetherness) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => self.read_field(field, above, together),
                Selection::InlineFragment(inline) => {
                    let is_marked = inline.directives.iter().any(|one| is_for_the_api(one));
                    let below = match is_marked {
                        true => self.joined(together),
                        false => together,
                    };
                    self.read(&inline.selection_set, above, below);
                }
                // Spreads were written out when the document was checked.
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// All that is read with this belongs to one atom.
    fn joined(&mut self, together: Togetherness) -> Togetherness {
        let atom = together.atom.unwrap_or_else(|| {
            self.outline.atoms.push(Vec::new());
            self.outline.atoms.len() - 1
        });
        Togetherness {
            atom: Some(atom),
            ..together
        }
    }

    fn read_field(&mut self, field: &Field, above: &[Name], together: Togetherness) {
        let path = [above, std::slice::from_ref(field.response_key())].concat();
        let together = Togetherness {
            part: self.known.get(&path).copied().or(together.part),
            ..together
        };
        let is_leaf = field.selection_set.selections.is_empty();
        let node = self.node(&path, above, field, is_leaf, together.part);
        let Some(row) = self.survey.row_at(&path) else {
            if is_leaf {
                self.join(node, together.atom);
                return;
            }
            let below = match self.is_whole(field, &path) {
                true => {
                    if together.atom.is_none() && field.ty().is_list() && !field.directives.has("column") {
                        self.outline.whole_lists.push(path.clone());
                    }
                    self.joined(together)
                }
                false => together,
            };
            return self.read(&field.selection_set, &path, below);
        };
        let set = self.plans[row]
            .selected(&self.survey.rows[row])
            .unwrap_or_else(|| field.selection_set.clone());
        let is_unkeyed = matches!(self.plans[row].layout.row.id, RowId::Position { .. });
        let part = together.part.or(is_unkeyed.then_some(Part::Unkeyed));
        self.read(&set, &path, Togetherness { part, ..together });
    }

    /// Whether a field with fields below it is one value: a plain list of objects that is not cut, or an object written as
    /// one text.
    fn is_whole(&self, field: &Field, path: &[Name]) -> bool {
        let is_step = |row: &RowField| path.len() > row.path.len() && row.items_path().starts_with(path);
        let is_list = field.ty().is_list() && !self.parted.contains(path) && !self.survey.rows.iter().any(is_step);
        is_list || field.directives.has("column")
    }

    fn node(&mut self, path: &[Name], above: &[Name], field: &Field, is_leaf: bool, part: Option<Part>) -> usize {
        let part = match part {
            _ if !is_leaf => Part::Structure,
            Some(part) => part,
            None if field.name == TYPE_NAME && !above.is_empty() => Part::TypeName,
            None => Part::Value,
        };
        if let Some(node) = self.outline.at(path) {
            return node;
        }
        let node = Node {
            path: path.to_vec(),
            above: self.outline.at(above),
            row: self.survey.around(path),
            part,
        };
        self.outline.nodes.push(node);
        let index = self.outline.nodes.len() - 1;
        let is_id = is_leaf && field.name == "id" && field.arguments.is_empty();
        let is_first = |id: &usize| self.outline.nodes[*id].path[..path.len() - 1] != *above;
        let is_of_list = self.outline.whole_lists.iter().any(|list| list == above);
        if is_id && is_of_list && self.outline.ids.iter().all(is_first) {
            self.outline.ids.push(index);
        }
        self.outline.places.insert(path.to_vec(), index);
        index
    }

    /// Gives a plain field to an atom: that one, or its own. What stands in two of them makes them one.
    fn join(&mut self, node: usize, atom: Option<usize>) {
        if self.outline.nodes[node].part != Part::Value {
            return;
        }
        match (self.atom_of.get(&node).copied(), atom) {
            // More may come to the one that is begun.
            (Some(old), Some(begun)) if old != begun => {
                let moved = std::mem::take(&mut self.outline.atoms[old]);
                self.atom_of.extend(moved.iter().map(|node| (*node, begun)));
                self.outline.atoms[begun].extend(moved);
            }
            (Some(_), _) => {}
            (None, atom) => {
                let atom = atom.unwrap_or_else(|| {
                    self.outline.atoms.push(Vec::new());
                    self.outline.atoms.len() - 1
                });
                self.outline.atoms[atom].push(node);
                self.atom_of.insert(node, atom);
            }
        }
    }

    fn finish(mut self) -> Outline {
        self.value_lone_tellers();
        self.outline.atoms.retain(|atom| !atom.is_empty());
        self.outline
    }

    /// A type's name, or what tells an item, is a value like others where nothing else is asked of the object.
    fn value_lone_tellers(&mut self) {
        let is_teller = |part| matches!(part, Part::TypeName | Part::ItemKey);
        let mut below = vec![0_usize; self.outline.nodes.len()];
        for node in &self.outline.nodes {
            if let (Some(above), false) = (node.above, is_teller(node.part)) {
                below[above] += 1;
            }
        }
        for node in 0..self.outline.nodes.len() {
            let Node { part, above, .. } = self.outline.nodes[node];
            if is_teller(part) && above.is_some_and(|above| below[above] == 0) {
                self.outline.nodes[node].part = Part::Value;
                self.join(node, None);
            }
        }
    }
}
