//! One generated export: an API, what is asked of it under which conditions, and what must come of it.

use gqldump::demo::{DemoConfig, StandIn};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::generated::conditions::{Conditions, Limits, conditions};
use crate::generated::draw::world;
use crate::generated::query::{AskedList, Piece, Query, is_reachable, lists, query};
use crate::generated::scalars::SCALAR_SETTINGS;
use crate::generated::styles::Style;
use crate::generated::texts::{data, schema};
use crate::generated::world::World;
use crate::generated::written::{Written, branches, outermost_table, write};
use crate::project::Project;
use crate::truth::Branch;

/// One generated export.
pub(super) struct Case {
    pub(super) seed: u64,
    world: World,
    pub(super) files: Vec<QueryFile>,
    pub(super) conditions: Conditions,
    limits: Limits,
}

/// One query file.
pub(super) struct QueryFile {
    pub(super) name: &'static str,
    query: Query,
    written: Written,
}

impl Case {
    /// The export that a seed leads to.
    pub(super) fn draw(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut conditions = conditions(&mut random);
        let world = world(conditions.sizes(), &mut random);
        let mut file = |name| {
            let query = query(&world, conditions.page_size, &mut random);
            let written = write(&world, &query, conditions.are_hints_rules);
            QueryFile { name, query, written }
        };
        let mut files = vec![file("all")];
        let second = file("more");
        let are_reachable = [&files[0], &second].map(|file| is_reachable(&world, &file.query.pieces, true));
        if are_reachable == [true; 2] && random.random_bool(0.15) {
            files.push(second);
        }
        if files.iter().any(|file| has_sized_caps(&world, &file.query.pieces)) {
            // What such a list holds depends on how many rows are asked for.
            conditions.kills.iter_mut().for_each(|kill| kill.page_size = None);
        }
        let limits = limits(&world, &files, &conditions);
        Self {
            seed,
            world,
            files,
            conditions,
            limits,
        }
    }

    /// Whether all that is asked for can be had.
    pub(super) fn is_reachable(&self) -> bool {
        let mut files = self.files.iter();
        files.all(|file| is_reachable(&self.world, &file.query.pieces, true))
    }

    /// The API.
    pub(super) fn config(&self) -> DemoConfig {
        let name = format!("seed {}", self.seed);
        let config = DemoConfig::of_texts(&name, &schema(&self.world), &self.data(), &self.behaviours());
        config.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The project.
    pub(super) fn project(&self) -> Project {
        let project = Project::new(&self.settings()).with("schema.graphql", &schema(&self.world));
        self.files.iter().fold(project, |project, file| {
            project.with(&format!("{}.graphql", file.name), &file.written.query)
        })
    }

    /// The outermost tables of a query file, with all below them.
    pub(super) fn branches(&self, file: &QueryFile, stand_in: &StandIn) -> Vec<Branch> {
        let root = stand_in.objects("Query").expect("a query root").next();
        let root = root.expect("a query root");
        branches(&self.world, &file.query, file.name, &root, self.conditions.is_flat)
    }

    /// The tables of the connections of a query file, in the order of its manifest, and the names of these in a response.
    pub(super) fn connections(&self, file: &QueryFile) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        for asked in lists(&file.query.pieces) {
            let table = outermost_table(&file.query, file.name, asked);
            self.add_connections(asked, table, &mut found);
        }
        found
    }

