//! What follows from a response: which pages are to be read next, which connections are at their end, what is lacking.
//!
//! Pure: a harvest goes in, a decision comes out.

mod placed;

use std::collections::BTreeMap;

use crate::api::{ErrorPath, GraphqlError};
use crate::plan::{Connection, Plan, Target};
use crate::run::harvest::{FoundPage, Harvest, Missing};
use crate::run::holder::{holder, named};
use crate::run::intake::placed::PlacedError;
use crate::run::members::FirstPages;
use crate::run::sink::target;
use crate::run::turning::{Asked, End, NextPage, PagingError, Turn, turn};
use crate::schema::Pager;
use crate::state::{FIRST_TASK, Member, MemberGain, Restart, Sequence, StoredSlot, Tally, Task, Trail};

/// What follows from a response.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Consequences {
    /// Rows in it.
    pub(crate) rows: u64,
    /// Pages that are to be read next; their ids are given by whoever queues them.
    pub(crate) next_tasks: Vec<Task>,
    /// What it adds to the tallies of connections.
    pub(crate) tallies: BTreeMap<usize, Tally>,
    /// What it shows of how many rows connections hold.
    pub(crate) sights: Vec<Sight>,
    /// What it shows to be lacking, each with how often.
    pub(crate) flaws: BTreeMap<String, u64>,
    /// What may be a mistake of the author's, and leaves nothing lacking.
    pub(crate) warnings: Vec<String>,
    /// Slots that did not bring what was asked for.
    pub(crate) failed: Vec<(usize, PagingError)>,
    /// Slots whose rows must not be taken.
    pub(crate) void: Vec<usize>,
    /// What it adds to members, by their numbers.
    pub(crate) members: BTreeMap<u64, MemberGain>,
}

impl Consequences {
    /// Notes that something is lacking, if it is so of a value that the query is run for.
    pub(crate) fn lack(&mut self, text: String, member: Option<&Member>) {
        self.lack_times(text, 1, member);
    }

    /// The same of what it lacks so many times.
    fn lack_times(&mut self, text: String, times: u64, member: Option<&Member>) {
        if let Some(member) = member {
            let gain = self.members.entry(member.number).or_default();
            gain.flaw.get_or_insert_with(|| text.clone());
        }
        *self.flaws.entry(text).or_default() += times;
    }
}

/// What a page shows of how many rows a connection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// A connection has more rows than its first page.
    Open { connection: usize, rows: u64 },
    /// A page said that more followed, and there was nothing.
    Coy { connection: usize },
    /// A connection is at its end.
    Ended {
        connection: usize,
        rows: u64,
        /// Whether it had more than a first page.
        was_open: bool,
    },
}

/// A task, and the size of the page that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AskedTask {
    pub(crate) task: Task,
    pub(crate) size: u32,
}

impl AskedTask {
    /// What it asks for.
    pub(crate) fn target(&self) -> Target {
        Target::of(self.task.connection, self.task.root, self.task.position.is_none())
    }
}

impl FoundPage {
    /// What asked for this page by itself; `None` for a first page, which comes within what holds it.
    pub(crate) fn asked<'run>(&self, asked: &'run [AskedTask]) -> Option<&'run AskedTask> {
        let asked = asked.get(self.slot?)?;
        asked.task.connection.is_some().then_some(asked)
    }
}

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'run> {
    pub(crate) plan: &'run Plan,
    pub(crate) asked: &'run [AskedTask],
    /// The sizes of first pages within the pages of their parents, by connection.
    pub(crate) inline_sizes: &'run [u32],
    /// The place of the answer in the order in which the run takes them in.
    pub(crate) sequence: Sequence,
    /// The places of those of its errors that say that the token may not see something.
    pub(crate) denied: &'run [ErrorPath],
    /// Whether null in the place of all rows is no answer of the API.
    pub(crate) doubts_null: bool,
}

