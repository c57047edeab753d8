//! A generated query written down, and the tables that it must make.

use serde_json::{Map, Value};

use crate::cell::{Kind, object};
use crate::generated::query::{Asked, AskedList, Condition, Piece, Query, lists};
use crate::generated::styles::Style;
use crate::generated::world::{World, kept, quoted};
use crate::truth::Branch;

/// What a query file holds, and what `source.toml` says for it.
pub(super) struct Written {
    pub(super) query: String,
    /// `[[paging]]` rules.
    pub(super) rules: Vec<String>,
}

/// Writes a query down; `are_hints_rules` tells that the source says how lists are paged, and not the query.
pub(super) fn write(world: &World, query: &Query, are_hints_rules: bool) -> Written {
    let mut writer = Writer {
        world,
        are_hints_rules,
        variables: Vec::new(),
        fragments: Vec::new(),
        rules: Vec::new(),
    };
    let selection = writer.pieces(&query.pieces);
    let variables = match writer.variables.is_empty() {
        true => String::new(),
        false => format!("query All({}) ", writer.variables.join(", ")),
    };
    Written {
        query: format!("{variables}{selection}\n{}", writer.fragments.join("\n")),
        rules: writer.rules,
    }
}

struct Writer<'world> {
    world: &'world World,
    are_hints_rules: bool,
    variables: Vec<String>,
    fragments: Vec<String>,
    rules: Vec<String>,
}

