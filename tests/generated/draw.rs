//! Draws an API from a seed: types below types, keys, lists of every style, and ways to one object, or none.

use rand::Rng as _;
use rand::rngs::StdRng;

use crate::generated::scalars::{choice, field, single};
use crate::generated::styles::{Paging, Style, paging, whole};
use crate::generated::world::{Field, Holder, Interface, Key, List, Lookup, ObjectType, Target, World, kept};

/// Names of types and fields, which mean nothing to anybody.
const WORDS: [&str; 16] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty", "knoll", "larch",
    "marsh", "nadir", "otter", "prawn",
];

/// What the data is drawn for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The most rows on a page of the server's.
    pub(super) cap: u64,
    /// Rows that are asked for at once.
    pub(super) page_size: u64,
    /// Rows in all lists together, about.
    pub(super) rows: u64,
    /// Whether the server cuts pages without a word.
    pub(super) is_clamped: bool,
}

/// Draws an API.
pub(super) fn world(sizes: Sizes, random: &mut StdRng) -> World {
    let node_fields: &[&'static str] = match random.random_range(0..4) {
        0 => &["node"],
        1 => &["nodes"],
        2 => &["node", "nodes"],
        _ => &[],
    };
    let depth = random.random_range(1..=4);
    let mut drawer = Drawer {
        world: World {
            types: vec![object_type("Query", Key::None)],
            interfaces: Vec::new(),
            node_fields: node_fields.to_vec(),
        },
        names: 0,
        rows_left: sizes.rows,
        // How many types are likely to have a way to one of their objects.
        chance_of_lookup: [0.2, 0.8, 1.0, 1.0][random.random_range(0..4)],
        depth,
        sizes,
        random,
    };
    drawer.grow(0, 1);
    drawer.world
}

struct Drawer<'random> {
    world: World,
    names: usize,
    rows_left: u64,
    chance_of_lookup: f64,
    depth: u32,
    sizes: Sizes,
    random: &'random mut StdRng,
}

fn object_type(name: &'static str, key: Key) -> ObjectType {
    ObjectType {
        name,
        key,
        fields: Vec::new(),
        holder: None,
        lists: Vec::new(),
        interface: None,
        lookup: None,
        count: 0,
        distinct: None,
        within: None,
    }
}

