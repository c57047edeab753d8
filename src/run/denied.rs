//! What an answer tells of fields that the token may not see: which of them are asked for in vain.
//!
//! Pure: the errors and the data of an answer go in, places in the query come out. A field that cannot be null takes the
//! object around it with it; what is null above the place of an error was lost to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::{ErrorPath, GraphqlError, PathSegment, Unplaced};
use crate::plan::{Connection, Plan, stands_in};
use crate::run::intake::{AskedTask, slot_roots};
use crate::state::Task;

/// A field that is not to be asked for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// Its place in the response, with dots and without positions in lists.
    pub(crate) path: String,
    /// What the API said.
    pub(crate) cause: String,
    /// Whether it is denied in single rows, and to be asked for apart from what else is asked of them.
    pub(crate) is_in_rows: bool,
    /// Whether the API does not say that it is denied: it fails each time.
    pub(crate) is_failing: bool,
}

impl Denial {
    /// Whether a place in the response is that of the field, or within it.
    pub(crate) fn holds(&self, place: &str) -> bool {
        stands_in(place, &self.path)
    }

    /// One of a field that is denied wherever it stands.
    pub(crate) fn everywhere(path: String, cause: &str) -> Self {
        Self {
            path,
            cause: cause.to_owned(),
            is_in_rows: false,
            is_failing: false,
        }
    }
}

/// Rows of one answer in which a field may be denied and still be asked for.
const A_FEW_ROWS: usize = 5;

/// Fields of an answer that are not to be asked for any more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Denials {
    /// They took more with them than themselves: the answer lacks what the token may see.
    pub(crate) voiding: Vec<Denial>,
    /// They are null wherever they stand in the answer, which lacks nothing else.
    pub(crate) everywhere: Vec<Denial>,
}

/// The fields that are not to be asked for any more, by what an API says of them in words alone. What is left out already is
/// not what it means.
pub(crate) fn denials_in_words(plan: &Plan, unplaced: &[Unplaced]) -> Vec<Denial> {
    let of_one = |unplaced: &Unplaced| {
        let places = plan.named_in(&unplaced.message).into_iter();
        let denial = |path| Denial::everywhere(path, &unplaced.message);
        places.map(denial).collect::<Vec<_>>()
    };
    let named = unplaced.iter().flat_map(of_one);
    named
        .filter(|denial| !plan.is_left_out(&denial.path) && !plan.is_detached(&denial.path))
        .collect()
}

/// Where a field failed: the task, and the place within its answer.
pub(crate) type FailedPlace = (u64, Vec<PathSegment>);

/// A request, and what came of it.
#[derive(Clone, Copy)]
pub(crate) struct Told<'run> {
    pub(crate) plan: &'run Plan,
    pub(crate) asked: &'run [AskedTask],
    /// `data` of the answer; null where there is none.
    pub(crate) data: &'run Value,
    /// All errors of the answer.
    pub(crate) errors: &'run [GraphqlError],
    /// The places of those among them that are looked at: that say that the token may not see something, or do not say what
    /// is wrong.
    pub(crate) denied: &'run [ErrorPath],
}

/// In which objects of an answer a field is denied.
struct Extent {
    /// In each of several that are told; above all rows, in the one.
    is_everywhere: bool,
    /// Some object has it.
    is_seen: bool,
}

/// A field with an error, in the answer of one slot.
struct Sighting<'run> {
    path: &'run [PathSegment],
    names: Vec<&'run str>,
    /// `None` for the first pages of everything.
    slot: Option<usize>,
    place: String,
}