impl Writer<'_> {
    fn pieces(&mut self, pieces: &[Piece]) -> String {
        let pieces: Vec<String> = pieces.iter().map(|piece| self.piece(piece)).collect();
        format!("{{ {} }}", pieces.join(" "))
    }

    fn piece(&mut self, piece: &Piece) -> String {
        match piece {
            Piece::Value(asked) => self.asked(asked),
            Piece::TypeName => "__typename".to_owned(),
            Piece::Holder {
                field, values, lists, ..
            } => {
                let values = values.iter().map(|field| format!("{}{}", field.name, field.selection));
                let lists: Vec<String> = lists.iter().map(|list| self.list(list)).collect();
                let inner: Vec<String> = values.chain(lists).collect();
                format!("{field} {{ {} }}", inner.join(" "))
            }
            Piece::List(list) => self.list(list),
            Piece::Member { ty, pieces } | Piece::Fragment { name: None, ty, pieces } => {
                format!("... on {ty} {}", self.pieces(pieces))
            }
            Piece::Fragment {
                name: Some(name),
                ty,
                pieces,
            } => {
                let fragment = format!("fragment {name} on {ty} {}", self.pieces(pieces));
                self.fragments.push(fragment);
                format!("...{name}")
            }
        }
    }

    fn asked(&mut self, asked: &Asked) -> String {
        let condition = asked.condition.map(|condition| self.condition(condition));
        let condition = condition.unwrap_or_default();
        format!("{}{condition}{}", aliased(asked.name, asked.field), asked.selection)
    }

    fn condition(&mut self, condition: Condition) -> String {
        let name = format!("$asked{}", self.variables.len());
        let (directive, value) = match (condition, self.variables.len() % 2) {
            (Condition::Included, 0) => ("include", true),
            (Condition::Included, _) => ("skip", false),
            (Condition::Skipped, 0) => ("include", false),
            (Condition::Skipped, _) => ("skip", true),
        };
        self.variables.push(format!("{name}: Boolean! = {value}"));
        format!(" @{directive}(if: {name})")
    }

    fn list(&mut self, asked: &AskedList) -> String {
        let list = asked.list(self.world);
        let mut arguments = Vec::new();
        if let (Some(filter), Some(value)) = (&list.filter, asked.filter) {
            arguments.push(format!("{}: {}", filter.name, self.value(value, asked.is_by_variable)));
        }
        if let (Some(size), Some(rows)) = (list.paging.size, asked.size) {
            arguments.push(format!("{size}: {rows}"));
        }
        let arguments = match arguments.is_empty() {
            true => String::new(),
            false => format!("({})", arguments.join(", ")),
        };
        let row = self.pieces(&asked.pieces);
        let steps = asked.way.iter().zip(&asked.way_names).enumerate();
        let page = steps.rev().fold(row, |inner, (depth, (step, name))| {
            let beside = match depth {
                0 => asked.extras.join(" "),
                _ => asked.edge_extras.to_owned(),
            };
            format!("{{ {} {inner} {beside} }}", aliased(name, step))
        });
        let directives = self.directives(asked);
        format!("\n{}{arguments}{directives} {page}", aliased(asked.name, list.name))
    }

    fn value(&mut self, value: &str, is_by_variable: bool) -> String {
        if !is_by_variable {
            return value.to_owned();
        }
        let name = format!("$hue{}", self.variables.len());
        self.variables.push(format!("{name}: Hue = {value}"));
        name
    }

    fn directives(&mut self, asked: &AskedList) -> String {
        let mut text = match asked.is_conditional {
            true => self.condition(Condition::Included),
            false => String::new(),
        };
        let list = asked.list(self.world);
        let mut hints: Vec<String> = match self.are_hints_rules {
            true => Vec::new(),
            false => self
                .hints(asked)
                .map(|(name, value)| format!("{name}: {value}"))
                .collect(),
        };
        if self.are_hints_rules {
            self.add_rule(asked);
        }
        hints.extend(asked.max.map(|max| format!("max: {max}")));
        if !hints.is_empty() {
            text += &format!(" @paginate({})", hints.join(", "));
        }
        if let Some(key) = asked.key_name(self.world).filter(|_| asked.is_keyed) {
            text += &format!(" @table(key: [\"{key}\"])");
        }
        let lookup = self.world.lookup(list.target).filter(|lookup| lookup.is_told);
        if let Some(lookup) = lookup.filter(|_| asked.is_lookup_said) {
            text += &format!(
                " @lookup(field: \"{}\", argument: \"{}\", by: \"{}\")",
                lookup.field, lookup.argument, lookup.by
            );
        }
        text
    }

    /// The arguments of `@paginate`, each with its value as GraphQL and as TOML write it.
    fn hints(&self, asked: &AskedList) -> impl Iterator<Item = (&'static str, String)> {
        let list = asked.list(self.world);
        list.paging.hints.iter().map(|(name, value)| {
            let is_bare = matches!(*name, "style" | "cap" | "firstPage");
            let value = match list.paging.continuation.as_ref().filter(|_| *name == "next") {
                Some((stem, ..)) => format!("{stem}{}", list.name),
                None => value.clone(),
            };
            (*name, if is_bare { value } else { quoted(&value) })
        })
    }

    fn add_rule(&mut self, asked: &AskedList) {
        let list = asked.list(self.world);
        let hints: Vec<String> = self
            .hints(asked)
            .map(|(name, value)| match name {
                "style" => format!("style = '{}'", value.to_lowercase()),
                "filterText" => format!("filter_text = {value}"),
                "firstPage" => format!("first_page = {value}"),
                name => format!("{name} = {value}"),
            })
            .collect();
        let owner = self.world.types[asked.owner].owner(list);
        let rule = format!(
            "[[paging]]\ntype = '{owner}'\nfield = '{}'\n{}\n",
            list.name,
            hints.join("\n")
        );
        if !hints.is_empty() && !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }
}

fn aliased(name: &str, field: &str) -> String {
    match name == field {
        true => field.to_owned(),
        false => format!("{name}: {field}"),
    }
}

/// The name of an outermost table of the query file of that name.
pub(super) fn outermost_table(query: &Query, file: &str, asked: &AskedList) -> String {
    match lists(&query.pieces).len() {
        1 => file.to_owned(),
        _ => format!("{file}__{}", asked.name),
    }
}

