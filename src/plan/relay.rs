//! The parts of a Relay connection within a selection: its items, its `pageInfo`, its paging arguments.

use apollo_compiler::ast::{Argument, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::schema::Name;
use apollo_compiler::{Node, Schema, name};

use crate::schema::{Paging, paging};

/// The argument for the number of rows.
pub(crate) const FIRST: Name = name!("first");
/// The argument for the cursor.
pub(crate) const AFTER: Name = name!("after");

/// Gives every Relay connection whose schema insists on a size one, where the author wrote none.
/// The value is a placeholder: whoever sends the field puts a variable in its place.
pub(crate) fn fill_in_sizes(executable: &mut ExecutableDocument, schema: &Schema) {
    let operations = executable
        .operations
        .anonymous
        .iter_mut()
        .chain(executable.operations.named.values_mut());
    for operation in operations {
        fill_in(&mut operation.make_mut().selection_set, schema);
    }
    for fragment in executable.fragments.values_mut() {
        fill_in(&mut fragment.make_mut().selection_set, schema);
    }
}

fn fill_in(set: &mut SelectionSet, schema: &Schema) {
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) => {
                let field = field.make_mut();
                if needs_size(field, schema) {
                    let size = Argument {
                        name: FIRST,
                        value: Node::new(Value::Int(1.into())),
                    };
                    field.arguments.push(Node::new(size));
                }
                fill_in(&mut field.selection_set, schema);
            }
            Selection::InlineFragment(inline) => fill_in(&mut inline.make_mut().selection_set, schema),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn needs_size(field: &Field, schema: &Schema) -> bool {
    let is_required = field
        .definition
        .argument_by_name(&FIRST)
        .is_some_and(|argument| argument.is_required());
    is_required
        && field.specified_argument_by_name(&FIRST).is_none()
        && paging(schema, &field.definition) == Paging::Relay
}
