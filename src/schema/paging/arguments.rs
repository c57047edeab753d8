//! The arguments of a field among which those of its paging are looked for.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type, Value};
use apollo_compiler::schema::Name;

use crate::schema::paging::answer::Answer;
use crate::schema::paging::names::{
    self, is_about_paging, is_cursor, is_cursor_like, is_number, is_whole, plain, rank,
};
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
    /// The field's own arguments, unless none of them moves and exactly one input object has to do with paging: it holds a
    /// size and a way to move, or is named after its paging. What objects of other names hold is open: Fibery's filters
    /// hold `limit` and `offset` of the relation that they filter. Those named like a relation of the rows are left alone.
    pub(super) fn of(schema: &'schema Schema, field: &'schema FieldDefinition, answer: &Answer<'_>) -> Self {
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
        if own.moves() {
            return own;
        }
        let complete = own.complete_inside(answer);
        if own.size().is_some() {
            return own.or_one_of(complete, false);
        }
        let mut inner = own.inner();
        let is_surely_complete = |one: &Self| one.size().is_some() && one.moves();
        if inner.iter().any(is_surely_complete) {
            inner.retain(is_surely_complete);
        } else if !complete.is_empty() {
            return own.or_one_of(complete, false);
        }
        let is_certain = matches!(inner.as_slice(), [one] if is_surely_complete(one) || one.is_named_after_paging());
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
    fn inner(&self) -> Vec<Self> {
        let holders = self
            .inputs
            .iter()
            .filter(|(path, input)| path.0.len() < MAX_DEPTH && is_holder(&input.name));
        let inner = holders.map(|(path, input)| self.inside(path, input));
        let found = inner.flat_map(|inside| match inside.is_about_paging() {
            true => vec![inside],
            false => inside.inner(),
        });
        found.collect()
    }

    /// The input objects, whatever they are called, that hold a size and a way to move. Each type is looked into once, as
    /// types of input can hold each other in a circle.
    fn complete_inside(&self, answer: &Answer<'_>) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut objects = self.objects(answer, &mut seen);
        while !objects.is_empty() {
            let (complete, others): (Vec<Self>, Vec<Self>) = objects.into_iter().partition(Self::is_complete);
            found.extend(complete);
            objects = others
                .iter()
                .flat_map(|object| object.objects(answer, &mut seen))
                .collect();
        }
        found
    }

    /// The single objects among these, of types not yet seen. What filters hold in objects of theirs belongs to relations.
    fn objects(&self, answer: &Answer<'_>, seen: &mut BTreeSet<&'schema Name>) -> Vec<Self> {
        if self
            .holder()
            .is_some_and(|name| rank(name, names::FILTER_HOLDERS).is_some())
        {
            return Vec::new();
        }
        let mut objects = Vec::new();
        for (path, input) in &self.inputs {
            let is_object = !input.ty.is_list() && !input_fields(self.schema, input).is_empty();
            let is_open = is_object && !answer.row_relates_to(&input.name);
            if is_open && path.0.len() < MAX_DEPTH && seen.insert(input.ty.inner_named_type()) {
                objects.push(self.inside(path, input));
            }
        }
        objects
    }

    /// Whether a size and a way to move are there, one of them under a name that is certain.
    pub(super) fn is_complete(&self) -> bool {
        let may_move = || self.loose_cursor().is_some() || self.loose_page().is_some() || self.loose_offset().is_some();
        (self.size().is_some() && may_move()) || (self.loose_size().is_some() && self.moves())
    }

    /// What the object that holds these is called.
    fn holder(&self) -> Option<&Name> {
        match self.inputs.first()?.0.0.as_slice() {
            [.., holder, _] => Some(holder),
            _ => None,
        }
    }

    fn is_about_paging(&self) -> bool {
        self.size().is_some() || self.moves()
    }

    /// Whether the object that holds these is called after paging.
    fn is_named_after_paging(&self) -> bool {
        self.holder().is_some_and(|name| is_about_paging(name))
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

    /// Also where numbers may begin at 0, and where but the size beside it makes it the number of a page.
    pub(super) fn loose_page(&self) -> Option<ArgumentPath> {
        let beside_size = || self.size().and(self.best(names::WEAK_PAGE, is_whole, |_| true));
        self.page()
            .or_else(|| self.best(names::LOOSE_PAGE, is_number, |_| true))
            .or_else(beside_size)
            .or_else(|| self.pair().map(|(page, _)| page))
    }

    /// A number, and one that is called its size: `batch` and `batchSize`.
    pub(super) fn pair(&self) -> Option<(ArgumentPath, ArgumentPath)> {
        let numbers = || self.inputs.iter().filter(|(_, input)| is_whole(self.schema, &input.ty));
        numbers().find_map(|(path, input)| {
            let name = format!("{}size", plain(&input.name));
            let (size, _) = numbers().find(|(_, other)| plain(&other.name) == name)?;
            Some((path.clone(), size.clone()))
        })
    }

    pub(super) fn offset(&self) -> Option<ArgumentPath> {
        let has_end = self
            .inputs
            .iter()
            .any(|(_, input)| rank(&input.name, names::RANGE_ENDS).is_some());
        let is_range = |input: &InputValueDefinition| {
            let can_begin = rank(&input.name, names::RANGE_STARTS).is_some();
            can_begin && (has_end || !is_whole(self.schema, &input.ty))
        };
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
        let called_so = || {
            let is_usable = |input: &InputValueDefinition| !input.is_required() && is_cursor(self.schema, &input.ty);
            let mut inputs = self.inputs.iter();
            inputs.find(|(_, input)| is_usable(input) && is_cursor_like(&input.name))
        };
        let found = self.cursor().or_else(loose);
        found.or_else(|| called_so().map(|(path, _)| path.clone()))
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
            .or_else(|| self.best(names::WEAK_SIZE, is_whole, |_| true))
            .or_else(|| self.pair().map(|(_, size)| size))
    }

    /// Those that can take a value for the next page, with their paths: not the ones that are called numbers.
    pub(super) fn takers(&self) -> impl Iterator<Item = &(ArgumentPath, &'schema InputValueDefinition)> {
        const NUMBERS: &[&[&str]] = &[
            names::PAGE,
            names::LOOSE_PAGE,
            names::OFFSET,
            names::SIZE,
            names::LOOSE_SIZE,
            names::WEAK_SIZE,
        ];
        let is_free = |input: &InputValueDefinition| !input.is_required() && is_cursor(self.schema, &input.ty);
        let is_called_number = |name: &str| NUMBERS.iter().any(|names| rank(name, names).is_some());
        let inputs = self.inputs.iter();
        inputs.filter(move |(_, input)| is_free(input) && !is_called_number(&input.name))
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
