//! What a generated query asks for: a part of the tree of types, in any of the ways to write it down.

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::cell::Kind;
use crate::generated::styles::Style;
use crate::generated::world::{Field, Key, List, Target, World, kept};

/// A query: what it asks of the query root.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a selection.
#[derive(Debug)]
pub(super) enum Piece {
    Value(Asked),
    TypeName,
    /// An object that belongs to another: its values, and the lists in it.
    Holder {
        field: &'static str,
        values: Vec<Field>,
        lists: Vec<AskedList>,
    },
    List(AskedList),
    /// What only the rows of one type have.
    Member {
        ty: &'static str,
        pieces: Vec<Piece>,
    },
    /// What stands in a fragment on that type; with a name, it is written elsewhere.
    Fragment {
        name: Option<&'static str>,
        ty: &'static str,
        pieces: Vec<Piece>,
    },
}

/// A value, and under which name it is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) name: &'static str,
    pub(super) field: &'static str,
    pub(super) kind: Kind,
    pub(super) selection: &'static str,
    pub(super) condition: Option<Condition>,
}

/// What a variable says of a value: whether it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Included,
    Skipped,
}

/// A list that is asked for.
#[derive(Debug)]
pub(super) struct AskedList {
    /// The type that has it, and which of its lists it is.
    pub(super) owner: usize,
    pub(super) list: usize,
    pub(super) name: &'static str,
    pub(super) filter: Option<&'static str>,
    /// Whether the filter's value is a variable's.
    pub(super) is_by_variable: bool,
    pub(super) size: Option<u64>,
    /// The names of the fields from a page to its rows.
    pub(super) way: &'static [&'static str],
    /// Under which names these are asked for.
    pub(super) way_names: Vec<&'static str>,
    /// Whether it is asked for under a condition that holds.
    pub(super) is_conditional: bool,
    /// What else is asked of a page, and of an edge.
    pub(super) extras: Vec<&'static str>,
    pub(super) edge_extras: &'static str,
    /// How many rows the author wants at most.
    pub(super) max: Option<u64>,
    /// Whether the author names the rows' key.
    pub(super) is_keyed: bool,
    /// Whether the author says how a row is found, where nothing else tells.
    pub(super) is_lookup_said: bool,
    pub(super) pieces: Vec<Piece>,
}

impl AskedList {
    pub(super) fn list<'world>(&self, world: &'world World) -> &'world List {
        &world.types[self.owner].lists[self.list]
    }

    /// The name under which the rows' key is selected.
    pub(super) fn key_name(&self, world: &World) -> Option<&'static str> {
        let key = world.key(self.list(world).target).name()?;
        values(&self.pieces)
            .into_iter()
            .find(|asked| asked.field == key)
            .map(|asked| asked.name)
    }
}

/// The values in some pieces that all rows have.
fn values<'pieces>(pieces: &'pieces [Piece]) -> Vec<&'pieces Asked> {
    let inside = |piece: &'pieces Piece| match piece {
        Piece::Value(asked) => vec![asked],
        Piece::Fragment { pieces, .. } => values(pieces),
        _ => Vec::new(),
    };
    pieces.iter().flat_map(inside).collect()
}

/// The lists in some pieces, in the query's order.
pub(super) fn lists<'pieces>(pieces: &'pieces [Piece]) -> Vec<&'pieces AskedList> {
    let inside = |piece: &'pieces Piece| match piece {
        Piece::List(list) => vec![list],
        Piece::Holder { lists, .. } => lists.iter().collect(),
        Piece::Member { pieces, .. } | Piece::Fragment { pieces, .. } => lists(pieces),
        Piece::Value(_) | Piece::TypeName => Vec::new(),
    };
    pieces.iter().flat_map(inside).collect()
}

