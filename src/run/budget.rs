//! Where the permits of a source are noted: with those of all that ask the same API for the same user, or beside its state.

use std::path::{Path, PathBuf};

use crate::api::PermitLog;
use crate::report::Event;
use crate::run::source_run::{RunSettings, SourceError, SourceJob};

/// The log in the user's own folder, or, where that cannot be had, the one in `own_folder`, the source's own.
pub(super) fn open_permit_log(
    job: &SourceJob,
    settings: &RunSettings,
    own_folder: &Path,
) -> Result<PermitLog, SourceError> {
    match shared_log(job, settings) {
        Some(Ok(log)) => return Ok(log),
        Some(Err(error)) => {
            let text = format!(
                "{}: the budget is not shared with other runs on this machine ({error}); make that folder writable, or \
                 point XDG_STATE_HOME elsewhere",
                job.name
            );
            settings.observer.notice(&Event::Warning { query: None, text });
        }
        None => {}
    }
    open(job, settings, &own_folder.join("permits")).map_err(SourceError::Output)
}

/// The log that is shared; `None` where the job shares nothing, or nobody said where.
pub(super) fn shared_log(job: &SourceJob, settings: &RunSettings) -> Option<std::io::Result<PermitLog>> {
    if job.settings.limits.requests.is_empty() {
        return None;
    }
    let path = shared_path(job, settings)?;
    let opened = path
        .parent()
        .map_or(Ok(()), fs_err::create_dir_all)
        .and_then(|()| open(job, settings, &path));
    if opened.as_ref().is_ok_and(PermitLog::is_shared) {
        let text = format!(
            "{}: the API is asked from elsewhere on this machine, too; all keep to one budget",
            job.name
        );
        settings.observer.notice(&Event::Notice { query: None, text });
    }
    Some(opened)
}

fn shared_path(job: &SourceJob, settings: &RunSettings) -> Option<PathBuf> {
    let (folder, name) = settings.budgets.as_ref().zip(job.budget.as_ref())?;
    Some(folder.join(format!("{name}.permits")))
}

fn open(job: &SourceJob, settings: &RunSettings, path: &Path) -> std::io::Result<PermitLog> {
    let clock = settings.clock.clone();
    PermitLog::open(path, clock, &job.settings.limits, &job.settings.timing)
}
