//! Arguments of paginated fields that the schema insists on and the author leaves to us: filled in, so that their absence
//! is no error.

use apollo_compiler::ast::{Argument, DirectiveList, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::parser::SourceMap;
use apollo_compiler::schema::Name;
use apollo_compiler::{Node, Schema};

use crate::plan::directives;
use crate::plan::paging_rules::PagingRules;
use crate::schema::{ArgumentPath, Paging, PagingHints, paging};

/// Gives every paginated field the driven arguments that its schema insists on, where the author wrote none.
/// The values are placeholders, without a place in a file: whoever sends the field puts variables there.
pub(crate) fn fill_in(executable: &mut ExecutableDocument, schema: &Schema, rules: PagingRules<'_>) {
    let sources = SourceMap::clone(&executable.sources);
    let filler = Filler {
        schema,
        rules,
        sources: &sources,
    };
    let operations = executable
        .operations
        .anonymous
        .iter_mut()
        .chain(executable.operations.named.values_mut());
    for operation in operations {
        filler.set(&mut operation.make_mut().selection_set);
    }
    for fragment in executable.fragments.values_mut() {
        filler.set(&mut fragment.make_mut().selection_set);
    }
}

struct Filler<'plan> {
    schema: &'plan Schema,
    rules: PagingRules<'plan>,
    sources: &'plan SourceMap,
}

impl Filler<'_> {
    fn set(&self, set: &mut SelectionSet) {
        let parent = set.ty.clone();
        for selection in &mut set.selections {
            match selection {
                Selection::Field(field) => {
                    let field = field.make_mut();
                    self.field(&parent, field);
                    self.set(&mut field.selection_set);
                }
                Selection::InlineFragment(inline) => self.set(&mut inline.make_mut().selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&self, parent: &Name, field: &mut Field) {
        let is_missing = |argument: &&Node<apollo_compiler::ast::InputValueDefinition>| {
            argument.is_required() && field.specified_argument_by_name(&argument.name).is_none()
        };
        let missing: Vec<Name> = field
            .definition
            .arguments
            .iter()
            .filter(is_missing)
            .map(|one| one.name.clone())
            .collect();
        if missing.is_empty() {
            return;
        }
        let hints = self
            .hints(&field.directives)
            .over(&self.rules.hints(parent, &field.name));
        // What is wrong with the hints is said where the field is planned.
        let Ok(Paging::Paged(paged)) = paging(self.schema, &field.definition, &hints) else {
            return;
        };
        for name in missing {
            let driven: Vec<&ArgumentPath> = paged.arguments().filter(|path| path.0.first() == Some(&name)).collect();
            let value = match driven.as_slice() {
                [] => continue,
                [path] if path.0.len() == 1 => one_of(self.schema, field, path),
                paths => {
                    let members = paths
                        .iter()
                        .filter_map(|path| Some((path.0.get(1)?.clone(), Node::new(one_of(self.schema, field, path)))));
                    Value::Object(members.collect())
                }
            };
            field.arguments.push(Node::new(Argument {
                name,
                value: Node::new(value),
            }));
        }
    }

    fn hints(&self, directives: &DirectiveList) -> PagingHints {
        directives::paginate(directives, self.sources)
            .map(|directive| directive.hints)
            .unwrap_or_default()
    }
}

/// A value that the argument's type allows.
fn one_of(schema: &Schema, field: &Field, path: &ArgumentPath) -> Value {
    let ty = path.ty(&field.definition, schema);
    match ty.as_ref().map(|ty| ty.inner_named_type().as_str()) {
        Some("String" | "ID") => Value::String("1".to_owned()),
        _ => Value::Int(1.into()),
    }
}