/// Decides what follows from the answer to a request. An error tells that an outermost connection cannot be read on.
pub(crate) fn consequences(
    request: Request<'_>,
    harvest: &Harvest,
    errors: &[GraphqlError],
) -> Result<Consequences, PagingError> {
    let mut result = Consequences {
        rows: harvest.plain_rows,
        ..Consequences::default()
    };
    let errors = request.placed(errors);
    let first_pages = FirstPages {
        asked: request.asked,
        harvest,
        doubts_null: request.doubts_null,
    };
    first_pages.note(|slot| request.cause(slot, &errors), &mut result);
    if let Some(error) = request.broken_start(harvest, &errors) {
        result.failed.push((0, error));
        result.void.push(0);
        return Ok(result);
    }
    request.doubt_nulls(&harvest.outer_nulls, &errors, &mut result);
    let mut strangers = harvest.strangers.clone();
    strangers.sort_unstable();
    strangers.dedup();
    for slot in &strangers {
        request.note_stranger(*slot, &mut result);
    }
    let failed: Vec<usize> = result.failed.iter().map(|(slot, _)| *slot).collect();
    for (index, page) in harvest.pages.iter().enumerate().filter(|(_, page)| !page.is_left_out) {
        if !page.origin.is_some_and(|slot| failed.contains(&slot)) {
            request.follow((index, page), harvest, &errors, &mut result)?;
        }
    }
    request.count_rows(&harvest.slot_rows, &mut result);
    if request.asked.iter().any(|asked| asked.task.connection.is_none()) {
        for path in &request.plan.first_pages_only {
            let text = format!("of `{path}` only first pages are read, as @paginate(style: NONE) says");
            result.flaws.insert(text, 1);
        }
        let lists = &request.plan.description.lists;
        for list in lists.iter().filter(|list| list.may_be_cut) {
            let text = format!("`{}` may be cut off: {}", list.path, list.reason);
            result.flaws.insert(text, 1);
        }
    }
    // A slot without its page fails as a whole, and is asked again: what it lacks need not be so the next time.
    for Missing { path, .. } in harvest.missing.iter().filter(|missing| missing.slot.is_none()) {
        *result
            .flaws
            .entry(format!("`{path}` is missing from a response"))
            .or_default() += 1;
    }
    // An error without a place belongs to the slots that failed, where some did.
    let is_taken = |error: &&PlacedError<'_>| match error.slot {
        Some(slot) => !result.void.contains(&slot),
        None => error.place.is_some() || result.failed.is_empty(),
    };
    let taken: Vec<&PlacedError<'_>> = errors.iter().filter(is_taken).collect();
    for error in taken {
        let (text, member) = request.told(error, harvest);
        result.lack(text, member);
    }
    Ok(result)
}

