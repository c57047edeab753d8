//! Named steps before and after which a test ends the process, or holds it, to see what the next run makes of it.
//!
//! Only builds with debug assertions can be told to: in a release nothing is read, and passing a step does nothing.
//!
//! `GQLDUMP_FAILPOINT` names the place, which of its passings counts, and what is done there:
//! `part-closed:before:2=abort` ends the process before it closes its second part, and
//! `table-moved:after:1=hold:DIR` makes the folder `DIR/held` and waits until it is gone.
//! `GQLDUMP_CUT_EVERY=5` has parts closed after every fifth response, as otherwise only large exports close any in their
//! middle.

/// When a step is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before anything of it was done.
    Before,
    /// When it outlives the process.
    After,
}

macro_rules! steps {
    ($($(#[$doc:meta])* $step:ident = $name:literal,)*) => {
        /// A step that must be done as a whole or not at all, however the process ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Step {
            $($(#[$doc])* $step,)*
        }

        #[cfg(debug_assertions)]
        impl Step {
            /// Every step.
            pub const ALL: &[Self] = &[$(Self::$step,)*];

            /// What it is called in `GQLDUMP_FAILPOINT`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$step => $name,)*
                }
            }
        }
    };
}

steps! {
    /// The API's schema is kept in the state.
    SchemaStored = "schema-stored",
    /// A run is begun in the state.
    RunBegun = "run-begun",
    /// The permit of a request is noted.
    PermitLogged = "permit-logged",
    /// The log of permits is written anew.
    PermitsRewritten = "permits-rewritten",
    /// Responses are committed to the state.
    ResponseStored = "response-stored",
    /// Pieces of requests are committed to the state.
    PieceStored = "piece-stored",
    /// What was committed is forced to the disk.
    StateSynced = "state-synced",
    /// Tasks end without a response.
    TasksChanged = "tasks-changed",
    /// What the run showed is kept for the next one.
    LearntStored = "learnt-stored",
    /// A part file is written to its end, and forced to the disk.
    PartClosed = "part-closed",
    /// Parts are recorded in the state, and the bodies in them dropped.
    PartsRecorded = "parts-recorded",
    /// What an interrupted run was writing is removed.
    LeftoversRemoved = "leftovers-removed",
    /// An unfinished run is dropped from the state.
    RunDropped = "run-dropped",
    /// The state says that all is in parts.
    PublishingBegun = "publishing-begun",
    /// The folder of a table is moved to its place.
    TableMoved = "table-moved",
    /// The manifest is written under another name.
    ManifestWritten = "manifest-written",
    /// The manifest gets its name.
    ManifestNamed = "manifest-named",
    /// `latest` names the run.
    LatestMoved = "latest-moved",
    /// What is empty in staging is removed.
    StagingTidied = "staging-tidied",
    /// The state says that the run is published.
    RunFinished = "run-finished",
    /// A run that is older than those that are kept is removed.
    OldRunRemoved = "old-run-removed",
    /// The state gives its room back to the disk.
    StateCompacted = "state-compacted",
}

/// Does a step; it is passed after where it succeeds.
pub(crate) fn around<T, E>(step: Step, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    pass(step, Side::Before);
    let done = work()?;
    pass(step, Side::After);
    Ok(done)
}

/// The same for several that are one.
pub(crate) fn around_all<T, E>(
    steps: impl Iterator<Item = Step> + Clone,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    steps.clone().for_each(|step| pass(step, Side::Before));
    let done = work()?;
    steps.for_each(|step| pass(step, Side::After));
    Ok(done)
}

/// The same for a step that is waited for.
pub(crate) async fn awaited<T, E>(step: Step, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    pass(step, Side::Before);
    let done = work.await?;
    pass(step, Side::After);
    Ok(done)
}

#[cfg(not(debug_assertions))]
fn pass(_step: Step, _side: Side) {}

/// Whether a test wants the parts closed behind a response.
#[cfg(not(debug_assertions))]
pub(crate) fn wants_cut(_sequence: u64) -> bool {
    false
}

#[cfg(debug_assertions)]
pub(crate) use armed::wants_cut;

#[cfg(debug_assertions)]
use armed::pass;

#[cfg(debug_assertions)]
mod armed {
    use std::path::PathBuf;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::{Side, Step};

    /// What a test wants done, and where.
    struct Failpoint {
        step: Step,
        side: Side,
        /// The passing that counts, from 1.
        passing: u64,
        action: Action,
    }

    enum Action {
        Abort,
        /// Waits for the folder `held` in this one to be gone.
        Hold(PathBuf),
    }

    static FAILPOINT: LazyLock<Option<Failpoint>> = LazyLock::new(|| {
        let text = std::env::var("GQLDUMP_FAILPOINT").ok()?;
        let failpoint = parsed(&text);
        assert!(failpoint.is_some(), "`{text}` is no failpoint");
        failpoint
    });

    static PASSINGS: AtomicU64 = AtomicU64::new(0);

    static CUT_EVERY: LazyLock<Option<u64>> = LazyLock::new(|| {
        std::env::var("GQLDUMP_CUT_EVERY")
            .ok()?
            .parse()
            .ok()
            .filter(|every| *every > 0)
    });

    fn parsed(text: &str) -> Option<Failpoint> {
        let (place, action) = text.split_once('=')?;
        let mut words = place.split(':');
        let (step, side, passing) = (words.next()?, words.next()?, words.next()?);
        Some(Failpoint {
            step: *Step::ALL.iter().find(|known| known.name() == step)?,
            side: match side {
                "before" => Side::Before,
                "after" => Side::After,
                _ => return None,
            },
            passing: passing.parse().ok()?,
            action: match action.split_once(':') {
                None if action == "abort" => Action::Abort,
                Some(("hold", folder)) => Action::Hold(folder.into()),
                _ => return None,
            },
        })
    }

    pub(super) fn pass(step: Step, side: Side) {
        let Some(failpoint) = FAILPOINT.as_ref() else { return };
        if (failpoint.step, failpoint.side) != (step, side) {
            return;
        }
        if PASSINGS.fetch_add(1, Ordering::Relaxed) + 1 == failpoint.passing {
            match &failpoint.action {
                Action::Abort => std::process::abort(),
                Action::Hold(folder) => hold(folder),
            }
        }
    }

    fn hold(folder: &std::path::Path) {
        let held = folder.join("held");
        // A test that cannot be told anything would wait for ever.
        assert!(fs_err::create_dir(&held).is_ok(), "{} cannot be made", held.display());
        while held.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn wants_cut(sequence: u64) -> bool {
        CUT_EVERY.is_some_and(|every| sequence.is_multiple_of(every))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn places_and_actions_are_read_and_nothing_else() {
            let is_read = |text: &str| parsed(text).is_some();
            assert!(is_read("part-closed:before:2=abort") && is_read("table-moved:after:1=hold:/tmp"));
            for text in [
                "",
                "part-closed",
                "part-closed:before:1",
                "part-closed:during:1=abort",
                "no-step:before:1=abort",
                "part-closed:before:x=abort",
                "part-closed:before:1=die",
            ] {
                assert!(!is_read(text), "{text}");
            }
        }
    }
}
