//! A plan as plain data with words in it: what people and machines are shown before anything is asked.

use std::fmt;

use apollo_compiler::schema::Name;
use serde::{Serialize, Serializer};

use crate::plan::address::{Address, Lookup};
use crate::plan::cut_description::{Cut, CutInto};
use crate::plan::directives;
use crate::plan::fitting::Fitted;
use crate::plan::lists::{WholeList, whole_lists};
use crate::plan::report::PlanError;
use crate::plan::route::RouteMaker;
use crate::plan::row_plan::joined;
use crate::plan::selection::MergedField;
use crate::plan::survey::RowFieldKind;
use crate::plan::table::{Column, RowAddress, Table};
use crate::schema::{Pager, PagingHints, Style};

/// What a query file becomes, and how its rows are got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanDescription {
    /// Its tables, parents before their children.
    pub tables: Vec<TableDescription>,
    /// Its paginated fields, parents before their children; the plan's connections in their order.
    pub connections: Vec<ConnectionDescription>,
    /// Lists that are values of rows, and come whole or not at all.
    pub lists: Vec<WholeList>,
    /// How its requests are cut, since the API would not take them whole.
    pub cuts: Vec<Cut>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableDescription {
    /// Its name.
    pub name: String,
    /// The table that its `_parent_id` leads to.
    pub parent: Option<String>,
    /// Where its rows stand in the response, with dots; empty where the whole response is the one row.
    pub path: String,
    /// What its rows come from.
    pub rows: RowsOrigin,
    /// Its columns.
    pub columns: Vec<ColumnDescription>,
}

/// What the rows of a table come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum RowsOrigin {
    /// A paginated field.
    Connection {
        /// Its index among the connections.
        connection: usize,
    },
    /// A list that is not paginated.
    List {
        /// Why it is not.
        reason: String,
    },
    /// The response as a whole: there is no list in the query.
    Response,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Its type, as in the manifest: `list<string>`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A paginated field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionDescription {
    /// Its place in the response, with dots.
    pub path: String,
    /// The table of its rows.
    pub table: String,
    /// How it turns its pages.
    #[serde(serialize_with = "style_name")]
    pub style: Style,
    /// Who says so.
    pub said_by: SaidBy,
    /// Which arguments and values of it tell.
    pub reason: String,
    /// The most rows asked for at once; nothing where the API alone decides.
    pub page_size: Option<u32>,
    /// Rows after which the author wants no more.
    pub most_rows: Option<u32>,
    /// The number of the first page, where pages have numbers.
    pub first_page: Option<u64>,
    /// Whether nothing tells that number, so that the totals of the answers have to show whether it is right.
    pub assumes_first_page: bool,
    /// How its further pages are reached.
    pub address: AddressDescription,
    /// An argument that could put the rows in order, where pages go by numbers and the query leaves it out.
    pub order_argument: Option<String>,
}

/// Who says how a field is paginated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidBy {
    /// The schema leaves no doubt.
    Schema,
    /// `@paginate` in the query file.
    Directive,
    /// A rule of the source or of its preset.
    Source,
}

/// How the further pages of a connection are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum AddressDescription {
    /// By its path from the query root, through single objects.
    Root,
    /// A field of the query root finds the row that holds it.
    Lookup {
        /// That field.
        field: String,
        /// Its argument.
        argument: String,
        /// The row's field whose value the argument takes.
        key: String,
    },
    /// The row that holds it is asked for by its place among its siblings.
    Place {
        /// The connection that the row belongs to.
        connection: String,
        /// What tells the place.
        place: PlaceKind,
        /// How that connection is reached.
        within: Box<AddressDescription>,
    },
    /// Further pages come from another field of the query root.
    NextField {
        /// That field.
        field: String,
        /// Its argument for the cursor.
        argument: String,
    },
    /// Not at all: there are none.
    Nowhere,
}

/// What tells the place of a row among its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// The cursor of the edge before it.
    EdgeCursor,
    /// The number of rows before it.
    Offset,
    /// The number of the page of one row.
    Page,
}