impl Request<'_> {
    /// Why the first pages of everything have to be asked for again: nothing came but errors.
    fn broken_start(&self, harvest: &Harvest, errors: &[PlacedError<'_>]) -> Option<PagingError> {
        let is_start = matches!(self.asked, [AskedTask { task, .. }] if task.is_start());
        let is_empty = harvest.plain_rows == 0 && !harvest.pages.is_empty();
        let error = errors.first().filter(|_| is_start && is_empty)?;
        let is_null = |page: &FoundPage| page.is_null && !page.is_ruled_out;
        harvest
            .pages
            .iter()
            .all(is_null)
            .then(|| PagingError::NoAnswer { cause: error.text() })
    }

    /// Notes first pages of which all rows are null without any error, where that is no answer of the API.
    fn doubt_nulls(&self, nulls: &[Missing], errors: &[PlacedError<'_>], result: &mut Consequences) {
        for Missing { slot, path } in nulls.iter().filter(|_| self.doubts_null) {
            let is_of_connection = slot.is_some_and(|slot| self.connection_of(slot).is_some());
            let is_told = errors
                .iter()
                .any(|error| error.slot.is_none() || slot.is_none() || error.slot == *slot);
            if is_of_connection || is_told {
                continue;
            }
            let place = match path.as_str() {
                "" => "data".to_owned(),
                path => self.place_of(*slot, &path.split('.').collect::<Vec<_>>()),
            };
            let text = format!("`{place}` is null without any error, which is no answer of this API");
            let member = slot.and_then(|slot| self.member_of(slot));
            let holder = holder(self.plan, 0, None, member);
            result.lack(named(&text, &place, holder.as_deref()), member);
        }
    }

    /// The row that holds a slot's connection is not the one that was meant.
    fn note_stranger(&self, slot: usize, result: &mut Consequences) {
        result.void.push(slot);
        let Some((index, connection)) = self.connection_of(slot) else {
            return;
        };
        let error = PagingError::Stranger {
            path: connection.path.clone(),
        };
        result.failed.push((slot, error));
        result.tallies.entry(index).or_default();
    }

    /// Adds to the members the rows in their slots.
    fn count_rows(&self, slot_rows: &BTreeMap<usize, u64>, result: &mut Consequences) {
        for (slot, rows) in slot_rows {
            if let Some(member) = self.member_of(*slot).filter(|_| !result.void.contains(slot)) {
                result.members.entry(member.number).or_default().rows += rows;
            }
        }
    }

    fn member_of(&self, slot: usize) -> Option<&Member> {
        self.asked.get(slot)?.task.member.as_ref()
    }

    fn connection_of(&self, slot: usize) -> Option<(usize, &Connection)> {
        let index = self.asked.get(slot)?.task.connection?;
        Some((index, self.plan.connections.get(index)?))
    }

    /// Notes what a connection lacks, and what holds that.
    fn lack(&self, of: (&Connection, &FoundPage), text: &str, result: &mut Consequences) {
        self.lack_times(of, (text, 1), result);
    }

    /// The same of what it lacks so many times.
    fn lack_times(
        &self,
        (connection, page): (&Connection, &FoundPage),
        (text, times): (&str, u64),
        result: &mut Consequences,
    ) {
        let member = self.member(page);
        let holder = holder(self.plan, connection.depth, page.parent.as_deref(), member);
        result.lack_times(named(text, &connection.path, holder.as_deref()), times, member);
    }

    /// Names the items of a page that is taken which are null, but for those that the author does not want.
    fn note_null_items(&self, (connection, page): (&Connection, &FoundPage), result: &mut Consequences) {
        let wanted = page.rows - page.surplus;
        let times = page.null_items.iter().filter(|item| **item < wanted).count();
        if times > 0 {
            let text = format!("`{}` has items that are null", connection.path);
            self.lack_times((connection, page), (&text, times as u64), result);
        }
    }

    /// Whether the answer as a whole is that for one member.
    fn is_whole_of_member(&self) -> bool {
        matches!(self.asked, [AskedTask { task, .. }] if task.member.is_some() && task.root.is_none() && task.connection.is_none())
    }

    fn follow(
        &self,
        (index, page): (usize, &FoundPage),
        harvest: &Harvest,
        errors: &[PlacedError<'_>],
        result: &mut Consequences,
    ) -> Result<(), PagingError> {
        let Some(connection) = self.plan.connections.get(page.connection) else {
            return Ok(());
        };
        if page.is_detached {
            self.detach((connection, page), new_instance(self.sequence, index), result);
            return Ok(());
        }
        let asked_task = page.asked(self.asked);
        let tally = result.tallies.entry(page.connection).or_default();
        if asked_task.is_none() {
            tally.opened += 1;
        }
        let is_behind = asked_task.is_some_and(|asked| {
            let is_refused = errors.iter().any(|error| error.slot == page.slot);
            page.is_null && !is_refused && may_be_behind_the_end(connection, &asked.task)
        });
        if (page.is_null || !page.has_items) && !is_behind {
            let is_absent = page.is_null && asked_task.is_some_and(|asked| is_first_of_detached(&asked.task));
            if let (Some(slot), Some(asked)) = (page.slot, asked_task)
                && !(is_absent && is_answered(slot, harvest, errors))
            {
                if self.note_denied((connection, page), &asked.task, errors, result) {
                    return Ok(());
                }
                let mut causes = errors.iter().filter(|error| error.slot == Some(slot));
                let error = PagingError::BrokeOff {
                    path: connection.path.clone(),
                    cause: causes.next().map(|cause| cause.error.message.clone()),
                };
                result.failed.push((slot, error));
                result.void.push(slot);
                return Ok(());
            }
            self.note_broken_null((connection, page), errors, result);
            self.note_absent((connection, page), errors, result);
            return Ok(());
        }
        self.note_broken_null((connection, page), errors, result);
        let first = Task::default();
        let size = self.inline_sizes.get(page.connection).copied().unwrap_or(1);
        let asked = match asked_task {
            Some(asked) => Asked::of(&asked.task, asked.size),
            None => Asked::of(&first, size),
        };
        let turned = match turn(connection, asked, page) {
            Ok(turned) => turned,
            Err(error) => self.lost((connection, page), asked, error, result)?,
        };
        match (turned.is_void, page.slot) {
            (true, Some(slot)) => result.void.push(slot),
            _ => {
                count_new(page, result);
                self.note_null_items((connection, page), result);
            }
        }
        let task = asked_task.map(|asked| &asked.task);
        let instance = task.map(|task| task.instance).filter(|instance| *instance != 0);
        let settled = Settled {
            request: self,
            connection,
            page,
            task,
            member: self.member(page),
            instance: instance.unwrap_or_else(|| new_instance(self.sequence, index)),
        };
        if let Some(next) = turned.again.and_then(|rows| settled.beginning(rows)) {
            match self.plan.can_reach(target(&StoredSlot::of(&next))) {
                true => result.next_tasks.push(next),
                false => settled.note_unread(result),
            }
        }
        settled.settle(turned, result);
        Ok(())
    }

    /// What follows from a page of a connection that cannot be read on. One of many does not take the others down.
    /// The first page of a connection that does not come with the row that holds it is asked for by itself.
    fn detach(&self, (connection, page): (&Connection, &FoundPage), instance: u64, result: &mut Consequences) {
        let tally = result.tallies.entry(page.connection).or_default();
        tally.opened += 1;
        if !can_be_reached(connection, page) {
            note_end(tally, End::Lost);
            let flaw = format!(
                "`{}` cannot be read in a row that cannot be asked for again: it lacks what would tell it",
                connection.path
            );
            self.lack((connection, page), &flaw, result);
            return;
        }
        result.next_tasks.push(Task {
            connection: Some(page.connection),
            member: self.member(page).cloned(),
            depth: connection.depth,
            parent: page.parent.clone(),
            address: page.address.clone(),
            instance,
            ..FIRST_TASK
        });
    }

    fn lost(
        &self,
        (connection, page): (&Connection, &FoundPage),
        asked: Asked<'_>,
        error: PagingError,
        result: &mut Consequences,
    ) -> Result<Turn, PagingError> {
        let mut turn = Turn {
            end: End::Lost.unless_side(asked.expected),
            ..Turn::default()
        };
        match (connection.parent, self.member(page)) {
            (None, None) => return Err(error),
            (None, Some(member)) => {
                result.members.entry(member.number).or_default().failure = Some(error.to_string());
            }
            (Some(_), _) => turn.flaws.push(error.to_string()),
        }
        Ok(turn)
    }

    /// Notes that the token may not see a page below a row, if that is why it did not come: it is not asked for again, and
    /// nothing else is lost with it.
    fn note_denied(
        &self,
        (connection, page): (&Connection, &FoundPage),
        task: &Task,
        errors: &[PlacedError<'_>],
        result: &mut Consequences,
    ) -> bool {
        let is_own = |error: &&PlacedError<'_>| error.is_denied && error.slot == page.slot;
        let Some(error) = errors.iter().find(is_own).filter(|_| task.depth > 0) else {
            return false;
        };
        let text = denied_text(&connection.path, task.before, &error.error.message);
        self.lack((connection, page), &text, result);
        if let Some(end) = End::Lost.unless_side(task.expected) {
            note_end(result.tallies.entry(page.connection).or_default(), end);
        }
        result.void.extend(page.slot);
        true
    }

    /// Null where the schema says that there is none is a broken answer, which tells nothing of the rows. An error that
    /// tells of the place is named by itself.
    fn note_broken_null(
        &self,
        (connection, page): (&Connection, &FoundPage),
        errors: &[PlacedError<'_>],
        result: &mut Consequences,
    ) {
        let path = &connection.path;
        let is_told = errors.iter().any(|error| error.place.as_ref() == Some(path));
        if is_broken_null(connection, page) && !is_told && !self.doubts(connection) {
            let flaw = format!("`{path}` is null without any error, where the schema says that it never is");
            self.lack((connection, page), &flaw, result);
        }
    }

    /// A first page without rows: because the connection is null, or because its list is. What does not exist for one
    /// value of many is no mistake of the author's.
    fn note_absent(
        &self,
        (connection, page): (&Connection, &FoundPage),
        errors: &[PlacedError<'_>],
        result: &mut Consequences,
    ) {
        let path = &connection.path;
        let tally = result.tallies.entry(page.connection).or_default();
        if page.is_null {
            note_end(tally, End::Absent);
            // One value of many need not exist; a token that may not see an outermost connection is told so by some APIs with
            // nothing but null.
            let is_told = self.member(page).is_some() || !errors.is_empty() || is_broken_null(connection, page);
            if !page.is_ruled_out && connection.depth == 0 && !is_told && !self.doubts(connection) {
                let flaw = format!("`{path}`, or an object above it, is null, and no error says why");
                *result.flaws.entry(flaw).or_default() += 1;
            }
            return;
        }
        note_end(tally, End::Suspect);
        self.lack((connection, page), &format!("`{path}` has no list of rows"), result);
    }

    /// Whether null in the place of a connection is doubted as such.
    fn doubts(&self, connection: &Connection) -> bool {
        self.doubts_null && connection.depth == 0
    }

    /// What a page was asked for, or the page in whose rows it stands.
    fn member(&self, page: &FoundPage) -> Option<&Member> {
        self.member_of(page.origin?)
    }
}

/// The response keys of the slots; none for the first pages of everything.
pub(crate) fn slot_roots(plan: &Plan, asked: &[AskedTask]) -> Vec<String> {
    let targets: Vec<Target> = asked.iter().map(AskedTask::target).collect();
    plan.slot_keys(&targets)
}

/// A page that was followed.
struct Settled<'page> {
    request: &'page Request<'page>,
    connection: &'page Connection,
    page: &'page FoundPage,
    /// The task that it answers; none for a first page within that of a parent.
    task: Option<&'page Task>,
    member: Option<&'page Member>,
    instance: u64,
}

impl Settled<'_> {
    fn settle(self, turned: Turn, result: &mut Consequences) {
        let Self {
            connection, page, task, ..
        } = self;
        let index = page.connection;
        let rows = page.rows + task.map_or(0, |task| task.before);
        let was_open = task.is_some_and(|task| !is_first_of_detached(task));
        if turned.next.iter().any(|next| next.expected.is_none()) && !was_open {
            result.sights.push(Sight::Open {
                connection: index,
                rows,
            });
        }
        if was_open && page.rows == 0 && turned.end == Some(End::Said) {
            result.sights.push(Sight::Coy { connection: index });
        }
        // What could not be read to its end does not show how much there is.
        if turned.end.is_some_and(|end| !matches!(end, End::Suspect | End::Lost)) {
            let connection = index;
            result.sights.push(Sight::Ended {
                connection,
                rows,
                was_open,
            });
        }
        result.warnings.extend(turned.warnings);
        let mut end = turned.end;
        let mut flaws = turned.flaws;
        if !turned.next.is_empty() && task.is_none() && !can_be_reached(connection, page) {
            end = Some(End::Lost);
            flaws.push(format!(
                "`{}` has more rows in a row that cannot be asked for again: it lacks what would tell it",
                connection.path
            ));
        } else {
            if page.is_unknown && !turned.next.is_empty() && task.is_none() {
                flaws.push(format!(
                    "`{}` is read on by the place of the row that holds it, and nothing is selected of that row: where rows \
                     came or went meanwhile, it is another one's; select a value that tells the rows apart",
                    connection.path
                ));
            }
            // The page that says how it goes on first: what lies behind it is known before the others are through.
            let (last, others): (Vec<_>, Vec<_>) = turned.next.into_iter().partition(|next| next.expected.is_none());
            let next = last.into_iter().chain(others).map(|next| self.next_task(next));
            result.next_tasks.extend(next);
        }
        for flaw in flaws {
            self.request.lack((connection, page), &flaw, result);
        }
        if let Some(end) = end {
            note_end(result.tallies.entry(index).or_default(), end);
        }
    }

    /// The first page once more, where so many rows came.
    fn beginning(&self, rows: u64) -> Option<Task> {
        let task = self.task?;
        let attempts = task.restart.map_or(0, |restart| restart.attempts) + 1;
        Some(Task {
            position: None,
            before: 0,
            size: None,
            expected: None,
            trail: Trail::default(),
            restart: Some(Restart {
                rows,
                attempts,
                fresh: 0,
            }),
            ..task.clone()
        })
    }

    /// Its rows may move, and there is no way back to its beginning.
    fn note_unread(&self, result: &mut Consequences) {
        let flaw = format!(
            "`{}` cannot be read again, which would show whether rows moved while it was read",
            self.connection.path
        );
        self.request.lack((self.connection, self.page), &flaw, result);
        note_end(result.tallies.entry(self.page.connection).or_default(), End::Suspect);
    }

    fn next_task(&self, next: NextPage) -> Task {
        let Self {
            connection,
            page,
            task,
            member,
            instance,
            ..
        } = *self;
        let NextPage {
            position,
            before,
            size,
            expected,
            trail,
        } = next;
        Task {
            id: 0,
            connection: Some(page.connection),
            root: None,
            member: member.cloned(),
            depth: connection.depth,
            parent: task.map_or_else(|| page.parent.clone(), |task| task.parent.clone()),
            address: task.map_or_else(|| page.address.clone(), |task| task.address.clone()),
            position: Some(position),
            before,
            size,
            expected,
            trail,
            instance,
            restart: task.and_then(|task| task.restart).map(|restart| Restart {
                fresh: restart.fresh + page.new_rows(),
                ..restart
            }),
            total: task.and_then(|task| task.total).or(page.total),
        }
    }
}

/// Counts the rows of a page that is taken.
fn count_new(page: &FoundPage, result: &mut Consequences) {
    let new_rows = page.rows - page.repeats - page.surplus - page.given_up;
    let tally = result.tallies.entry(page.connection).or_default();
    tally.rows += new_rows;
    tally.repeated += page.repeats;
    result.rows += new_rows;
}

/// The number of a connection that began in a page of a response: no two of a run have the same, whenever it is resumed.
pub(crate) fn new_instance(sequence: Sequence, page: usize) -> u64 {
    (sequence << 24) + page as u64
}

/// Whether a task is for the first page of a connection that does not come with the row that holds it.
fn is_first_of_detached(task: &Task) -> bool {
    task.connection.is_some() && task.position.is_none() && task.restart.is_none()
}

/// Whether the row that a slot leads to is there, and says without any error what it holds: a connection in it that is
/// null has no rows then.
fn is_answered(slot: usize, harvest: &Harvest, errors: &[PlacedError<'_>]) -> bool {
    let is_missing = harvest.missing.iter().any(|missing| missing.slot == Some(slot));
    let is_refused = errors.iter().any(|error| error.slot == Some(slot));
    !is_missing && !is_refused && !harvest.null_slots.contains(&slot)
}

/// Whether the row that holds a connection can be asked for again.
fn can_be_reached(connection: &Connection, page: &FoundPage) -> bool {
    connection.depth == 0 || (page.parent.is_some() && !page.is_lost)
}

/// What it amounts to that a connection ended.
pub(crate) fn tally_of(end: End) -> Tally {
    let mut tally = Tally::default();
    note_end(&mut tally, end);
    tally
}

/// Adds to a tally how a connection ended.
pub(crate) fn note_end(tally: &mut Tally, end: End) {
    let ends = &mut tally.ends;
    let count = match end {
        End::Said | End::Enough => &mut ends.said,
        End::Total => &mut ends.total,
        End::Empty => &mut ends.empty,
        End::Absent => &mut ends.absent,
        End::Suspect => &mut ends.suspect,
        End::Lost => &mut ends.lost,
    };
    *count += 1;
}

/// Whether nothing said that there is a page where a task's begins, so that the API may answer null or an error there.
pub(crate) fn may_be_behind_the_end(connection: &Connection, task: &Task) -> bool {
    let is_all = task.total.map(|total| total <= task.before);
    let has_begun = task.position.is_some() && task.before > 0;
    has_begun
        && match connection.paged.pager {
            Pager::PageList { .. }
            | Pager::OffsetList { .. }
            | Pager::OffsetTotal { has_next: None, .. }
            | Pager::Reverse { .. } => is_all != Some(false),
            Pager::PageTotals { .. } => is_all == Some(true),
            _ => false,
        }
}

fn is_broken_null(connection: &Connection, page: &FoundPage) -> bool {
    connection.is_never_null && page.is_itself_null
}

/// What is said of a connection of which the token may not see more than so many rows.
pub(crate) fn denied_text(path: &str, before: u64, cause: &str) -> String {
    match before {
        0 => format!("`{path}` is left out, as the token may not see it: {cause}"),
        1 => format!("`{path}` is left out behind its first row, as the token may not see more: {cause}"),
        rows => format!("`{path}` is left out behind its first {rows} rows, as the token may not see more: {cause}"),
    }
}
