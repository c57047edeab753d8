//! Which fields of a query an API means that names them in words, or by their place in the text that it was sent.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Document, Field, Selection};

use crate::plan::place::stands_in;

/// A field that is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelectedField {
    /// The type on which it is selected.
    pub(crate) ty: String,
    pub(crate) name: String,
    /// Whether the schema says that it is never null.
    pub(crate) is_never_null: bool,
    pub(crate) is_list: bool,
}

/// The fields that are selected, by their places in the response, with dots.
pub(crate) type Selected = BTreeMap<String, SelectedField>;

/// A name in a text.
struct Word<'text> {
    text: &'text str,
    /// It is quoted, or stands behind the word "field".
    is_marked: bool,
}

/// The places of the fields that a text names: all those of a type that it names with the field (`Finding.secret`), else the
/// one of a name that it quotes, or calls a field; none where that may be one of several.
pub(crate) fn named_places<'selected>(selected: &'selected Selected, text: &str) -> BTreeSet<&'selected str> {
    let words = words(text);
    let qualified: BTreeSet<&str> = words
        .iter()
        .flat_map(|word| of_qualified(selected, word.text))
        .collect();
    if !qualified.is_empty() {
        return qualified;
    }
    let is_type = |ty: &str| words.iter().any(|word| word.text == ty);
    let names_type = selected.values().any(|field| is_type(&field.ty));
    let marked = words.iter().filter(|word| word.is_marked);
    let of_name = marked.flat_map(|word| {
        let is_it = |(place, field): &(&String, &SelectedField)| {
            let key = place.rsplit('.').next();
            (field.name == word.text || key == Some(word.text)) && (!names_type || is_type(&field.ty))
        };
        selected
            .iter()
            .filter(is_it)
            .map(|(place, _)| place.as_str())
            .collect::<Vec<_>>()
    });
    let places: BTreeSet<&str> = of_name.collect();
    match places.len() == 1 || names_type {
        true => places,
        false => BTreeSet::new(),
    }
}

/// The same places, with that of an object in the place of all that is selected of it, unless it holds rows.
pub(crate) fn gathered(selected: &Selected, places: Vec<String>, rows: &[&str]) -> Vec<String> {
    let mut gathered: BTreeSet<String> = places.into_iter().collect();
    loop {
        let above = gathered.iter().filter_map(|place| Some(place.rsplit_once('.')?.0));
        let is_within = |place: &str, outer: &str| place != outer && stands_in(place, outer);
        let is_whole = |outer: &&str| {
            let holds_rows = rows.iter().any(|row| stands_in(row, outer));
            let mut leaves = selected.keys().filter(|place| is_within(place, outer));
            let is_in = |place: &&String| {
                let is_leaf = !selected.keys().any(|other| is_within(other, place));
                !is_leaf || gathered.iter().any(|one| stands_in(place, one))
            };
            !holds_rows && leaves.all(|place| is_in(&place))
        };
        let Some(outer) = above
            .filter(|outer| selected.contains_key(*outer))
            .find(is_whole)
            .map(str::to_owned)
        else {
            return gathered.into_iter().collect();
        };
        gathered.retain(|place| !is_within(place, &outer));
        gathered.insert(outer);
    }
}

/// The places that a name with a dot in it means: those of a type's field, or the one whose end it is.
fn of_qualified<'selected>(selected: &'selected Selected, word: &str) -> Vec<&'selected str> {
    let Some((above, name)) = word.rsplit_once('.') else {
        return Vec::new();
    };
    let ty = above.rsplit('.').next().unwrap_or(above);
    let of_type = selected
        .iter()
        .filter(|(_, field)| field.ty == ty && field.name == name);
    let of_type: Vec<&str> = of_type.map(|(place, _)| place.as_str()).collect();
    if !of_type.is_empty() {
        return of_type;
    }
    let is_end = |place: &&str| {
        place
            .strip_suffix(word)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let ends: Vec<&str> = selected.keys().map(String::as_str).filter(is_end).collect();
    match ends.len() {
        1 => ends,
        _ => Vec::new(),
    }
}

fn words(text: &str) -> Vec<Word<'_>> {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
    let is_quote = |character: char| matches!(character, '\'' | '"' | '`' | '‘' | '’' | '“' | '”' | '«' | '»');
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_of_name) {
        let before = rest[..start].chars().next_back();
        let (_, from) = rest.split_at(start);
        let end = from.find(|character| !is_of_name(character)).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        let is_quoted = before.is_some_and(is_quote) && behind.starts_with(is_quote);
        let is_called = words.last().is_some_and(|last| last.text.eq_ignore_ascii_case("field"));
        words.push(Word {
            text: word.trim_matches('.'),
            is_marked: is_quoted || is_called,
        });
        rest = behind;
    }
    words
}

/// The response keys that lead to the field which begins at a line and a column of a request's text, both from 1.
pub(crate) fn field_at(text: &str, line: u64, column: u64) -> Option<Vec<String>> {
    let line = usize::try_from(line.checked_sub(1)?).ok()?;
    let column = usize::try_from(column.checked_sub(1)?).ok()?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let of_line = text.get(before..)?.split('\n').next()?;
    let (within, _) = of_line.char_indices().nth(column)?;
    let document = Document::parse(text, "request.graphql").ok()?;
    let finder = Finder {
        document: &document,
        offset: before + within,
    };
    let operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::OperationDefinition(operation) => Some(&operation.selection_set),
        _ => None,
    });
    operations.into_iter().find_map(|set| finder.find(set, &[]))
}