impl fmt::Display for AddressDescription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => formatter.write_str("by its path from the query root"),
            Self::Lookup { field, argument, key } => {
                write!(formatter, "by `{field}({argument}:)`")?;
                match key == argument {
                    true => Ok(()),
                    false => write!(formatter, " with the row's `{key}`"),
                }
            }
            Self::Place {
                connection,
                place,
                within,
            } => {
                write!(formatter, "by the row's own place in `{connection}`: {place}")?;
                match **within {
                    Self::Root => Ok(()),
                    ref within => write!(formatter, "; `{connection}` {within}"),
                }
            }
            Self::NextField { field, argument } => write!(formatter, "by the root field `{field}({argument}:)`"),
            Self::Nowhere => formatter.write_str("not at all"),
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EdgeCursor => "a page of one row behind the cursor of the edge before",
            Self::Offset => "a page of one row at its offset",
            Self::Page => "the page of one row with its number",
        })
    }
}

/// Puts a plan into words.
pub(crate) fn describe(
    maker: RouteMaker<'_>,
    fitted: &Fitted,
    tables: &[Table],
    page_size: u32,
) -> Result<PlanDescription, PlanError> {
    let (of_rows, lists) = whole_lists(maker.context, &maker.operation.selection_set, maker.survey)?;
    let describer = Describer { maker, tables, of_rows };
    let rows = 0..maker.survey.rows.len();
    let connections = rows
        .clone()
        .filter_map(|row| describer.connection(row, page_size).transpose());
    Ok(PlanDescription {
        connections: connections.collect::<Result<_, _>>()?,
        tables: rows.map(|row| describer.table(row)).collect(),
        lists,
        cuts: describer.cuts(fitted),
    })
}

struct Describer<'plan> {
    maker: RouteMaker<'plan>,
    tables: &'plan [Table],
    /// Lists that are row fields all the same.
    of_rows: Vec<WholeList>,
}

impl Describer<'_> {
    fn path(&self, row: usize) -> String {
        joined(&self.maker.survey.rows[row].path, ".")
    }

    fn table_name(&self, row: usize) -> String {
        self.tables
            .get(row)
            .map_or_else(String::new, |table| table.name.to_string())
    }

    fn table(&self, row: usize) -> TableDescription {
        let field = &self.maker.survey.rows[row];
        let path = self.path(row);
        let rows = match (&field.kind, self.maker.connection(row)) {
            (RowFieldKind::Paged(..), Some(connection)) => RowsOrigin::Connection { connection },
            (RowFieldKind::Operation, _) => RowsOrigin::Response,
            (RowFieldKind::Paged(..) | RowFieldKind::List(_), _) => RowsOrigin::List {
                reason: self
                    .of_rows
                    .iter()
                    .find(|list| list.path == path)
                    .map_or_else(String::new, |list| list.reason.clone()),
            },
        };
        let columns = self.tables.get(row).map_or(&[][..], |table| table.columns.as_slice());
        TableDescription {
            name: self.table_name(row),
            parent: field.parent.map(|parent| self.table_name(parent)),
            path,
            rows,
            columns: columns.iter().map(column).collect(),
        }
    }

    fn connection(&self, row: usize, page_size: u32) -> Result<Option<ConnectionDescription>, PlanError> {
        let RowFieldKind::Paged(field, paged) = &self.maker.survey.rows[row].kind else {
            return Ok(None);
        };
        let size = paged.page_size.unwrap_or(page_size);
        Ok(Some(ConnectionDescription {
            path: self.path(row),
            table: self.table_name(row),
            style: paged.paged.pager.style(),
            said_by: self.said_by(field)?,
            reason: paged.paged.reason.clone(),
            page_size: paged.paged.size.as_ref().map(|_| size),
            most_rows: paged.max,
            first_page: paged.paged.pager.first_page(),
            assumes_first_page: paged.paged.assumes_first_page,
            order_argument: order_argument(field, &paged.paged.pager).filter(|_| paged.paged.order.is_none()),
            address: match &paged.paged.pager {
                Pager::Capped { .. } => AddressDescription::Nowhere,
                Pager::MovingCursor { next_field, cursor, .. } => AddressDescription::NextField {
                    field: next_field.to_string(),
                    argument: cursor.to_string(),
                },
                Pager::Reverse { next_field, parent, .. } => AddressDescription::NextField {
                    field: next_field.to_string(),
                    argument: parent.to_string(),
                },
                _ => self.holder(row),
            },
        }))
    }

    fn said_by(&self, field: &MergedField) -> Result<SaidBy, PlanError> {
        let context = self.maker.context;
        let nothing = PagingHints::default();
        let directive = directives::paginate(&field.field.directives, context.sources)?;
        if directive.hints != nothing {
            return Ok(SaidBy::Directive);
        }
        let rule = context.paging.hints(&field.parent, &field.field.name);
        Ok(if rule == nothing {
            SaidBy::Schema
        } else {
            SaidBy::Source
        })
    }

    fn cuts(&self, fitted: &Fitted) -> Vec<Cut> {
        let requests = fitted.first_requests.iter().filter(|request| request.group == 0);
        let spread = fitted.spread_for.clone().map(|excesses| Cut {
            excesses,
            into: CutInto::Requests {
                requests: requests.count(),
            },
        });
        let detached = fitted.detached.iter().filter_map(|(row, excesses)| {
            Some(Cut {
                excesses: excesses.clone()?,
                into: CutInto::Detached {
                    connection: self.path(*row),
                    address: self.holder(*row),
                },
            })
        });
        let apart = fitted.apart.iter().filter_map(|(path, field)| {
            let address = match &self.maker.plans[field.row].address {
                Some(Address::Lookup(found)) => lookup(found),
                _ => AddressDescription::Nowhere,
            };
            let field_path = joined(path, ".");
            Some(Cut {
                excesses: field.cut_for.clone()?,
                into: CutInto::Apart {
                    field: field_path,
                    address,
                },
            })
        });
        let groups = fitted.grouped_for.clone().map(|excesses| Cut {
            excesses,
            into: CutInto::Groups {
                groups: fitted.pieces.values(),
            },
        });
        spread.into_iter().chain(detached).chain(apart).chain(groups).collect()
    }

    /// How the row that holds a row field is asked for again.
    fn holder(&self, row: usize) -> AddressDescription {
        let Some(parent) = self.maker.survey.rows[row].parent else {
            return AddressDescription::Root;
        };
        match &self.maker.plans[parent].address {
            Some(Address::Lookup(found)) => lookup(found),
            Some(Address::Place(place)) => AddressDescription::Place {
                connection: self.path(parent),
                place: place_kind(place),
                within: Box::new(self.holder(parent)),
            },
            None => AddressDescription::Nowhere,
        }
    }
}

