//! The name that was probably meant by one that does not exist.

/// Names are taken for a slip of the keyboard from this likeness on (Jaro-Winkler, 1 is equal).
const LIKENESS: f64 = 0.8;

/// The name that is most like `meant`, if any is like it at all.
pub fn nearest<'names>(meant: &str, names: impl IntoIterator<Item = &'names str>) -> Option<&'names str> {
    let rated = names.into_iter().map(|name| (strsim::jaro_winkler(meant, name), name));
    let alike = rated.filter(|(likeness, _)| *likeness >= LIKENESS);
    alike
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
