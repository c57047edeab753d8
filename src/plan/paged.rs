//! Paginated fields of a query: how each turns its pages, where its items stand, what has to be asked for so that it
//! says how the paging goes on.

use apollo_compiler::ast::{FieldDefinition, Type, Value};
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::columns::{Context, place};
use crate::plan::directives::{self, PaginateDirective};
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::{MergedField, free_key, leaf_field, merge};
use crate::plan::table::{Signal, SignalPlace};
use crate::schema::{
    ArgumentPath, FieldPath, PagedField, Pager, Paging, PagingHints, object_field, page_argument, paging,
};

/// How a paginated field of a query is read.
#[derive(Debug, Clone)]
pub(crate) struct PagedRows {
    pub(crate) paged: PagedField,
    /// How the root field is read at which it goes on, where that is told by the row that holds it.
    pub(crate) rest: Option<Rest>,
    /// Rows after which the author wants no more.
    pub(crate) max: Option<u32>,
    /// The author's page size; the source's where there is none.
    pub(crate) page_size: Option<u32>,
    /// The author's own variable for the size, where it stands nowhere else.
    pub(crate) size_variable: Option<Name>,
    /// The author's own variable for the cursor, page or offset, where it stands nowhere else.
    pub(crate) position_variable: Option<Name>,
    /// Where it says how the paging goes on.
    pub(crate) signals: Vec<SignalPlace>,
    /// What has to be asked for beside the author's selections so that it does.
    pub(crate) additions: Vec<Selection>,
}

/// A root field that lists the rows which a row holds.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) definition: FieldDefinition,
    pub(crate) paged: PagedField,
    /// Takes the number of rows to leave out.
    pub(crate) offset: ArgumentPath,
}

/// Where, within a row field's value, its items stand.
#[derive(Debug, Clone)]
pub(crate) struct ItemSource {
    /// The fields from the value to the items, each with its response key and its name.
    pub(crate) steps: Vec<(Name, Name)>,
    /// Whether a condition may leave them out.
    pub(crate) is_conditional: bool,
    pub(crate) item_sets: Vec<SelectionSet>,
    /// The fields of an edge, where the items stand in edges.
    pub(crate) edge_fields: Vec<MergedField>,
}

impl ItemSource {
    /// The value is the one item.
    pub(crate) fn value(item_sets: Vec<SelectionSet>) -> Self {
        Self::list(item_sets)
    }

    /// The value is the list of items.
    pub(crate) fn list(item_sets: Vec<SelectionSet>) -> Self {
        Self {
            steps: Vec::new(),
            is_conditional: false,
            item_sets,
            edge_fields: Vec::new(),
        }
    }

    /// The response keys of the steps.
    pub(crate) fn keys(&self) -> Vec<Name> {
        self.steps.iter().map(|(key, _)| key.clone()).collect()
    }
}

/// How `field` is paginated, and where its items stand; `None` for a field that is not, or of which no items are asked.
pub(crate) fn paged(context: Context<'_>, field: &MergedField) -> Result<Option<(PagedRows, ItemSource)>, PlanError> {
    if !field.has_fields() {
        return Ok(None);
    }
    let directive = directives::paginate(&field.field.directives, context.sources)?;
    let refuse = |message: String, help: String| refusal(context, field, &message, &help);
    let said = context.paging.hints(&field.parent, &field.field.name);
    let hints = with_written_first_page(context, field, directive.hints.clone().over(&said));
    let found = paging(context.schema, &field.field.definition, &hints);
    let found = match found.map_err(|fault| misfit(context, field, &directive, fault))? {
        Paging::Paged(found) => *found,
        Paging::Undecided { arguments, help, .. } => {
            let message = format!(
                "looks paginated (it takes {}), in a way that is not told for certain",
                arguments.join(", ")
            );
            return Err(refuse(message, help));
        }
        Paging::None => return Ok(None),
    };
    let Some(source) = item_source(context, field, &found)? else {
        return Ok(None);
    };
    let reader = PagedReader {
        context,
        field,
        found: &found,
    };
    let (signals, additions) = reader.signals()?;
    reader.refuse_fixed_arguments()?;
    let doubts_empty = found.doubts_empty && !reader.is_narrowed();
    let rows = PagedRows {
        rest: reader.rest()?,
        max: directive.max,
        page_size: match directive.size {
            Some(size) => Some(size),
            None => reader.written_size()?.or_else(|| reader.whole_size()),
        },
        size_variable: found.size.as_ref().and_then(|size| reader.own_variable(size)),
        position_variable: found
            .pager
            .argument()
            .and_then(|argument| reader.own_variable(argument)),
        signals,
        additions,
        paged: PagedField { doubts_empty, ..found },
    };
    Ok(Some((rows, source)))
}