    fn add_connections(&self, asked: &AskedList, table: String, found: &mut Vec<(String, &'static str)>) {
        if asked.list(&self.world).paging.style != Style::Whole {
            found.push((table.clone(), asked.name));
        }
        for list in lists(&asked.pieces) {
            self.add_connections(list, format!("{table}__{}", list.name), found);
        }
    }

    /// Whether two requests for different pages can be the same text with the same variables.
    pub(super) fn has_twins(&self) -> bool {
        self.files.len() > 1 || has_twins(&self.files[0].query.pieces)
    }

    /// What a person needs to look into it.
    pub(super) fn told(&self) -> String {
        let queries = self.files.iter();
        let queries: String = queries
            .map(|file| format!("# {}.graphql\n{}\n", file.name, file.written.query))
            .collect();
        format!(
            "seed {}\n# schema.graphql\n{}\n# data.toml\n{}\n# behaviours.toml\n{}\n# source.toml\n{}\n{queries}{:?}",
            self.seed,
            schema(&self.world),
            self.data(),
            self.behaviours(),
            self.settings(),
            self.conditions,
        )
    }

    fn data(&self) -> String {
        data(&self.world, self.seed)
    }

    fn behaviours(&self) -> String {
        let mut fields = "[paging.traps]\n".to_owned();
        let mut lists = self.world.types.iter().flat_map(|ty| &ty.lists);
        // The stand-in's moving cursors are of another form.
        if !lists.any(|list| list.paging.style == Style::MovingCursor) && self.conditions.has_list_cursors {
            fields += "json_list_cursors = true\n";
        }
        for ty in &self.world.types {
            for list in ty.lists.iter().filter(|list| !list.behaviour.is_empty()) {
                let lines = list.behaviour.join("\n");
                fields += &format!("[paging.fields.'{}.{}']\n{lines}\n", ty.owner(list), list.name);
            }
        }
        self.conditions.behaviours(&self.limits, &fields)
    }

    fn settings(&self) -> String {
        let mut rules: Vec<&String> = self.files.iter().flat_map(|file| &file.written.rules).collect();
        rules.sort_unstable();
        rules.dedup();
        let rules: String = rules.into_iter().map(String::as_str).collect();
        format!("{}{SCALAR_SETTINGS}{rules}", self.conditions.settings(&self.limits))
    }
}

fn has_twins(pieces: &[Piece]) -> bool {
    let lists = lists(pieces);
    let is_twin = |one: &&AskedList| {
        let same = lists
            .iter()
            .filter(|other| other.owner == one.owner && other.list == one.list);
        same.count() > 1
    };
    lists.iter().any(is_twin) || lists.iter().any(|list| has_twins(&list.pieces))
}

/// Whether there is a list that is cut off at as many rows as are asked for.
fn has_sized_caps(world: &World, pieces: &[Piece]) -> bool {
    lists(pieces).into_iter().any(|asked| {
        let paging = &asked.list(world).paging;
        paging.style == Style::Capped && paging.is_sized || has_sized_caps(world, &asked.pieces)
    })
}

/// Limits that leave room for the smallest requests that the queries can be made of.
fn limits(world: &World, files: &[QueryFile], conditions: &Conditions) -> Limits {
    let most = |measure: &dyn Fn(&QueryFile) -> u64| files.iter().map(measure).max().unwrap_or(0);
    let characters = most(&|file| file.written.query.chars().count() as u64);
    // What is no list goes with each of them.
    let beside = most(&|file| beside_lists(&file.query.pieces));
    // The rows above a list may have to be asked for again, each by its place.
    let fewest = 4 + most(&|file| {
        let lists = lists(&file.query.pieces).into_iter();
        lists.map(|asked| fewest_rows(world, asked, conditions.page_size)).sum()
    });
    // Where another value is called like the key, this has an alias beside the query's own.
    let aliases = most(&|file| {
        let count = |what| file.written.query.matches(what).count() as u64;
        count(": ") + count(" id: ")
    });
    Limits {
        characters: conditions.has_short_texts.then_some(4 * characters + 1_500),
        root_fields: conditions.root_fields.map(|fields| fields.max(1 + beside)),
        aliases: conditions.aliases.map(|limit| limit + aliases),
        nodes: conditions.nodes.map(|times| fewest * times),
    }
}

/// Fields in which no list stands.
fn beside_lists(pieces: &[Piece]) -> u64 {
    let beside = pieces.iter().map(|piece| match piece {
        Piece::Value(_) | Piece::TypeName => 1,
        Piece::Holder { lists, .. } => u64::from(lists.is_empty()),
        Piece::List(_) => 0,
        Piece::Member { pieces, .. } | Piece::Fragment { pieces, .. } => beside_lists(pieces),
    });
    beside.sum()
}

/// The fewest rows that a request for one page of a list asks for.
fn fewest_rows(world: &World, asked: &AskedList, page_size: u64) -> u64 {
    let below = lists(&asked.pieces).into_iter();
    let below: u64 = below.map(|list| fewest_rows(world, list, page_size)).sum();
    let own = match asked.list(world).paging.style {
        Style::Capped => page_size,
        _ => 1,
    };
    own * (1 + below)
}
