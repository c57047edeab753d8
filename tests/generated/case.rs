//! One generated export: an API, what is asked of it under which conditions, and what must come of it.

use gqldump::demo::{DemoConfig, StandIn};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::generated::conditions::{Conditions, Limits, conditions};
use crate::generated::draw::world;
use crate::generated::query::{AskedList, Piece, Query, is_reachable, lists, query};
use crate::generated::scalars::SCALAR_SETTINGS;
use crate::generated::styles::Style;
use crate::generated::texts::{data, schema};
use crate::generated::world::World;
use crate::generated::written::{QUERY, Written, branches, write};
use crate::project::Project;
use crate::truth::Branch;

/// One generated export.
pub(super) struct Case {
    seed: u64,
    world: World,
    query: Query,
    written: Written,
    pub(super) conditions: Conditions,
    limits: Limits,
}

impl Case {
    /// The export that a seed leads to.
    pub(super) fn draw(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let conditions = conditions(&mut random);
        let world = world(conditions.sizes(), &mut random);
        let query = query(&world, conditions.page_size, &mut random);
        let written = write(&world, &query, conditions.are_hints_rules);
        let limits = limits(&world, &query, &written, &conditions);
        Self {
            seed,
            world,
            query,
            written,
            conditions,
            limits,
        }
    }

    /// Whether all that is asked for can be had.
    pub(super) fn is_reachable(&self) -> bool {
        is_reachable(&self.world, &self.query.pieces, true)
    }

    /// The API.
    pub(super) fn config(&self) -> DemoConfig {
        let name = format!("seed {}", self.seed);
        let config = DemoConfig::of_texts(&name, &schema(&self.world), &self.data(), &self.behaviours());
        config.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The project.
    pub(super) fn project(&self) -> Project {
        Project::new(&self.settings())
            .with("schema.graphql", &schema(&self.world))
            .with(&format!("{QUERY}.graphql"), &self.written.query)
    }

    /// The outermost tables, with all below them.
    pub(super) fn branches(&self, stand_in: &StandIn) -> Vec<Branch> {
        let root = stand_in.objects("Query").expect("a query root").next();
        branches(&self.world, &self.query, &root.expect("a query root"))
    }

    /// The tables of connections in the order of the manifest, and the response names of these.
    pub(super) fn connections(&self) -> Vec<(String, &'static str)> {
        let outermost = lists(&self.query.pieces);
        let is_single = outermost.len() == 1;
        let mut found = Vec::new();
        for asked in outermost {
            let table = match is_single {
                true => QUERY.to_owned(),
                false => format!("{QUERY}__{}", asked.name),
            };
            self.add_connections(asked, table, &mut found);
        }
        found
    }

    fn add_connections(&self, asked: &AskedList, table: String, found: &mut Vec<(String, &'static str)>) {
        let below = lists(&asked.pieces);
        if asked.list(&self.world).paging.style != Style::Whole {
            found.push((table.clone(), asked.name));
        }
        for list in below {
            self.add_connections(list, format!("{table}__{}", list.name), found);
        }
    }

    /// Whether two requests for different pages can be the same text with the same variables.
    pub(super) fn has_twins(&self) -> bool {
        has_twins(&self.query.pieces)
    }

    /// What a person needs to look into it.
    pub(super) fn told(&self) -> String {
        format!(
            "seed {}\n# schema.graphql\n{}\n# data.toml\n{}\n# behaviours.toml\n{}\n# source.toml\n{}\n# {QUERY}.graphql\n{}\n{:?}",
            self.seed,
            schema(&self.world),
            self.data(),
            self.behaviours(),
            self.settings(),
            self.written.query,
            self.conditions,
        )
    }

    fn data(&self) -> String {
        data(&self.world, self.seed)
    }

    fn behaviours(&self) -> String {
        let mut fields = String::new();
        for ty in &self.world.types {
            for list in ty.lists.iter().filter(|list| !list.behaviour.is_empty()) {
                let lines = list.behaviour.join("\n");
                fields += &format!("[paging.fields.'{}.{}']\n{lines}\n", ty.owner(list), list.name);
            }
        }
        self.conditions.behaviours(&self.limits, &fields)
    }

    fn settings(&self) -> String {
        format!(
            "{}{SCALAR_SETTINGS}{}",
            self.conditions.settings(&self.limits),
            self.written.rules
        )
    }
}

fn has_twins(pieces: &[Piece]) -> bool {
    let lists = lists(pieces);
    let is_twin = |one: &&AskedList| {
        lists
            .iter()
            .filter(|other| other.owner == one.owner && other.list == one.list)
            .count()
            > 1
    };
    lists.iter().any(is_twin) || lists.iter().any(|list| has_twins(&list.pieces))
}

/// Limits that leave room for the smallest requests that the query can be made of.
fn limits(world: &World, query: &Query, written: &Written, conditions: &Conditions) -> Limits {
    let characters = written.query.chars().count() as u64;
    let outermost = lists(&query.pieces);
    let fewest = outermost
        .iter()
        .map(|asked| fewest_rows(world, asked, conditions.page_size));
    // The rows above a list may have to be asked for again, each by its place.
    let fewest = fewest.sum::<u64>() + 4;
    Limits {
        characters: conditions.has_short_texts.then_some(4 * characters + 1_500),
        root_fields: conditions.root_fields.map(|fields| fields.max(outermost.len() as u64)),
        aliases: conditions.aliases.filter(|_| !has_aliases(written)),
        nodes: conditions
            .nodes
            .filter(|_| outermost.len() == 1 && !has_fixed_pages(world, &query.pieces, true))
            .map(|times| fewest * times),
    }
}

/// Whether the query has aliases of its own: they are not counted yet.
fn has_aliases(written: &Written) -> bool {
    written.query.contains(": ")
}

/// Whether there are numbered pages that keep their size whatever else is asked for with them: outermost ones, and such
/// with connections in their rows. They are not kept within a limit on nodes yet, nor are several outermost lists.
fn has_fixed_pages(world: &World, pieces: &[Piece], is_outermost: bool) -> bool {
    lists(pieces).into_iter().any(|asked| {
        let style = asked.list(world).paging.style;
        let is_numbered = matches!(style, Style::Page | Style::PageFlag | Style::PageList);
        is_numbered && (is_outermost || !lists(&asked.pieces).is_empty())
            || has_fixed_pages(world, &asked.pieces, is_outermost && style == Style::Whole)
    })
}

/// The fewest rows that a request for one page of a list asks for.
fn fewest_rows(world: &World, asked: &AskedList, page_size: u64) -> u64 {
    let below = lists(&asked.pieces).into_iter();
    let below: u64 = below.map(|list| fewest_rows(world, list, page_size)).sum();
    let list = asked.list(world);
    let own = match list.paging.style {
        Style::Capped => page_size,
        _ => 1,
    };
    own * (1 + below)
}