/// The hints with the number of the first page that the query's own text gives, as in `page: 0`: who writes it there
/// means the first page, since all of them are read.
fn with_written_first_page(context: Context<'_>, field: &MergedField, hints: PagingHints) -> PagingHints {
    let written = || {
        let argument = page_argument(context.schema, &field.field.definition, &hints)?;
        written_number(context, field, &argument).filter(|number| *number <= 1)
    };
    PagingHints {
        first_page: hints.first_page.or_else(written),
        ..hints
    }
}

/// Whether a field would be paginated if the author had not switched that off.
pub(crate) fn would_be_paged(context: Context<'_>, field: &MergedField) -> bool {
    let said = context.paging.hints(&field.parent, &field.field.name);
    match paging(context.schema, &field.field.definition, &said) {
        Ok(Paging::Paged(found)) => item_source(context, field, &found).is_ok_and(|source| source.is_some()),
        Ok(Paging::Undecided { .. }) => true,
        Ok(Paging::None) | Err(_) => false,
    }
}

fn item_source(context: Context<'_>, field: &MergedField, found: &PagedField) -> Result<Option<ItemSource>, PlanError> {
    let mut chosen: Option<ItemSource> = None;
    for path in &found.items {
        let Some(source) = follow(context, field, path) else {
            continue;
        };
        if chosen.replace(source).is_some() {
            let message = "its rows are selected in two ways".to_owned();
            return Err(refusal(
                context,
                field,
                &message,
                "select them under `nodes` or under `edges`",
            ));
        }
    }
    if chosen.is_none() {
        let fields = merge(&field.sets, context.schema, context.variables);
        let begun = found.items.iter().find(|path| {
            let first = path.first();
            fields.iter().any(|inner| Some(&inner.field.name) == first)
        });
        if let Some(path) = begun {
            return Err(without_rows(context, field, path));
        }
    }
    Ok(chosen)
}

/// Why nothing that is selected at `path` makes rows, and what to do.
fn without_rows(context: Context<'_>, field: &MergedField, path: &FieldPath) -> PlanError {
    let step = |owner: Name, name: &Name| {
        object_field(context.schema, &owner, name).map(|step| step.ty.inner_named_type().clone())
    };
    let item = path.iter().try_fold(field.field.ty().inner_named_type().clone(), step);
    let is_plain = |name: &&Name| {
        context
            .schema
            .types
            .get(name.as_str())
            .is_some_and(ExtendedType::is_leaf)
    };
    let path = path.iter().map(Name::as_str).collect::<Vec<_>>().join(" { ");
    match item.as_ref().filter(is_plain) {
        Some(item) => refusal(
            context,
            field,
            &format!("`{path}` holds plain values (`{item}`), which make no rows, so that its pages cannot be read"),
            "select a field that answers objects in its place, or write @paginate(style: NONE) behind it to take its \
             first page alone; the run then says that it is not complete",
        ),
        None => {
            let message = format!("`{path}` is not selected as far as its rows");
            refusal(context, field, &message, "select fields of the rows")
        }
    }
}

