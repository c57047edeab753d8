//! What can go wrong with an object store, said so that the reader knows what to do.

use object_store::Error;

/// The longest detail that is told, in characters.
const DETAIL_CHARACTERS: usize = 300;

/// Why an object store cannot be used. What was fetched is kept in any case: the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The settings in the environment do not make a store.
    #[error("`{place}` cannot be set up: {detail}; the store's settings come from the environment, see the README")]
    Setup {
        /// The store.
        place: String,
        /// What its client says.
        detail: String,
    },
    /// There is no such bucket.
    #[error("`{place}` does not exist: make the bucket, or choose another with --output")]
    NotThere {
        /// What was to be written or read.
        place: String,
    },
    /// Nobody is known by these credentials, or there are none.
    #[error("`{place}` asks who we are: set the store's credentials in the environment, see the README")]
    Unknown {
        /// What was to be written or read.
        place: String,
    },
    /// These credentials are not enough.
    #[error("no permission for `{place}`: the credentials need to read, write, list and delete there")]
    Denied {
        /// What was to be written or read.
        place: String,
    },
    /// The store lacks what publishing rests on.
    #[error(
        "`{place}`: this store knows no conditional writes, without which no run can be published safely: {detail}"
    )]
    Unconditional {
        /// What was to be written.
        place: String,
        /// What its client says.
        detail: String,
    },
    /// Another run has this name.
    #[error("`{place}` was written by another run of the same name: run again with --fresh")]
    Taken {
        /// The manifest.
        place: String,
    },
    /// Others move it again and again.
    #[error("`{place}` is being moved by others: see that one schedule at a time writes there, and run again")]
    Contended {
        /// What was to be moved.
        place: String,
    },
    /// A file that goes up cannot be read.
    #[error("a part cannot be read back: {0}; start the run again with --fresh if it is gone")]
    Local(#[from] std::io::Error),
    /// A manifest that is none.
    #[error("`{place}` is no manifest: {detail}; remove that run, or write elsewhere")]
    Manifest {
        /// The manifest.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Anything else.
    #[error("`{place}` cannot be reached, or answers wrongly: {detail}; run again, it goes on from there")]
    Failed {
        /// What was to be written or read.
        place: String,
        /// The innermost cause, which names neither address nor headers.
        detail: String,
    },
}

impl StoreError {
    /// What an error of the store's client means for the user.
    pub(super) fn new(place: String, error: &Error) -> Self {
        let detail = innermost(error);
        match error {
            Error::NotFound { .. } => Self::NotThere { place },
            Error::Unauthenticated { .. } => Self::Unknown { place },
            Error::PermissionDenied { .. } => Self::Denied { place },
            Error::NotImplemented { .. } | Error::NotSupported { .. } => Self::Unconditional { place, detail },
            _ => Self::Failed { place, detail },
        }
    }
}

/// The cause at the end of the chain, in one line. The client's own text holds the address of the request, and a store's
/// answer the key that it was signed with: of that only its code is told.
pub(super) fn innermost(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    let said = text.split('<').next().unwrap_or_default();
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map(|(code, _)| code);
    let words = said.split_whitespace().chain(code).collect::<Vec<_>>().join(" ");
    words.chars().take(DETAIL_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_its_code_is_told() {
        let body = "Server returned non-2xx status code: 400: <?xml?><Error><Code>InvalidToken</Code><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>";
        let error = Error::Generic {
            store: "S3",
            source: body.into(),
        };
        assert_eq!(
            innermost(&error),
            "Server returned non-2xx status code: 400: InvalidToken"
        );
    }
}
