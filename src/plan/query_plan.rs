//! A checked query turned into its plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apollo_compiler::executable::Operation;

use serde_json::Value as JsonValue;
use sha2::{Digest as _, Sha256};

use crate::plan::address::has_place_in_edges;
use crate::plan::columns::Context;
use crate::plan::cuts::{Cuts, Detached, FirstRequest};
use crate::plan::denied::{DeniedField, LeftOut, check_left_out, leave_out, left_out, selected_fields};
use crate::plan::describe::{PlanDescription, describe};
use crate::plan::directives;
use crate::plan::document::{CheckedQuery, QueryDocument};
use crate::plan::each::{Each, EachVariable, each};
use crate::plan::edges::{move_into_edges, unite};
use crate::plan::fingerprint::{Fingerprint, Origins, hash_of};
use crate::plan::fitting::{Fitted, fit};
use crate::plan::in_rows::{SetApart, ways};
use crate::plan::moments::Moments;
use crate::plan::named::{Selected, gathered, named_places};
use crate::plan::paging_rules::PagingRules;
use crate::plan::pieces::{Loss, Piece, Pieces};
use crate::plan::place::stands_in;
use crate::plan::probe::{Probe, probe};
use crate::plan::report::{Finding, PlanError};
use crate::plan::request::{Ask, RequestText, RequestWriter, Target};
use crate::plan::route::RouteMaker;
use crate::plan::row_plan::{RowPlan, joined, plan_rows};
use crate::plan::selection::add_type_names;
use crate::plan::survey::{Survey, survey, switched_off};
use crate::plan::table::{AncestorRole, Layout, Table, TableName};
use crate::plan::variables::Variables;
use crate::plan::writer::member_roots;
use crate::project::QueryLimits;
use crate::schema::{ApiSchema, PagedField, PagingRule, ScalarType};

/// What beside the query file and the schema decides how a query is exported.
#[derive(Debug, Clone, Copy)]
pub struct PlanSettings<'settings> {
    /// The query file's name without its ending, which names the table.
    pub query_name: &'settings str,
    /// What the API is called where runs are kept apart: cursors of one are worth nothing to another.
    pub api: &'settings str,
    /// Values for variables, as given on the command line; those of other query files may be among them.
    pub variables: &'settings BTreeMap<String, String>,
    /// What the API's custom scalars become.
    pub scalars: &'settings BTreeMap<String, ScalarType>,
    /// How single fields turn their pages, where the schema leaves it open or shows it wrongly.
    pub paging: &'settings [PagingRule],
    /// Whether nested objects become columns of their own.
    pub flatten: bool,
    /// Rows asked for at once where the query says nothing of it.
    pub page_size: u32,
    /// What one query text may ask for.
    pub limits: &'settings QueryLimits,
    /// Fields that the token may not see; those that are selected are left out.
    pub denied: &'settings [DeniedField],
}

/// How one query file is exported.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its tables, parents before their children.
    pub tables: Arc<[Table]>,
    /// Its paginated connections, parents before their children.
    pub connections: Vec<Connection>,
    /// Connections of which only the first page is read, since the author says so: their places, with dots.
    pub first_pages_only: Vec<String>,
    /// Denied fields that are left out: their columns are null, their tables empty.
    pub left_out: Vec<LeftOut>,
    /// Fields that are denied in single rows, and asked for apart from the other columns of these.
    pub denied_in_rows: Vec<DeniedField>,
    /// The same for people and machines.
    pub description: PlanDescription,
    /// Changes whenever anything changes that decides what is asked for or how it is written.
    pub fingerprint: Fingerprint,
    /// Asks for the totals of the outermost connections; `None` where none has one.
    pub probe: Option<Probe>,
    /// What it is run for, once for each value; `None` where it is run once. Settled by [`link`](crate::plan::link).
    pub each: Option<Each>,
    /// For a query that is run for each value of a variable, and for one whose first pages are too much for one request:
    /// the fields of the query root that lead to rows, each of which is asked for by itself; none where the whole answer
    /// is one row.
    pub member_roots: Vec<MemberRoot>,
    /// All fields that are selected, or were until they were left out.
    selected: Selected,
    each_variable: Option<EachVariable>,
    writer: RequestWriter,
    pieces: Pieces,
    first_requests: Vec<FirstRequest>,
}

