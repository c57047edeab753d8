//! A query turned into requests each of which the API takes, in as few cuts as that needs.
//!
//! Fields of the query root are spread over requests first, then columns are put in groups. Where that is not enough, a
//! nested connection is detached: it does not come with the rows that it stands in, but is asked for by their addresses.
//! So is one that the token may not see in single rows.

use apollo_compiler::executable::Operation;
use apollo_compiler::schema::Name;

use crate::plan::address::{no_address, no_parent};
use crate::plan::apart::{Apart, ApartField, to_set_apart};
use crate::plan::columns::Context;
use crate::plan::cuts::{Cuts, Cutter, Detached, FirstRequest, Misfit, amounts, first_requests};
use crate::plan::denied::is_left_out;
use crate::plan::each::EachVariable;
use crate::plan::excess::Excesses;
use crate::plan::in_rows::{SetApart, Way, is_found_by_holder};
use crate::plan::measure::LimitKind;
use crate::plan::outline::Outline;
use crate::plan::pieces::Pieces;
use crate::plan::report::PlanError;
use crate::plan::request::{RequestWriter, Target};
use crate::plan::route::RouteMaker;
use crate::plan::row_plan::{RowPlan, plan_rows};
use crate::plan::survey::{RowField, Survey};
use crate::plan::writer::writer;
use crate::project::QueryLimits;
use crate::schema::Pager;

/// What requests are written from that all fit.
pub(crate) struct Fitted {
    pub(crate) plans: Vec<RowPlan>,
    pub(crate) outline: Outline,
    pub(crate) writer: RequestWriter,
    pub(crate) pieces: Pieces,
    pub(crate) first_requests: Vec<FirstRequest>,
    pub(crate) detached: Detached,
    pub(crate) apart: Apart,
    /// Of what there would be too much in one request with all fields of the query root, where they are spread.
    pub(crate) spread_for: Option<Excesses>,
    /// Of what there would be too much in one request with all columns, where they are in groups.
    pub(crate) grouped_for: Option<Excesses>,
}

/// Cuts the requests of a query until each of them fits.
pub(crate) fn fit(
    context: Context<'_>,
    operation: &Operation,
    survey: &Survey,
    each: Option<&EachVariable>,
    limits: &QueryLimits,
    set_apart: &[SetApart],
) -> Result<Fitted, PlanError> {
    let mut cuts = begun(set_apart);
    loop {
        let plans = plan_rows(context, survey, &cuts)?;
        let outline = Outline::of(operation, survey, &plans, &cuts.parted);
        let maker = RouteMaker {
            context,
            operation,
            survey,
            plans: &plans,
            outline: &outline,
            detached: &cuts.detached,
            apart: &cuts.apart,
        };
        let writer = writer(maker, each, limits)?;
        refuse_unreachable(maker, &writer)?;
        let (writer, spread_for) = spread(maker, writer, limits);
        let roots = writer.roots.iter().map(|route| route.root.key.clone()).collect();
        let pieces = Pieces::whole(outline.clone(), survey, roots, &cuts);
        let cutter = Cutter {
            own_groups: own_groups(&outline, set_apart),
            writer: &writer,
            limits,
            pieces: &pieces,
            targets: targets(maker, &writer),
        };
        match cutter.groups() {
            Ok(groups) => {
                let grouped_for = cutter.excesses_of_all();
                let pieces = pieces.cut(groups);
                return Ok(Fitted {
                    first_requests: first_requests(&writer, limits, &pieces),
                    plans,
                    outline,
                    writer,
                    pieces,
                    detached: cuts.detached,
                    apart: cuts.apart,
                    spread_for,
                    grouped_for,
                });
            }
            Err(misfit) => {
                if let Some(list) = to_part(&outline, misfit) {
                    cuts.parted.insert(list);
                } else if let Some((row, excesses)) = to_detach(maker, &cutter, misfit).zip(cutter.in_all(misfit)) {
                    cuts.detached.insert(row, Some(excesses));
                } else if let Some((path, field)) = apart_for(maker, &cutter, misfit)? {
                    cuts.apart.insert(path, field);
                } else {
                    return Err(cutter.refusal(context, survey, misfit));
                }
            }
        }
    }
}

/// The cuts to begin with: fields and connections that are asked for by their rows, whatever limits say.
fn begun(set_apart: &[SetApart]) -> Cuts {
    let mut cuts = Cuts::default();
    for (_, way) in set_apart {
        match way {
            Way::Row(path, row) => {
                let field = ApartField {
                    row: *row,
                    cut_for: None,
                };
                cuts.apart.insert(path.clone(), field);
            }
            Way::Connection(row) => {
                cuts.detached.insert(*row, None);
            }
            Way::Group => {}
        }
    }
    cuts
}

/// The atoms of each field that is asked for in a group of its own, whatever limits say: also of one that is asked for by
/// its rows, since its null takes along what else is asked of a row in the same request.
fn own_groups(outline: &Outline, set_apart: &[SetApart]) -> Vec<Vec<usize>> {
    let atoms_in = |path: &[Name]| -> Vec<usize> {
        let is_in = |atom: &usize| {
            let mut nodes = outline.atoms[*atom].iter();
            nodes.any(|node| outline.nodes[*node].path.starts_with(path))
        };
        (0..outline.atoms.len()).filter(is_in).collect()
    };
    let columns = set_apart.iter().filter(|(_, way)| !matches!(way, Way::Connection(_)));
    columns
        .map(|(path, _)| atoms_in(path))
        .filter(|atoms| !atoms.is_empty())
        .collect()
}