/// Whether all pages of what is asked for can be had; `is_above_found` tells that the row which holds it can be asked
/// for again.
pub(super) fn is_reachable(world: &World, pieces: &[Piece], is_above_found: bool) -> bool {
    lists(pieces).into_iter().all(|asked| {
        let list = asked.list(world);
        let needs_way = list.paging.goes_on() && list.paging.style != Style::MovingCursor;
        let lookup = world.lookup(list.target);
        let is_node = matches!(world.key(list.target), Key::Field { is_node: true, .. });
        let is_found = is_node && !world.node_fields.is_empty()
            || lookup.is_some_and(|lookup| !lookup.is_told || asked.is_lookup_said);
        let has_place = list.paging.has_places() && is_above_found;
        (is_above_found || !needs_way) && is_reachable(world, &asked.pieces, is_found || has_place)
    })
}

/// Draws a query on a world, with pages of at most so many rows where it speaks of that.
pub(super) fn query(world: &World, page_size: u64, random: &mut StdRng) -> Query {
    let mut asker = Asker {
        world,
        page_size,
        names: 0,
        random,
    };
    loop {
        let pieces = asker.own_pieces(0, 0.7);
        if !lists(&pieces).is_empty() {
            return Query { pieces };
        }
    }
}

struct Asker<'draw> {
    world: &'draw World,
    page_size: u64,
    names: usize,
    random: &'draw mut StdRng,
}

