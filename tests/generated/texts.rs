//! A generated API written down: its schema, and the stand-in's `data.toml`.

use std::fmt::Write as _;

use crate::generated::scalars::{CHOICE_SCHEMA, SCALAR_SCHEMA, VALUE_DATA, VALUE_SCHEMA};
use crate::generated::styles::PAGING_SCHEMA;
use crate::generated::world::{Field, Key, List, Lookup, ObjectType, Target, World};

/// The schema.
pub(super) fn schema(world: &World) -> String {
    let mut text = format!(
        "schema {{ query: Query }}\n{SCALAR_SCHEMA}{CHOICE_SCHEMA}{VALUE_SCHEMA}{PAGING_SCHEMA}interface Node {{ id: ID! }}\n"
    );
    for interface in &world.interfaces {
        let fields = key_field(&interface.key)
            .into_iter()
            .chain(interface.fields.iter().map(value_field));
        write_type(&mut text, "interface", interface.name, "", fields);
    }
    for ty in &world.types {
        let mut fields: Vec<String> = key_field(&ty.key).into_iter().collect();
        fields.extend(ty.fields.iter().map(value_field));
        if ty.name == "Query" {
            fields.extend(root_fields(world));
        }
        fields.extend(lists(world, ty, false));
        if let Some(holder) = &ty.holder {
            let null = if holder.is_nullable { "" } else { "!" };
            fields.push(format!("{}: {}{null}", holder.field, holder.ty));
            let inner = holder.fields.iter().map(value_field);
            write_type(&mut text, "type", holder.ty, "", inner.chain(lists(world, ty, true)));
        }
        write_type(&mut text, "type", ty.name, &implements(world, ty), fields);
        for list in &ty.lists {
            write_page(&mut text, world, list);
        }
    }
    text
}

fn write_type(text: &mut String, kind: &str, name: &str, implements: &str, fields: impl IntoIterator<Item = String>) {
    let fields: Vec<String> = fields.into_iter().collect();
    writeln!(text, "{kind} {name}{implements} {{\n  {}\n}}", fields.join("\n  ")).expect("text");
}

fn key_field(key: &Key) -> Option<String> {
    match key {
        Key::Field { name, ty, .. } => Some(format!("{name}: {ty}")),
        Key::None => None,
    }
}

fn value_field(field: &Field) -> String {
    format!("{}: {}", field.name, field.ty)
}

fn implements(world: &World, ty: &ObjectType) -> String {
    let node = matches!(ty.key, Key::Field { is_node: true, .. }).then_some("Node");
    let interface = ty.interface.map(|interface| world.interfaces[interface].name);
    let names: Vec<&str> = node.into_iter().chain(interface).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" implements {}", names.join(" & ")),
    }
}

fn root_fields(world: &World) -> Vec<String> {
    let nodes = world.node_fields.iter().map(|field| match *field {
        "node" => "node(id: ID!): Node".to_owned(),
        _ => "nodes(ids: [ID!]!): [Node]!".to_owned(),
    });
    let lookups = lookups(world);
    let lookups = lookups.iter().map(|(target, lookup)| {
        let Lookup {
            field, argument, ty, ..
        } = lookup;
        let object = world.name(*target);
        match lookup.is_list {
            true => format!("{field}({argument}: [{ty}]!): [{object}]!"),
            false => format!("{field}({argument}: {ty}): {object}"),
        }
    });
    let lists = world.types.iter().flat_map(|ty| &ty.lists);
    let continuations = lists.filter_map(|list| {
        let (stem, arguments, _) = list.paging.continuation.as_ref()?;
        Some(format!("{stem}{}({arguments}): {}!", list.name, page_name(list)))
    });
    nodes.chain(lookups).chain(continuations).collect()
}

fn lookups(world: &World) -> Vec<(Target, &Lookup)> {
    let types = (0..world.types.len()).map(Target::Type);
    let interfaces = (0..world.interfaces.len()).map(Target::Interface);
    types
        .chain(interfaces)
        .filter_map(|target| Some((target, world.lookup(target)?)))
        .collect()
}

/// The list fields of a type itself, or of the object that belongs to it.
fn lists(world: &World, ty: &ObjectType, is_in_holder: bool) -> Vec<String> {
    let lists = ty.lists.iter().filter(|list| list.is_in_holder == is_in_holder);
    lists.map(|list| list_field(world, list)).collect()
}

fn list_field(world: &World, list: &List) -> String {
    let filter = list.filter.as_ref().map(|filter| format!("{}: Hue", filter.name));
    let own = Some(list.paging.arguments.clone()).filter(|own| !own.is_empty());
    let arguments: Vec<String> = own.into_iter().chain(filter).collect();
    let arguments = match arguments.is_empty() {
        true => String::new(),
        false => format!("({})", arguments.join(", ")),
    };
    let answer = match list.paging.page {
        Some(_) => page_name(list),
        None => format!("[{}!]", world.name(list.target)),
    };
    format!("{}{arguments}: {answer}!", list.name)
}

