//! Answers GraphQL fields from the dataset: the objects that the executor asks for their fields.

use std::cell::RefCell;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Map, Value};

use crate::demo::behaviour::{Behaviours, LookupAnswer, LookupTrap};
use crate::demo::connection::Connection;
use crate::demo::cursor::{Cursor, CursorPlace};
use crate::demo::dataset::{Instance, Source};
use crate::demo::denied::{DeniedField, denial};
use crate::demo::description::{ConnectionDescription, Lookup};
use crate::demo::entropy::Entropy;
use crate::demo::expiry::RequestMoment;
use crate::demo::generator::Generated;
use crate::demo::list_request::{GivenCursor, ListRequest};
use crate::demo::log::ServedPage;
use crate::demo::page_object::{PageAnswer, PageObject};
use crate::demo::pager::Pager;
use crate::demo::paging::{PagingBehaviour, PagingError, PagingRules, RowDeletions};
use crate::demo::points::Bill;
use crate::demo::poison::{Poison, poisoned};
use crate::demo::refusal::Refusal;
use crate::demo::shape::PagingShape;

/// What is known while one request is answered.
#[derive(Debug)]
pub(crate) struct Execution<'s> {
    paging: &'s PagingBehaviour,
    lookups: &'s [LookupTrap],
    /// The rules, and the role of whoever asks.
    denied: (&'s [DeniedField], Option<&'s str>),
    poison: &'s [Poison],
    moment: RequestMoment,
    /// The type of the object that tells what the request costs, and what that is.
    bill: Option<(&'s str, Bill)>,
    served: RefCell<Vec<ServedPage>>,
    refusal: RefCell<Option<Refusal>>,
}

/// An object of the dataset.
pub(crate) struct DataObject<'r> {
    instance: Instance<'r>,
    execution: &'r Execution<'r>,
}

impl<'s> Execution<'s> {
    pub(crate) fn new(behaviours: &'s Behaviours, moment: RequestMoment, bill: Option<Bill>) -> Self {
        Self {
            paging: &behaviours.paging,
            lookups: &behaviours.lookups,
            denied: (&behaviours.denied, behaviours.role.as_deref()),
            poison: &behaviours.poison,
            moment,
            bill: behaviours
                .points
                .as_ref()
                .map(|points| points.told_by.as_str())
                .zip(bill),
            served: RefCell::default(),
            refusal: RefCell::default(),
        }
    }

    /// The rows that the answer holds, and the answer in its place where there is one.
    pub(crate) fn into_parts(self) -> (Vec<ServedPage>, Option<Refusal>) {
        (self.served.into_inner(), self.refusal.into_inner())
    }

    /// What a field says of the request's own cost.
    fn told_of_cost(&self, ty: &str, field: &str) -> Option<Value> {
        self.bill.filter(|(told_by, _)| *told_by == ty)?.1.told(field)
    }

    /// Takes note of rows that the answer holds.
    pub(crate) fn note_served(&self, page: ServedPage) {
        self.served.borrow_mut().push(page);
    }

    /// Sees whether a field of an object may be answered.
    fn check(&self, instance: Instance<'_>, field: &str) -> Result<(), FieldError> {
        if let Some(refusal) = poisoned(self.poison, instance, field) {
            *self.refusal.borrow_mut() = Some(refusal.clone());
        }
        denial(self.denied, instance, field, self.moment.request).map_or(Ok(()), Err)
    }

    /// What comes of a lookup that is to go wrong.
    fn trapped<'a>(&self, answer: &LookupAnswer) -> Result<ResolvedValue<'a>, FieldError> {
        match answer {
            LookupAnswer::Nothing => Ok(ResolvedValue::null()),
            LookupAnswer::Error(message) => Err(field_error(message)),
            LookupAnswer::Refused(refusal) => {
                *self.refusal.borrow_mut() = Some(refusal.clone());
                Ok(ResolvedValue::null())
            }
        }
    }

    /// The error of a field whose page cannot be given.
    fn paging_error(&self, error: PagingError, rules: PagingRules<'_>) -> FieldError {
        let expiry = rules.traps.cursor_expiry.as_ref();
        if let (PagingError::CursorExpired, Some(expiry)) = (&error, expiry) {
            *self.refusal.borrow_mut() = Some(expiry.refusal.clone());
        }
        field_error(error)
    }
}

