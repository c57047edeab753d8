//! Runs begun, gone on with, and finished.

use crate::failpoint::{Step, around, awaited};
use crate::state::StateError;
use crate::state::database::Writing;
use crate::state::records::{
    Address, Effort, KnownExport, Member, NewRun, RecordedPart, RunKey, RunStart, Sequence, StoredResponse,
    StoredSchema, Task, TaskChange, Trail, UnfinishedRun,
};
use crate::state::store::StateStore;

/// The task that a run begins with: the first pages of everything.
pub const FIRST_TASK: Task = Task {
    id: 1,
    connection: None,
    root: None,
    member: None,
    depth: 0,
    parent: None,
    address: Address {
        values: Vec::new(),
        marks: Vec::new(),
    },
    position: None,
    before: 0,
    size: None,
    expected: None,
    trail: Trail {
        pages: 0,
        landmark: None,
        stale: 0,
        empty: 0,
    },
    instance: 0,
    restart: None,
    total: None,
};

impl StateStore {
    /// The run of a query file that is not finished, if there is one.
    pub async fn unfinished_run(&self, query: &str) -> Result<Option<UnfinishedRun>, StateError> {
        let query = query.to_owned();
        self.transact(move |writing| writing.unfinished_run(&query)).await
    }

    /// The run of a query file that was published last, if there is one.
    pub async fn last_published(&self, query: &str) -> Result<Option<KnownExport>, StateError> {
        let query = query.to_owned();
        self.transact(move |writing| writing.last_published(&query)).await
    }

    /// Begins a run; the query file has no unfinished one.
    pub async fn begin_run(&self, run: NewRun<'_>, start: RunStart<'_>) -> Result<RunKey, StateError> {
        let query = run.query.to_owned();
        let (name, fingerprint, format) = (run.name.to_owned(), run.fingerprint.to_owned(), run.format.to_owned());
        let started_at = run.started_at;
        let (members, tasks, flaw) = first_tasks(start);
        let work = self.transact(move |writing| {
            let run = NewRun {
                query: &query,
                name: &name,
                fingerprint: &fingerprint,
                format: &format,
                started_at,
            };
            let key = writing.begin_run(run)?;
            members
                .iter()
                .try_for_each(|(member, open)| writing.add_member(key, member, *open))?;
            tasks.iter().try_for_each(|task| writing.add_task(key, task, true))?;
            flaw.iter().try_for_each(|text| writing.add_flaw(key, text, 1))?;
            Ok(key)
        });
        awaited(Step::RunBegun, work).await
    }

    /// Forgets a run and all that was fetched for it.
    pub async fn drop_run(&self, run: RunKey) -> Result<(), StateError> {
        let work = self.transact(move |writing| writing.drop_run(run));
        awaited(Step::RunDropped, work).await
    }

    /// Takes up to `most` of the run's tasks that nobody holds, the deepest first.
    pub async fn fetch_tasks(&self, run: RunKey, most: usize) -> Result<Vec<Task>, StateError> {
        self.transact(move |writing| writing.fetch_tasks(run, most)).await
    }

    /// Nobody holds a task of the run: the process that did is gone.
    pub async fn release_tasks(&self, run: RunKey) -> Result<(), StateError> {
        self.transact(move |writing| writing.release_tasks(run)).await
    }

    /// Asks for the first pages of all members of a run again, of which nothing came; `roots` as when it was begun.
    pub async fn ask_members_again(&self, run: RunKey, roots: Vec<Option<usize>>) -> Result<(), StateError> {
        self.transact(move |writing| {
            let members = writing.reopen_members(run, roots.len())?;
            let tasks = tasks_of_members(&members, &roots);
            tasks.iter().try_for_each(|task| writing.add_task(run, task, true))
        })
        .await
    }

    /// Ends tasks without a response.
    pub async fn change_tasks(&self, run: RunKey, change: TaskChange) -> Result<(), StateError> {
        let work = self.transact(move |writing| {
            for task in &change.done {
                writing.remove_task(run, *task)?;
            }
            for task in &change.next {
                writing.add_task(run, task, false)?;
            }
            for (connection, tally) in &change.tallies {
                writing.add_tally(run, *connection, tally)?;
            }
            for (number, gain) in &change.members {
                writing.add_to_member(run, *number, gain)?;
            }
            change.flaws.iter().try_for_each(|flaw| writing.add_flaw(run, flaw, 1))
        });
        awaited(Step::TasksChanged, work).await
    }

    /// What earlier runs of a query file showed of its connections, by their paths.
    pub async fn learnt(&self, query: &str) -> Result<Vec<(String, String)>, StateError> {
        let query = query.to_owned();
        self.transact(move |writing| writing.learnt(&query)).await
    }