struct Finder<'text> {
    document: &'text Document,
    offset: usize,
}

impl Finder<'_> {
    fn find(&self, set: &[Selection], above: &[String]) -> Option<Vec<String>> {
        set.iter().find_map(|selection| match selection {
            Selection::Field(field) => self.find_in(field, above),
            Selection::InlineFragment(inline) => self.find(&inline.selection_set, above),
            Selection::FragmentSpread(spread) => {
                let fragment = self
                    .document
                    .definitions
                    .iter()
                    .find_map(|definition| match definition {
                        Definition::FragmentDefinition(fragment) if fragment.name == spread.fragment_name => {
                            Some(fragment)
                        }
                        _ => None,
                    });
                self.find(&fragment?.selection_set, above)
            }
        })
    }

    fn find_in(&self, field: &Node<Field>, above: &[String]) -> Option<Vec<String>> {
        let path = [above, &[field.response_name().to_string()]].concat();
        match field.location()?.offset() == self.offset {
            true => Some(path),
            false => self.find(&field.selection_set, &path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected() -> Selected {
        let fields = [
            ("groups", "Query", "groups"),
            ("groups.nodes.name", "Group", "name"),
            ("groups.nodes.hidden", "Group", "secret"),
            ("groups.nodes.findings.nodes.name", "Finding", "name"),
            ("groups.nodes.findings.nodes.secret", "Finding", "secret"),
            ("groups.nodes.findings.nodes.again", "Finding", "secret"),
            ("groups.nodes.findings.nodes.weight", "Finding", "weight"),
        ];
        let field = |(place, ty, name): (&str, &str, &str)| {
            let (ty, name) = (ty.to_owned(), name.to_owned());
            let field = SelectedField {
                is_list: false,
                ty,
                name,
                is_never_null: false,
            };
            (place.to_owned(), field)
        };
        fields.map(field).into_iter().collect()
    }

    fn named(text: &str) -> Vec<String> {
        let selected = selected();
        let places = named_places(&selected, text).into_iter();
        places
            .map(|place| place.replace("groups.nodes.", "").replace("findings.nodes.", ""))
            .collect()
    }

    #[test]
    fn an_object_stands_for_all_that_is_selected_of_it_unless_it_holds_rows() {
        let selected: Selected = [
            "a",
            "a.nodes",
            "a.nodes.id",
            "a.nodes.b",
            "a.nodes.b.c",
            "a.nodes.b.d",
            "a.nodes.b.d.e",
        ]
        .into_iter()
        .map(|place| {
            let field = SelectedField {
                is_list: false,
                ty: String::new(),
                name: String::new(),
                is_never_null: false,
            };
            (place.to_owned(), field)
        })
        .collect();
        let gathered = |places: &[&str]| {
            let places = places.iter().map(ToString::to_string).collect();
            gathered(&selected, places, &["a", "a.nodes"])
        };
        assert_eq!(gathered(&["a.nodes.b.d.e"]), ["a.nodes.b.d"]);
        assert_eq!(gathered(&["a.nodes.b.d.e", "a.nodes.b.c"]), ["a.nodes.b"]);
        assert_eq!(
            gathered(&["a.nodes.b.d.e", "a.nodes.b.c", "a.nodes.id"]),
            ["a.nodes.b", "a.nodes.id"]
        );
    }

    #[test]
    fn a_field_of_a_type_is_all_of_its_kind_and_a_quoted_name_has_to_be_of_one() {
        for (text, expected) in [
            (
                "You do not have permission to access Finding.secret.",
                &["again", "secret"][..],
            ),
            (
                "Field 'secret' on type 'Finding' is not authorized",
                &["again", "secret"],
            ),
            ("Not authorized for `Group.secret`", &["hidden"]),
            ("Not authorized: field weight", &["weight"]),
            ("Access denied: \"weight\"!", &["weight"]),
            ("Access denied: groups.nodes.hidden", &["hidden"]),
            ("Access denied: `hidden`", &["hidden"]),
            ("Field 'secret' is not authorized", &[]),
            ("Field 'name' is not authorized", &[]),
            ("You have not the weight to see this name, group or secret", &[]),
            ("Not authorized for Group.other or Nothing.weight", &[]),
            ("'weight' or 'hidden' is forbidden", &[]),
            ("It's not authorized", &[]),
            ("...", &[]),
            ("", &[]),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn a_place_in_a_text_is_the_field_that_begins_there() {
        let text =
            "query($a:String=\"é\"){t0:group(id:$a){...F0}\nother{...on X{deep}}}fragment F0 on G{nodes{secret}}";
        let at = |part: &str| {
            let offset = text.find(part).unwrap();
            let line = text[..offset].matches('\n').count();
            let column = text[..offset].chars().rev().take_while(|one| *one != '\n').count();
            field_at(text, line as u64 + 1, column as u64 + 1).map(|path| path.join("."))
        };
        assert_eq!(at("secret").as_deref(), Some("t0.nodes.secret"));
        assert_eq!(at("t0:").as_deref(), Some("t0"));
        assert_eq!(at("deep").as_deref(), Some("other.deep"));
        assert_eq!(at("ecret"), None);
        assert_eq!(
            (field_at(text, 0, 1), field_at(text, 9, 1), field_at(text, 1, 999)),
            (None, None, None)
        );
        assert_eq!(field_at("{", 1, 1), None);
    }
}
