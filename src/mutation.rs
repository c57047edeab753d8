//! Texts changed at random, for tests of what reads texts from outside: whatever comes, it ends, and in an orderly way.
//!
//! The same cases run always. `GQLDUMP_FUZZ=100000` runs so many others of each target, `GQLDUMP_SEED=7` one alone, and
//! both so many from that one on. A case that fails prints its seed.

use std::ops::Range;
use std::thread::panicking;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Changes of one text, at the most.
const EDITS: usize = 4;

/// How often a piece is repeated, at the most: more than any reader may follow down by calling itself.
const REPEATS: usize = 20_000;

/// What readers of JSON and of the languages around it stumble over.
const TRAPS: [&str; 40] = [
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1e400",
    "-1e-400",
    "18446744073709551616",
    "9223372036854775808",
    "340282366920938463463374607431768211456",
    "0.1e+99999999999",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"../../../../tmp/x\"",
    "\"/etc/passwd\"",
    "\"..\"",
    "\"a\\\\..\\\\b\"",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "{\"\":{}}",
    "{\"id\":1,\"id\":2}",
    "\u{feff}",
    "\u{0}",
    "\u{202e}",
    "é",
    "😀",
    "\r\n",
    "#",
    "\"\"\"",
    "$",
    "@",
    "...",
    "!",
    "__typename",
    "[[a.b]]",
    "'''",
    "99999999999999999999s",
];

/// What nests when it is repeated.
const NESTING: [&str; 8] = ["[", "{", "{\"a\":", "[{\"nodes\":", "(", "{a", "...{", "[["];

/// Calls `check` with changes of the texts of a corpus: some each time, more if the environment asks for it.
pub(crate) fn fuzz(corpus: &[&str], cases: u64, check: impl Fn(&[u8])) {
    for seed in seeds(cases) {
        let guard = Guard(seed);
        check(&Mutation::of(seed, corpus).mutated());
        drop(guard);
    }
}

fn seeds(cases: u64) -> Range<u64> {
    let number = |name: &str| {
        let text = std::env::var(name).ok();
        text.map(|text| text.parse::<u64>().expect("a number"))
    };
    let cases = number("GQLDUMP_FUZZ").unwrap_or(cases);
    match (number("GQLDUMP_SEED"), std::env::var_os("GQLDUMP_FUZZ")) {
        (Some(seed), None) => seed..seed + 1,
        (Some(first), Some(_)) => first..first + cases,
        (None, None) => 0..cases,
        (None, Some(_)) => {
            let first = rand::random::<u32>().into();
            first..first + cases
        }
    }
}

/// Tells the seed of the case that fails.
struct Guard(u64);

impl Drop for Guard {
    fn drop(&mut self) {
        if panicking() {
            use std::io::Write as _;
            let seed = self.0;
            let _ = writeln!(std::io::stderr(), "GQLDUMP_SEED={seed} repeats the case");
        }
    }
}

/// One case: a text of the corpus on its way to something else.
struct Mutation<'corpus> {
    random: StdRng,
    corpus: &'corpus [&'corpus str],
    text: Vec<u8>,
}

