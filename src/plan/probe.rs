//! One small request that asks how many rows there are, so that one knows beforehand what an export will take.

use std::collections::BTreeMap;

use serde_json::Value as JsonValue;

use crate::plan::measure::{Amount, measured};
use crate::plan::report::PlanError;
use crate::plan::request::{Ask, RequestText, RequestWriter};
use crate::plan::route::RouteMaker;
use crate::plan::table::AncestorRole;
use crate::plan::text::Token;
use crate::plan::writer::with_own_variables;
use crate::project::QueryLimits;

/// A request for the totals of the outermost connections that have one.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What is sent.
    pub request: RequestText,
    /// The connections whose totals it asks for, each with the place of its total in the `data` of the answer.
    totals: Vec<(usize, Vec<String>)>,
}

impl Probe {
    /// The totals in an answer's `data`, each with the index of its connection.
    pub fn totals(&self, data: &JsonValue) -> Vec<(usize, u64)> {
        let at = |path: &[String]| path.iter().try_fold(data, |value, key| value.get(key));
        let total = |(connection, path): &(usize, Vec<String>)| Some((*connection, at(path)?.as_u64()?));
        self.totals.iter().filter_map(total).collect()
    }
}

/// The request for as many totals as the limits allow, the first ones; `None` where no outermost connection has one, or
/// where there is one for each value of a variable.
pub(crate) fn probe(
    maker: RouteMaker<'_>,
    is_run_for_each: bool,
    limits: &QueryLimits,
) -> Result<Option<Probe>, PlanError> {
    let totals = totals(maker);
    if is_run_for_each {
        return Ok(None);
    }
    for asked in (1..=totals.len()).rev() {
        let request = request(maker, &totals[..asked])?;
        if !measured(limits, &request).iter().any(Amount::is_over) {
            let totals = totals.into_iter().take(asked);
            let totals = totals.map(|total| (total.connection, total.path)).collect();
            return Ok(Some(Probe { request, totals }));
        }
    }
    Ok(None)
}

/// A total that can be asked for.
struct Total {
    connection: usize,
    path: Vec<String>,
    /// The way to it from the query root.
    tokens: Vec<Token>,
}

fn totals(maker: RouteMaker<'_>) -> Vec<Total> {
    let mut totals = Vec::new();
    for (row, field) in maker.survey.rows.iter().enumerate() {
        let total = field.paged().and_then(|paged| paged.paged.total.as_ref());
        let (Some(total), Some(connection), Some(tokens)) = (total, maker.connection(row), maker.total_route(row))
        else {
            continue;
        };
        let path = field.path.iter().chain(total).map(ToString::to_string).collect();
        totals.push(Total {
            connection,
            path,
            tokens,
        });
    }
    totals
}

fn request(maker: RouteMaker<'_>, totals: &[Total]) -> Result<RequestText, PlanError> {
    let writer = RequestWriter {
        head: "query".to_owned(),
        directives: Vec::new(),
        start: totals.iter().flat_map(|total| total.tokens.clone()).collect(),
        start_role: AncestorRole::Ignored,
        routes: Vec::new(),
        bodies: Vec::new(),
        shares_bodies: false,
        own: BTreeMap::new(),
        roots: Vec::new(),
        mixes_members: true,
        member: None,
        lone_rows: BTreeMap::new(),
    };
    let writer = with_own_variables(maker.context, writer, maker.operation)?;
    let everything = Ask {
        connection: None,
        size: 1,
        position: None,
        parent: None,
        address: &[],
        root: None,
        member: None,
    };
    Ok(writer.write(&[everything], &[], None))
}