fn follow(context: Context<'_>, field: &MergedField, path: &FieldPath) -> Option<ItemSource> {
    let mut source = ItemSource::list(field.sets.clone());
    for name in path {
        let fields = merge(&source.item_sets, context.schema, context.variables);
        let step = fields
            .iter()
            .find(|inner| inner.field.name == *name && inner.has_fields())?;
        source.steps.push((step.key.clone(), name.clone()));
        source.is_conditional |= step.is_conditional;
        source.item_sets = step.sets.clone();
        source.edge_fields = if source.steps.len() > 1 { fields } else { Vec::new() };
    }
    Some(source)
}

struct PagedReader<'plan> {
    context: Context<'plan>,
    field: &'plan MergedField,
    found: &'plan PagedField,
}

impl PagedReader<'_> {
    /// Whether the author asks for some of the rows only, of which there may be none.
    fn is_narrowed(&self) -> bool {
        let is_driven = |name: &Name| self.found.arguments().any(|path| path.0.first() == Some(name));
        let mut own = self.field.field.arguments.iter();
        own.any(|argument| !is_driven(&argument.name) && self.context.variables.asks(&argument.value))
    }

    /// The most rows that a list gives which cannot be read on: fewer would cut it off, and more do not come.
    fn whole_size(&self) -> Option<u32> {
        match self.found.pager {
            Pager::Capped { cap, .. } => cap,
            _ => None,
        }
    }

    /// Where the field says how its paging goes on, and what has to be added for that.
    fn signals(&self) -> Result<(Vec<SignalPlace>, Vec<Selection>), PlanError> {
        let mut wanted: Vec<(&[Name], Signal)> = Vec::new();
        match &self.found.pager {
            Pager::Relay {
                has_next, end_cursor, ..
            } => {
                wanted.extend([(has_next.as_slice(), Signal::HasNext), (end_cursor, Signal::EndCursor)]);
            }
            Pager::FlatCursor {
                has_next, end_cursor, ..
            } => {
                wanted.extend(has_next.iter().map(|path| (path.as_slice(), Signal::HasNext)));
                wanted.push((end_cursor, Signal::EndCursor));
            }
            Pager::MovingCursor { end_cursor, .. } => wanted.push((end_cursor, Signal::EndCursor)),
            Pager::PageTotals { page_count, .. } => {
                wanted.extend(page_count.iter().map(|path| (path.as_slice(), Signal::PageCount)));
            }
            Pager::PageFlag { has_next, .. } => wanted.push((has_next, Signal::HasNext)),
            Pager::OffsetTotal { has_next, .. } | Pager::Capped { has_next, .. } => {
                wanted.extend(has_next.iter().map(|path| (path.as_slice(), Signal::HasNext)));
            }
            Pager::PageList { .. } | Pager::OffsetList { .. } | Pager::Keyset { .. } | Pager::Reverse { .. } => {}
        }
        // Whatever tells the end, rows that never came show by the total alone.
        wanted.extend(self.found.total.iter().map(|path| (path.as_slice(), Signal::Total)));
        let mut places = Vec::new();
        let type_name = self.field.field.ty().inner_named_type();
        let fields = merge(&self.field.sets, self.context.schema, self.context.variables);
        let additions = self.ensure(type_name, &fields, &wanted, &[], &mut places)?;
        Ok((places, additions))
    }

    /// Notes where each wanted value stands below `above`, and says what has to be added there.
    fn ensure(
        &self,
        type_name: &Name,
        fields: &[MergedField],
        wanted: &[(&[Name], Signal)],
        above: &[String],
        places: &mut Vec<SignalPlace>,
    ) -> Result<Vec<Selection>, PlanError> {
        let mut additions = Vec::new();
        let mut done: Vec<&Name> = Vec::new();
        for (path, signal) in wanted {
            let Some((name, rest)) = path.split_first() else {
                continue;
            };
            if done.contains(&name) {
                continue;
            }
            done.push(name);
            let there = fields
                .iter()
                .find(|field| field.field.name == *name && !field.is_conditional);
            let key = there.map_or_else(|| free_key(fields, name), |field| field.key.clone());
            let own_path = [above, &[key.to_string()]].concat();
            let mut field = leaf_field(self.context.schema, type_name, name, &key).ok_or_else(|| self.lacks(name))?;
            if rest.is_empty() {
                places.push(SignalPlace {
                    path: own_path,
                    signal: *signal,
                });
                if there.is_none() {
                    additions.push(field.into());
                }
                continue;
            }
            let inner_wanted: Vec<(&[Name], Signal)> = wanted
                .iter()
                .filter(|(other, _)| other.first() == Some(name))
                .map(|(other, signal)| (&other[1..], *signal))
                .collect();
            let inner_fields = there.map_or_else(Vec::new, |there| {
                merge(&there.sets, self.context.schema, self.context.variables)
            });
            let inner_type = field.selection_set.ty.clone();
            let inner = self.ensure(&inner_type, &inner_fields, &inner_wanted, &own_path, places)?;
            if !inner.is_empty() {
                field.selection_set.selections = inner;
                additions.push(field.into());
            }
        }
        Ok(additions)
    }

    fn lacks(&self, name: &Name) -> PlanError {
        let message = format!("has no `{name}`, by which its paging would go on");
        refusal(
            self.context,
            self.field,
            &message,
            "write @paginate with the names that it has, or (style: NONE)",
        )
    }

    /// The author's variable for a driven argument, if it is used nowhere else, where it would have to keep its value.
    fn own_variable(&self, argument: &ArgumentPath) -> Option<Name> {
        match written(self.field, argument)? {
            Value::Variable(name) if self.context.variables.uses(name) == 1 => Some(name.clone()),
            _ => None,
        }
    }

    /// The page size in the query's text.
    fn written_size(&self) -> Result<Option<u32>, PlanError> {
        let Some(size) = &self.found.size else { return Ok(None) };
        match written(self.field, size) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Variable(name)) => {
                let given = self
                    .context
                    .variables
                    .size(name)
                    .and_then(|size| u32::try_from(size).ok());
                Ok(given.filter(|size| *size > 0))
            }
            Some(value) => match directives::positive(value) {
                Some(size) => Ok(Some(size)),
                None => Err(refusal(
                    self.context,
                    self.field,
                    "the page size must be at least 1",
                    "write a number of rows, or leave it out",
                )),
            },
        }
    }

    /// The root field at which it goes on: read by an offset, and with all arguments that the author gave the list.
    fn rest(&self) -> Result<Option<Rest>, PlanError> {
        let Pager::Reverse { next_field, parent, .. } = &self.found.pager else {
            return Ok(None);
        };
        let refuse = |message: String, help: &str| Err(refusal(self.context, self.field, &message, help));
        let schema = self.context.schema;
        let root = schema.schema_definition.query.as_ref();
        let Some((root, definition)) = root.and_then(|root| Some((root, object_field(schema, root, next_field)?)))
        else {
            return refuse(
                format!("cannot be read on by `{next_field}`"),
                "name a field of the query root",
            );
        };
        let hints = self.context.paging.hints(root, next_field);
        let paged = match paging(schema, definition, &hints) {
            Ok(Paging::Paged(paged)) if paged.items == self.found.items => *paged,
            _ => {
                let message =
                    format!("is read on by `{next_field}`, which is not known to list the same rows by pages");
                return refuse(
                    message,
                    "say under [[paging]] how that field turns its pages, or name another",
                );
            }
        };
        let (Pager::OffsetTotal { offset, .. } | Pager::OffsetList { offset }) = paged.pager.clone() else {
            let message = format!("is read on by `{next_field}`, which is not read by the number of rows to leave out");
            return refuse(message, "name a field that is");
        };
        let driven = [Some(parent), paged.size.as_ref(), Some(&offset)];
        let is_driven = |name: &Name| driven.into_iter().flatten().any(|path| path.0.first() == Some(name));
        let is_size = |name: &Name| {
            self.found
                .size
                .as_ref()
                .is_some_and(|size| size.0.first() == Some(name))
        };
        let own = self.field.field.arguments.iter();
        for name in own.map(|argument| &argument.name).filter(|name| !is_size(name)) {
            if is_driven(name) || definition.argument_by_name(name).is_none() {
                let message = format!("is read on by `{next_field}`, which cannot be given its `{name}`");
                return refuse(
                    message,
                    "leave it out: all of the list is read, and rows can be told apart afterwards",
                );
            }
        }
        Ok(Some(Rest {
            definition: definition.clone(),
            paged,
            offset,
        }))
    }

    fn begins_with_first_page(&self, argument: &ArgumentPath) -> bool {
        let first = self.found.pager.first_page();
        first.is_some() && first == written_number(self.context, self.field, argument)
    }

    fn refuse_fixed_arguments(&self) -> Result<(), PlanError> {
        let is_relay = matches!(self.found.pager, Pager::Relay { .. });
        for argument in ["last", "before"] {
            if is_relay && self.field.field.specified_argument_by_name(argument).is_some() {
                return Err(refusal(
                    self.context,
                    self.field,
                    &format!("`{argument}` asks for pages from the end"),
                    "remove it: all rows are fetched, from the first to the last",
                ));
            }
        }
        if matches!(self.found.pager, Pager::Keyset { .. }) {
            return Ok(());
        }
        let Some(argument) = self.found.pager.argument() else {
            return Ok(());
        };
        match written(self.field, argument) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Variable(name)) if !self.context.variables.has_value(name) => Ok(()),
            Some(_) if self.begins_with_first_page(argument) => Ok(()),
            Some(_) => Err(refusal(
                self.context,
                self.field,
                &format!(
                    "`{}` has a fixed value",
                    argument.0.last().map_or("", |name| name.as_str())
                ),
                "remove it: where a page begins is ours to say",
            )),
        }
    }
}

