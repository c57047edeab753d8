//! The arguments of a field among which those of its paging are looked for.

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type, Value};
use apollo_compiler::schema::ExtendedType;

use crate::schema::paging::names::{self, is_about_paging, is_cursor, is_number, rank};
use crate::schema::paging::path::{ArgumentPath, argument, input_fields};

/// The arguments of a field, or the fields of the one input object that holds its paging.
pub(super) struct Arguments<'schema> {
    schema: &'schema Schema,
    field: &'schema FieldDefinition,
    inputs: Vec<(ArgumentPath, &'schema InputValueDefinition)>,
}

impl<'schema> Arguments<'schema> {
    /// The field's own arguments, unless none of them has to do with paging and exactly one input object holds a size
    /// and a way to move. Filters are passed over: Fibery's hold `limit` and `offset` of the relation that they filter.
    pub(super) fn of(schema: &'schema Schema, field: &'schema FieldDefinition) -> Self {
        let inputs = field.arguments.iter().map(|input| &**input);
        let own = Self {
            schema,
            field,
            inputs: inputs
                .map(|input| (ArgumentPath(vec![input.name.clone()]), input))
                .collect(),
        };
        if own.size().is_some() || own.moves() {
            return own;
        }
        let holders = own.inputs.iter().filter(|(_, input)| is_holder(&input.name));
        let mut inner: Vec<Self> = holders.map(|(path, input)| own.inside(path, input)).collect();
        inner.retain(|arguments| arguments.size().is_some() && arguments.moves());
        match inner.len() {
            1 => inner.remove(0),
            _ => own,
        }
    }

    fn inside(&self, path: &ArgumentPath, input: &'schema InputValueDefinition) -> Self {
        let inner = |field: &'schema InputValueDefinition| {
            let mut names = path.0.clone();
            names.push(field.name.clone());
            (ArgumentPath(names), field)
        };
        let inputs = input_fields(self.schema, input).into_iter().map(inner).collect();
        Self { inputs, ..*self }
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
        is_number || is_cursor || self.is_object_about_paging(input) || self.is_used_holder(input)
    }

    fn is_object_about_paging(&self, input: &InputValueDefinition) -> bool {
        let ty = self.schema.types.get(input.ty.inner_named_type());
        matches!(ty, Some(ExtendedType::InputObject(_))) && is_about_paging(&input.name)
    }

    fn is_used_holder(&self, input: &InputValueDefinition) -> bool {
        self.inputs
            .iter()
            .any(|(path, _)| path.0.len() > 1 && path.0.first() == Some(&input.name))
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