impl Asker<'_> {
    fn chance(&mut self, chance: f64) -> bool {
        self.random.random_bool(chance)
    }

    fn name(&mut self, stem: &str) -> &'static str {
        self.names += 1;
        kept(format!("{stem}{}", self.names))
    }

    /// What is asked of the rows of a list; each of their lists with that chance.
    fn row(&mut self, target: Target, chance: f64) -> Vec<Piece> {
        let mut pieces = self.values(self.world.key(target), self.world.fields(target));
        if let Target::Interface(interface) = target {
            if self.chance(0.2) {
                pieces.push(Piece::TypeName);
            }
            for member in &self.world.interfaces[interface].members {
                let shared = self.world.interfaces[interface].fields.len();
                let mut own = self.values(&Key::None, &self.world.types[*member].fields[shared..]);
                own.extend(self.own_pieces(*member, chance));
                if !own.is_empty() {
                    let ty = self.world.types[*member].name;
                    pieces.push(Piece::Member { ty, pieces: own });
                }
            }
        }
        if let Target::Type(ty) = target {
            pieces.extend(self.own_pieces(ty, chance));
        }
        if pieces.is_empty() {
            pieces.push(Piece::Value(asked(&self.world.fields(target)[0])));
        }
        self.in_fragments(self.world.name(target), pieces)
    }

    fn values(&mut self, key: &Key, fields: &[Field]) -> Vec<Piece> {
        let mut values: Vec<Asked> = asked_key(key).into_iter().filter(|_| self.chance(0.6)).collect();
        let has_id = !values.is_empty() || key.name() != Some("id");
        for field in fields {
            if self.chance(0.7) {
                let condition = match self.random.random_range(0..20) {
                    0 => Some(Condition::Included),
                    1 => Some(Condition::Skipped),
                    _ => None,
                };
                values.push(Asked {
                    condition,
                    ..asked(field)
                });
            }
        }
        for value in &mut values {
            if self.chance(0.15) {
                value.name = self.name("own");
            }
        }
        // The name of the key for another value.
        if !has_id
            && self.chance(0.1)
            && let Some(value) = values.first_mut()
        {
            value.name = "id";
        }
        values.into_iter().map(Piece::Value).collect()
    }

    /// The object that belongs to those of a type, and their lists.
    fn own_pieces(&mut self, owner: usize, chance: f64) -> Vec<Piece> {
        let ty = &self.world.types[owner];
        let (mut pieces, mut held) = (Vec::new(), Vec::new());
        for (index, list) in ty.lists.iter().enumerate() {
            if !self.chance(chance) {
                continue;
            }
            let twice = list.paging.style != Style::Whole && self.chance(0.15);
            for again in [false, true].into_iter().take(1 + usize::from(twice)) {
                let asked = self.list(owner, index, again);
                match list.is_in_holder {
                    true => held.push(asked),
                    false => pieces.push(Piece::List(asked)),
                }
            }
        }
        if let Some(holder) = &ty.holder {
            let is_read = self.chance(0.7);
            let values = if is_read { holder.fields.clone() } else { Vec::new() };
            if !held.is_empty() || (is_read && owner != 0) {
                pieces.push(Piece::Holder {
                    field: holder.field,
                    values,
                    lists: held,
                });
            }
        }
        pieces
    }

    fn list(&mut self, owner: usize, index: usize, is_second: bool) -> AskedList {
        let list = &self.world.types[owner].lists[index];
        let filter = list.filter.as_ref().filter(|_| self.chance(0.5));
        let filter = filter.and_then(|filter| filter.choices.choose(self.random).copied());
        // A list that is none of pages is asked for by the tables below it alone.
        let chance = if list.paging.style == Style::Whole { 1.0 } else { 0.7 };
        let pieces = self.row(list.target, chance);
        let key = self.world.key(list.target).name().filter(|key| *key != "id");
        let name = match is_second || self.chance(0.15) {
            true => self.name("list"),
            false => list.name,
        };
        let sized = list.paging.size.filter(|_| self.chance(0.2));
        let way = *list.paging.rows.choose(self.random).expect("a way to the rows");
        let mut asked = AskedList {
            owner,
            list: index,
            name,
            filter,
            is_by_variable: self.chance(0.3),
            size: sized.map(|_| self.random.random_range(1..=self.page_size)),
            way,
            way_names: Vec::new(),
            is_conditional: self.chance(0.05),
            extras: Vec::new(),
            edge_extras: "",
            // Other pages come whole.
            max: (list.paging.ends_anywhere() && self.chance(0.04)).then(|| self.random.random_range(1..40)),
            is_keyed: false,
            is_lookup_said: self.chance(0.9),
            pieces,
        };
        self.add_page(&mut asked);
        asked.is_keyed = key.is_some() && asked.key_name(self.world).is_some() && self.chance(0.7);
        asked
    }

    /// Adds what is asked of a page beside its rows, and under which names these are asked for.
    fn add_page(&mut self, asked: &mut AskedList) {
        let way = asked.way;
        let names = way.iter().map(|step| match self.random.random_range(0..40) {
            0 => self.name("step"),
            // The names of what paging looks for, for something else.
            1 if way.len() == 1 => ["edges", "pageInfo", "nodes", "items"][self.random.random_range(0..4)],
            _ => step,
        });
        asked.way_names = names.collect();
        if !asked.way_names.contains(&"pageInfo") {
            let extras = asked.list(self.world).paging.extras.iter().copied();
            asked.extras = extras.filter(|_| self.random.random_bool(0.3)).collect();
        }
        if way.len() > 1 {
            asked.edge_extras = ["", "", "cursor", "at: cursor"][self.random.random_range(0..4)];
        }
    }

    /// The same pieces, some of them in fragments.
    fn in_fragments(&mut self, ty: &'static str, mut pieces: Vec<Piece>) -> Vec<Piece> {
        if !self.chance(0.25) {
            return pieces;
        }
        let rest = pieces.split_off(self.random.random_range(0..pieces.len()));
        let name = self.chance(0.5).then(|| self.name("Part"));
        pieces.push(Piece::Fragment { name, ty, pieces: rest });
        pieces
    }
}

fn asked_key(key: &Key) -> Option<Asked> {
    let Key::Field { name, ty, .. } = key else {
        return None;
    };
    Some(Asked {
        name,
        field: name,
        kind: if *ty == "Int!" { Kind::Int32 } else { Kind::Text },
        selection: "",
        condition: None,
    })
}

fn asked(field: &Field) -> Asked {
    Asked {
        name: field.name,
        field: field.name,
        kind: field.kind.clone(),
        selection: field.selection,
        condition: None,
    }
}