/// A field of the query root that is asked for by itself, if need be once for each value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRoot {
    /// Its response key.
    pub key: String,
    /// The connections in it of which no other one's rows hold the first page.
    pub connections: Vec<usize>,
}

/// A paginated connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its place in the response, with dots, through the items of the connections above it.
    pub path: String,
    /// The place of its items, likewise.
    pub items_path: String,
    /// Index of the table of its rows.
    pub table: usize,
    /// The paginated connection in whose rows it stands, if any; lists that are not paginated may stand between.
    pub parent: Option<usize>,
    /// Row fields above it.
    pub depth: u32,
    /// Whether a run reads many of it, so that their first pages share a request: one in each row of the connection
    /// above, or one for each value of a variable.
    pub is_repeated: bool,
    /// Its style, and how the schema shows it.
    pub paged: PagedField,
    /// The most rows asked for at once.
    pub page_size: u32,
    /// Rows after which the author wants no more.
    pub most_rows: Option<u32>,
    /// The response key of the value of a row by which the page behind it is asked for, where that is done by one.
    pub page_key: Option<String>,
    /// Whether its first page does not come with the row that it stands in, but is asked for by that row's address.
    pub is_detached: bool,
    /// Whether the schema says that it is never null.
    pub is_never_null: bool,
}

impl Connection {
    /// Whether a place is that of the connection, or of what stands between it and its items.
    pub(crate) fn is_around_items(&self, place: &str) -> bool {
        stands_in(place, &self.path) && stands_in(&self.items_path, place)
    }

    /// The connection whose pages hold its first pages.
    pub fn inline_parent(&self) -> Option<usize> {
        self.parent.filter(|_| !self.is_detached)
    }
}