impl<'run> Told<'run> {
    /// What follows for later requests.
    pub(crate) fn denials(self) -> Denials {
        let roots = slot_roots(self.plan, self.asked);
        let mut denials = Denials::default();
        for (place, sightings) in self.by_place(&roots) {
            let Extent { is_everywhere, is_seen } = self.extent(&sightings, &roots);
            let is_void = |sighting: &Sighting<'_>| self.is_void(sighting, is_everywhere);
            let are_few = sightings.len() <= A_FEW_ROWS;
            let is_known = self.plan.is_denied_in_rows(&place);
            // What each row is asked for by itself is denied to that row alone.
            let is_of_its_row = self.plan.is_detached(&place) && (is_known || !is_everywhere);
            if is_of_its_row || is_known && are_few && !self.data.is_null() {
                continue;
            }
            // Rows that lack what others are known by are rows that the token may not see.
            let is_of_others = is_seen || sightings.iter().all(|sighting| self.is_behind_others(sighting));
            let are_lost_rows = sightings.iter().all(|sighting| self.is_told(sighting));
            if self.plan.is_key(&place) && is_of_others && are_lost_rows {
                continue;
            }
            // Columns that are denied in many rows are hardly worth the requests; a connection is a table of its own.
            let are_worth_it = are_few || is_seen && self.is_connection(&place);
            let is_of_a_row = |sighting: &Sighting<'_>| self.depth_of_row(sighting).is_some();
            let is_in_rows = !is_known && are_worth_it && !is_everywhere && sightings.iter().all(is_of_a_row);
            let list = match sightings.iter().any(is_void) {
                false if is_known => &mut denials.everywhere,
                true => &mut denials.voiding,
                // What gqldump itself asks for beside the author's selections tells of its absence by itself.
                false if is_everywhere && self.plan.is_selected(&place) => &mut denials.everywhere,
                false => continue,
            };
            let cause = self.cause(&sightings);
            list.push(Denial {
                is_in_rows,
                ..Denial::everywhere(place, &cause)
            });
        }
        // What can be null took nothing along where something that cannot be did: the next answer tells of it again.
        let has_voided = |denial: &Denial| self.plan.is_never_null(&denial.path);
        if denials.voiding.iter().any(has_voided) {
            denials.voiding.retain(has_voided);
        }
        denials
    }

    /// What follows for later requests where the errors are in words that do not say why: the places tell of fields of rows
    /// that took more with them than themselves, and, of those that are asked for apart, which of them no row has.
    pub(crate) fn failures(self) -> Denials {
        let roots = slot_roots(self.plan, self.asked);
        let mut failures = Denials::default();
        for (place, sightings) in self.by_place(&roots) {
            let is_lost = |sighting: &Sighting<'_>| self.is_lost(sighting) && self.depth_of_row(sighting).is_some();
            let is_apart = self.plan.is_denied_in_rows(&place);
            let is_in_vain = sightings.len() > A_FEW_ROWS && self.extent(&sightings, &roots).is_everywhere;
            // What can be null takes nothing along; rows that lack what they are known by are lost.
            let is_voiding = self.plan.is_never_null(&place) && !self.plan.is_key(&place);
            let list = match is_apart || self.plan.is_detached(&place) {
                true if is_apart && is_in_vain => &mut failures.everywhere,
                false if is_voiding && sightings.iter().all(is_lost) => &mut failures.voiding,
                _ => continue,
            };
            list.push(Denial {
                is_in_rows: !is_apart,
                is_failing: true,
                ..Denial::everywhere(place, &self.cause(&sightings))
            });
        }
        failures
    }

    /// The task and the place within its answer of each error at one of these fields.
    pub(crate) fn places_of(self, fields: &[Denial]) -> Vec<(String, FailedPlace)> {
        let roots = slot_roots(self.plan, self.asked);
        let sightings = self.by_place(&roots).into_iter();
        let sightings = sightings.filter(|(place, _)| fields.iter().any(|field| field.path == *place));
        let place = |(place, sighting): (String, Sighting<'run>)| {
            let task = self.asked.get(sighting.slot.unwrap_or(0))?.task.id;
            // The key of a slot is another one in other company.
            let within = usize::from(sighting.slot.is_some());
            Some((place, (task, sighting.path[within..].to_vec())))
        };
        sightings
            .flat_map(|(place, sightings)| sightings.into_iter().map(move |sighting| (place.clone(), sighting)))
            .filter_map(place)
            .collect()
    }

