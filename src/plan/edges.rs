//! Rows that are selected beside their edges, selected within them: an edge tells the place of its row.

use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::Name;
use apollo_compiler::{Node, name};

use crate::plan::columns::Context;

/// Replaces `nodes { … }` by `edges { node { … } }` wherever both are selected: the rows are the same.
pub(crate) fn unite(context: Context<'_>, set: &mut SelectionSet) {
    if let Some(keys) = keys_of_edges(set) {
        replace(context, set, &|field| field.name == "nodes", &keys);
    }
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) => unite(context, &mut field.make_mut().selection_set),
            Selection::InlineFragment(inline) => unite(context, &mut inline.make_mut().selection_set),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Replaces `nodes { … }` by `edges { node { … } }` in the connection at `path` (response keys from the query root).
/// `steps` are the key and the name of the list.
pub(crate) fn move_into_edges(context: Context<'_>, set: &mut SelectionSet, path: &[Name], steps: &[(Name, Name)]) {
    let Some((nodes, _)) = steps.first() else { return };
    let Some((key, rest)) = path.split_first() else {
        return replace(
            context,
            set,
            &|field| field.response_key() == nodes,
            &EdgeKeys::default(),
        );
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

/// The aliases under which a connection's edges and their nodes are selected.
#[derive(Default)]
struct EdgeKeys {
    edges: Option<Name>,
    node: Option<Name>,
}

/// Those of a selection that has edges.
fn keys_of_edges(set: &SelectionSet) -> Option<EdgeKeys> {
    let edges = field_named(set, "edges")?;
    let node = field_named(&edges.selection_set, "node");
    Some(EdgeKeys {
        edges: edges.alias.clone(),
        node: node.and_then(|node| node.alias.clone()),
    })
}

fn field_named<'set>(set: &'set SelectionSet, name: &str) -> Option<&'set Node<Field>> {
    set.selections.iter().find_map(|selection| match selection {
        Selection::Field(field) => (field.name == name).then_some(field),
        Selection::InlineFragment(inline) => field_named(&inline.selection_set, name),
        Selection::FragmentSpread(_) => None,
    })
}

fn replace(context: Context<'_>, set: &mut SelectionSet, is_nodes: &dyn Fn(&Field) -> bool, keys: &EdgeKeys) {
    let type_name = set.ty.clone();
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) if is_nodes(field) => {
                if let Some(edges) = edges(context, &type_name, field, keys) {
                    *selection = edges.into();
                }
            }
            Selection::InlineFragment(inline) => {
                replace(context, &mut inline.make_mut().selection_set, is_nodes, keys);
            }
            Selection::Field(_) | Selection::FragmentSpread(_) => {}
        }
    }
}

fn edges(context: Context<'_>, connection: &Name, nodes: &Node<Field>, keys: &EdgeKeys) -> Option<Field> {
    const EDGES: Name = name!("edges");
    const NODE: Name = name!("node");
    let definition =
        |type_name: &Name, field: &Name| Some(context.schema.type_field(type_name, field).ok()?.node.clone());
    let mut edges = Field::new(EDGES, definition(connection, &EDGES)?).with_opt_alias(keys.edges.clone());
    let mut node = Field::new(NODE, definition(&edges.selection_set.ty, &NODE)?).with_opt_alias(keys.node.clone());
    if node.selection_set.ty != nodes.selection_set.ty {
        return None;
    }
    node.selection_set.selections = nodes.selection_set.selections.clone();
    edges.selection_set.push(node);
    edges.directives = nodes.directives.clone();
    Some(edges)
}
