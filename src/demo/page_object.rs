//! One page of a list as the GraphQL objects that its shape makes of it.

use std::cell::Cell;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use crate::demo::log::{ServedPage, ServedRow};
use crate::demo::pager::{Page, Pager};
use crate::demo::resolver::{DataObject, Execution, result_type};
use crate::demo::shape::{Part, Role, path_below};

/// One page of a list.
pub(crate) struct PageAnswer<'r> {
    pager: Pager<'r>,
    page: Page,
    /// Whether its rows were already counted: they may be asked for in several fields.
    is_counted: Cell<bool>,
    execution: &'r Execution<'r>,
}

/// The object that a page is.
pub(crate) struct PageObject<'r> {
    type_name: &'r str,
    answer: PageAnswer<'r>,
}

/// An object within a page.
struct PartObject<'r> {
    type_name: &'r str,
    answer: &'r PageAnswer<'r>,
    path: String,
    /// The row that it is about; none where it is about the page.
    row: Option<u64>,
}

impl<'r> PageAnswer<'r> {
    pub(crate) fn new(pager: Pager<'r>, page: Page, execution: &'r Execution<'r>) -> Self {
        Self {
            pager,
            page,
            is_counted: Cell::new(false),
            execution,
        }
    }

    /// The rows, for a field that is the list itself.
    pub(crate) fn into_list<'a>(self) -> ResolvedValue<'a>
    where
        'r: 'a,
    {
        self.count_rows();
        let null_every = self.pager.rules.traps.null_every;
        let is_null = |row: &u64| null_every.is_some_and(|every| (row + 1).is_multiple_of(every));
        let rows = self.page.rows.iter();
        let instances: Vec<_> = rows
            .map(|row| self.pager.connection.row(*row).filter(|_| !is_null(row)))
            .collect();
        let execution = self.execution;
        let objects = instances
            .into_iter()
            .map(move |row| ResolvedValue::nullable_object(row.map(|row| DataObject::new(row, execution))));
        ResolvedValue::list(objects)
    }

    fn count_rows(&self) {
        if self.is_counted.replace(true) {
            return;
        }
        let connection = &self.pager.connection;
        let served = |position: &u64| {
            let row = connection.row(*position)?;
            Some(ServedRow {
                ty: row.ty().name().to_owned(),
                index: row.index(),
                position: connection.unmoved(*position),
            })
        };
        self.execution.note_served(ServedPage {
            connection: connection.identity(),
            rows: self.page.rows.iter().filter_map(served).collect(),
        });
    }

    fn object<'a>(&'a self, row: u64) -> ResolvedValue<'a> {
        let instance = self.pager.connection.row(row);
        ResolvedValue::nullable_object(instance.map(|instance| DataObject::new(instance, self.execution)))
    }

    /// What a field of the page holds; `path` is where it stands, and `row` the row that it is about.
    fn value<'a>(&'a self, role: Role, path: String, row: Option<u64>, type_name: &'a str) -> ResolvedValue<'a> {
        let page = &self.page;
        match role {
            Role::Items => {
                self.count_rows();
                ResolvedValue::list(page.rows.iter().map(|row| self.object(*row)))
            }
            Role::Edges => {
                self.count_rows();
                let edge = move |row: &u64| {
                    ResolvedValue::object(PartObject {
                        type_name,
                        answer: self,
                        path: path.clone(),
                        row: Some(*row),
                    })
                };
                ResolvedValue::list(page.rows.iter().map(edge))
            }
            Role::EdgeNode => row.map_or(ResolvedValue::null(), |row| self.object(row)),
            Role::EdgeCursor => ResolvedValue::leaf(row.map(|row| self.edge_cursor(row))),
            Role::HasNext => ResolvedValue::leaf(page.has_next),
            Role::HasPrevious => ResolvedValue::leaf(page.has_previous),
            Role::StartCursor => ResolvedValue::leaf(page.rows.first().map(|row| self.pager.cursor_of(*row))),
            Role::EndCursor => ResolvedValue::leaf(page.end.clone()),
            Role::NextCursor => ResolvedValue::leaf(page.end.clone().filter(|_| page.has_next)),
            Role::Total => ResolvedValue::leaf(self.pager.total()),
            Role::PageCount => ResolvedValue::leaf(self.pager.total().map(|total| total.div_ceil(page.size.max(1)))),
            Role::Page => ResolvedValue::leaf(page.number),
            Role::Size => ResolvedValue::leaf(page.size),
            Role::Offset => ResolvedValue::leaf(page.offset),
            Role::Count => ResolvedValue::leaf(page.rows.len()),
        }
    }

    fn is_null(&self, path: &str) -> bool {
        let nulls = &self.pager.rules.traps.nulls;
        nulls
            .iter()
            .any(|null| null.path == path && self.page.number >= null.from_page)
    }

    fn edge_cursor(&self, row: u64) -> String {
        let of_page = self
            .page
            .end
            .clone()
            .filter(|_| self.pager.rules.traps.edges_have_page_cursor);
        of_page.unwrap_or_else(|| self.pager.cursor_of(row))
    }

    /// The field that is asked for, of the object at `path`.
    fn field<'a>(&'a self, path: &str, row: Option<u64>, info: &'a ResolveInfo<'a>) -> Option<ResolvedValue<'a>> {
        let path = path_below(path, info.field_name());
        if self.is_null(&path) {
            return Some(ResolvedValue::null());
        }
        let type_name = result_type(info);
        Some(match self.pager.shape.part(&path)? {
            Part::Value(role) => self.value(role, path, row, type_name),
            Part::Object => ResolvedValue::object(PartObject {
                type_name,
                answer: self,
                path,
                row,
            }),
        })
    }
}

impl<'r> PageObject<'r> {
    pub(crate) fn new(type_name: &'r str, answer: PageAnswer<'r>) -> Self {
        Self { type_name, answer }
    }
}

impl ObjectValue for PageObject<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = self.answer.field("", None, info);
        field.ok_or_else(|| self.unknown_field_error(info))
    }
}

impl ObjectValue for PartObject<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = self.answer.field(&self.path, self.row, info);
        field.ok_or_else(|| self.unknown_field_error(info))
    }
}
