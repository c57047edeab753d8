//! What tells a plan from others that cannot go on with its run, and what it was made from, so that people can be told what
//! has changed.

use sha2::{Digest as _, Sha256};

/// The hash of all that decides what is asked for and how it is written (request texts, variables, tables), and a hash of
/// each thing that a plan is made from. Only the first decides whether two are equal.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    digest: String,
    origins: Origins,
}

/// Hashes of what a plan is made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    /// What the API is called.
    pub(crate) api: String,
    /// The query with its fragments, without comments and spaces that say nothing.
    pub(crate) query: String,
    /// The values of its variables.
    pub(crate) variables: String,
    /// The whole of the API's schema, of which the query may concern a little.
    pub(crate) schema: String,
    /// The settings that plans depend on.
    pub(crate) settings: String,
}

impl Origins {
    /// Each with its name, in the order in which they are written.
    fn named(&self) -> [(&'static str, &str); 5] {
        [
            ("the endpoint", &self.api),
            ("the query", &self.query),
            ("its variables", &self.variables),
            ("the API's schema", &self.schema),
            ("`source.toml` or its preset", &self.settings),
        ]
    }
}

impl Fingerprint {
    pub(crate) fn new(hash: Sha256, origins: Origins) -> Self {
        Self {
            digest: digits(hash),
            origins,
        }
    }

    /// As hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// As it is kept with a run: with the hashes of what the plan is made from behind it.
    pub fn written(&self) -> String {
        let origins = self.origins.named().map(|(_, hash)| hash);
        format!("{} {}", self.digest, origins.join(" "))
    }

    /// Why a run cannot be gone on with that was begun with the plan of which that was written; `None` if it can.
    pub fn difference(&self, written: &str) -> Option<String> {
        let mut words = written.split(' ');
        if words.next() == Some(&self.digest) {
            return None;
        }
        let before: Vec<&str> = words.collect();
        let origins = self.origins.named();
        if before.len() != origins.len() {
            return Some("it was begun by another version of gqldump".to_owned());
        }
        let pairs = origins.into_iter().zip(before);
        let changed: Vec<&str> = pairs
            .filter(|((_, now), before)| now != before)
            .map(|((name, _), _)| name)
            .collect();
        Some(match changed.split_last() {
            // The same query comes to other requests or tables.
            None => "it was begun by another version of gqldump, which asks in other words".to_owned(),
            Some((last, [])) => format!("{last} changed since"),
            Some((last, others)) => format!("{} and {last} changed since", others.join(", ")),
        })
    }

    /// That of the same, and something more that decides.
    pub(crate) fn with(&self, more: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(&self.digest);
        hash.update(more);
        Self::new(hash, self.origins.clone())
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Fingerprint {}

/// A short hash of a text, to be compared.
pub(crate) fn hash_of(text: impl AsRef<[u8]>) -> String {
    let mut digits = digits(Sha256::new_with_prefix(text));
    digits.truncate(16);
    digits
}

fn digits(hash: Sha256) -> String {
    let digits = hash.finalize();
    digits.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(digest: &str, query: &str, schema: &str) -> Fingerprint {
        let origins = Origins {
            api: hash_of("api"),
            query: hash_of(query),
            variables: hash_of(""),
            schema: hash_of(schema),
            settings: hash_of(""),
        };
        Fingerprint::new(Sha256::new_with_prefix(digest), origins)
    }

    #[test]
    fn what_changed_is_named_and_nothing_is_where_it_does_not_matter() {
        let before = fingerprint("1", "q", "s").written();
        let difference = |now: Fingerprint| now.difference(&before);
        assert_eq!(difference(fingerprint("1", "Q", "S")), None);
        let told = |now| difference(now).unwrap();
        assert_eq!(told(fingerprint("2", "Q", "s")), "the query changed since");
        assert_eq!(
            told(fingerprint("2", "Q", "S")),
            "the query and the API's schema changed since"
        );
        assert_eq!(
            told(fingerprint("2", "q", "s")),
            "it was begun by another version of gqldump, which asks in other words"
        );
        let older = fingerprint("2", "q", "s").difference("0123");
        assert_eq!(older.unwrap(), "it was begun by another version of gqldump");
    }
}
