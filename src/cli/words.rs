//! Plans in words, as `gqldump check` and `gqldump plan` have them in common.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::output::moment;
use crate::plan::{
    AddressDescription, ConnectionDescription, Cut, CutInto, DeniedField, Each, Plan, PlanDescription, RowsOrigin,
    SaidBy, TableDescription,
};
use crate::report::counted;
use crate::run::KnownMembers;

/// What a query file is run for, once for each value.
pub(super) fn each_line(each: &Each, known: Option<&KnownMembers>) -> String {
    let values = match known {
        Some(known) => format!("{} in its run {}", counted(known.count, "value"), known.run),
        None => "it has no complete run yet".to_owned(),
    };
    let (variable, of, query) = (&each.variable, each.of(), &each.query);
    format!("runs once for each value of `{of}`, in `${variable}`, and after the query file `{query}`: {values}")
}

/// How the rows of a table are read, and why so.
pub(super) fn paging_lines(plan: &PlanDescription, table: &TableDescription) -> Vec<String> {
    let connection = match &table.rows {
        RowsOrigin::Response => return vec!["not paginated: the whole answer is the one row".to_owned()],
        RowsOrigin::List { reason } => return vec![format!("`{}`: not paginated, since {reason}", table.path)],
        RowsOrigin::Connection { connection } => plan.connections.get(*connection),
    };
    connection.map_or_else(Vec::new, connection_lines)
}

fn connection_lines(connection: &ConnectionDescription) -> Vec<String> {
    let is_cut_off = connection.address == AddressDescription::Nowhere;
    let unit = if is_cut_off { "at once" } else { "a page" };
    let size = match connection.page_size {
        Some(size) => format!("{} {unit}", counted(size.into(), "row")),
        None => format!("as many rows {unit} as the API gives"),
    };
    let most = connection
        .most_rows
        .map_or_else(String::new, |most| format!(", {} at most", counted(most.into(), "row")));
    let mut lines = vec![
        format!("`{}`: {}, {size}{most}", connection.path, connection.style),
        match connection.said_by {
            SaidBy::Schema => format!("  told by {}", connection.reason),
            SaidBy::Directive => format!("  said by @paginate: {}", connection.reason),
            SaidBy::Source => format!("  said by [[paging]]: {}", connection.reason),
        },
    ];
    lines.extend(first_page_line(connection));
    match &connection.address {
        AddressDescription::Root => {}
        AddressDescription::Nowhere => {
            lines.push("  one that comes full may be cut off: the run is then not complete, and says so".to_owned());
        }
        address => lines.push(format!("  further pages {address}")),
    }
    if let Some(argument) = &connection.order_argument {
        lines.push(format!(
            "  without `{argument}` the API may order each page anew, so that rows are missed or come twice"
        ));
    }
    lines
}

fn first_page_line(connection: &ConnectionDescription) -> Option<String> {
    let number = connection.first_page?;
    Some(match connection.assumes_first_page {
        false => format!("  pages are numbered from {number} on"),
        true => format!(
            "  pages are numbered from {number} on, it seems: if its totals show that they are not, the run is not \
             complete; @paginate(firstPage: {number}) settles it"
        ),
    })
}

/// How the requests are cut, and which limits ask for it.
pub(super) fn cut_lines<'cuts>(cuts: impl Iterator<Item = &'cuts Cut>) -> Vec<String> {
    let lines = cuts.map(|cut| match &cut.into {
        CutInto::Groups { groups } => {
            let groups = groups.iter().enumerate().map(|(index, places)| {
                let places: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
                let places = if places.is_empty() {
                    "the keys".to_owned()
                } else {
                    places.join(", ")
                };
                format!("\n    {}: {places}", index + 1)
            });
            format!("{cut}:{}", groups.collect::<String>())
        }
        CutInto::Requests { .. } | CutInto::Detached { .. } | CutInto::Apart { .. } | CutInto::Pages { .. } => {
            cut.to_string()
        }
    });
    lines.collect()
}

/// The fields that are left out, or asked for apart from others since the token may not see them in some rows.
pub(super) fn left_out_lines(plan: &Plan) -> Vec<String> {
    let lines = plan.left_out.iter().map(|left_out| {
        let DeniedField { path, cause, .. } = &left_out.field;
        let since = date_of(left_out.field.denied_at);
        format!("left out, as the token may not see it since {since}: `{path}` ({cause})")
    });
    let in_rows = plan.denied_in_rows.iter().map(|field| {
        let DeniedField { path, cause, .. } = field;
        let since = date_of(field.denied_at);
        format!("asked for apart, as the token may not see it in some rows since {since}: `{path}` ({cause})")
    });
    lines.chain(in_rows).collect()
}

/// A moment of the state.
pub(super) fn moment_of(unix_millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_millis)
}

/// The day of a moment of the state: `2026-11-20`.
pub(super) fn date_of(unix_millis: u64) -> String {
    let moment = moment(moment_of(unix_millis));
    moment.split_once('T').map_or(moment.clone(), |(day, _)| day.to_owned())
}

/// The lists that are not read page by page, those of one reason in one line.
pub(super) fn whole_list_lines(plan: &PlanDescription) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for list in &plan.lists {
        let path = format!("`{}`", list.path);
        match reasons.iter_mut().find(|(reason, _)| *reason == list.reason) {
            Some((_, paths)) => paths.push(path),
            None => reasons.push((&list.reason, vec![path])),
        }
    }
    let lines = reasons.into_iter().map(|(reason, paths)| {
        let noun = if paths.len() == 1 {
            "a list that comes"
        } else {
            "lists that come"
        };
        format!("{noun} as a whole, since {reason}: {}", paths.join(", "))
    });
    lines.collect()
}
