//! Places in a response: response keys, with dots and without positions in lists.

/// Whether a place is another one or stands in it.
pub(crate) fn stands_in(place: &str, outer: &str) -> bool {
    let rest = place.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
