//! The value of a field: where its rows stand, and what it says about the page.

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::schema::paging::names::{
    self, counted, is_about_the_next, is_about_the_page, is_cursor, is_flag, is_number, plain, rank,
};
use crate::schema::paging::object_field;
use crate::schema::paging::path::{FieldPath, fields};

/// How many fields deep a value is looked through for what it says about the page.
const MAX_DEPTH: usize = 3;

/// The value of a field.
pub(super) struct Answer<'schema> {
    schema: &'schema Schema,
    field: &'schema FieldDefinition,
    /// Single values in it and in its objects about the page, the shallowest first.
    values: Vec<(FieldPath, &'schema FieldDefinition)>,
    /// Where its rows can stand.
    pub(super) items: Vec<FieldPath>,
    /// Whether `items` are different lists, and not several ways to the same rows.
    pub(super) is_ambiguous: bool,
}

impl<'schema> Answer<'schema> {
    pub(super) fn of(schema: &'schema Schema, field: &'schema FieldDefinition) -> Self {
        let mut values = Vec::new();
        if !field.ty.is_list() {
            collect_values(schema, field.ty.inner_named_type(), &FieldPath::new(), &mut values);
        }
        values.sort_by_key(|(path, _)| path.len());
        let (items, is_ambiguous) = items(schema, field);
        Self {
            schema,
            field,
            values,
            items,
            is_ambiguous,
        }
    }

    /// Whether the value is itself the list.
    pub(super) fn is_list(&self) -> bool {
        self.field.ty.is_list()
    }

    pub(super) fn has_next(&self) -> Option<FieldPath> {
        self.best(names::HAS_NEXT, is_flag)
    }

    /// Also a flag that may speak of what is in the rows.
    pub(super) fn loose_has_next(&self) -> Option<FieldPath> {
        self.has_next().or_else(|| self.best(names::LOOSE_HAS_NEXT, is_flag))
    }

    pub(super) fn end_cursor(&self) -> Option<FieldPath> {
        self.best(names::END_CURSOR, is_cursor)
    }

    /// Also a cursor of which the name leaves open whose it is.
    pub(super) fn loose_end_cursor(&self) -> Option<FieldPath> {
        self.end_cursor()
            .or_else(|| self.best(names::LOOSE_END_CURSOR, is_cursor))
    }

    /// A value that by its name leads on, though perhaps not as a cursor.
    pub(super) fn next_value(&self) -> Option<FieldPath> {
        self.value_called(is_about_the_next)
    }

    /// What an argument of that name takes for the next page: `nextPageKey` for `pageKey`.
    pub(super) fn echo_of(&self, argument: &str) -> Option<FieldPath> {
        let argument = plain(argument);
        let leads_to = |name: &str, other: &str| {
            let stem = ["next", "last", "end"].iter().find_map(|lead| name.strip_prefix(lead));
            stem == Some(other)
        };
        self.value_called(|name| {
            let value = plain(name);
            leads_to(&value, &argument) || leads_to(&argument, &value)
        })
    }

    /// The value of the same name as an argument.
    pub(super) fn namesake(&self, argument: &str) -> Option<FieldPath> {
        self.value_called(|name| plain(name) == plain(argument))
    }

    fn value_called(&self, is_called_so: impl Fn(&str) -> bool) -> Option<FieldPath> {
        let mut values = self.values.iter();
        let found = values.find(|(_, value)| is_cursor(self.schema, &value.ty) && is_called_so(&value.name));
        found.map(|(path, _)| path.clone())
    }

    /// The value of that plain name in `pageInfo`.
    pub(super) fn in_page_info(&self, name: &str) -> Option<FieldPath> {
        let is_it = |path: &&FieldPath| match path.as_slice() {
            [holder, value] => plain(holder) == "pageinfo" && plain(value) == name,
            _ => false,
        };
        self.values.iter().map(|(path, _)| path).find(is_it).cloned()
    }

    /// `nodes`, and `edges` with `node`.
    pub(super) fn relay_items(&self) -> Vec<FieldPath> {
        match self.is_list() {
            true => Vec::new(),
            false => relay_items(self.schema, self.field.ty.inner_named_type()),
        }
    }

    pub(super) fn total(&self) -> Option<FieldPath> {
        self.best(names::TOTAL, is_number)
    }