/// An argument for the order of the rows that the query leaves out, where a page is only a number of rows.
fn order_argument(field: &MergedField, pager: &Pager) -> Option<String> {
    const NAMES: [&str; 4] = ["orderBy", "order_by", "sort", "sortBy"];
    let is_by_number = matches!(
        pager.style(),
        Style::Page | Style::PageFlag | Style::PageInput | Style::PageList | Style::Offset | Style::OffsetList
    );
    let is_given = |name: &Name| field.field.specified_argument_by_name(name).is_some();
    let mut arguments = field.field.definition.arguments.iter();
    let order = arguments.find(|argument| NAMES.contains(&argument.name.as_str()))?;
    (is_by_number && !is_given(&order.name)).then(|| order.name.to_string())
}

fn column(column: &Column) -> ColumnDescription {
    ColumnDescription {
        name: column.name.clone(),
        ty: column.ty.to_string(),
        nullable: column.nullable,
    }
}

fn lookup(found: &Lookup) -> AddressDescription {
    AddressDescription::Lookup {
        field: found.field.to_string(),
        argument: found.argument.to_string(),
        key: found.by.clone(),
    }
}

fn place_kind(place: &RowAddress) -> PlaceKind {
    match place {
        RowAddress::Offset => PlaceKind::Offset,
        RowAddress::Page { .. } => PlaceKind::Page,
        RowAddress::EdgeCursor | RowAddress::Value(_) => PlaceKind::EdgeCursor,
    }
}

/// The style as machines know it.
fn style_name<S: Serializer>(style: &Style, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match style {
        Style::Relay => "relay",
        Style::FlatCursor => "flat_cursor",
        Style::MovingCursor => "moving_cursor",
        Style::Page => "page",
        Style::PageFlag => "page_flag",
        Style::PageInput => "page_input",
        Style::PageList => "page_list",
        Style::Offset => "offset",
        Style::OffsetList => "offset_list",
        Style::Keyset => "keyset",
        Style::Capped => "capped",
        Style::Reverse => "reverse",
    })
}
