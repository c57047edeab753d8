//! How long the token lasts: told before a run that it would not outlast, and by `check` long before that.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use crate::output::SourceFolder;
use crate::project::{TokenOrigin, token_end};
use crate::report::Event;
use crate::run::source_run::{RunSettings, SourceJob};
use crate::run::status::source_status;

/// How long before its end `check` tells of a token: time enough for whoever issues it.
const NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a run is taken to last at least: the last one may have found less.
const LEAST_RUN: Duration = Duration::from_secs(3600);

/// Warns of a token that ends before a run would that begins now.
pub(super) fn warn_of_token(job: &SourceJob, settings: &RunSettings) {
    let folder = SourceFolder::new(&settings.output, &job.name);
    let lasts = longest_run(job, &folder).max(LEAST_RUN);
    let Some(end) = end_of_token(job) else { return };
    let now = settings.clock.wall();
    if outlasts(end, now, lasts) {
        return;
    }
    let text = format!(
        "{}: {}, and a run may take {}: replace it, or the run stops with exit code 4, and the next one goes on from there",
        job.name,
        in_words(end, now),
        humantime::format_duration(lasts),
    );
    settings.observer.notice(&Event::Warning { query: None, text });
}

/// What is to be said of a token that ends within 14 days.
pub fn token_warning(job: &SourceJob, settings: &RunSettings) -> Option<String> {
    let end = end_of_token(job)?;
    let now = settings.clock.wall();
    (!outlasts(end, now, NOTICE)).then(|| format!("{}: {}: replace it in time", job.name, in_words(end, now)))
}

/// What the token itself says of its end.
pub fn token_life(job: &SourceJob, settings: &RunSettings) -> String {
    match end_of_token(job) {
        Some(end) => in_words(end, settings.clock.wall()),
        None => "the token does not say when it ends".to_owned(),
    }
}

/// Whether something that begins now and takes so long is over before that end.
fn outlasts(end: SystemTime, now: SystemTime, duration: Duration) -> bool {
    now.checked_add(duration).is_some_and(|over| over < end)
}

/// When the token ends. One that a command prints is made anew whenever it is needed, and one that cannot be read is told
/// of where it is used.
fn end_of_token(job: &SourceJob) -> Option<SystemTime> {
    if matches!(job.settings.auth.token, Some(TokenOrigin::Command(_))) {
        return None;
    }
    let read = job.token.as_ref()?;
    let token: SecretString = read().ok()?;
    token_end(&token)
}

/// How long the last run of any of the query files took; nothing where none is known.
fn longest_run(job: &SourceJob, folder: &SourceFolder) -> Duration {
    let names: Vec<String> = job.queries.iter().map(|(name, _)| name.clone()).collect();
    let known = source_status(folder, &names).unwrap_or_default();
    let runs = known.into_iter().filter_map(|query| query.last);
    runs.map(|run| run.took).max().unwrap_or_default()
}

fn in_words(end: SystemTime, now: SystemTime) -> String {
    let at = humantime::format_rfc3339_seconds(end);
    let whole = |duration: Duration| humantime::format_duration(Duration::from_secs(duration.as_secs() / 60 * 60));
    match end.duration_since(now) {
        Ok(left) => format!("the token ends at {at}, in {}", whole(left)),
        Err(error) => format!("the token ended at {at}, {} ago", whole(error.duration())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_token_outlasts_what_is_over_before_its_end() {
        let now = UNIX_EPOCH + 20_000 * DAY;
        let ends_in = |left| now + left;
        assert!(outlasts(ends_in(14 * DAY + Duration::from_secs(1)), now, NOTICE));
        assert!(!outlasts(ends_in(14 * DAY), now, NOTICE));
        assert!(!outlasts(now - DAY, now, Duration::ZERO));
        assert!(
            !outlasts(ends_in(DAY), now, Duration::MAX),
            "beyond what a clock can say"
        );
    }

    #[test]
    fn an_end_is_told_with_the_time_that_is_left_or_gone() {
        let now = UNIX_EPOCH + 20_000 * DAY;
        let left = in_words(now + 13 * DAY + Duration::from_secs(90), now);
        assert_eq!(left, "the token ends at 2024-10-17T00:01:30Z, in 13days 1m");
        let gone = in_words(now - 2 * DAY, now);
        assert_eq!(gone, "the token ended at 2024-10-02T00:00:00Z, 2days ago");
    }
}