    fn by_place(self, roots: &[String]) -> BTreeMap<String, Vec<Sighting<'run>>> {
        let mut by_place: BTreeMap<String, Vec<Sighting<'run>>> = BTreeMap::new();
        let sightings = self.denied.iter().filter_map(|path| self.sighting(path, roots));
        for sighting in sightings.filter(|sighting| !self.plan.is_left_out(&sighting.place)) {
            by_place.entry(sighting.place.clone()).or_default().push(sighting);
        }
        by_place
    }

    fn sighting(self, path: &'run ErrorPath, roots: &[String]) -> Option<Sighting<'run>> {
        // An error at an item of a list concerns that item, whatever is asked of it.
        if path.is_of_item() {
            return None;
        }
        let names: Vec<&str> = path.0.iter().filter_map(name).collect();
        let (slot, place) = self.place(&names, roots)?;
        Some(Sighting {
            path: &path.0,
            names,
            slot,
            place: self.around_rows(place),
        })
    }

    /// Where in the query a field of the answer stands, and in the answer of which slot.
    fn place(self, names: &[&str], roots: &[String]) -> Option<(Option<usize>, String)> {
        if roots.is_empty() {
            return Some((None, names.join(".")));
        }
        let (root, below) = names.split_first()?;
        let slot = roots.iter().position(|key| key == root)?;
        let task = &self.asked.get(slot)?.task;
        let place = match task.connection.and_then(|index| self.plan.connections.get(index)) {
            Some(connection) => below_connection(connection, below)?,
            None => {
                let root = self.plan.member_roots.get(task.root?)?;
                [&[root.key.as_str()], below].concat().join(".")
            }
        };
        Some((Some(slot), place))
    }

    /// The connection, for a place between it and its items: without them there is nothing to ask of it.
    fn around_rows(self, place: String) -> String {
        let mut connections = self.plan.connections.iter();
        let around = connections.find(|connection| connection.is_around_items(&place));
        around.map_or(place, |connection| connection.path.clone())
    }

    /// Whether a null took more than the field, so that it is to be asked for without that. A value that a query is run
    /// for may be denied as a whole, which concerns no other one.
    fn is_void(self, sighting: &Sighting<'_>, is_everywhere: bool) -> bool {
        let Some(depth) = null_depth(self.data, sighting.path) else {
            return false;
        };
        if depth >= sighting.path.len() {
            return false;
        }
        // What is told of one row is no word on the value.
        let is_of_a_row = self.depth_of_row(sighting).is_some();
        let is_all_of_member = depth <= 1 && !is_of_a_row && self.is_of_member(sighting);
        !is_all_of_member || is_everywhere
    }

    /// In which objects of the answer a field is denied that has been sighted so.
    fn extent(self, sightings: &[Sighting<'_>], roots: &[String]) -> Extent {
        let patterns: BTreeSet<Vec<&str>> = sightings
            .iter()
            .flat_map(|sighting| self.alike(sighting, roots))
            .collect();
        let all: usize = patterns.iter().map(|names| count(self.data, names)).sum();
        let (lost, there): (Vec<_>, Vec<_>) = sightings.iter().partition(|sighting| self.is_lost(sighting));
        // Where a null took more along than the rows that lack the field, nothing is known of the others.
        let are_told = lost.iter().all(|sighting| self.is_told(sighting));
        let is_above_rows = |sighting: &Sighting<'_>| {
            let asked = self.asked.get(sighting.slot.unwrap_or(0));
            let is_single = asked.is_some_and(|asked| asked.task.depth == 0 && asked.task.member.is_none());
            is_single && sighting.path.len() == sighting.names.len()
        };
        let is_seen = all > there.len();
        let is_all = sightings.len() > 1 || sightings.iter().all(is_above_rows);
        Extent {
            is_everywhere: !is_seen && are_told && is_all,
            is_seen,
        }
    }

    /// Whether a null took more than the field.
    fn is_lost(self, sighting: &Sighting<'_>) -> bool {
        null_depth(self.data, sighting.path).is_some_and(|depth| depth < sighting.path.len())
    }

    /// Whether a null took no more than the row in which the field is denied.
    fn is_told(self, sighting: &Sighting<'_>) -> bool {
        let depth = null_depth(self.data, sighting.path);
        depth.is_some_and(|depth| self.depth_of_row(sighting).is_some_and(|of_row| depth >= of_row))
    }

    /// How many steps of its path lead to the row in which a field is denied: an item of a list, or what the slot asks for
    /// by itself; `None` above all rows.
    fn depth_of_row(self, sighting: &Sighting<'_>) -> Option<usize> {
        let is_item = |segment: &PathSegment| matches!(segment, PathSegment::Index(_));
        let item = sighting.path.iter().rposition(is_item).map(|index| index + 1);
        let asked = sighting.slot.and_then(|slot| self.asked.get(slot));
        item.or_else(|| asked.filter(|asked| asked.task.depth > 0).map(|_| 1))
    }

    fn is_connection(self, place: &str) -> bool {
        let mut connections = self.plan.connections.iter();
        connections.any(|connection| connection.path == place)
    }

    /// The places of the same field in the answers of all slots that were asked for alike.
    fn alike<'names>(self, sighting: &Sighting<'names>, roots: &'names [String]) -> Vec<Vec<&'names str>> {
        let Some(slot) = sighting.slot else {
            return vec![sighting.names.clone()];
        };
        let kind = |task: &Task| (task.connection, task.root);
        let own = self.asked.get(slot).map(|asked| kind(&asked.task));
        let alike = self
            .asked
            .iter()
            .zip(roots)
            .filter(|(asked, _)| Some(kind(&asked.task)) == own);
        alike
            .map(|(_, root)| [&[root.as_str()], &sighting.names[1..]].concat())
            .collect()
    }

    /// Whether rows of the same list came before.
    fn is_behind_others(self, sighting: &Sighting<'_>) -> bool {
        let asked = self.asked.get(sighting.slot.unwrap_or(0));
        asked.is_some_and(|asked| asked.task.before > 0)
    }

    fn is_of_member(self, sighting: &Sighting<'_>) -> bool {
        let asked = self.asked.get(sighting.slot.unwrap_or(0));
        asked.is_some_and(|asked| asked.task.member.is_some() && asked.task.depth == 0)
    }

    fn cause(self, sightings: &[Sighting<'_>]) -> String {
        let is_of_place = |error: &&GraphqlError| {
            let path = error.path.as_ref().map(|path| path.0.as_slice());
            sightings.iter().any(|sighting| Some(sighting.path) == path)
        };
        let error = self.errors.iter().find(is_of_place);
        error.map_or_else(|| "access denied".to_owned(), |error| error.message.clone())
    }
}

/// The place below a connection of the field at `names`, which lead to it from the slot's root field.
fn below_connection(connection: &Connection, names: &[&str]) -> Option<String> {
    let key = connection.path.rsplit('.').next()?;
    let below = match names.iter().position(|name| *name == key) {
        Some(index) => &names[index + 1..],
        // The slot's root field is the connection itself.
        None if connection.depth == 0 && !connection.path.contains('.') => names,
        None => return None,
    };
    let path = std::iter::once(connection.path.as_str()).chain(below.iter().copied());
    Some(path.collect::<Vec<_>>().join("."))
}

fn name(segment: &PathSegment) -> Option<&str> {
    match segment {
        PathSegment::Field(name) => Some(name),
        PathSegment::Index(_) => None,
    }
}

/// How many steps of a path lead to the null that it ends in; `None` where it ends in none.
fn null_depth(data: &Value, path: &[PathSegment]) -> Option<usize> {
    let mut value = data;
    for (depth, segment) in path.iter().enumerate() {
        if value.is_null() {
            return Some(depth);
        }
        value = match segment {
            PathSegment::Field(name) => value.get(name)?,
            PathSegment::Index(index) => value.get(usize::try_from(*index).ok()?)?,
        };
    }
    value.is_null().then_some(path.len())
}

/// Objects that have the field at `names`, through all items of the lists on the way.
fn count(value: &Value, names: &[&str]) -> usize {
    match (value, names) {
        (Value::Array(items), _) => items.iter().map(|item| count(item, names)).sum(),
        (Value::Object(members), [name]) => usize::from(members.contains_key(*name)),
        (Value::Object(members), [name, below @ ..]) => members.get(*name).map_or(0, |value| count(value, below)),
        _ => 0,
    }
}
