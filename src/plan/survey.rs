//! Finding the row fields of a query: which of its fields become tables, what stands above them, and which stand in
//! the rows of which.

use apollo_compiler::executable::SelectionSet;
use apollo_compiler::schema::Name;

use crate::plan::columns::Context;
use crate::plan::directives;
use crate::plan::paged::{ItemSource, PagedRows, paged, would_be_paged};
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::{MergedField, merge};
use crate::schema::StyleHint;

/// A field of the query root, of an object, or of a row.
#[derive(Debug)]
pub(crate) enum Branch {
    /// A value: a column of the row that holds it, or of the tables below the object that holds it.
    Value(MergedField),
    /// A singular object with row fields below it.
    Object(MergedField, Vec<Branch>),
    /// A row field: an index into the list of row fields.
    Rows(usize),
}

/// A field whose items become rows.
#[derive(Debug)]
pub(crate) struct RowField {
    /// The row field in whose items it stands.
    pub(crate) parent: Option<usize>,
    /// Response keys from `data` to the field, through the items of its parents; empty for an operation that is itself
    /// the one row.
    pub(crate) path: Vec<Name>,
    /// Response keys from its parent's item, or from `data`.
    pub(crate) inner_path: Vec<Name>,
    pub(crate) kind: RowFieldKind,
    /// Where its items stand in its value.
    pub(crate) source: ItemSource,
    /// What an item holds.
    pub(crate) branches: Vec<Branch>,
}

/// What kind of row field it is.
#[derive(Debug)]
pub(crate) enum RowFieldKind {
    Paged(MergedField, Box<PagedRows>),
    /// A list that is not paginated.
    List(MergedField),
    /// The operation: there is no list in it.
    Operation,
}

impl RowField {
    /// The field, where it is one.
    pub(crate) fn field(&self) -> Option<&MergedField> {
        match &self.kind {
            RowFieldKind::Paged(field, _) | RowFieldKind::List(field) => Some(field),
            RowFieldKind::Operation => None,
        }
    }

    /// How it is paginated, where it is.
    pub(crate) fn paged(&self) -> Option<&PagedRows> {
        match &self.kind {
            RowFieldKind::Paged(_, paged) => Some(paged),
            RowFieldKind::List(_) | RowFieldKind::Operation => None,
        }
    }

    /// Response keys from `data` to its items.
    pub(crate) fn items_path(&self) -> Vec<Name> {
        [self.path.as_slice(), &self.source.keys()].concat()
    }
}

/// What a query is made of.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Parents before their children.
    pub(crate) rows: Vec<RowField>,
    /// The fields of the query root.
    pub(crate) branches: Vec<Branch>,
}

impl Survey {
    /// The row field of that response path.
    pub(crate) fn row_at(&self, path: &[Name]) -> Option<usize> {
        let mut rows = self.rows.iter();
        rows.position(|row| !row.path.is_empty() && row.path == path)
    }

    /// The innermost row field around what has that response path.
    pub(crate) fn around(&self, path: &[Name]) -> Option<usize> {
        let rows = self.rows.iter().enumerate();
        let around = rows.filter(|(_, row)| row.path.len() < path.len() && path.starts_with(&row.path));
        around.max_by_key(|(_, row)| row.path.len()).map(|(row, _)| row)
    }

    /// The index among the connections of a row field that is paginated.
    pub(crate) fn connection(&self, row: usize) -> usize {
        let before = &self.rows[..row];
        before.iter().filter(|row| row.paged().is_some()).count()
    }
}

/// The row fields of a query, and the tree of what stands above them.
pub(crate) fn survey(context: Context<'_>, set: &SelectionSet) -> Result<Survey, PlanError> {
    for wanted in [Wanted::Connections, Wanted::Lists] {
        let mut surveyor = Surveyor {
            context,
            wanted,
            rows: Vec::new(),
        };
        let branches = surveyor.walk(std::slice::from_ref(set), &Place::default())?;
        if !surveyor.rows.is_empty() {
            refuse_lists(context, &branches)?;
            return Ok(Survey {
                rows: surveyor.rows,
                branches,
            });
        }
    }
    let fields = merge(std::slice::from_ref(set), context.schema, context.variables);
    let operation = RowField {
        parent: None,
        path: Vec::new(),
        inner_path: Vec::new(),
        kind: RowFieldKind::Operation,
        source: ItemSource::value(vec![set.clone()]),
        branches: fields.into_iter().map(Branch::Value).collect(),
    };
    Ok(Survey {
        rows: vec![operation],
        branches: vec![Branch::Rows(0)],
    })
}

/// Which fields count as outermost row fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Paginated fields and the lists around them.
    Connections,
    /// Any list of objects.
    Lists,
}

/// Where in the query a selection stands.
#[derive(Clone, Default)]
struct Place {
    /// The row field in whose items it stands.
    row: Option<usize>,
    path: Vec<Name>,
    inner_path: Vec<Name>,
}

impl Place {
    fn below(&self, key: &Name) -> Self {
        let longer = |path: &[Name]| [path, std::slice::from_ref(key)].concat();
        Self {
            row: self.row,
            path: longer(&self.path),
            inner_path: longer(&self.inner_path),
        }
    }
}

