//! A query file read and checked: one query, its fragments gathered from the folder, written out in one piece.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationType, Selection as AstSelection};
use apollo_compiler::executable::{
    ExecutableDocument, FragmentMap, InlineFragment, Operation, Selection, SelectionSet,
};
use apollo_compiler::parser::SourceMap;
use apollo_compiler::schema::Name;
use apollo_compiler::validation::DiagnosticList;

use crate::plan::paging_rules::PagingRules;
use crate::plan::placeholders;
use crate::plan::report::{Finding, PlanError};
use crate::schema::ApiSchema;

/// Selections of a query with its fragments written out: far more than any API answers, and few enough to be worked with.
const MOST_SELECTIONS: u64 = 50_000;

/// A file of GraphQL.
#[derive(Debug, Clone, Copy)]
pub struct GraphqlFile<'text> {
    /// Where it is.
    pub path: &'text Path,
    /// What it says.
    pub text: &'text str,
}

/// A query file that parses and holds one query.
#[derive(Debug, Clone)]
pub struct QueryDocument {
    path: PathBuf,
    document: Document,
}

/// A query that fits the schema, its fragments written out where they were spread.
#[derive(Debug, Clone)]
pub(crate) struct CheckedQuery {
    pub(crate) operation: Operation,
    pub(crate) sources: SourceMap,
}

impl QueryDocument {
    /// Reads `file`; fragments that it spreads and does not define are looked for in `siblings`.
    /// `None` for a file that holds nothing but fragments.
    pub fn read(file: GraphqlFile<'_>, siblings: &[GraphqlFile<'_>]) -> Result<Option<Self>, PlanError> {
        let mut document =
            Document::parse(file.text, file.path).map_err(|flawed| PlanError::from_compiler(&flawed.errors, None))?;
        if document
            .definitions
            .iter()
            .all(|definition| definition.as_fragment_definition().is_some())
        {
            return Ok(None);
        }
        refuse_all_but_one_query(&document)?;
        gather_fragments(&mut document, siblings);
        Ok(Some(Self {
            path: file.path.to_owned(),
            document,
        }))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the query declares a variable of that name.
    pub fn has_variable(&self, name: &str) -> bool {
        let mut operations = self
            .document
            .definitions
            .iter()
            .filter_map(Definition::as_operation_definition);
        operations.any(|operation| operation.variables.iter().any(|variable| variable.name == name))
    }

    /// Whether the query takes values from another one: a variable of it has `@each`.
    pub fn has_each(&self) -> bool {
        let mut operations = self
            .document
            .definitions
            .iter()
            .filter_map(Definition::as_operation_definition);
        operations.any(|operation| {
            operation
                .variables
                .iter()
                .any(|variable| variable.directives.has("each"))
        })
    }

    /// Checks the query against the schema.
    pub(crate) fn check(&self, schema: &ApiSchema, paging: PagingRules<'_>) -> Result<CheckedQuery, PlanError> {
        let schema = schema.compiled();
        let report = |errors: &DiagnosticList| PlanError::from_compiler(errors, Some(schema));
        let mut executable = self
            .document
            .to_executable(schema)
            .map_err(|flawed| report(&flawed.errors))?;
        // A size that the API insists on is the planner's to fill in, so its absence must not count as an error.
        placeholders::fill_in(&mut executable, schema, paging);
        let executable = executable
            .validate(schema)
            .map_err(|flawed| report(&flawed.errors))?
            .into_inner();
        let ExecutableDocument {
            sources,
            operations,
            fragments,
        } = executable;
        let operation = operations
            .iter()
            .next()
            .ok_or_else(|| PlanError::plain("the file holds no operation"))?;
        let mut operation = Operation::clone(operation);
        let mut known = HashMap::new();
        if selections(&operation.selection_set, &fragments, &mut known) > MOST_SELECTIONS {
            return Err(PlanError::plain(format!(
                "the query selects more than {MOST_SELECTIONS} fields once its fragments are written out where they are \
                 spread: select less, or part it into several query files"
            )));
        }
        operation.selection_set = write_out(&operation.selection_set, &fragments);
        Ok(CheckedQuery { operation, sources })
    }
}

/// How many selections a set holds with its fragments written out; each fragment is counted once and then `known`.
fn selections(set: &SelectionSet, fragments: &FragmentMap, known: &mut HashMap<Name, u64>) -> u64 {
    let mut count = 0_u64;
    for selection in &set.selections {
        let below = match selection {
            Selection::Field(field) => selections(&field.selection_set, fragments, known),
            Selection::InlineFragment(inline) => selections(&inline.selection_set, fragments, known),
            Selection::FragmentSpread(spread) => {
                match (known.get(&spread.fragment_name), fragments.get(&spread.fragment_name)) {
                    (Some(count), _) => *count,
                    (None, None) => 0,
                    (None, Some(fragment)) => {
                        let count = selections(&fragment.selection_set, fragments, known);
                        known.insert(spread.fragment_name.clone(), count);
                        count
                    }
                }
            }
        };
        count = count.saturating_add(below).saturating_add(1);
    }
    count
}

