//! Rows that are selected beside their edges, selected within them: an edge tells the place of its row.

use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::Name;
use apollo_compiler::{Node, name};

use crate::plan::columns::Context;

/// Replaces `nodes { … }` by `edges { node { … } }` in the connection at `path` (response keys from the query root).
/// `steps` are the key and the name of the list.
pub(crate) fn move_into_edges(context: Context<'_>, set: &mut SelectionSet, path: &[Name], steps: &[(Name, Name)]) {
    let Some((nodes, _)) = steps.first() else { return };
    let Some((key, rest)) = path.split_first() else {
        let type_name = set.ty.clone();
        for selection in &mut set.selections {
            match selection {
                Selection::Field(field) if field.response_key() == nodes => {
                    if let Some(edges) = edges(context, &type_name, field) {
                        *selection = edges.into();
                    }
                }
                Selection::InlineFragment(inline) => {
                    move_into_edges(context, &mut inline.make_mut().selection_set, path, steps);
                }
                Selection::Field(_) | Selection::FragmentSpread(_) => {}
            }
        }
        return;
    };
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) if field.response_key() == key => {
                move_into_edges(context, &mut field.make_mut().selection_set, rest, steps);
            }
            Selection::InlineFragment(inline) => {
                move_into_edges(context, &mut inline.make_mut().selection_set, path, steps);
            }
            Selection::Field(_) | Selection::FragmentSpread(_) => {}
        }
    }
}

fn edges(context: Context<'_>, connection: &Name, nodes: &Node<Field>) -> Option<Field> {
    const EDGES: Name = name!("edges");
    const NODE: Name = name!("node");
    let definition =
        |type_name: &Name, field: &Name| Some(context.schema.type_field(type_name, field).ok()?.node.clone());
    let mut edges = Field::new(EDGES, definition(connection, &EDGES)?);
    let mut node = Field::new(NODE, definition(&edges.selection_set.ty, &NODE)?);
    node.selection_set.selections = nodes.selection_set.selections.clone();
    edges.selection_set.push(node);
    edges.directives = nodes.directives.clone();
    Some(edges)
}