/// The whole number that the author gives an argument, in the text or by a variable.
fn written_number(context: Context<'_>, field: &MergedField, argument: &ArgumentPath) -> Option<u64> {
    let number = match written(field, argument)? {
        Value::Variable(name) => context.variables.size(name)?,
        value => i64::from(value.to_i32()?),
    };
    u64::try_from(number).ok()
}

/// The value that the author wrote for an argument, or for a field of an input object; what the planner filled in has
/// no place in a file.
pub(crate) fn written<'field>(field: &'field MergedField, argument: &ArgumentPath) -> Option<&'field Value> {
    let (first, rest) = argument.0.split_first()?;
    let value = field.field.specified_argument_by_name(first)?;
    value.location()?;
    let mut value: &Value = value;
    for name in rest {
        let Value::Object(members) = value else { return None };
        value = members
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| &**value)?;
    }
    Some(value)
}

/// The type of an argument as a variable that always has a value.
pub(crate) fn variable_type(context: Context<'_>, field: &MergedField, argument: &ArgumentPath) -> Type {
    let ty = argument.ty(&field.field.definition, context.schema);
    ty.unwrap_or_else(|| Type::Named(Name::new_unchecked("String")))
        .non_null()
}

fn misfit(context: Context<'_>, field: &MergedField, directive: &PaginateDirective, fault: String) -> PlanError {
    let speaker = match directive.place {
        Some(_) => "@paginate".to_owned(),
        None => format!("what [[paging]] says of `{}.{}`", field.parent, field.field.name),
    };
    let finding = Finding {
        message: format!("{speaker} does not fit the field `{}`", field.key),
        place: directive.place.or_else(|| place(field)),
        label: if directive.place.is_some() {
            "said here"
        } else {
            "said of this field"
        }
        .to_owned(),
        help: fault,
    };
    finding.into_error(context.sources)
}

fn refusal(context: Context<'_>, field: &MergedField, message: &str, help: &str) -> PlanError {
    let finding = Finding {
        message: format!("`{}`: {message}", field.key),
        place: place(field),
        label: "this field".to_owned(),
        help: help.to_owned(),
    };
    finding.into_error(context.sources)
}
