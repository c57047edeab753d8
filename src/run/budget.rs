//! Where the permits of a source are noted: with those of all that ask the same API for the same user, or beside its state.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use tokio::time::{Instant, sleep};

use crate::api::{ApiError, Look, NEXT_LOOK, Patience, PermitLog, stopped};
use crate::report::Event;
use crate::run::source_run::{RunSettings, SourceError, SourceJob};

/// A budget that several processes of one user keep to together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedBudget {
    /// What those call it who share it.
    pub name: String,
    /// What the token is called among them with which the API is asked, as some windows are each token's own.
    pub token: String,
}

/// The budget of a source, told by the folder in which budgets are kept; asked for when the first request is near.
pub type FindBudget = Arc<dyn Fn(&Path) -> SharedBudget + Send + Sync>;

/// The log in the user's own folder, or, where that cannot be had, the one in `own_folder`, the source's own. Waits for a
/// process that holds it, and not for ever.
pub(super) async fn open_permit_log(
    job: &SourceJob,
    settings: &RunSettings,
    own_folder: &Path,
) -> Result<PermitLog, SourceError> {
    let mut patience = Patience::default();
    loop {
        let held = match open_log(job, settings, own_folder) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => error,
            opened => return opened.map_err(SourceError::Output),
        };
        match patience.look(Instant::now()) {
            Look::Again => {}
            Look::Tell => {
                let text = format!("{}: waits for the budget: {held}", job.name);
                settings.observer.notice(&Event::Notice { query: None, text });
            }
            Look::GiveUp => return Err(ApiError::held(&job.name, &held).into()),
        }
        tokio::select! {
            biased;
            () = stopped(settings.stop.clone()) => return Err(SourceError::Stopped),
            () = sleep(NEXT_LOOK) => {}
        }
    }
}

fn open_log(job: &SourceJob, settings: &RunSettings, own_folder: &Path) -> io::Result<PermitLog> {
    match shared_log(job, settings) {
        Some(Err(error)) if error.kind() != ErrorKind::WouldBlock => {
            let text = format!(
                "{}: the budget is not shared with other runs on this machine ({error}); make that folder writable, or \
                 point XDG_STATE_HOME elsewhere",
                job.name
            );
            settings.observer.notice(&Event::Warning { query: None, text });
        }
        Some(opened) => return opened,
        None => {}
    }
    open(job, settings, &own_folder.join("permits"))
}

/// The log that is shared; `None` where the job shares nothing, or nobody said where.
pub(super) fn shared_log(job: &SourceJob, settings: &RunSettings) -> Option<io::Result<PermitLog>> {
    if job.settings.limits.requests.is_empty() {
        return None;
    }
    let (folder, find_budget) = settings.budgets.as_ref().zip(job.budget.as_ref())?;
    let budget = find_budget(folder);
    let path = folder.join(format!("{}.permits", budget.name));
    let opened = fs_err::create_dir_all(folder).and_then(|()| open(job, settings, &path));
    let opened = opened.map(|log| log.of_token(&budget.token));
    if opened.as_ref().is_ok_and(PermitLog::is_shared) {
        let text = format!(
            "{}: the API is asked from elsewhere on this machine, too; all keep to one budget",
            job.name
        );
        settings.observer.notice(&Event::Notice { query: None, text });
    }
    Some(opened)
}

fn open(job: &SourceJob, settings: &RunSettings, path: &Path) -> io::Result<PermitLog> {
    let clock = settings.clock.clone();
    PermitLog::open(path, clock, &job.settings.limits, &job.settings.timing)
}
