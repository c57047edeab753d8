//! Pages that are smaller than a query wants them, as a request with larger ones would be more than the API takes.

use crate::plan::{Amount, Cut, CutInto, Excesses, LimitKind, Plan, SmallerPage, Target, measured};
use crate::project::QueryLimits;
use crate::run::pack::{halve_largest, most_rows, shrinkable};
use crate::run::text_limits::TextLimits;

/// Makes the sizes of first pages, by connection, so small that the first requests with them keep to what a text may ask
/// for.
pub(crate) fn keep_to_text_limits(plan: &Plan, limits: &TextLimits, first_sizes: &mut [u32]) {
    let is_over = |sizes: &[u32]| {
        let mut texts = plan.first_texts(sizes).into_iter();
        texts.any(|(_, request)| !limits.allow(|| request))
    };
    while is_over(first_sizes) && halve_largest(shrinkable(plan, first_sizes)) {}
}

/// The same for later pages of a connection.
pub(crate) fn keep_later_to_text_limits(
    plan: &Plan,
    limits: &TextLimits,
    first_sizes: &[u32],
    (index, size): (usize, u32),
) -> u32 {
    let is_over = |size: u32| {
        let mut pieces = plan.pieces_of(Target::of(Some(index), None, false), 0).into_iter();
        let request = |piece| plan.later_request(index, size, 1, first_sizes, piece);
        pieces.any(|piece| request(piece).is_some_and(|request| !limits.allow(|| request)))
    };
    let mut size = size;
    while size > 1 && is_over(size) {
        size = size.div_ceil(2);
    }
    size
}

/// The cut of which pages of these sizes come, where the query wants larger ones.
pub(crate) fn page_cut(plan: &Plan, limits: &QueryLimits, first_sizes: &[u32]) -> Option<Cut> {
    let wanted: Vec<u32> = plan.connections.iter().map(most_rows).collect();
    let nodes = limits.nodes.map(|most| Amount {
        kind: LimitKind::Nodes,
        has: nodes(plan, &wanted),
        most: most.into(),
    });
    let texts = plan.first_texts(&wanted).into_iter();
    let texts = texts.flat_map(|(_, request)| measured(limits, &request));
    // Nothing else depends on sizes.
    let complexity = texts.filter(|amount| amount.kind == LimitKind::Complexity);
    let excesses = Excesses::of(nodes.into_iter().chain(complexity))?;
    let sizes = first_sizes.iter().zip(&wanted).zip(&plan.connections);
    let smaller = sizes.filter(|((size, wanted), _)| size < wanted);
    let pages: Vec<SmallerPage> = smaller
        .map(|((size, wanted), connection)| SmallerPage {
            connection: connection.path.clone(),
            rows: *size,
            wanted: *wanted,
        })
        .collect();
    let into = CutInto::Pages { pages };
    Some(Cut { excesses, into })
}

/// Rows that the first pages of everything ask for with pages of these sizes, by connection.
fn nodes(plan: &Plan, sizes: &[u32]) -> u64 {
    let mut of_row = vec![1_u64; sizes.len()];
    let mut all = 0_u64;
    // Children stand behind their parents.
    for (index, connection) in plan.connections.iter().enumerate().rev() {
        let rows = u64::from(sizes[index]).saturating_mul(of_row[index]);
        match (connection.inline_parent(), connection.parent) {
            (Some(parent), _) => of_row[parent] = of_row[parent].saturating_add(rows),
            (None, None) => all = all.saturating_add(rows),
            (None, Some(_)) => {}
        }
    }
    all
}
