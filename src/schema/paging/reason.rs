//! Why a field is taken for a style, in words.

use crate::schema::paging::path::{FieldPath, dotted};
use crate::schema::paging::{ArgumentPath, Pager};

/// `` `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor` ``
pub(super) fn reason(pager: &Pager, size: Option<&ArgumentPath>, total: Option<&FieldPath>, is_list: bool) -> String {
    let arguments = size.into_iter().chain(pager.argument()).map(ToString::to_string);
    let arguments = joined(arguments);
    let ends = ends(pager, total, is_list);
    match arguments.is_empty() {
        true => ends,
        false => format!("{arguments}, and {ends}"),
    }
}

fn ends(pager: &Pager, total: Option<&FieldPath>, is_list: bool) -> String {
    match pager {
        Pager::MovingCursor {
            next_field,
            cursor,
            end_cursor,
            ..
        } => {
            let end_cursor = dotted(end_cursor);
            return format!("`{end_cursor}`, which the root field `{next_field}` takes as `{cursor}`");
        }
        Pager::Keyset { key, .. } => return format!("rows ordered by `{key}`"),
        Pager::Capped { .. } => return "no way to ask for more".to_owned(),
        Pager::Reverse { next_field, parent, .. } => {
            return format!("where it is full, the root field `{next_field}` by its `{parent}`");
        }
        _ => {}
    }
    let evidence: Vec<&FieldPath> = match pager.evidence() {
        none if none.is_empty() => total.into_iter().collect(),
        some => some,
    };
    match (evidence.is_empty(), is_list) {
        (false, _) => values(&evidence),
        (true, true) => "a bare list".to_owned(),
        (true, false) => "nothing that says how many rows there are".to_owned(),
    }
}

/// Paths, those inside one object told together.
fn values(paths: &[&FieldPath]) -> String {
    let holder = paths.first().and_then(|path| path.split_last()).map(|(_, above)| above);
    let together = holder.filter(|holder| {
        let is_inside = |path: &&FieldPath| path.split_last().is_some_and(|(_, above)| above == *holder);
        !holder.is_empty() && paths.len() > 1 && paths.iter().all(is_inside)
    });
    let Some(holder) = together else {
        return joined(paths.iter().map(|path| dotted(path)));
    };
    let names = paths.iter().filter_map(|path| path.last()).map(ToString::to_string);
    format!("`{}` with {}", dotted(holder), joined(names))
}

fn joined(names: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(" and ")
}
