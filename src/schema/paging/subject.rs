//! A field under examination: what its hints say, and for what they leave out, what its names tell.

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::ExtendedType;

use crate::schema::introspection::value as literal_value;
use crate::schema::paging::answer::Answer;
use crate::schema::paging::arguments::Arguments;
use crate::schema::paging::first_page::{ASSUMED, told_first_page};
use crate::schema::paging::hints::PagingHints;
use crate::schema::paging::names::{is_cursor, is_flag, is_number};
use crate::schema::paging::path::{ArgumentPath, FieldPath, dotted, read_argument, read_field, read_input};
use crate::schema::paging::reason::reason;
use crate::schema::paging::style::StyleHint;
use crate::schema::paging::{PagedField, Pager};

/// A field under examination.
pub(super) struct Subject<'schema> {
    pub(super) schema: &'schema Schema,
    pub(super) field: &'schema FieldDefinition,
    pub(super) hints: &'schema PagingHints,
    pub(super) arguments: Arguments<'schema>,
    pub(super) answer: Answer<'schema>,
    said: Said,
}

/// The hints' paths, as they exist in the schema. An empty one stands for a number that is not to be used.
struct Said {
    size: Option<ArgumentPath>,
    cursor: Option<ArgumentPath>,
    page: Option<ArgumentPath>,
    offset: Option<ArgumentPath>,
    items: Option<FieldPath>,
    has_next: Option<FieldPath>,
    end_cursor: Option<FieldPath>,
    total: Option<FieldPath>,
    page_count: Option<FieldPath>,
    order: Option<(ArgumentPath, String)>,
}

impl<'schema> Subject<'schema> {
    /// Fails where a hint names what does not exist.
    pub(super) fn new(
        schema: &'schema Schema,
        field: &'schema FieldDefinition,
        hints: &'schema PagingHints,
    ) -> Result<Self, String> {
        let answer = Answer::of(schema, field);
        Ok(Self {
            schema,
            field,
            hints,
            arguments: Arguments::of(schema, field, &answer),
            answer,
            said: Said::read(schema, field, hints)?,
        })
    }

    /// Whether the style is given, so that only its parts are to be found.
    pub(super) fn is_given(&self) -> bool {
        self.hints.style.is_some()
    }

    pub(super) fn cursor(&self) -> Result<ArgumentPath, String> {
        let found = self.said.cursor.clone().or_else(|| self.arguments.cursor());
        found.ok_or_else(|| self.lacks("an argument for the cursor", "cursorArgument"))
    }

    pub(super) fn page(&self) -> Result<ArgumentPath, String> {
        let found = self.said.page.clone().or_else(|| self.arguments.page());
        found.ok_or_else(|| self.lacks("an argument for the page number", "pageArgument"))
    }

    /// The number of the first page, where the hints or the schema tell it.
    pub(super) fn told_first_page(&self, page: &ArgumentPath) -> Option<u64> {
        let told = || told_first_page(self.schema, self.field, page);
        self.hints.first_page.or_else(told)
    }

    /// The same, or what is assumed where a number of pages or of rows shows whether that is right.
    pub(super) fn first_page(&self, page: &ArgumentPath, page_count: Option<&FieldPath>) -> Result<u64, String> {
        let is_shown = page_count.is_some() || self.total().is_some();
        let assumed = || is_shown.then_some(ASSUMED);
        let found = self.told_first_page(page).or_else(assumed);
        found.ok_or_else(|| {
            format!(
                "{} needs the number of the first page, and nothing tells that of `{}`: add `firstPage: {ASSUMED}`, or \
                 the number that it has",
                self.style_name(),
                self.field.name
            )
        })
    }

    pub(super) fn offset(&self) -> Result<ArgumentPath, String> {
        let found = self.said.offset.clone().or_else(|| self.arguments.offset());
        found.ok_or_else(|| self.lacks("an argument for the number of rows to leave out", "offsetArgument"))
    }

    pub(super) fn size(&self) -> Option<ArgumentPath> {
        self.said.size.clone().or_else(|| self.arguments.size())
    }

    pub(super) fn page_size(&self) -> Option<ArgumentPath> {
        self.said.size.clone().or_else(|| self.arguments.page_size())
    }

    /// The ways to the rows. Different lists are such ways only where the style is given.
    pub(super) fn items(&self) -> Result<Vec<FieldPath>, String> {
        if let Some(said) = &self.said.items {
            return Ok(vec![said.clone()]);
        }
        let items = self.answer.items.clone();
        match items.is_empty() || (self.answer.is_ambiguous && !self.is_given()) {
            true => Err(self.lacks("one list of objects in the value", "items")),
            false => Ok(items),
        }
    }

    pub(super) fn said_has_next(&self) -> Option<FieldPath> {
        self.said.has_next.clone()
    }

    pub(super) fn said_end_cursor(&self) -> Option<FieldPath> {
        self.said.end_cursor.clone()
    }

    pub(super) fn has_next(&self) -> Option<FieldPath> {
        self.said_has_next().or_else(|| self.answer.has_next())
    }

    pub(super) fn loose_has_next(&self) -> Option<FieldPath> {
        self.said_has_next().or_else(|| self.answer.loose_has_next())
    }

    pub(super) fn total(&self) -> Option<FieldPath> {
        usable(&self.said.total, || self.answer.total())
    }

    pub(super) fn page_count(&self) -> Option<FieldPath> {
        usable(&self.said.page_count, || self.answer.page_count())
    }