/// The outermost tables of a query file, with all below them; `root` are the values of the query root, and `is_flat`
/// tells that objects become columns of their own.
pub(super) fn branches(
    world: &World,
    query: &Query,
    file: &str,
    root: &Map<String, Value>,
    is_flat: bool,
) -> Vec<Branch> {
    let table = |asked: &AskedList| outermost_table(query, file, asked);
    let mut branches = Vec::new();
    for piece in &query.pieces {
        match piece {
            Piece::Holder { field, values, lists } => {
                let above: Vec<(String, Kind, Value)> = values
                    .iter()
                    .map(|value| {
                        let name = format!("{field}_{}", value.name);
                        (name, value.kind.clone(), root[*field][value.name].clone())
                    })
                    .collect();
                branches.extend(
                    lists
                        .iter()
                        .map(|list| branch(world, list, &table(list), &above, is_flat)),
                );
            }
            piece => branches.extend(
                lists(std::slice::from_ref(piece))
                    .into_iter()
                    .map(|list| branch(world, list, &table(list), &[], is_flat)),
            ),
        }
    }
    branches
}

fn branch(world: &World, asked: &AskedList, table: &str, above: &[(String, Kind, Value)], is_flat: bool) -> Branch {
    let list = asked.list(world);
    let owner = &world.types[asked.owner];
    let holder = owner.holder.as_ref().filter(|_| list.is_in_holder);
    let holder = holder.map_or_else(String::new, |holder| format!("{}.", holder.field));
    let place = kept(format!("{}.{holder}{}", owner.name, list.name));
    let mut columns: Vec<_> = above
        .iter()
        .map(|(name, kind, _)| (kept(name.as_str()), kind.clone()))
        .collect();
    let mut own = columns_of(&asked.pieces);
    if is_flat {
        own = own.into_iter().flat_map(flattened).collect();
    }
    columns.extend(own.iter().map(|(name, _, kind)| (*name, kind.clone())));
    let is_abstract = world.members(list.target).len() > 1;
    if is_abstract && !columns.iter().any(|(name, _)| *name == "__typename") {
        columns.push(("__typename", Kind::Text));
    }
    let key = world.key(list.target).name();
    let mut branch = Branch::new(table, place, &columns).keyed(key.filter(|key| *key == "id" || asked.is_keyed));
    for (name, field, _) in own {
        branch = branch.reading(name, &field);
    }
    if let Some(max) = asked.max {
        branch = branch.ended(usize::try_from(max).expect("a number of rows"));
    }
    for (name, _, value) in above {
        branch = branch.always(name, value.clone());
    }
    if let (Some(filter), Some(value)) = (&list.filter, asked.filter) {
        let field = filter.name;
        branch = branch.only(move |row| row[field] == value);
    }
    if let (Style::Capped, Some(cap)) = (list.paging.style, list.paging.cap) {
        branch = branch.capped(usize::try_from(cap).expect("a cap"));
        if list.paging.is_sized {
            branch = branch.sized();
        }
    }
    let below = lists(&asked.pieces).into_iter();
    branch.with(below.map(|list| self::branch(world, list, list.name, &[], is_flat)))
}

/// A column: its name, its field, its kind.
type AskedColumn = (&'static str, String, Kind);

/// The columns of some pieces.
fn columns_of(pieces: &[Piece]) -> Vec<AskedColumn> {
    let columns = |piece: &Piece| match piece {
        Piece::Value(asked) => {
            // No row has a field of the empty name.
            let is_skipped = asked.condition == Some(Condition::Skipped);
            let field = if is_skipped { "" } else { asked.field };
            vec![(asked.name, field.to_owned(), asked.kind.clone())]
        }
        Piece::TypeName => vec![("__typename", "__typename".to_owned(), Kind::Text)],
        Piece::Holder { values, .. } if values.is_empty() => Vec::new(),
        Piece::Holder { field, values, .. } => {
            let kinds: Vec<_> = values.iter().map(|field| (field.name, field.kind.clone())).collect();
            vec![(*field, (*field).to_owned(), object(&kinds))]
        }
        Piece::List(_) => Vec::new(),
        Piece::Member { pieces, .. } | Piece::Fragment { pieces, .. } => columns_of(pieces),
    };
    pieces.iter().flat_map(columns).collect()
}

/// The columns that an object becomes.
fn flattened((name, field, kind): AskedColumn) -> Vec<AskedColumn> {
    match kind {
        Kind::Object(kinds) => {
            let inner = kinds.into_iter();
            inner
                .map(|(inner, kind)| (kept(format!("{name}_{inner}")), format!("{field}.{inner}"), kind))
                .collect()
        }
        kind => vec![(name, field, kind)],
    }
}
