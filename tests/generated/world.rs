//! What an API is made of before it is written down: its types, their fields and lists, and the ways to one object.

use serde_json::Value;

use crate::cell::Kind;
use crate::generated::styles::Paging;

/// All types of an API. The first is the query root.
#[derive(Debug)]
pub(super) struct World {
    pub(super) types: Vec<ObjectType>,
    pub(super) interfaces: Vec<Interface>,
    /// The root fields that find an object of any type: `node`, `nodes`.
    pub(super) node_fields: Vec<&'static str>,
}

/// An object type.
#[derive(Debug)]
pub(super) struct ObjectType {
    pub(super) name: &'static str,
    pub(super) key: Key,
    pub(super) fields: Vec<Field>,
    /// An object that belongs to it, and may hold some of its lists.
    pub(super) holder: Option<Holder>,
    pub(super) lists: Vec<List>,
    pub(super) interface: Option<usize>,
    pub(super) lookup: Option<Lookup>,
    /// How many objects there are; none of the query root.
    pub(super) count: u64,
    /// How many of them differ.
    pub(super) distinct: Option<u64>,
    /// Whose they are, as `data.toml` says it.
    pub(super) within: Option<String>,
}

/// Several types that one list can hold.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: &'static str,
    pub(super) members: Vec<usize>,
    /// The fields that all members have, beside their key.
    pub(super) fields: Vec<Field>,
    pub(super) key: Key,
    pub(super) lookup: Option<Lookup>,
}

/// What tells the objects of a type apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// A field of this name, type and generator; `is_node` where `node` finds it.
    Field {
        name: &'static str,
        ty: &'static str,
        generator: String,
        is_node: bool,
    },
    /// Nothing.
    None,
}

/// A field that holds a value.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// As the schema has it.
    pub(super) ty: String,
    pub(super) generator: String,
    pub(super) kind: Kind,
    /// What is selected of it, where it is an object.
    pub(super) selection: &'static str,
    /// The values of an enum that filters take.
    pub(super) choices: &'static [&'static str],
}

/// An object without a life of its own.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) field: &'static str,
    pub(super) ty: &'static str,
    pub(super) is_nullable: bool,
    pub(super) fields: Vec<Field>,
}

/// A field that lists objects.
#[derive(Debug)]
pub(super) struct List {
    pub(super) name: &'static str,
    pub(super) target: Target,
    pub(super) paging: Paging,
    pub(super) is_in_holder: bool,
    /// The field of the rows by which it can be filtered, by an argument of that name.
    pub(super) filter: Option<Field>,
    /// What the server's `behaviours.toml` says of this field alone.
    pub(super) behaviour: Vec<String>,
}

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Type(usize),
    Interface(usize),
}

/// A root field that finds one object.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) field: String,
    pub(super) argument: &'static str,
    /// The object's field whose value it takes.
    pub(super) by: &'static str,
    pub(super) ty: &'static str,
    /// Whether only the author knows of it.
    pub(super) is_told: bool,
    /// Whether it takes a list of values, and answers one of objects.
    pub(super) is_list: bool,
}

impl World {
    pub(super) fn name(&self, target: Target) -> &'static str {
        match target {
            Target::Type(ty) => self.types[ty].name,
            Target::Interface(interface) => self.interfaces[interface].name,
        }
    }

    pub(super) fn key(&self, target: Target) -> &Key {
        match target {
            Target::Type(ty) => &self.types[ty].key,
            Target::Interface(interface) => &self.interfaces[interface].key,
        }
    }

    pub(super) fn lookup(&self, target: Target) -> Option<&Lookup> {
        match target {
            Target::Type(ty) => self.types[ty].lookup.as_ref(),
            Target::Interface(interface) => self.interfaces[interface].lookup.as_ref(),
        }
    }

    /// The fields that any row of a list has.
    pub(super) fn fields(&self, target: Target) -> &[Field] {
        match target {
            Target::Type(ty) => &self.types[ty].fields,
            Target::Interface(interface) => &self.interfaces[interface].fields,
        }
    }

    /// The object types of a list's rows.
    pub(super) fn members(&self, target: Target) -> Vec<usize> {
        match target {
            Target::Type(ty) => vec![ty],
            Target::Interface(interface) => self.interfaces[interface].members.clone(),
        }
    }
}

impl Key {
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Field { name, .. } => Some(name),
            Self::None => None,
        }
    }
}

impl ObjectType {
    /// The type that has a list.
    pub(super) fn owner(&self, list: &List) -> &'static str {
        let holder = self.holder.as_ref().filter(|_| list.is_in_holder);
        holder.map_or(self.name, |holder| holder.ty)
    }
}

/// A text that lives as long as the tests do, as the names of columns must.
pub(super) fn kept(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

/// A text as TOML and GraphQL both write it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
