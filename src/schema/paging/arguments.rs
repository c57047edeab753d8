//! The arguments of a field among which those of its paging are looked for.

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type, Value};
use apollo_compiler::schema::Name;

use crate::schema::paging::names::{self, is_about_paging, is_cursor, is_number, rank};
use crate::schema::paging::path::{ArgumentPath, argument, input_fields};

/// How many names lead to a part of the paging at most: `options.paginate.page` has three.
const MAX_DEPTH: usize = 4;

/// The arguments of a field, or the fields of the one input object that holds its paging.
pub(super) struct Arguments<'schema> {
    schema: &'schema Schema,
    field: &'schema FieldDefinition,
    inputs: Vec<(ArgumentPath, &'schema InputValueDefinition)>,
    /// The field's arguments that hold what looks like paging.
    holders: Vec<Name>,
    /// Whether it is certain that the paging stands in `inputs`.
    pub(super) is_certain: bool,
}

impl<'schema> Arguments<'schema> {
    /// The field's own arguments, unless none of them has to do with paging and exactly one input object does: it holds a
    /// size and a way to move, or is named after its paging. What filters hold is open: Fibery's hold `limit` and
    /// `offset` of the relation that they filter.
    pub(super) fn of(schema: &'schema Schema, field: &'schema FieldDefinition) -> Self {
        let inputs = field.arguments.iter().map(|input| &**input);
        let own = Self {
            schema,
            field,
            inputs: inputs
                .map(|input| (ArgumentPath(vec![input.name.clone()]), input))
                .collect(),
            holders: Vec::new(),
            is_certain: true,
        };
        if own.is_about_paging() {
            return own;
        }
        let mut inner = own.inner(&is_holder);
        let is_complete = |one: &Self| one.size().is_some() && one.moves();
        if inner.iter().any(is_complete) {
            inner.retain(is_complete);
        }
        let is_certain = matches!(inner.as_slice(), [one] if is_complete(one) || one.is_named_after_paging());
        if inner.is_empty() {
            inner = own.inner(&|name| rank(name, names::FILTER_HOLDERS).is_some());
            inner.retain(is_complete);
        }
        own.or_one_of(inner, is_certain)
    }

    fn or_one_of(self, mut inner: Vec<Self>, is_certain: bool) -> Self {
        let holders = inner.iter().filter_map(|one| one.inputs.first()?.0.0.first().cloned());
        let holders: Vec<Name> = holders.collect();
        let is_certain = is_certain || inner.is_empty();
        let chosen = if inner.len() == 1 { inner.remove(0) } else { self };
        Self {
            holders,
            is_certain,
            ..chosen
        }
    }

    /// The input objects that hold paging, through others called so; not those within one that does.
    fn inner(&self, is_called_so: &dyn Fn(&str) -> bool) -> Vec<Self> {
        let holders = self
            .inputs
            .iter()
            .filter(|(path, input)| path.0.len() < MAX_DEPTH && is_called_so(&input.name));
        let inner = holders.map(|(path, input)| self.inside(path, input));
        let found = inner.flat_map(|inside| match inside.is_about_paging() {
            true => vec![inside],
            false => inside.inner(is_called_so),
        });
        found.collect()
    }

    fn is_about_paging(&self) -> bool {
        self.size().is_some() || self.moves()
    }

    /// Whether the object that holds these is called after paging.
    fn is_named_after_paging(&self) -> bool {
        let path = self.inputs.first().map(|(path, _)| path.0.as_slice());
        matches!(path, Some([.., holder, _]) if is_about_paging(holder))
    }

