//! How exports end, and the exit code that they amount to.

/// How the export of one query file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryOutcome {
    /// Published, with nothing lacking.
    Complete,
    /// Published, and something is lacking: the manifest says what.
    Incomplete,
    /// Stopped before its end; the next run goes on from there.
    Interrupted,
    /// The API does not accept the token; the next run goes on from there.
    NotAuthorized,
    /// Not published; the next run goes on from there.
    Failed,
    /// Not begun: the query file or the configuration is wrong.
    Refused,
}

impl QueryOutcome {
    /// The process's exit code for this outcome alone.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Incomplete => 3,
            Self::NotAuthorized => 4,
            Self::Interrupted => 5,
        }
    }

    /// Which of two outcomes an exit code should rather tell: what needs a person most, and what is wrong with the
    /// run as a whole before what is wrong with a part of it.
    fn weight(&self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Incomplete => 1,
            Self::Refused => 2,
            Self::Failed => 3,
            Self::NotAuthorized => 4,
            Self::Interrupted => 5,
        }
    }
}

/// The exit code of a run over several query files.
pub fn exit_code<'outcomes>(outcomes: impl IntoIterator<Item = &'outcomes QueryOutcome>) -> u8 {
    let heaviest = outcomes.into_iter().max_by_key(|outcome| outcome.weight());
    heaviest.map_or(0, QueryOutcome::exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_outcome_decides() {
        use QueryOutcome::{Complete, Failed, Incomplete, Interrupted, NotAuthorized, Refused};
        assert_eq!(exit_code([]), 0);
        assert_eq!(exit_code(&[Complete, Complete]), 0);
        assert_eq!(exit_code(&[Complete, Incomplete]), 3);
        assert_eq!(exit_code(&[Refused, Incomplete]), 2);
        assert_eq!(exit_code(&[Failed, Refused, Complete]), 1);
        assert_eq!(exit_code(&[NotAuthorized, Failed]), 4);
        assert_eq!(exit_code(&[NotAuthorized, Interrupted]), 5);
    }
}
