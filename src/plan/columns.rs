//! Fields of a row turned into columns.

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::directives::{self, ColumnDirective};
use crate::plan::paging_rules::PagingRules;
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::{MergedField, merge};
use crate::plan::survey::is_row_field;
use crate::plan::table::{Cell, CellRole, Column, ColumnType};
use crate::plan::variables::Variables;
use crate::schema::ScalarType;

/// What every step of planning one query looks at.
#[derive(Clone, Copy)]
pub(crate) struct Context<'plan> {
    pub(crate) schema: &'plan Schema,
    /// What the API's custom scalars become.
    pub(crate) scalars: &'plan BTreeMap<String, ScalarType>,
    /// Whether nested objects become columns of their own.
    pub(crate) flatten: bool,
    pub(crate) variables: &'plan Variables,
    /// What the source says of the paging of single fields.
    pub(crate) paging: PagingRules<'plan>,
    pub(crate) sources: &'plan SourceMap,
}

/// The columns of one table, as they are gathered.
pub(crate) struct ColumnList<'plan> {
    context: Context<'plan>,
    columns: Vec<Column>,
}

impl<'plan> ColumnList<'plan> {
    /// Begins with `_id`, which every table has, and `_parent_id`, which a table below another has.
    pub(crate) fn new(context: Context<'plan>, has_parent: bool) -> Self {
        let names = ["_id", "_parent_id"].into_iter().take(if has_parent { 2 } else { 1 });
        let columns = names.map(|name| Column {
            name: name.to_owned(),
            key: name.to_owned(),
            ty: ColumnType::Scalar(ScalarType::String),
            nullable: false,
            null_text: None,
        });
        Self {
            context,
            columns: columns.collect(),
        }
    }

    pub(crate) fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// Adds the columns of an item's fields and says where they stand in the item.
    /// `prefix` goes before their names; `is_absent` tells that the object around them may be null.
    pub(crate) fn add_cells(
        &mut self,
        fields: &[MergedField],
        prefix: &str,
        is_absent: bool,
    ) -> Result<Vec<Cell>, PlanError> {
        fields
            .iter()
            .map(|field| self.add_cell(field, prefix, is_absent))
            .collect()
    }

    fn add_cell(&mut self, field: &MergedField, prefix: &str, is_absent: bool) -> Result<Cell, PlanError> {
        let key = field.key.to_string();
        let is_object = field.has_fields() && !field.field.ty().is_list();
        let has_own_type = directives::column(&field.field.directives, self.context.sources)?
            .ty
            .is_some();
        if self.context.flatten && is_object && !has_own_type {
            let inner = merge(&field.sets, self.context.schema, self.context.variables);
            let is_absent = is_absent || field.is_conditional || !field.field.ty().is_non_null();
            let cells = self.add_cells(&inner, &format!("{prefix}{key}_"), is_absent)?;
            return Ok(Cell {
                key,
                role: CellRole::Flattened(cells),
            });
        }
        let index = self.add(field, &format!("{prefix}{key}"), is_absent)?;
        Ok(Cell {
            key,
            role: CellRole::Column(index),
        })
    }

    /// Lets rows lack what a cell holds.
    pub(crate) fn let_be_absent(&mut self, cell: &Cell) {
        match &cell.role {
            CellRole::Ignored | CellRole::Below { .. } => {}
            CellRole::Column(index) => self.columns[*index].nullable = true,
            CellRole::Flattened(cells) => cells.iter().for_each(|cell| self.let_be_absent(cell)),
        }
    }

    /// Adds one column, called `name` unless the author renames it, and returns its index.
    pub(crate) fn add(&mut self, field: &MergedField, name: &str, is_absent: bool) -> Result<usize, PlanError> {
        let mut column = column(self.context, field, name)?;
        column.nullable |= is_absent;
        let is_taken = column.name == "_parent_id" || self.columns.iter().any(|other| other.name == column.name);
        if is_taken {
            return Err(name_clash(self.context, field, &column.name));
        }
        self.columns.push(column);
        Ok(self.columns.len() - 1)
    }
}