impl<'corpus> Mutation<'corpus> {
    fn of(seed: u64, corpus: &'corpus [&'corpus str]) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let text = corpus[random.random_range(0..corpus.len())].as_bytes().to_vec();
        Self { random, corpus, text }
    }

    fn mutated(mut self) -> Vec<u8> {
        for _ in 0..self.random.random_range(1..=EDITS) {
            // Half of the changes leave the text well-formed, so that they reach what lies behind its first reader.
            if self.random.random_bool(0.5) {
                self.change_value();
            } else {
                self.change_bytes();
            }
        }
        self.text
    }

    /// Puts another value in the place of one, or does something else to it as a whole.
    fn change_value(&mut self) {
        let places = values(&self.text);
        let Some(place) = self.one_of(&places) else { return };
        let value = self.text[place.clone()].to_vec();
        let new = match self.random.random_range(0..7) {
            0 => self.trap().as_bytes().to_vec(),
            1 => Vec::new(),
            2 => [&value, b",".as_slice(), &value].concat(),
            3 => {
                let other = self.one_of(&places).unwrap_or(place.clone());
                self.text[other].to_vec()
            }
            4 => [b"[", value.as_slice(), b"]"].concat(),
            5 => [
                b"\"",
                vec![b'x'; self.random.random_range(0..REPEATS)].as_slice(),
                b"\"",
            ]
            .concat(),
            _ => {
                let depth = self.random.random_range(1..300);
                [vec![b'['; depth], value, vec![b']'; depth]].concat()
            }
        };
        self.text.splice(place, new);
    }

    fn change_bytes(&mut self) {
        let place = self.place();
        let new = match self.random.random_range(0..8) {
            0 => Vec::new(),
            1 => self.trap().as_bytes().to_vec(),
            2 => vec![self.random.random(); 1],
            3 => vec![b"{}[]():,\"'=.@$!#\\ \n0-a"[self.random.random_range(0..22)]],
            4 => {
                let count = 1 << self.random.random_range(0..REPEATS.ilog2());
                NESTING[self.random.random_range(0..NESTING.len())]
                    .repeat(count)
                    .into_bytes()
            }
            5 => {
                let other = self.place();
                self.text[other].to_vec()
            }
            6 => {
                let other = self.corpus[self.random.random_range(0..self.corpus.len())].as_bytes();
                let start = self.random.random_range(0..=other.len());
                other[start..self.random.random_range(start..=other.len())].to_vec()
            }
            _ => {
                self.text.truncate(place.start);
                return;
            }
        };
        self.text.splice(place, new);
    }

    /// A piece of the text, mostly a short one.
    fn place(&mut self) -> Range<usize> {
        let start = self.random.random_range(0..=self.text.len());
        let rest = self.text.len() - start;
        let longest = if self.random.random_bool(0.8) {
            rest.min(8)
        } else {
            rest
        };
        start..start + self.random.random_range(0..=longest)
    }

    fn trap(&mut self) -> &'static str {
        TRAPS[self.random.random_range(0..TRAPS.len())]
    }

    fn one_of(&mut self, places: &[Range<usize>]) -> Option<Range<usize>> {
        let index = self.random.random_range(0..places.len().max(1));
        places.get(index).cloned()
    }
}

/// Where the values of a text stand that is JSON, or much like it: texts, words and numbers, and what is in brackets.
fn values(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'[' | b'(' => open.push(start),
            b'}' | b']' | b')' => found.extend(open.pop().map(|start| start..at)),
            b'"' => {
                while text.get(at).is_some_and(|byte| *byte != b'"') {
                    at += 1 + usize::from(text[at] == b'\\');
                }
                at = (at + 1).min(text.len());
                found.push(start..at);
            }
            byte if is_of_word(*byte) => {
                at += text[at..].iter().take_while(|byte| is_of_word(**byte)).count();
                found.push(start..at);
            }
            _ => {}
        }
    }
    found
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.' | b'$' | b'@')
}

#[test]
fn values_are_found_where_they_stand() {
    let text = r#"{"a": [1.5, "x\"]"], "b": null}"#;
    let found: Vec<_> = values(text.as_bytes()).into_iter().map(|place| &text[place]).collect();
    assert_eq!(
        found,
        ["\"a\"", "1.5", "\"x\\\"]\"", "[1.5, \"x\\\"]\"]", "\"b\"", "null", text]
    );
}

#[test]
fn the_same_seed_is_the_same_case_and_another_one_is_not() {
    let corpus = [r#"{"data":{"groups":[{"id":1}]}}"#];
    let text = |seed| Mutation::of(seed, &corpus).mutated();
    assert_eq!(text(3), text(3));
    let different: std::collections::BTreeSet<_> = (0..100).map(text).collect();
    assert!(different.len() > 90, "{}", different.len());
}