impl Drawer<'_> {
    fn name(&mut self) -> &'static str {
        self.names += 1;
        let word = WORDS[self.random.random_range(0..WORDS.len())];
        kept(format!("{word}{}", self.names))
    }

    fn type_name(&mut self) -> &'static str {
        let name = self.name();
        kept(format!("{}{}", name[..1].to_uppercase(), &name[1..]))
    }

    fn chance(&mut self, chance: f64) -> bool {
        self.random.random_bool(chance)
    }

    /// Gives a type its lists, and these what they hold.
    fn grow(&mut self, owner: usize, depth: u32) {
        if self.chance(0.3) {
            self.world.types[owner].holder = Some(self.holder(owner == 0));
        }
        let lists = match depth {
            1 => self.random.random_range(1..=2),
            _ if self.chance(0.2) => 0,
            _ => [1, 1, 2, 3][self.random.random_range(0..4)],
        };
        for _ in 0..lists {
            let target = self.target(owner);
            let is_parent = depth < self.depth;
            if is_parent {
                for member in self.world.members(target) {
                    self.grow(member, depth + 1);
                }
            }
            let list = self.list(owner, target);
            self.world.types[owner].lists.push(list);
            if self.chance(0.2) {
                let again = self.list(owner, target);
                self.world.types[owner].lists.push(again);
            }
        }
    }

    fn holder(&mut self, is_root: bool) -> Holder {
        Holder {
            field: self.name(),
            ty: self.type_name(),
            is_nullable: !is_root && self.chance(0.5),
            fields: vec![single(self.name(), self.random)],
        }
    }

    fn list(&mut self, owner: usize, target: Target) -> List {
        let is_in_holder = self.world.types[owner].holder.is_some() && self.chance(0.6);
        let key = self.world.key(target).clone();
        let is_plain = matches!(target, Target::Type(_));
        let has_connections = self.has_connections(target);
        let paging = match has_connections && self.chance(0.15) {
            true => whole(),
            false => paging(&key, is_plain, !is_in_holder, self.sizes.page_size, self.random),
        };
        let filter = self.world.fields(target).iter().find(|field| !field.choices.is_empty());
        let filter = filter.filter(|_| paging.goes_on()).cloned();
        let behaviour = self.behaviour(&paging, filter.is_some(), has_connections);
        List {
            name: self.name(),
            target,
            paging,
            is_in_holder,
            filter,
            behaviour,
        }
    }

    /// Whether there are connections in its rows.
    fn has_connections(&self, target: Target) -> bool {
        let members = self.world.members(target);
        let mut lists = members.iter().flat_map(|member| &self.world.types[*member].lists);
        lists.any(|list| list.paging.style != Style::Whole)
    }

    /// How the server treats this list alone.
    fn behaviour(&mut self, paging: &Paging, is_filtered: bool, has_connections: bool) -> Vec<String> {
        let mut lines = Vec::new();
        match (paging.style, paging.is_sized) {
            (Style::Capped, true) => lines.push("cap = 1000".to_owned()),
            (Style::Capped, false) => lines.extend(paging.cap.map(|cap| format!("cap = {cap}"))),
            (Style::FlatCursor, false) => lines.push(format!("cap = {}", self.random.random_range(3..20))),
            (Style::Whole | Style::MovingCursor, _) => {}
            _ if self.sizes.is_clamped && self.chance(0.15) => {
                let least = self.sizes.cap.div_ceil(3);
                lines.push(format!("cap = {}", self.random.random_range(least..=self.sizes.cap)));
            }
            _ => {}
        }
        let trap = match (paging.style, self.random.random_range(0..8)) {
            (Style::Keyset, 0..=3) => "is_unordered = true",
            (Style::Offset, 0) if paging.shape.contains("total") => "totals = 'null'",
            (Style::Offset | Style::OffsetList | Style::Keyset, 4..=6) => "short_pages = 0.3",
            _ if !paging.has_cursors() => return lines,
            (_, 0) => "short_pages = 0.3",
            (_, 1) => "full_page_says_more = true",
            (_, 2) => "last_cursor = 'null'",
            (_, 3) => "last_cursor = { text = '' }",
            // Rows behind such a place cannot be asked for by it.
            (_, 4) if !has_connections => "empty_page_at = 3",
            (_, 5) if is_filtered && !has_connections => "filters_after_size = true",
            _ => return lines,
        };
        lines.push(format!("traps = {{ {trap} }}"));
        lines
    }

    /// New types for a list of this owner's.
    fn target(&mut self, owner: usize) -> Target {
        if self.chance(0.15) {
            return self.interface(owner);
        }
        let name = self.type_name();
        let key = self.key(name);
        let ty = self.member(name, key.clone(), owner, None);
        let target = Target::Type(ty);
        self.world.types[ty].lookup = self.lookup(name, &key);
        target
    }

    fn interface(&mut self, owner: usize) -> Target {
        let name = self.type_name();
        let fields = self.fields();
        let index = self.world.interfaces.len();
        let key = self.key(name);
        let lookup = self.lookup(name, &key);
        self.world.interfaces.push(Interface {
            name,
            members: Vec::new(),
            fields,
            key: key.clone(),
            lookup,
        });
        for number in 0..self.random.random_range(2..=3) {
            let member = self.type_name();
            let key = renewed(&key, member, number);
            let ty = self.member(member, key, owner, Some(index));
            self.world.interfaces[index].members.push(ty);
        }
        Target::Interface(index)
    }

    /// A new type, whose objects belong to those of `owner`.
    fn member(&mut self, name: &'static str, key: Key, owner: usize, interface: Option<usize>) -> usize {
        let shared = interface.map_or_else(Vec::new, |index| self.world.interfaces[index].fields.clone());
        let distinct = (key == Key::None && self.chance(0.5)).then(|| self.random.random_range(3..20));
        let (count, within) = self.share(owner);
        self.rows_left = self.rows_left.saturating_sub(count);
        let own = self.fields();
        self.world.types.push(ObjectType {
            fields: shared.into_iter().chain(own).collect(),
            interface,
            distinct,
            count,
            within,
            ..object_type(name, key)
        });
        self.world.types.len() - 1
    }

    fn fields(&mut self) -> Vec<Field> {
        let count = self.random.random_range(1..=3);
        let mut fields: Vec<Field> = (0..count).map(|_| field(self.name(), self.random)).collect();
        if self.chance(0.4) {
            fields.push(choice(self.name(), self.random));
        }
        fields
    }

    fn key(&mut self, name: &'static str) -> Key {
        let field = |name, ty, generator, is_node| Key::Field {
            name,
            ty,
            generator,
            is_node,
        };
        match self.random.random_range(0..9) {
            0..=3 => field("id", "ID!", format!("{{ identifier = '{name}' }}"), true),
            4 => field("id", "ID!", format!("{{ uuid = '{name}' }}"), false),
            5 => field(
                "id",
                "Int!",
                "{ serial = { start = 7, form = 'number' } }".to_owned(),
                false,
            ),
            6 => field(self.name(), "String!", format!("{{ identifier = '{name}' }}"), false),
            7 => field(
                self.name(),
                "Int!",
                "{ serial = { start = 7, form = 'number' } }".to_owned(),
                false,
            ),
            _ => Key::None,
        }
    }

    /// A root field that finds an object by its key.
    fn lookup(&mut self, name: &'static str, key: &Key) -> Option<Lookup> {
        let Key::Field {
            name: by,
            ty,
            generator,
            ..
        } = key
        else {
            return None;
        };
        // Other keys are the same in several types, among which an interface would be looked for.
        let is_unique = generator.contains("identifier") || generator.contains("uuid");
        if !is_unique || !self.chance(self.chance_of_lookup) {
            return None;
        }
        let is_told = self.chance(0.3);
        let is_list = (is_told || *by == "id") && self.chance(0.2);
        let argument = match (is_told, is_list) {
            (true, _) => "reference",
            (false, true) => "ids",
            (false, false) if *by == "id" => {
                ["id", "identifier", kept(format!("{name}Id"))][self.random.random_range(0..3)]
            }
            (false, false) => by,
        };
        Some(Lookup {
            is_list,
            field: format!("find{name}"),
            argument,
            by,
            ty,
            is_told,
        })
    }

    /// How many children the objects of a type have together, and how they are shared out.
    fn share(&mut self, owner: usize) -> (u64, Option<String>) {
        let parents = self.world.types[owner].count;
        let most = (self.rows_left / 2).max(1);
        if owner == 0 {
            return (self.random.random_range(1..=most.min(120)), None);
        }
        let fan_out = [0.3, 1.0, 3.0, 8.0, 20.0][self.random.random_range(0..5)];
        let count = ((parents as f64 * fan_out) as u64).clamp(1, most);
        let page = self.sizes.cap.min(self.sizes.page_size);
        let outliers: Vec<u64> = [1, page, page + 1, 2 * page, 3 * page]
            .into_iter()
            .filter(|_| self.random.random_bool(0.4))
            .collect();
        let within = format!(
            "{{ type = '{}', empty = {:.2}, heaviest = {:.2}, shape = '{}', outliers = {outliers:?} }}",
            self.world.types[owner].name,
            self.random.random_range(0.0..0.6),
            [0.0, 0.0, 0.1, 0.4][self.random.random_range(0..4)],
            ["cubed", "even"][self.random.random_range(0..2)],
        );
        (count, Some(within))
    }
}

/// The key of an interface as one of its members has it: no two members share a value.
fn renewed(key: &Key, member: &'static str, number: u64) -> Key {
    match key {
        Key::Field {
            name,
            ty,
            generator,
            is_node,
        } => {
            let generator = match generator {
                text if text.contains("identifier") => format!("{{ identifier = '{member}' }}"),
                text if text.contains("uuid") => format!("{{ uuid = '{member}' }}"),
                _ => format!("{{ serial = {{ start = {}, form = 'number' }} }}", 7 + 100_000 * number),
            };
            Key::Field {
                name,
                ty,
                generator,
                is_node: *is_node,
            }
        }
        Key::None => Key::None,
    }
}