fn page_name(list: &List) -> String {
    format!("{}Page", list.name)
}

fn write_page(text: &mut String, world: &World, list: &List) {
    let Some(page) = list.paging.page else { return };
    let (row, edge) = (world.name(list.target), format!("{}Edge", list.name));
    let fields = page.replace("ROW", row).replace("EDGE", &edge);
    writeln!(text, "type {} {{ {fields} }}", page_name(list)).expect("text");
    if page.contains("EDGE") {
        writeln!(text, "type {edge} {{ cursor: String! node: {row} }}").expect("text");
    }
}

/// What `data.toml` says of all types.
pub(super) fn data(world: &World, seed: u64) -> String {
    let mut text = format!(
        "seed = {seed}\nexample = ''\nvocabulary = ['fen', 'gorse', 'heath', 'islet', 'kelp', 'ledge']\n\n[variants]\n"
    );
    for interface in &world.interfaces {
        let members: Vec<&str> = interface.members.iter().map(|ty| world.types[*ty].name).collect();
        writeln!(text, "{} = {members:?}", interface.name).expect("text");
    }
    for list in world.types.iter().flat_map(|ty| &ty.lists) {
        writeln!(text, "\n[pagings.{}]\n{}", list.name, list.paging.shape).expect("text");
        if let Some((stem, _, shape)) = &list.paging.continuation {
            writeln!(text, "\n[pagings.{stem}{}]\n{shape}", list.name).expect("text");
        }
    }
    text += "\n[pagings.unused]\n";
    for ty in &world.types {
        write_data(&mut text, world, ty);
    }
    text + VALUE_DATA
}

fn write_data(text: &mut String, world: &World, ty: &ObjectType) {
    writeln!(text, "\n[types.{}]\ncount = {}", ty.name, ty.count).expect("text");
    if let Some(distinct) = ty.distinct {
        writeln!(text, "distinct = {distinct}").expect("text");
    }
    if let Some(within) = &ty.within {
        writeln!(text, "within = {within}").expect("text");
    }
    writeln!(text, "[types.{}.fields]", ty.name).expect("text");
    if let Key::Field { name, generator, .. } = &ty.key {
        writeln!(text, "{name} = {generator}").expect("text");
    }
    write_values(text, &ty.fields);
    if let Some(holder) = &ty.holder {
        let object = format!("{{ object = '{}' }}", holder.ty);
        let object = match holder.is_nullable {
            true => format!("{{ nullable = {{ chance = 0.3, of = {object} }} }}"),
            false => object,
        };
        writeln!(text, "{} = {object}", holder.field).expect("text");
    }
    write_connections(text, world, ty, false);
    if ty.name == "Query" {
        write_root(text, world);
    }
    if let Some(holder) = &ty.holder {
        writeln!(text, "[types.{}.fields]", holder.ty).expect("text");
        write_values(text, &holder.fields);
        write_connections(text, world, ty, true);
    }
}

fn write_values(text: &mut String, fields: &[Field]) {
    for field in fields {
        writeln!(text, "{} = {}", field.name, field.generator).expect("text");
    }
}

fn write_connections(text: &mut String, world: &World, ty: &ObjectType, is_in_holder: bool) {
    for list in ty.lists.iter().filter(|list| list.is_in_holder == is_in_holder) {
        let owner = ty.owner(list);
        let of = world.name(list.target);
        writeln!(
            text,
            "[types.{owner}.connections.{}]\nof = '{of}'\npaging = '{}'",
            list.name, list.name
        )
        .expect("text");
    }
}

fn write_root(text: &mut String, world: &World) {
    writeln!(text, "[types.Query.lookups]").expect("text");
    for field in &world.node_fields {
        let argument = if *field == "node" { "id" } else { "ids" };
        writeln!(text, "{field} = {{ argument = '{argument}', field = 'id' }}").expect("text");
    }
    for (target, lookup) in lookups(world) {
        let of = match target {
            Target::Type(ty) => format!("of = '{}', ", world.types[ty].name),
            Target::Interface(_) => String::new(),
        };
        let Lookup {
            field, argument, by, ..
        } = lookup;
        writeln!(text, "{field} = {{ {of}argument = '{argument}', field = '{by}' }}").expect("text");
    }
    writeln!(text, "[types.Query.continuations]").expect("text");
    for list in world.types.iter().flat_map(|ty| &ty.lists) {
        if let Some((stem, ..)) = &list.paging.continuation {
            let name = format!("{stem}{}", list.name);
            writeln!(text, "{name} = '{name}'").expect("text");
        }
    }
}