fn refuse_all_but_one_query(document: &Document) -> Result<(), PlanError> {
    let mut queries = Vec::new();
    for definition in &document.definitions {
        let (kind, name) = match definition {
            Definition::FragmentDefinition(_) => continue,
            Definition::OperationDefinition(operation) => match operation.operation_type {
                OperationType::Query => {
                    queries.push(operation);
                    continue;
                }
                OperationType::Mutation => ("mutation", operation.name.as_ref()),
                OperationType::Subscription => ("subscription", operation.name.as_ref()),
            },
            other => ("type definition", other.name()),
        };
        let name = name.map_or_else(|| format!("this {kind}"), |name| format!("the {kind} `{name}`"));
        let finding = Finding {
            message: format!("{name} cannot be exported"),
            place: definition.location(),
            label: format!("a {kind}"),
            help: "a query file holds one query, and fragments; nothing that changes or defines anything".to_owned(),
        };
        return Err(finding.into_error(&document.sources));
    }
    let [_, second, ..] = queries.as_slice() else {
        return Ok(());
    };
    let name = |operation: &&Node<apollo_compiler::ast::OperationDefinition>| {
        operation
            .name
            .as_ref()
            .map_or_else(|| "(no name)".to_owned(), ToString::to_string)
    };
    let names: Vec<_> = queries.iter().map(name).collect();
    let finding = Finding {
        message: format!("the file holds {} queries: {}", queries.len(), names.join(", ")),
        place: second.location(),
        label: "the second query".to_owned(),
        help: "give each query a file of its own; its name names the table".to_owned(),
    };
    Err(finding.into_error(&document.sources))
}

/// Adds the fragments of `siblings` that the document spreads, directly or through others, and does not define.
fn gather_fragments(document: &mut Document, siblings: &[GraphqlFile<'_>]) {
    // A sibling that does not parse is reported where it is selected itself.
    let parsed = siblings
        .iter()
        .filter_map(|file| Document::parse(file.text, file.path).ok());
    let parsed: Vec<Document> = parsed.collect();
    loop {
        let defined: Vec<Name> = fragments_of(document).map(|fragment| fragment.name.clone()).collect();
        let wanted = spreads_of(document).into_iter().find_map(|name| {
            let is_missing = !defined.contains(&name);
            is_missing.then(|| find_fragment(&parsed, &name)).flatten()
        });
        let Some((sources, fragment)) = wanted else { return };
        Arc::make_mut(&mut document.sources).extend(sources.iter().map(|(id, file)| (*id, Arc::clone(file))));
        document.definitions.push(Definition::FragmentDefinition(fragment));
    }
}

fn find_fragment(documents: &[Document], name: &Name) -> Option<(SourceMap, Node<FragmentDefinition>)> {
    documents.iter().find_map(|document| {
        let fragment = fragments_of(document).find(|fragment| fragment.name == *name)?;
        Some((SourceMap::clone(&document.sources), fragment.clone()))
    })
}

fn fragments_of(document: &Document) -> impl Iterator<Item = &Node<FragmentDefinition>> {
    document
        .definitions
        .iter()
        .filter_map(Definition::as_fragment_definition)
}

fn spreads_of(document: &Document) -> Vec<Name> {
    let mut names = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => collect_spreads(&operation.selection_set, &mut names),
            Definition::FragmentDefinition(fragment) => collect_spreads(&fragment.selection_set, &mut names),
            _ => {}
        }
    }
    names
}

fn collect_spreads(selections: &[AstSelection], names: &mut Vec<Name>) {
    for selection in selections {
        match selection {
            AstSelection::Field(field) => collect_spreads(&field.selection_set, names),
            AstSelection::InlineFragment(inline) => collect_spreads(&inline.selection_set, names),
            AstSelection::FragmentSpread(spread) => names.push(spread.fragment_name.clone()),
        }
    }
}

/// Replaces every spread by what it spreads; fragments that say nothing of their own are dissolved.
/// The recursion ends since a valid document has no cycle of fragments.
fn write_out(set: &SelectionSet, fragments: &FragmentMap) -> SelectionSet {
    let mut written = SelectionSet::new(set.ty.clone());
    for selection in &set.selections {
        let inline = match selection {
            Selection::Field(field) => {
                let mut field = field.clone();
                let inner = write_out(&field.selection_set, fragments);
                field.make_mut().selection_set = inner;
                written.selections.push(Selection::Field(field));
                continue;
            }
            Selection::InlineFragment(inline) => InlineFragment {
                type_condition: inline.type_condition.clone(),
                directives: inline.directives.clone(),
                selection_set: write_out(&inline.selection_set, fragments),
            },
            Selection::FragmentSpread(spread) => {
                let Some(fragment) = fragments.get(&spread.fragment_name) else {
                    continue;
                };
                InlineFragment {
                    type_condition: Some(fragment.selection_set.ty.clone()),
                    directives: spread.directives.clone(),
                    selection_set: write_out(&fragment.selection_set, fragments),
                }
            }
        };
        let narrows = inline
            .type_condition
            .as_ref()
            .is_some_and(|condition| *condition != set.ty);
        if narrows || !inline.directives.is_empty() {
            written.selections.push(inline.into());
        } else {
            written.selections.extend(inline.selection_set.selections);
        }
    }
    written
}