impl<'r> DataObject<'r> {
    pub(crate) fn new(instance: Instance<'r>, execution: &'r Execution<'r>) -> Self {
        Self { instance, execution }
    }

    /// A list of the object's own.
    fn list<'a>(
        &'a self,
        description: &'a ConnectionDescription,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let field = info.field_name();
        let shape = self.instance.dataset().paging(&description.paging);
        let shape = shape.ok_or_else(|| self.unknown_field_error(info))?;
        let request = ListRequest::read(shape, description, &arguments(info)?).map_err(field_error)?;
        self.answer(self.instance, field, (description, shape), request, info)
    }

    /// A list of another object's, which the cursor names.
    fn continued<'a>(
        &'a self,
        shape: &'a PagingShape,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = arguments(info)?;
        let cursor = shape.cursor.as_ref().and_then(|cursor| arguments.get(cursor.as_str()));
        let text = cursor.and_then(Value::as_str).unwrap_or_default().to_owned();
        let foreign = || field_error(PagingError::Cursor(text.clone()));
        let place = Cursor::read(&text)
            .and_then(|cursor| cursor.place)
            .ok_or_else(foreign)?;
        let dataset = self.instance.dataset();
        let owner = dataset.instance(&place.ty, place.index).ok_or_else(foreign)?;
        let Some(Source::Connection(description)) = owner.source(&place.field) else {
            return Err(foreign());
        };
        let mut leaves: Vec<(String, Value)> = serde_json::from_value(place.arguments.clone()).map_err(field_error)?;
        leaves.extend(arguments);
        let mut request = ListRequest::of_leaves(shape, description, leaves).map_err(field_error)?;
        request.choice.cursor = Some(GivenCursor::Text(text));
        self.answer(owner, &place.field, (description, shape), request, info)
    }

    fn answer<'a>(
        &'a self,
        owner: Instance<'a>,
        field: &str,
        (description, shape): (&'a ConnectionDescription, &'a PagingShape),
        request: ListRequest,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let execution = self.execution;
        let rules = execution.paging.rules(owner.ty().name(), field);
        let scope = scope(owner, description, &request)?;
        let connection = Connection::new(scope, field, &description.of, &request).with_at_most(rules.traps.indexed);
        let turn = self.turn(&connection, shape, rules, &request);
        let deletions = rules.traps.deletions;
        let has_begun = |deletions: &RowDeletions| execution.moment.request >= deletions.from_request;
        let deleted = deletions.filter(has_begun).map(|deletions| deletions.each);
        let place = shape.carries_place.then(|| CursorPlace {
            ty: owner.ty().name().to_owned(),
            index: owner.index(),
            field: field.to_owned(),
            arguments: serde_json::to_value(&request.kept).unwrap_or_default(),
        });
        let pager = Pager {
            connection: connection.turned(turn).without_each(deleted),
            shape,
            rules,
            choice: request.choice,
            moment: execution.moment,
            place,
            field: field.to_owned(),
        };
        let page = pager.page().map_err(|error| execution.paging_error(error, rules))?;
        let answer = PageAnswer::new(pager, page, execution);
        if shape.is_bare() {
            return Ok(answer.into_list());
        }
        Ok(ResolvedValue::object(PageObject::new(result_type(info), answer)))
    }

    /// By how many places the rows of a list have moved.
    fn turn(
        &self,
        connection: &Connection<'_>,
        shape: &PagingShape,
        rules: PagingRules<'_>,
        request: &ListRequest,
    ) -> u64 {
        let requests = self.execution.moment.request;
        if rules.traps.is_unordered && !shape.order.is_empty() && request.order.is_none() {
            return Entropy::of_seed(connection.identity())
                .at(requests)
                .below(connection.len());
        }
        let moves = rules
            .traps
            .moves
            .filter(|_| shape.counts_rows() || rules.traps.cursor_words.is_some());
        moves.map_or(0, |moves| moves.turn(requests, connection.len()))
    }

    fn found<'a>(&'a self, lookup: &Lookup, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let find = |wanted: &Value| {
            let instance = self.instance.dataset().find(lookup, wanted);
            instance.map(|instance| DataObject::new(instance, self.execution))
        };
        let arguments = arguments(info)?;
        let value = arguments.get(lookup.argument.as_str());
        let is_of = |trap: &&LookupTrap| {
            trap.field == info.field_name() && value.and_then(Value::as_str) == Some(trap.value.as_str())
        };
        if let Some(trap) = self.execution.lookups.iter().find(is_of) {
            return self.execution.trapped(&trap.answer);
        }
        let found = match value {
            Some(Value::Array(wanted)) => {
                let found = wanted.iter().map(|wanted| ResolvedValue::nullable_object(find(wanted)));
                return Ok(ResolvedValue::list(found.collect::<Vec<_>>()));
            }
            Some(wanted) => find(wanted),
            None => None,
        };
        match (found, &lookup.missing) {
            (None, Some(message)) => Err(field_error(message)),
            (found, _) => Ok(ResolvedValue::nullable_object(found)),
        }
    }
}