    /// Also a number of which the name leaves open what it counts.
    pub(super) fn loose_total(&self) -> Option<FieldPath> {
        let counts = || self.best(names::LOOSE_TOTAL, is_number);
        self.total().or_else(counts).or_else(|| self.count_of_rows())
    }

    /// The one number that by its name counts the rows, perhaps only those of the page.
    pub(super) fn count_of_rows(&self) -> Option<FieldPath> {
        let list = self.items.first()?.first()?;
        let row = self.row()?.ty.inner_named_type();
        let counts_rows =
            |name: &str| counted(name).is_some_and(|stem| plain(list).starts_with(&stem) || plain(row).contains(&stem));
        let is_count = |value: &FieldDefinition| is_number(self.schema, &value.ty) && counts_rows(&value.name);
        let mut counts = self.values.iter().filter(|(_, value)| is_count(value));
        let (path, _) = counts.next().filter(|_| !self.is_ambiguous)?;
        counts.next().is_none().then(|| path.clone())
    }

    /// The total, unless its name leaves open what it sums up.
    pub(super) fn certain_total(&self) -> Option<FieldPath> {
        let is_sum = |path: &FieldPath| matches!(path.as_slice(), [name] if rank(name, names::SUMS).is_some());
        self.total().filter(|path| !is_sum(path))
    }

    /// Whether it is one thing of its own, as whatever has an `id` is: its lists are parts of it, and an order has a
    /// `total`.
    pub(super) fn is_thing(&self) -> bool {
        !self.is_list() && object_field(self.schema, self.field.ty.inner_named_type(), "id").is_some()
    }

    /// Whether it is an object around one list, and says of it what only a page says.
    pub(super) fn speaks_of_pages(&self) -> bool {
        let has_one_list = !self.is_list() && !self.items.is_empty() && !self.is_ambiguous;
        let goes_on = || {
            self.loose_has_next()
                .or_else(|| self.end_cursor())
                .or_else(|| self.next_value())
        };
        let counts = || self.certain_total().or_else(|| self.count_of_rows());
        has_one_list && !self.is_thing() && goes_on().or_else(counts).is_some()
    }

    /// Whether the rows have a value of that name.
    pub(super) fn row_has(&self, name: &str) -> bool {
        self.row_value(name).is_some()
    }

    /// Whether the rows have an object, or a list of them, of that name.
    pub(super) fn row_relates_to(&self, name: &str) -> bool {
        self.row_value(name)
            .is_some_and(|value| is_composite(self.schema, &value.ty))
    }

    fn row_value(&self, name: &str) -> Option<&'schema FieldDefinition> {
        let mut values = fields(self.schema, self.row()?.ty.inner_named_type()).into_iter();
        values.find(|value| plain(&value.name) == plain(name))
    }

    /// The field that holds the rows.
    fn row(&self) -> Option<&'schema FieldDefinition> {
        let step =
            |owner: &'schema FieldDefinition, name: &Name| object_field(self.schema, owner.ty.inner_named_type(), name);
        self.items.first()?.iter().try_fold(self.field, step)
    }

    pub(super) fn page_count(&self) -> Option<FieldPath> {
        self.best(names::PAGE_COUNT, is_number)
    }

    /// Whether what stands there can be null.
    pub(super) fn is_nullable(&self, path: &FieldPath) -> bool {
        let at = self.values.iter().find(|(other, _)| other == path);
        at.is_some_and(|(_, value)| !value.ty.is_non_null())
    }

    /// Whether it answers a list, or an object that holds one: only then can paging arguments cut something off.
    pub(super) fn brings_lists(&self) -> bool {
        if self.is_list() {
            return true;
        }
        let types = self.possible_types();
        let mut fields = types.iter().flat_map(|ty| fields(self.schema, ty));
        fields.any(|field| field.ty.is_list()) || self.inner_list().is_some()
    }

    /// Whether the value is of one of several types that share no field.
    pub(super) fn is_union(&self) -> bool {
        let ty = self.schema.types.get(self.field.ty.inner_named_type());
        ty.is_some_and(ExtendedType::is_union)
    }

    /// The type of the value, and what it can turn out to be.
    fn possible_types(&self) -> Vec<&'schema Name> {
        let declared = self.field.ty.inner_named_type();
        let objects = self.schema.types.values().filter_map(ExtendedType::as_object);
        let objects = objects.filter(|object| self.schema.is_subtype(declared, &object.name));
        let itself = self.schema.types.get(declared).map(ExtendedType::name);
        itself.into_iter().chain(objects.map(|object| &object.name)).collect()
    }

    /// The list of objects in an object around it, as in `{ data { rows } }`.
    pub(super) fn inner_list(&self) -> Option<FieldPath> {
        let holders = fields(self.schema, self.field.ty.inner_named_type()).into_iter();
        let holders = holders.filter(|holder| is_plain_object(self.schema, holder));
        holders
            .flat_map(|holder| {
                let inner = fields(self.schema, holder.ty.inner_named_type()).into_iter();
                let lists = inner.filter(|list| is_list_of_objects(self.schema, &list.ty));
                lists.map(|list| vec![holder.name.clone(), list.name.clone()])
            })
            .next()
    }

    /// The shallowest value of those names; among equals that of the earliest name.
    fn best(&self, names: &[&str], fits: fn(&Schema, &Type) -> bool) -> Option<FieldPath> {
        let candidates = self.values.iter().filter(|(_, value)| fits(self.schema, &value.ty));
        let ranked = candidates.filter_map(|(path, value)| Some((path.len(), rank(&value.name, names)?, path)));
        ranked
            .min_by_key(|(depth, rank, _)| (*depth, *rank))
            .map(|(_, _, path)| path.clone())
    }
}