impl Plan {
    /// The request with a slot for each of `asks`; `inline_sizes` are the sizes of first pages within the pages of
    /// their parents, by connection.
    /// What is written of their selections is a piece of them.
    pub fn request(&self, asks: &[Ask<'_>], inline_sizes: &[u32], piece: Piece) -> RequestText {
        self.writer.write(asks, inline_sizes, self.pieces.kept(piece).as_ref())
    }

    /// How many pieces the selection is cut into: at fineness 0 as few as the limits allow, which is one for most
    /// queries, and at each further fineness about twice as many, up to [`finest`](Self::finest).
    pub fn pieces(&self, fineness: usize) -> usize {
        self.pieces.count(fineness)
    }

    /// The fineness from which on no piece holds more than one value beside the keys.
    pub fn finest(&self) -> usize {
        self.pieces.finest()
    }

    /// The pieces that hold something of a target; the first one always does.
    pub fn pieces_of(&self, target: Target, fineness: usize) -> Vec<Piece> {
        self.pieces.of(target, fineness)
    }

    /// The pieces of a fineness that hold everything of some targets.
    pub(crate) fn pieces_for(&self, targets: &[Target], fineness: usize) -> Vec<Piece> {
        let pieces = targets.iter().flat_map(|target| self.pieces.of(*target, fineness));
        pieces.collect::<BTreeSet<Piece>>().into_iter().collect()
    }

    /// Whether a piece holds something of a target.
    pub(crate) fn does_concern(&self, piece: Piece, target: Target) -> bool {
        self.pieces.does_concern(piece, target)
    }

    /// What a piece of a target is cut into where it is too much; none where it cannot be cut.
    pub(crate) fn finer(&self, piece: Piece, target: Target) -> Vec<Piece> {
        self.pieces.finer(piece, target)
    }

    /// The tables of whose rows a piece holds something.
    pub(crate) fn tables_in(&self, piece: Piece) -> BTreeSet<usize> {
        self.pieces.tables_in(piece)
    }

    /// What is lost to a target without a piece; `None` where rows cannot be given up for it.
    pub(crate) fn loss(&self, piece: Piece, target: Target) -> Option<Loss> {
        self.pieces.loss(piece, target)
    }

    /// The places of the values that a target has in no piece but this one, with dots.
    pub(crate) fn values_of(&self, piece: Piece, target: Target) -> Vec<String> {
        self.pieces.values_of(piece, target)
    }

    /// The row fields, in the order of the tables, of whose rows something does not come with some targets but is asked for
    /// by the rows themselves.
    pub(crate) fn rows_apart(&self, targets: &[Target]) -> Vec<usize> {
        let rows = self.writer.lone_rows.keys().copied();
        rows.filter(|row| targets.iter().any(|target| self.pieces.holds_rows_of(*row, *target)))
            .collect()
    }

    /// The row fields whose rows come with a target, each behind those that it stands in, and its place with dots.
    pub(crate) fn rows_with(&self, target: Target) -> Vec<(usize, String)> {
        self.pieces.rows_with(target)
    }

    /// The request for what does not come with some rows of a row field, which are found by these values.
    pub(crate) fn lone_request(&self, row: usize, values: &[JsonValue], piece: Piece) -> RequestText {
        let addresses: Vec<[Option<JsonValue>; 1]> = values.iter().map(|value| [Some(value.clone())]).collect();
        let ask = |address| Ask {
            connection: None,
            root: None,
            member: None,
            size: 1,
            position: None,
            parent: None,
            address,
        };
        let asks: Vec<Ask<'_>> = addresses.iter().map(|address| ask(address.as_slice())).collect();
        let targets = vec![Target::Row { row }; asks.len()];
        let kept = self.pieces.kept(piece);
        self.writer.write_slots(&targets, &asks, &[], kept.as_ref())
    }

    /// Whether there is a way to that.
    pub fn can_reach(&self, target: Target) -> bool {
        self.writer.can_reach(target)
    }

    /// How the answer to a request with such slots turns into rows.
    pub fn layout(&self, targets: &[Target]) -> Layout {
        self.writer.layout(targets)
    }

    /// The response keys of the slots of a request; none for the first pages of everything.
    pub(crate) fn slot_keys(&self, targets: &[Target]) -> Vec<String> {
        match self.layout(targets).data.role {
            AncestorRole::Object(fields) if !targets.contains(&Target::Start) => {
                let keys = fields.into_iter().take(targets.len());
                keys.map(|field| field.key).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The sizes of a request that asks for as much as it may.
    pub fn full_sizes(&self) -> Vec<u32> {
        self.connections.iter().map(|connection| connection.page_size).collect()
    }

    /// Whether one request can ask for several values of the variable that the query is run for.
    pub fn mixes_members(&self) -> bool {
        !self.member_roots.is_empty() && self.each_variable.is_some() && self.writer.mixes_members
    }

    /// What is asked for by itself for each value: the indices of the member roots, or everything at once.
    pub fn roots_of_member(&self) -> Vec<Option<usize>> {
        match self.member_roots.len() {
            0 => vec![None],
            roots => (0..roots).map(Some).collect(),
        }
    }

    /// The requests for the first pages of everything, or of one value of the variable that the query is run for.
    pub(crate) fn first_requests(&self) -> &[FirstRequest] {
        &self.first_requests
    }

    /// Whether the author selects the field at a place, so that it can be left out.
    pub fn is_selected(&self, path: &str) -> bool {
        self.selected.contains_key(path)
    }

    /// The places of the fields that a text names, as far as it does so beyond doubt.
    pub(crate) fn named_in(&self, text: &str) -> Vec<String> {
        let places = named_places(&self.selected, text).into_iter();
        places.map(str::to_owned).collect()
    }

    /// The same places, with that of an object in the place of all that the author selects of it.
    pub(crate) fn gathered(&self, places: Vec<String>) -> Vec<String> {
        let tables = self.description.tables.iter().map(|table| table.path.as_str());
        let items = self.connections.iter().map(|connection| connection.items_path.as_str());
        gathered(&self.selected, places, &tables.chain(items).collect::<Vec<_>>())
    }

    /// Whether the schema says of the field at a place that it is never null, so that an error takes what is around it along.
    pub(crate) fn is_never_null(&self, path: &str) -> bool {
        self.selected.get(path).is_some_and(|field| field.is_never_null)
    }

    /// Whether rows are known by the field at a place.
    pub(crate) fn is_key(&self, path: &str) -> bool {
        self.pieces.is_key(path)
    }

    /// Whether the field at a place is asked for apart from others, as it is denied in single rows.
    pub fn is_denied_in_rows(&self, path: &str) -> bool {
        self.denied_in_rows.iter().any(|field| field.path == path)
    }

    /// Whether the field at a place is left out, or stands in one that is.
    pub fn is_left_out(&self, path: &str) -> bool {
        self.left_out
            .iter()
            .any(|left_out| stands_in(path, &left_out.field.path))
    }

    /// Whether each row is asked by itself for the connection at a place.
    pub(crate) fn is_detached(&self, path: &str) -> bool {
        let mut connections = self.connections.iter();
        connections.any(|connection| connection.is_detached && connection.path == path)
    }

    /// The variable that takes the values of a column.
    pub(crate) fn each_variable(&self) -> Option<&EachVariable> {
        self.each_variable.as_ref()
    }
}

/// Plans the export of `document`.
pub fn plan_query(document: &QueryDocument, schema: &ApiSchema, settings: PlanSettings<'_>) -> Result<Plan, PlanError> {
    let whole = Planned::of(document, schema, settings, None)?;
    if settings.denied.is_empty() {
        return Ok(whole.plan);
    }
    let Planned { mut plan, rows } = Planned::of(document, schema, settings, Some(&whole.rows))?;
    // What was read before is of use as long as the tables and what rows are known by are the same, and the rows of each
    // connection stand where they stood: what is left out is null in both.
    let marks = |rows: &[RowPlan]| rows.iter().map(|row| row.layout.row.marks.clone()).collect::<Vec<_>>();
    let detached = |plan: &Plan| plan.connections.iter().map(|one| one.is_detached).collect::<Vec<_>>();
    let [before, now] = [(&whole.plan, &whole.rows), (&plan, &rows)]
        .map(|(plan, rows)| (std::sync::Arc::clone(&plan.tables), marks(rows), detached(plan)));
    plan.fingerprint = match before == now {
        true => whole.plan.fingerprint,
        false => whole.plan.fingerprint.with(&format!("{now:?}")),
    };
    Ok(plan)
}

/// A plan, and what it was made from.
struct Planned {
    plan: Plan,
    rows: Vec<RowPlan>,
}

impl Planned {
    /// The plan of all that is asked for, or, where the rows of that are given, the one without what is denied.
    fn of(
        document: &QueryDocument,
        schema: &ApiSchema,
        settings: PlanSettings<'_>,
        whole: Option<&[RowPlan]>,
    ) -> Result<Self, PlanError> {
        let paging = PagingRules::new(schema.compiled(), settings.paging);
        let CheckedQuery { mut operation, sources } = document.check(schema, paging)?;
        let query = hash_of(operation.to_string());
        add_type_names(&mut operation.selection_set, schema.compiled());
        let moments = Moments {
            schema: schema.compiled(),
            scalars: settings.scalars,
            sources: &sources,
        };
        let variables = Variables::bind(&operation, settings.variables, moments)?;
        let context = Context {
            schema: schema.compiled(),
            scalars: settings.scalars,
            flatten: settings.flatten,
            variables: &variables,
            paging,
            sources: &sources,
        };
        let each_variable = each(context, &operation)?;
        unite(context, &mut operation.selection_set);
        let denied = whole.map_or(&[] as &[DeniedField], |_| settings.denied);
        let is_everywhere = |path: &str| denied.iter().any(|other| other.path == path && !other.is_in_rows);
        let mut denied: Vec<DeniedField> = denied
            .iter()
            .filter(|field| !field.is_in_rows || !is_everywhere(&field.path))
            .cloned()
            .collect();
        let Surveyed {
            survey,
            rows,
            set_apart,
            hopeless,
        } = survey_and_plan(context, &mut operation, &mut denied)?;
        let selected = selected_fields(&operation.selection_set);
        let left_out = left_out(&denied, &hopeless, &selected, &survey);
        if let Some(whole) = whole {
            check_left_out(&left_out, &survey, (whole, &rows))?;
        }
        let operation_name = directives::table(&operation.directives).name;
        let stem = operation_name.as_deref().unwrap_or(settings.query_name);
        let fitted = fit(
            context,
            &operation,
            &survey,
            each_variable.as_ref(),
            settings.limits,
            &set_apart,
        )?;
        // Columns that rows are asked for by themselves can be null, which cuts alone tell.
        let tables = tables(context, &survey, &fitted.plans, stem)?;
        let Fitted {
            plans,
            outline,
            detached,
            apart,
            ..
        } = &fitted;
        let maker = RouteMaker {
            context,
            operation: &operation,
            survey: &survey,
            plans,
            outline,
            detached,
            apart,
        };
        let mut connections = connections(&survey, plans, detached, settings.page_size);
        let member_roots = member_roots(&fitted.writer, &mut connections);
        let each = each_variable.as_ref();
        let plan = Plan {
            first_pages_only: switched_off(context, &operation.selection_set)?,
            description: describe(maker, &fitted, &tables, settings.page_size)?,
            probe: probe(maker, each.is_some(), settings.limits)?,
            fingerprint: Fingerprint::new(
                hash(settings.api, &tables, &connections, &fitted.writer, each),
                origins(schema, settings, query, &variables),
            ),
            tables: tables.into(),
            connections,
            left_out,
            denied_in_rows: denied.into_iter().filter(|field| field.is_in_rows).collect(),
            each: None,
            member_roots,
            selected,
            each_variable,
            writer: fitted.writer,
            pieces: fitted.pieces,
            first_requests: fitted.first_requests,
        };
        Ok(Self { plan, rows })
    }
}

/// The row fields and their plans, and how fields are asked for that are denied in single rows.
struct Surveyed {
    survey: Survey,
    rows: Vec<RowPlan>,
    set_apart: Vec<SetApart>,
    /// The places of those of these fields for which there is no way but to leave them out.
    hopeless: Vec<String>,
}

/// The row fields and their plans. Rows that can be asked for again by their place only, and are selected beside their
/// edges, are selected within them instead.
fn survey_and_plan(
    context: Context<'_>,
    operation: &mut Operation,
    denied: &mut [DeniedField],
) -> Result<Surveyed, PlanError> {
    let mut hopeless = Vec::new();
    loop {
        // Places are those of responses, which rows moved into their edges change.
        leave_out(&mut operation.selection_set, denied);
        let survey = survey(context, &operation.selection_set)?;
        let rows = plan_rows(context, &survey, &Cuts::default())?;
        let has_rows_below = |index: usize| {
            survey
                .rows
                .iter()
                .any(|row| row.parent == Some(index) && row.paged().is_some())
        };
        let lost = survey.rows.iter().enumerate().find(|(index, row)| {
            rows[*index].address.is_none() && has_rows_below(*index) && has_place_in_edges(context.schema, row)
        });
        let Some((_, row)) = lost else {
            match ways(
                context,
                &survey,
                &rows,
                &selected_fields(&operation.selection_set),
                denied,
            )? {
                Ok(set_apart) => {
                    return Ok(Surveyed {
                        survey,
                        rows,
                        set_apart,
                        hopeless,
                    });
                }
                // What cannot be asked for apart from the others is not asked for at all.
                Err(index) => {
                    denied[index].is_in_rows = false;
                    hopeless.push(denied[index].path.clone());
                }
            }
            continue;
        };
        let path = row.path.clone();
        move_into_edges(context, &mut operation.selection_set, &path, &row.source.steps);
    }
}

fn connections(survey: &Survey, plans: &[RowPlan], detached: &Detached, default_page_size: u32) -> Vec<Connection> {
    let above = |mut row: usize| {
        let mut rows = Vec::new();
        while let Some(parent) = survey.rows[row].parent {
            rows.push(parent);
            row = parent;
        }
        rows
    };
    let index = |row: usize| plans[row].layout.page.as_ref().map(|page| page.connection);
    let connections = survey.rows.iter().enumerate().filter_map(|(row, field)| {
        let paged = field.paged()?;
        let above = above(row);
        let parent = above.iter().find_map(|row| index(*row));
        Some(Connection {
            path: joined(&field.path, "."),
            items_path: joined(&field.items_path(), "."),
            table: row,
            parent,
            is_repeated: parent.is_some(),
            depth: u32::try_from(above.len()).unwrap_or(u32::MAX),
            paged: paged.paged.clone(),
            page_size: paged.page_size.unwrap_or(default_page_size),
            most_rows: paged.max,
            page_key: plans[row].page_key.clone(),
            is_detached: detached.contains_key(&row),
            is_never_null: field.field().is_some_and(|field| field.field.ty().is_non_null()),
        })
    });
    connections.collect()
}

/// One table is called like the query file, several are called by their fields as well.
fn tables(context: Context<'_>, survey: &Survey, plans: &[RowPlan], stem: &str) -> Result<Vec<Table>, PlanError> {
    let mut tables: Vec<Table> = Vec::new();
    let outermost = survey.rows.iter().filter(|row| row.parent.is_none()).count();
    for (row, plan) in survey.rows.iter().zip(plans) {
        let own = row.path.last().map_or("", |key| key.as_str());
        let above = row
            .parent
            .and_then(|parent| tables.get(parent))
            .map(|table| table.name.to_string());
        let name = match (&plan.table.name, above) {
            (Some(name), _) => name.clone(),
            (None, Some(above)) => format!("{above}__{own}"),
            (None, None) if outermost == 1 => stem.to_owned(),
            (None, None) => format!("{stem}__{own}"),
        };
        let refusal = |message: String, help: &str| {
            let place = plan
                .table
                .place
                .or_else(|| row.path.last().and_then(apollo_compiler::Name::location));
            let finding = Finding {
                message,
                place,
                label: "this table".to_owned(),
                help: help.to_owned(),
            };
            finding.into_error(context.sources)
        };
        let table_name = TableName::new(&name).ok_or_else(|| {
            refusal(
                format!("`{name}` cannot be a table's name"),
                "use letters, digits, `_` and `-`",
            )
        })?;
        if table_name.is_taken() {
            let message =
                format!("a table cannot be called `{name}`: gqldump, or Windows, has something else of that name");
            return Err(refusal(message, "name it with @table(name: \"…\")"));
        }
        let is_rejects = |other: &Table| other.name == table_name.rejects() || other.name.rejects() == table_name;
        if let Some(other) = tables.iter().find(|other| is_rejects(other)) {
            let message = format!(
                "table `{name}` and the rows that do not fit another would be called the same, beside `{}`",
                other.name
            );
            return Err(refusal(
                message,
                "name one of them with @table(name: \"…\"), or give its field an alias",
            ));
        }
        if tables.iter().any(|other| other.name == table_name) {
            let message = format!("two tables would be called `{name}`");
            return Err(refusal(
                message,
                "name one of them with @table(name: \"…\"), or give its field an alias",
            ));
        }
        tables.push(Table {
            name: table_name,
            columns: plan.columns.clone(),
        });
    }
    Ok(tables)
}

fn hash(
    api: &str,
    tables: &[Table],
    connections: &[Connection],
    writer: &RequestWriter,
    each: Option<&EachVariable>,
) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(api);
    // A page size may change from run to run: it is no content.
    for Connection {
        path, paged, most_rows, ..
    } in connections
    {
        hash.update(format!("{path}{paged:?}{most_rows:?}"));
    }
    hash.update(format!("{writer:?}"));
    hash.update(each.map(EachVariable::of).unwrap_or_default());
    hash.update(format!("{tables:?}"));
    hash
}

fn origins(schema: &ApiSchema, settings: PlanSettings<'_>, query: String, variables: &Variables) -> Origins {
    let PlanSettings {
        scalars,
        paging,
        flatten,
        limits,
        ..
    } = settings;
    Origins {
        api: hash_of(settings.api),
        query,
        variables: hash_of(variables.given_text()),
        schema: schema.digest.clone(),
        settings: hash_of(format!("{scalars:?}{paging:?}{flatten}{limits:?}")),
    }
}