/// All that slots of requests can be for; a later page has no less than a first one.
fn targets(maker: RouteMaker<'_>, writer: &RequestWriter) -> Vec<Target> {
    let roots = (0..writer.roots.len()).map(|root| Target::Root { root });
    let start = writer.roots.is_empty().then_some(Target::Start);
    let rows = maker.survey.rows.iter().enumerate();
    let asked = rows.filter(|(row, field)| {
        let goes_on = |pager: &Pager| !matches!(pager, Pager::Capped { .. });
        let is_paged = field.paged().is_some_and(|paged| goes_on(&paged.paged.pager));
        is_paged || maker.detached.contains_key(row)
    });
    let pages = asked.filter_map(|(row, _)| {
        Some(Target::Page {
            connection: maker.connection(row)?,
            is_first: false,
        })
    });
    let pages = pages.filter(|page| writer.can_reach(*page));
    let lone_rows = writer.lone_rows.keys().map(|row| Target::Row { row: *row });
    start.into_iter().chain(roots).chain(pages).chain(lone_rows).collect()
}

/// Fields of the query root that are too much for one request are asked for by themselves, where there are several.
fn spread(maker: RouteMaker<'_>, writer: RequestWriter, limits: &QueryLimits) -> (RequestWriter, Option<Excesses>) {
    let excess = match writer.member {
        Some(_) => None,
        None => Excesses::of(amounts(&writer, limits, &[Target::Start], None)),
    };
    let roots = match excess {
        Some(_) => maker.roots(),
        None => Vec::new(),
    };
    match roots.len() {
        0 | 1 => (writer, None),
        _ => (RequestWriter { roots, ..writer }, excess),
    }
}

/// The plain list whose items are to be asked for in groups: one that is too much by itself. Cutting it makes nothing less
/// deep.
fn to_part(outline: &Outline, misfit: Misfit) -> Option<Vec<Name>> {
    match misfit {
        Misfit::Atom(atom, excess) if excess.amount.kind != LimitKind::Depth => {
            outline.list_of(atom).map(<[Name]>::to_vec)
        }
        Misfit::Atom(..) | Misfit::Base(_) => None,
    }
}

/// The field that is to be asked for by its rows, since an atom in it is too much with them.
fn apart_for(
    maker: RouteMaker<'_>,
    cutter: &Cutter<'_>,
    misfit: Misfit,
) -> Result<Option<(Vec<Name>, ApartField)>, PlanError> {
    let Misfit::Atom(atom, excess) = misfit else {
        return Ok(None);
    };
    if matches!(excess.target, Target::Row { .. }) {
        return Ok(None);
    }
    let found = to_set_apart(maker.context, maker.survey, maker.plans, maker.outline, atom)?;
    Ok(found.map(|(path, row)| {
        let cut_for = cutter.in_all(misfit);
        (path, ApartField { row, cut_for })
    }))
}

/// The connection to be detached of those that can be asked for by the rows that hold them: the outermost that is too
/// much by itself, so that what is nested in it comes with it, or else the deepest.
fn to_detach(maker: RouteMaker<'_>, cutter: &Cutter<'_>, misfit: Misfit) -> Option<usize> {
    let pieces = cutter.pieces;
    let (excess, atom) = match misfit {
        Misfit::Base(excess) => (excess, None),
        Misfit::Atom(atom, excess) => (excess, Some(atom)),
    };
    let holds_atom = |path: &[Name]| atom.is_none_or(|atom| pieces.is_atom_in(atom, path));
    let rows = maker.survey.rows.iter().enumerate();
    let is_candidate = |(row, field): &(usize, &RowField)| {
        let is_asked = field.field().is_some_and(|field| !is_left_out(&field.field.directives));
        let is_found = is_asked && is_found_by_holder(maker.survey, maker.plans, *row);
        is_found && pieces.comes_with_others(*row, excess.target) && holds_atom(&field.path)
    };
    let mut candidates: Vec<(usize, &RowField)> = rows.filter(is_candidate).collect();
    candidates.sort_by_key(|(_, field)| field.path.len());
    let mut too_much = candidates
        .iter()
        .filter(|(row, _)| !cutter.fits_alone(*row, excess.target));
    let chosen = too_much.next().or(candidates.last());
    chosen.map(|(row, _)| *row)
}

/// Refuses connections whose later pages there is no way to.
fn refuse_unreachable(maker: RouteMaker<'_>, writer: &RequestWriter) -> Result<(), PlanError> {
    for (index, row) in maker.survey.rows.iter().enumerate() {
        let (Some(connection), Some(paged)) = (maker.connection(index), row.paged()) else {
            continue;
        };
        if matches!(paged.paged.pager, Pager::Reverse { .. }) && maker.later_route(index).is_none() {
            return Err(no_parent(maker.context, row));
        }
        let needs_way = !matches!(paged.paged.pager, Pager::Capped { .. });
        let later = Target::Page {
            connection,
            is_first: false,
        };
        if needs_way && !writer.can_reach(later) {
            let mut barrier = row.parent.unwrap_or(index);
            // The outermost row above that there is no way to says it best.
            while let Some(parent) = maker.survey.rows[barrier]
                .parent
                .filter(|_| maker.plans[barrier].address.is_some())
            {
                barrier = parent;
            }
            return Err(no_address(maker.context, &maker.survey.rows[barrier], row));
        }
    }
    Ok(())
}