fn collect_values<'schema>(
    schema: &'schema Schema,
    type_name: &str,
    above: &FieldPath,
    found: &mut Vec<(FieldPath, &'schema FieldDefinition)>,
) {
    for field in fields(schema, type_name) {
        let mut path = above.clone();
        path.push(field.name.clone());
        if is_plain_object(schema, field) {
            if is_about_the_page(&field.name) && path.len() < MAX_DEPTH {
                collect_values(schema, field.ty.inner_named_type(), &path, found);
            }
        } else if !field.ty.is_list() && needs_nothing(field) {
            found.push((path, field));
        }
    }
}

/// The ways to the rows, and whether they lead to different lists.
fn items(schema: &Schema, field: &FieldDefinition) -> (Vec<FieldPath>, bool) {
    if field.ty.is_list() {
        let is_rows = is_list_of_objects(schema, &field.ty);
        return (is_rows.then(FieldPath::new).into_iter().collect(), false);
    }
    let type_name = field.ty.inner_named_type();
    let relay = relay_items(schema, type_name);
    if !relay.is_empty() {
        return (relay, false);
    }
    let is_rows = |field: &&FieldDefinition| is_list_of_objects(schema, &field.ty) && needs_nothing(field);
    let lists: Vec<&FieldDefinition> = fields(schema, type_name).into_iter().filter(is_rows).collect();
    let path = |list: &&FieldDefinition| vec![list.name.clone()];
    let is_customary = |list: &&&FieldDefinition| rank(&list.name, names::ITEMS).is_some();
    let customary: Vec<FieldPath> = lists.iter().filter(is_customary).map(path).collect();
    match (lists.len(), customary.len()) {
        (2.., 1) => (customary, false),
        (count, _) => (lists.iter().map(path).collect(), count > 1),
    }
}

/// `nodes`, and `edges` with `node`, as far as the type has them.
fn relay_items(schema: &Schema, type_name: &str) -> Vec<FieldPath> {
    let list = |name: &str| object_field(schema, type_name, name).filter(|field| field.ty.is_list());
    let nodes = list("nodes").map(|nodes| vec![nodes.name.clone()]);
    let edge_nodes = list("edges").and_then(|edges| {
        let node = object_field(schema, edges.ty.inner_named_type(), "node")?;
        Some(vec![edges.name.clone(), node.name.clone()])
    });
    nodes.into_iter().chain(edge_nodes).collect()
}

fn is_plain_object(schema: &Schema, field: &FieldDefinition) -> bool {
    !field.ty.is_list() && needs_nothing(field) && is_composite(schema, &field.ty)
}

fn needs_nothing(field: &FieldDefinition) -> bool {
    !field.arguments.iter().any(|argument| argument.is_required())
}

fn is_list_of_objects(schema: &Schema, ty: &Type) -> bool {
    matches!(ty, Type::List(item) | Type::NonNullList(item) if !item.is_list()) && is_composite(schema, ty)
}

fn is_composite(schema: &Schema, ty: &Type) -> bool {
    matches!(
        schema.types.get(ty.inner_named_type()),
        Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
    )
}