    fn inside(&self, path: &ArgumentPath, input: &'schema InputValueDefinition) -> Self {
        let inner = |field: &'schema InputValueDefinition| {
            let mut names = path.0.clone();
            names.push(field.name.clone());
            (ArgumentPath(names), field)
        };
        let inputs = input_fields(self.schema, input).into_iter().map(inner).collect();
        Self {
            inputs,
            holders: Vec::new(),
            ..*self
        }
    }

    fn moves(&self) -> bool {
        self.cursor().is_some() || self.page().is_some() || self.offset().is_some()
    }

    /// A cursor that may be left out, as it has to be for the first page.
    pub(super) fn cursor(&self) -> Option<ArgumentPath> {
        self.best(names::CURSOR, is_cursor, |input| !input.is_required())
    }

    /// A cursor, whether it may be left out or not.
    pub(super) fn required_cursor(&self) -> Option<ArgumentPath> {
        self.best(names::CURSOR, is_cursor, |_| true)
    }

    pub(super) fn page(&self) -> Option<ArgumentPath> {
        self.best(names::PAGE, is_number, |_| true)
    }

    /// Also where numbers may begin at 0.
    pub(super) fn loose_page(&self) -> Option<ArgumentPath> {
        self.page()
            .or_else(|| self.best(names::LOOSE_PAGE, is_number, |_| true))
    }

    pub(super) fn offset(&self) -> Option<ArgumentPath> {
        let has_end = self
            .inputs
            .iter()
            .any(|(_, input)| rank(&input.name, names::RANGE_ENDS).is_some());
        let is_range = |input: &InputValueDefinition| has_end && rank(&input.name, names::RANGE_STARTS).is_some();
        self.best(names::OFFSET, is_number, |input| !is_range(input))
    }

    /// Also a number of which the name leaves open where it begins.
    pub(super) fn loose_offset(&self) -> Option<ArgumentPath> {
        self.offset()
            .or_else(|| self.best(names::LOOSE_OFFSET, is_number, |_| true))
    }

    /// Also what can be the key of the last row.
    pub(super) fn loose_cursor(&self) -> Option<ArgumentPath> {
        let loose = || self.best(names::LOOSE_CURSOR, is_cursor, |input| !input.is_required());
        self.cursor().or_else(loose)
    }

    pub(super) fn size(&self) -> Option<ArgumentPath> {
        self.best(names::SIZE, is_number, |_| true)
    }

    /// The size of a page where pages are numbered.
    pub(super) fn page_size(&self) -> Option<ArgumentPath> {
        self.best(names::PAGE_SIZE, is_number, |_| true).or_else(|| self.size())
    }

    pub(super) fn loose_size(&self) -> Option<ArgumentPath> {
        self.size()
            .or_else(|| self.best(names::LOOSE_SIZE, is_number, |_| true))
            .or_else(|| self.best(names::WEAK_SIZE, is_number, |_| true))
    }

    /// What is asked beside what looks like paging.
    pub(super) fn others(&self) -> impl Iterator<Item = &'schema InputValueDefinition> {
        let others = self.inputs.iter().map(|(_, input)| *input);
        others.filter(|input| !self.is_sign(input))
    }

    /// The names of the field's arguments that look like paging.
    pub(super) fn signs(&self) -> Vec<String> {
        let arguments = self.field.arguments.iter().filter(|input| self.is_sign(input));
        arguments.map(|input| input.name.to_string()).collect()
    }

    fn is_sign(&self, input: &InputValueDefinition) -> bool {
        let is_one_of = |lists: &[&[&str]]| lists.iter().any(|names| rank(&input.name, names).is_some());
        let is_number = is_number(self.schema, &input.ty)
            && rank(&input.name, names::RANGE_STARTS).is_none()
            && is_one_of(&[
                names::PAGE,
                names::LOOSE_PAGE,
                names::OFFSET,
                names::SIZE,
                names::LOOSE_SIZE,
            ]);
        let is_cursor = is_cursor(self.schema, &input.ty) && is_one_of(&[names::CURSOR, names::BACKWARD]);
        is_number || is_cursor || self.holds_paging(input, 1) || self.holders.contains(&input.name)
    }

    /// Whether it is an object called after paging, or leads to one.
    fn holds_paging(&self, input: &InputValueDefinition, depth: usize) -> bool {
        let inner = input_fields(self.schema, input);
        let mut inner = inner.into_iter();
        let is_object = inner.len() > 0;
        is_object
            && (is_about_paging(&input.name)
                || (is_holder(&input.name)
                    && depth < MAX_DEPTH
                    && inner.any(|inner| self.holds_paging(inner, depth + 1))))
    }

    /// Whether an argument other than the size could ask for another part of the list.
    pub(super) fn may_move(&self) -> bool {
        let is_size = |name: &str| rank(name, names::SIZE).is_some() || rank(name, names::LOOSE_SIZE).is_some();
        self.signs().iter().any(|name| !is_size(name))
    }

    fn best(
        &self,
        names: &[&str],
        fits: fn(&Schema, &Type) -> bool,
        is_usable: impl Fn(&InputValueDefinition) -> bool,
    ) -> Option<ArgumentPath> {
        let candidates = self
            .inputs
            .iter()
            .filter(|(_, input)| fits(self.schema, &input.ty) && is_usable(input));
        let ranked = candidates.filter_map(|(path, input)| Some((rank(&input.name, names)?, path)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, path)| path.clone())
    }
}

fn is_holder(name: &str) -> bool {
    is_about_paging(name) || rank(name, names::HOLDERS).is_some()
}

/// The value that an input has where a query leaves it out: its own default, or what the default of the argument around
/// it says.
pub(super) fn default_number(schema: &Schema, field: &FieldDefinition, path: &ArgumentPath) -> Option<i32> {
    let around = argument(field, path.0.first()?)?;
    let mut value = around.default_value.as_deref();
    for name in path.0.get(1..)? {
        value = value.and_then(Value::as_object).and_then(|object| {
            let inner = object.iter().find(|(key, _)| key == name);
            inner.map(|(_, value)| &**value)
        });
    }
    let own = || path.definition(field, schema)?.default_value.as_deref();
    value.or_else(own)?.to_i32()
}