    /// Keeps what a run showed of its connections, by their paths.
    pub async fn store_learnt(&self, query: &str, learnt: Vec<(String, String)>, now: u64) -> Result<(), StateError> {
        let query = query.to_owned();
        let work = self.transact(move |writing| writing.store_learnt(&query, &learnt, now));
        awaited(Step::LearntStored, work).await
    }

    /// Forgets what earlier runs of query files showed.
    pub async fn forget(&self, queries: Vec<String>) -> Result<(), StateError> {
        self.transact(move |writing| queries.iter().try_for_each(|query| writing.forget(query)))
            .await
    }

    /// Adds to a run what was spent without a response, and the time that it ran.
    pub async fn add_effort(&self, run: RunKey, effort: Effort) -> Result<(), StateError> {
        self.transact(move |writing| writing.add_effort(run, &effort, 0, 0))
            .await
    }

    /// Everything is in parts now: what follows is publishing. Refused where it is not.
    pub async fn begin_publishing(&self, run: RunKey) -> Result<(), StateError> {
        // A file that was removed is written to without a word as long as it is open.
        if !self.path().exists() {
            return Err(StateError::Gone {
                path: self.path().to_owned(),
            });
        }
        let work = self.transact(move |writing| writing.begin_publishing(run));
        match awaited(Step::PublishingBegun, work).await? {
            (0, 0) => Ok(()),
            (tasks, responses) => Err(StateError::Unfinished {
                path: self.path().to_owned(),
                tasks,
                responses,
            }),
        }
    }

    /// The run is published; its figures stay, everything else of it goes.
    pub async fn finish_run(&self, run: RunKey) -> Result<(), StateError> {
        let work = self.transact(move |writing| writing.finish_run(run));
        awaited(Step::RunFinished, work).await
    }

    /// The schema that was last asked of an endpoint.
    pub async fn stored_schema(&self, endpoint: &str) -> Result<Option<StoredSchema>, StateError> {
        let endpoint = endpoint.to_owned();
        self.transact(move |writing| writing.stored_schema(&endpoint)).await
    }

    /// Keeps a schema.
    pub async fn store_schema(&self, endpoint: &str, schema: StoredSchema) -> Result<(), StateError> {
        let endpoint = endpoint.to_owned();
        let work = self.transact(move |writing| writing.store_schema(&endpoint, &schema));
        awaited(Step::SchemaStored, work).await
    }

    /// The first stored response after `after`, from a thread that may block.
    pub fn response_after(&self, run: RunKey, after: Sequence) -> Result<Option<StoredResponse>, StateError> {
        self.transact_blocking(move |writing| writing.response_after(run, after))
    }

    /// Records finished files that hold all rows of the responses up to `through`, what their decoding showed to be
    /// lacking, and drops the bodies; from a thread that may block. The files must be durable.
    pub fn record_parts(
        &self,
        run: RunKey,
        through: Sequence,
        parts: Vec<RecordedPart>,
        flaws: Vec<(String, u64)>,
    ) -> Result<(), StateError> {
        let record = move |writing: &mut Writing<'_>| {
            flaws
                .iter()
                .try_for_each(|(text, occurrences)| writing.add_flaw(run, text, *occurrences))?;
            writing.record_parts(run, through, &parts)
        };
        around(Step::PartsRecorded, || self.transact_blocking(record))
    }
}

/// The members that a run begins with, each with the number of its tasks; the tasks; and what is lacking already.
fn first_tasks(start: RunStart<'_>) -> (Vec<(Member, usize)>, Vec<Task>, Option<String>) {
    let (values, roots, flaw) = match start {
        RunStart::Whole => return (Vec::new(), vec![FIRST_TASK], None),
        RunStart::Roots(roots) => return (Vec::new(), tasks_of_roots(roots), None),
        RunStart::Members { values, roots, flaw } => (values, roots, flaw),
    };
    let numbers = 1_u64..;
    let members: Vec<Member> = numbers
        .zip(values)
        .map(|(number, value)| Member {
            number,
            value: value.clone(),
        })
        .collect();
    let tasks = tasks_of_members(&members, roots);
    let members = members.into_iter().map(|member| (member, roots.len()));
    (members.collect(), tasks, flaw.map(str::to_owned))
}

/// The first pages under each field of the query root.
fn tasks_of_roots(roots: usize) -> Vec<Task> {
    let tasks = (1_u64..).zip(0..roots).map(|(id, root)| Task {
        id,
        root: Some(root),
        ..FIRST_TASK
    });
    tasks.collect()
}

/// The first pages of each member, of which each field of the query root is asked for by itself.
fn tasks_of_members(members: &[Member], roots: &[Option<usize>]) -> Vec<Task> {
    let asked = members
        .iter()
        .flat_map(|member| roots.iter().map(move |root| (member, *root)));
    let tasks = (1_u64..).zip(asked).map(|(id, (member, root))| Task {
        id,
        root,
        parent: Some(member.name()),
        member: Some(member.clone()),
        ..FIRST_TASK
    });
    tasks.collect()
}