struct Surveyor<'plan> {
    context: Context<'plan>,
    wanted: Wanted,
    rows: Vec<RowField>,
}

impl Surveyor<'_> {
    fn walk(&mut self, sets: &[SelectionSet], place: &Place) -> Result<Vec<Branch>, PlanError> {
        let fields = merge(sets, self.context.schema, self.context.variables);
        fields.into_iter().map(|field| self.branch(field, place)).collect()
    }

    fn branch(&mut self, field: MergedField, above: &Place) -> Result<Branch, PlanError> {
        if !field.has_fields() {
            return Ok(Branch::Value(field));
        }
        let place = above.below(&field.key);
        if let Some((paged, source)) = paged(self.context, &field)? {
            return self.rows(RowFieldKind::Paged(field, Box::new(paged)), source, place);
        }
        if field.field.ty().is_list() {
            let encloses_rows = encloses_paged(self.context, &field)?;
            let is_row_field = encloses_rows || (self.wanted == Wanted::Lists && place.row.is_none());
            if !is_row_field {
                return Ok(Branch::Value(field));
            }
            if field.field.ty().item_type().is_list() {
                return Err(list_of_lists(self.context, &field));
            }
            let source = ItemSource::list(field.sets.clone());
            return self.rows(RowFieldKind::List(field), source, place);
        }
        let rows_before = self.rows.len();
        let below = self.walk(&field.sets, &place)?;
        if self.rows.len() > rows_before {
            return Ok(Branch::Object(field, below));
        }
        Ok(Branch::Value(field))
    }

    fn rows(&mut self, kind: RowFieldKind, source: ItemSource, place: Place) -> Result<Branch, PlanError> {
        let index = self.rows.len();
        let item_sets = source.item_sets.clone();
        self.rows.push(RowField {
            parent: place.row,
            path: place.path,
            inner_path: place.inner_path,
            kind,
            source,
            branches: Vec::new(),
        });
        let items = Place {
            row: Some(index),
            path: self.rows[index].items_path(),
            inner_path: Vec::new(),
        };
        self.rows[index].branches = self.walk(&item_sets, &items)?;
        Ok(Branch::Rows(index))
    }
}

/// Whether a paginated field stands somewhere below.
fn encloses_paged(context: Context<'_>, field: &MergedField) -> Result<bool, PlanError> {
    for below in merge(&field.sets, context.schema, context.variables) {
        if paged(context, &below)?.is_some() || encloses_paged(context, &below)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a field of a row is a row field of its own.
pub(crate) fn is_row_field(context: Context<'_>, field: &MergedField) -> Result<bool, PlanError> {
    if !field.has_fields() {
        return Ok(false);
    }
    Ok(paged(context, field)?.is_some() || (field.field.ty().is_list() && encloses_paged(context, field)?))
}

/// Refuses lists of objects beside the rows: they would be copied into each row, and lost where there is none.
fn refuse_lists(context: Context<'_>, branches: &[Branch]) -> Result<(), PlanError> {
    for branch in branches {
        match branch {
            Branch::Value(field) if field.has_fields() && field.field.ty().is_list() => {
                let finding = Finding {
                    message: format!("the list `{}` stands beside a paginated field", field.key),
                    place: field.key.location(),
                    label: "would be copied into each row of the other".to_owned(),
                    help: "give it a query file of its own".to_owned(),
                };
                return Err(finding.into_error(context.sources));
            }
            Branch::Object(_, below) => refuse_lists(context, below)?,
            Branch::Value(_) | Branch::Rows(_) => {}
        }
    }
    Ok(())
}

fn list_of_lists(context: Context<'_>, field: &MergedField) -> PlanError {
    let finding = Finding {
        message: format!("`{}` is a list of lists of objects", field.key),
        place: field.key.location(),
        label: "its items cannot be rows".to_owned(),
        help: "there is no way yet to export it; select it below an object, where it becomes a LIST column".to_owned(),
    };
    finding.into_error(context.sources)
}

/// Connections that `@paginate(style: NONE)` keeps from being read on: what is behind their first page is not asked for.
pub(crate) fn switched_off(context: Context<'_>, set: &SelectionSet) -> Result<Vec<String>, PlanError> {
    let mut found = Vec::new();
    for field in merge(std::slice::from_ref(set), context.schema, context.variables) {
        collect_switched_off(context, &field, String::new(), &mut found)?;
    }
    Ok(found)
}

fn collect_switched_off(
    context: Context<'_>,
    field: &MergedField,
    above: String,
    found: &mut Vec<String>,
) -> Result<(), PlanError> {
    let path = above + field.key.as_str();
    let directive = directives::paginate(&field.field.directives, context.sources)?;
    if directive.hints.style == Some(StyleHint::None) && would_be_paged(context, field) {
        found.push(path.clone());
    }
    for below in merge(&field.sets, context.schema, context.variables) {
        collect_switched_off(context, &below, format!("{path}."), found)?;
    }
    Ok(())
}