impl ObjectValue for DataObject<'_> {
    fn type_name(&self) -> &str {
        self.instance.ty().name()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = info.field_name();
        self.execution.check(self.instance, field)?;
        if let Some(value) = self.execution.told_of_cost(self.instance.ty().name(), field) {
            return Ok(ResolvedValue::leaf(value));
        }
        match self.instance.source(field) {
            Some(Source::Value) => {
                let value = self.instance.value(field).unwrap_or(Generated::NULL);
                Ok(resolved(value, self.execution))
            }
            Some(Source::Ancestor(ty)) => {
                let ancestor = self.instance.ancestor(ty);
                Ok(ResolvedValue::nullable_object(
                    ancestor.map(|ancestor| DataObject::new(ancestor, self.execution)),
                ))
            }
            Some(Source::Connection(description)) => self.list(description, info),
            Some(Source::Continuation(shape)) => self.continued(shape, info),
            Some(Source::Lookup(lookup)) => self.found(lookup, info),
            None => Err(self.unknown_field_error(info)),
        }
    }
}

/// The object below which the rows of a list are.
fn scope<'a>(
    owner: Instance<'a>,
    description: &ConnectionDescription,
    request: &ListRequest,
) -> Result<Instance<'a>, FieldError> {
    let Some((below, key)) = description.below.as_ref().zip(request.below.as_ref()) else {
        return Ok(owner);
    };
    let dataset = owner.dataset();
    let ty = dataset.ty(&below.ty);
    let found = ty.and_then(|ty| dataset.find_in(ty, &below.field, &Value::from(key.as_str())));
    found.ok_or_else(|| field_error(below.missing.replace("{key}", key)))
}

fn resolved<'a>(generated: Generated<'a>, execution: &'a Execution<'a>) -> ResolvedValue<'a> {
    match generated {
        Generated::Leaf(Value::String(text)) => ResolvedValue::leaf(text),
        Generated::Leaf(value) => ResolvedValue::leaf(value),
        Generated::Object(instance) => ResolvedValue::object(DataObject::new(instance, execution)),
        Generated::List(items) => ResolvedValue::list(items.into_iter().map(move |item| resolved(item, execution))),
    }
}

/// The arguments of a field; a number in the place of an identifier is as good as its text.
fn arguments(info: &ResolveInfo<'_>) -> Result<Map<String, Value>, FieldError> {
    let mut found = Map::new();
    for (name, value) in info.arguments() {
        let mut value = serde_json::to_value(value).map_err(field_error)?;
        let definition = info.field_definition().argument_by_name(name.as_str());
        if definition.is_some_and(|definition| definition.ty.inner_named_type() == "ID") {
            numbers_as_text(&mut value);
        }
        found.insert(name.as_str().to_owned(), value);
    }
    Ok(found)
}

fn numbers_as_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(numbers_as_text),
        _ => {}
    }
}

/// The named type of the field that is being resolved.
pub(crate) fn result_type<'a>(info: &'a ResolveInfo<'a>) -> &'a str {
    info.field_definition().ty.inner_named_type().as_str()
}

fn field_error(error: impl std::fmt::Display) -> FieldError {
    FieldError {
        message: error.to_string(),
    }
}