    /// The outcome, once everything is found.
    pub(super) fn paged(&self, pager: Pager, items: Vec<FieldPath>, size: Option<ArgumentPath>) -> PagedField {
        let total = self.total();
        let mut reason = reason(&pager, size.as_ref(), total.as_ref(), self.answer.is_list());
        if let Some(offset) = self.arguments.offset().filter(|_| counts_pages(&pager)) {
            reason += &format!(", so pages rather than `{offset}`");
        }
        PagedField {
            items,
            size,
            order: self.said.order.clone(),
            total,
            lost_cursor: self.hints.lost_cursor.clone(),
            is_moving: self.hints.moving == Some(true),
            doubts_empty: self.hints.doubt_empty == Some(true),
            assumes_first_page: pager.first_page().is_some()
                && pager
                    .argument()
                    .is_some_and(|page| self.told_first_page(page).is_none()),
            reason,
            pager,
        }
    }

    fn style_name(&self) -> &'static str {
        let style = self.hints.implied_style();
        style.map_or("its pagination", |style| style.name())
    }

    /// That something is not there, and by which hint it can be named.
    pub(super) fn lacks(&self, what: &str, hint: &str) -> String {
        let (style, field) = (self.style_name(), &self.field.name);
        format!("{style} needs {what}, and `{field}` shows none: name it by `{hint}`, or choose another style")
    }
}

fn counts_pages(pager: &Pager) -> bool {
    matches!(
        pager,
        Pager::PageTotals {
            page_count: Some(_),
            ..
        }
    )
}

fn usable(said: &Option<FieldPath>, found: impl Fn() -> Option<FieldPath>) -> Option<FieldPath> {
    match said {
        Some(path) => Some(path.clone()).filter(|path| !path.is_empty()),
        None => found(),
    }
}

impl Said {
    fn read(schema: &Schema, field: &FieldDefinition, hints: &PagingHints) -> Result<Self, String> {
        let argument = |hint: &str, text: &Option<String>| {
            let read = text.as_deref().map(|text| read_argument(schema, field, text));
            read.transpose().map_err(|error| format!("`{hint}`: {error}"))
        };
        let value = |hint: &str, text: &Option<String>, kind| {
            let read = text.as_deref().map(|text| read_value(schema, field, text, kind));
            read.transpose().map_err(|error| format!("`{hint}`: {error}"))
        };
        // The cursor of a moving one is an argument of another field.
        let moves = hints.implied_style() == Some(StyleHint::MovingCursor);
        let cursor = hints.cursor_argument.clone().filter(|_| !moves);
        let items = hints.items.as_deref().map(|text| read_items(schema, field, text));
        Ok(Self {
            size: argument("sizeArgument", &hints.size_argument)?,
            cursor: argument("cursorArgument", &cursor)?,
            page: argument("pageArgument", &hints.page_argument)?,
            offset: argument("offsetArgument", &hints.offset_argument)?,
            items: items.transpose().map_err(|error| format!("`items`: {error}"))?,
            has_next: value("hasNext", &hints.has_next, Kind::Flag)?,
            end_cursor: value("endCursor", &hints.end_cursor, Kind::Cursor)?,
            total: value("total", &hints.total, Kind::Number)?,
            page_count: value("pageCount", &hints.page_count, Kind::Number)?,
            order: hints
                .order
                .as_deref()
                .map(|text| read_order(schema, field, text))
                .transpose()?,
        })
    }
}

/// Reads `orderBy: id`.
fn read_order(schema: &Schema, field: &FieldDefinition, text: &str) -> Result<(ArgumentPath, String), String> {
    let parts = text.split_once(':');
    let parts = parts.map(|(path, literal)| (path.trim(), literal.trim()));
    let Some((path, literal)) = parts.filter(|(_, literal)| literal_value(literal).is_some()) else {
        return Err(format!(
            "`order`: `{text}` is no argument with its value; write both as in a query: `orderBy: id`"
        ));
    };
    let path = read_input(schema, field, path).map_err(|error| format!("`order`: {error}"))?;
    Ok((path, literal.to_owned()))
}

/// What a value has to be for its part.
#[derive(Clone, Copy)]
enum Kind {
    Flag,
    Cursor,
    Number,
}

fn read_value(schema: &Schema, field: &FieldDefinition, text: &str, kind: Kind) -> Result<FieldPath, String> {
    if text.is_empty() && matches!(kind, Kind::Number) {
        return Ok(FieldPath::new());
    }
    let (path, steps) = read_field(schema, field, text)?;
    let Some(last) = steps.last() else {
        return Ok(path);
    };
    if field.ty.is_list() || steps.iter().any(|step| step.ty.is_list()) {
        return Err(format!(
            "`{text}` stands in a list; name a value that is there once for the page"
        ));
    }
    let (fits, expected) = match kind {
        Kind::Flag => (is_flag(schema, &last.ty), "a `Boolean`"),
        Kind::Cursor => (is_cursor(schema, &last.ty), "a cursor"),
        Kind::Number => (is_number(schema, &last.ty), "a number"),
    };
    match fits {
        true => Ok(path),
        false => Err(format!("`{text}` is `{}`; name {expected}", last.ty)),
    }
}

fn read_items(schema: &Schema, field: &FieldDefinition, text: &str) -> Result<FieldPath, String> {
    let (path, steps) = read_field(schema, field, text)?;
    let types = std::iter::once(&field.ty).chain(steps.iter().map(|step| &step.ty));
    let list_count = types.filter(|ty| ty.is_list()).count();
    let item = steps.last().copied().unwrap_or(field).ty.inner_named_type();
    let is_leaf = schema.types.get(item).is_some_and(ExtendedType::is_leaf);
    match (list_count, is_leaf) {
        (1, false) => Ok(path),
        (1, true) => Err(format!("`{}` holds no objects; name a list of objects", dotted(&path))),
        (0, _) => Err(format!("`{}` is no list; name a list of objects", dotted(&path))),
        _ => Err(format!(
            "`{}` is a list of lists; name a list of objects",
            dotted(&path)
        )),
    }
}
