//! Of what a request would have too much: the reasons for a cut.

use std::fmt;

use serde::Serialize;

use crate::plan::measure::Amount;

/// All limits that a request does not keep to, each with what the request has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excesses {
    /// The first of them.
    #[serde(flatten)]
    pub first: Amount,
    /// The others.
    pub also: Vec<Amount>,
}

impl Excesses {
    /// Those of several requests: of each limit the largest amount that is over it; `None` where nothing is.
    pub(crate) fn of(amounts: impl IntoIterator<Item = Amount>) -> Option<Self> {
        let mut largest: Vec<Amount> = Vec::new();
        for amount in amounts.into_iter().filter(Amount::is_over) {
            match largest.iter_mut().find(|one| one.kind == amount.kind) {
                Some(one) => one.has = one.has.max(amount.has),
                None => largest.push(amount),
            }
        }
        largest.sort_by_key(|amount| amount.kind);
        let mut largest = largest.into_iter();
        Some(Self {
            first: largest.next()?,
            also: largest.collect(),
        })
    }
}

/// `6120 characters of 3000 and complexity 612 of 400`
impl fmt::Display for Excesses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, also } = self;
        write!(formatter, "{first}")?;
        also.iter().try_for_each(|amount| write!(formatter, " and {amount}"))
    }
}