fn column(context: Context<'_>, field: &MergedField, name: &str) -> Result<Column, PlanError> {
    let directive = directives::column(&field.field.directives, context.sources)?;
    Ok(Column {
        name: directive.name.clone().unwrap_or_else(|| name.to_owned()),
        key: field.key.to_string(),
        ty: column_type(context, field, field.field.ty(), &directive)?,
        nullable: field.is_conditional || !field.field.ty().is_non_null() || directive.null.is_some(),
        null_text: directive.null,
    })
}

fn column_type(
    context: Context<'_>,
    field: &MergedField,
    ty: &Type,
    directive: &ColumnDirective,
) -> Result<ColumnType, PlanError> {
    if let Type::List(item) | Type::NonNullList(item) = ty {
        return Ok(ColumnType::List(Box::new(Column {
            name: "item".to_owned(),
            key: "item".to_owned(),
            ty: column_type(context, field, item, directive)?,
            nullable: !item.is_non_null() || directive.null.is_some(),
            null_text: directive.null.clone(),
        })));
    }
    if let Some(chosen) = directive.ty {
        return match field.has_fields() && chosen != ScalarType::Json {
            true => Err(not_a_scalar(context, field, chosen)),
            false => Ok(ColumnType::Scalar(chosen)),
        };
    }
    if field.has_fields() {
        return struct_type(context, field);
    }
    Ok(ColumnType::Scalar(scalar_type(context, ty.inner_named_type())))
}

fn struct_type(context: Context<'_>, field: &MergedField) -> Result<ColumnType, PlanError> {
    let mut columns: Vec<Column> = Vec::new();
    for inner in merge(&field.sets, context.schema, context.variables) {
        // Rows of their own stand in a table of their own.
        if is_row_field(context, &inner)? || has_only_rows(context, &inner)? {
            continue;
        }
        let column = column(context, &inner, &inner.key)?;
        if columns.iter().any(|other| other.name == column.name) {
            return Err(name_clash(context, &inner, &column.name));
        }
        columns.push(column);
    }
    Ok(ColumnType::Struct(columns))
}

/// Whether there is nothing in an object but row fields.
pub(crate) fn has_only_rows(context: Context<'_>, field: &MergedField) -> Result<bool, PlanError> {
    if !field.has_fields() || field.field.ty().is_list() {
        return Ok(false);
    }
    for inner in merge(&field.sets, context.schema, context.variables) {
        if !is_row_field(context, &inner)? && !has_only_rows(context, &inner)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn scalar_type(context: Context<'_>, type_name: &Name) -> ScalarType {
    match type_name.as_str() {
        "Int" => ScalarType::Int32,
        "Float" => ScalarType::Float64,
        "Boolean" => ScalarType::Boolean,
        "String" | "ID" => ScalarType::String,
        custom => match context.schema.types.get(custom) {
            Some(ExtendedType::Enum(_)) => ScalarType::String,
            _ => context.scalars.get(custom).copied().unwrap_or(ScalarType::Json),
        },
    }
}

fn name_clash(context: Context<'_>, field: &MergedField, name: &str) -> PlanError {
    let finding = Finding {
        message: format!("two columns would be called `{name}`"),
        place: place(field),
        label: "the second of them".to_owned(),
        help: "give it another name with an alias, or with @column(name: \"…\")".to_owned(),
    };
    finding.into_error(context.sources)
}

fn not_a_scalar(context: Context<'_>, field: &MergedField, chosen: ScalarType) -> PlanError {
    let finding = Finding {
        message: format!(
            "`{}` is an object and cannot become a column of type {chosen}",
            field.key
        ),
        place: place(field),
        label: "an object".to_owned(),
        help: "an object can become a STRUCT column (no directive) or JSON text (@column(type: \"json\"))".to_owned(),
    };
    finding.into_error(context.sources)
}

/// Where a field stands in its file.
pub(crate) fn place(field: &MergedField) -> Option<SourceSpan> {
    field.key.location().or_else(|| field.field.location())
}
