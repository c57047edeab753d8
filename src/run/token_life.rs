//! How long the token lasts: told before a run that it would not outlast, and by `check` long before that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use crate::api::ReadToken;
use crate::output::SourceFolder;
use crate::project::{TokenLife, TokenOrigin, token_life};
use crate::report::Event;
use crate::run::source_run::{RunSettings, SourceJob};
use crate::run::status::source_status;

/// How long before its end `check` tells of a token: time enough for whoever issues it.
const NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a run is taken to last at least: the last one may have found less.
const LEAST_RUN: Duration = Duration::from_secs(3600);

/// A token that a command prints and that lives no longer is taken to be made anew whenever it is needed: it is asked for
/// again when the API refuses it. One that lives longer is one that the command found somewhere.
const SHORT_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Reads the token as the job says, and warns, when it is read first, of one that ends before a run would that begins now.
pub(super) fn warning_reader(job: &SourceJob, settings: &RunSettings) -> Option<ReadToken> {
    let read = Arc::clone(job.token.as_ref()?);
    let folder = SourceFolder::new(&settings.output, &job.name);
    let lasts = longest_run(job, &folder).max(LEAST_RUN);
    let (name, is_command) = (job.name.clone(), is_command(job));
    let (clock, observer) = (settings.clock.clone(), Arc::clone(&settings.observer));
    let is_told = AtomicBool::new(false);
    Some(Arc::new(move |is_stopped| {
        let token = read(is_stopped)?;
        let now = clock.wall();
        let end = end_of(&token, is_command, now).filter(|end| !outlasts(*end, now, lasts));
        if let Some(end) = end.filter(|_| !is_told.swap(true, Ordering::Relaxed)) {
            let text = format!(
                "{name}: {}, and a run may take {}: replace it, or the run stops with exit code 4, and the next one goes on \
                 from there",
                in_words(end, now),
                humantime::format_duration(lasts),
            );
            observer.notice(&Event::Warning { query: None, text });
        }
        Ok(token)
    }))
}

/// What is to be said of a token that ends within 14 days.
pub fn token_warning(job: &SourceJob, settings: &RunSettings) -> Option<String> {
    let read = job.token.as_ref()?;
    // One that cannot be read is told of where it is used.
    let token = read(&|| *settings.stop.borrow()).ok()?;
    let now = settings.clock.wall();
    let end = end_of(&token, is_command(job), now)?;
    (!outlasts(end, now, NOTICE)).then(|| format!("{}: {}: replace it in time", job.name, in_words(end, now)))
}

/// What a token says of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEnd {
    /// In words.
    pub words: String,
    /// Whether `check` would tell of it.
    pub is_soon: bool,
}

/// What the token itself says of its end; an error says why there is no token.
pub fn told_end(job: &SourceJob, settings: &RunSettings) -> Result<ToldEnd, String> {
    let Some(read) = &job.token else {
        return Err(
            "source.toml does not say where it is found: write `token = { env = \"NAME\" }` under [auth]".to_owned(),
        );
    };
    let token = read(&|| *settings.stop.borrow()).map_err(|error| error.to_string())?;
    let now = settings.clock.wall();
    Ok(ToldEnd {
        words: token_life(&token).map_or_else(
            || "the token does not say when it ends".to_owned(),
            |life| in_words(life.end, now),
        ),
        is_soon: end_of(&token, is_command(job), now).is_some_and(|end| !outlasts(end, now, NOTICE)),
    })
}

/// Whether something that begins now and takes so long is over before that end.
fn outlasts(end: SystemTime, now: SystemTime, duration: Duration) -> bool {
    now.checked_add(duration).is_some_and(|over| over < end)
}

/// When a token ends; `None` where it does not say so, or is made anew by then.
fn end_of(token: &SecretString, is_command: bool, now: SystemTime) -> Option<SystemTime> {
    let life = token_life(token).filter(|life| !(is_command && is_made_anew(*life, now)))?;
    Some(life.end)
}

fn is_command(job: &SourceJob) -> bool {
    matches!(job.settings.auth.token, Some(TokenOrigin::Command(_)))
}

/// Whether a token that a command prints is one of those that it prints anew. What has ended is none, however short its life
/// was; one that does not say when it was made is taken to be made now.
fn is_made_anew(life: TokenLife, now: SystemTime) -> bool {
    let is_over = life.end <= now;
    let lives = life.end.duration_since(life.made.unwrap_or(now)).unwrap_or_default();
    !is_over && lives <= SHORT_LIFE
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
    fn what_a_command_prints_is_made_anew_unless_it_lives_long_or_is_over() {
        let now = UNIX_EPOCH + 20_000 * DAY;
        let anew = |made: Option<SystemTime>, end| is_made_anew(TokenLife { made, end }, now);
        let minute = Duration::from_secs(60);
        assert!(anew(Some(now - 40 * minute), now + 35 * minute), "a cached one");
        assert!(!anew(Some(now - 90 * DAY), now + 35 * minute));
        assert!(!anew(Some(now - 40 * minute), now - minute));
        assert!(anew(None, now + DAY) && !anew(None, now + DAY + minute) && !anew(None, now - minute));
        assert!(anew(Some(now + minute), now + 2 * minute), "a clock that goes wrong");
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
