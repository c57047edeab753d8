//! What a field's arguments ask of a list: which page, in which order, of which rows.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::demo::dataset::Instance;
use crate::demo::description::ConnectionDescription;
use crate::demo::generator::Generated;
use crate::demo::paging::{PagingError, WantedSize};
use crate::demo::shape::{PagingShape, path_below};

/// What a field's arguments ask of a list.
#[derive(Debug, Clone)]
pub(crate) struct ListRequest {
    pub(crate) choice: PageChoice,
    pub(crate) order: Option<Order>,
    pub(crate) filters: Vec<Filter>,
    /// The key of the entity below which the rows are.
    pub(crate) below: Option<String>,
    /// The arguments that do not choose a page, by their paths.
    pub(crate) kept: Vec<(String, Value)>,
}

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PageChoice {
    pub(crate) size: WantedSize,
    pub(crate) cursor: Option<GivenCursor>,
    pub(crate) page: Option<i64>,
    pub(crate) offset: Option<i64>,
    /// A field that must exceed a value.
    pub(crate) beyond: Option<(String, Value)>,
}

/// A cursor as a client gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GivenCursor {
    Text(String),
    List(Vec<String>),
}

/// In which order rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Up,
    Down,
}

/// A condition on the rows of a list: the field has one of the values, or does not lie before, or behind, theirs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    /// Its last name is the field's; those before lead there.
    pub(crate) path: String,
    pub(crate) accepted: Vec<Value>,
    comparison: Comparison,
}

impl Filter {
    /// What it compares moments with though it is none.
    fn stranger(&self) -> Option<&str> {
        let is_moment = |text: &str| text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok();
        let mut texts = self.accepted.iter().filter_map(Value::as_str);
        match self.comparison {
            Comparison::Equal | Comparison::From | Comparison::To => None,
            _ => texts.find(|text| !text.is_empty() && !is_moment(text)),
        }
    }
}

/// How a row's value is compared with those of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    /// As texts, letter by letter.
    From,
    To,
    DayFrom,
    DayUntil,
    Since,
    Until,
}

/// Characters of a day such as `2020-04-13`, with which a moment begins.
const DAY: usize = 10;

impl Comparison {
    /// The comparison that a filter's field begins with, and the field.
    fn of(field: &str) -> (Self, &str) {
        let Some((word, path)) = field.split_once(' ') else {
            return (Self::Equal, field);
        };
        let comparison = match word {
            "from" => Self::From,
            "to" => Self::To,
            ">=" => Self::DayFrom,
            "<=" => Self::DayUntil,
            "since" => Self::Since,
            "until" => Self::Until,
            _ => return (Self::Equal, field),
        };
        (comparison, path)
    }

    fn holds(self, found: &Value, wanted: &Value) -> bool {
        let day = |value: &Value| value.as_str().and_then(|text| text.get(..DAY)).map(str::to_owned);
        match self {
            Self::Equal => found == wanted || is_number_in(found, wanted),
            Self::From => texts(found, wanted).is_some_and(|[found, wanted]| found >= wanted),
            Self::To => texts(found, wanted).is_some_and(|[found, wanted]| found <= wanted),
            Self::DayFrom => day(found) >= day(wanted),
            Self::DayUntil => day(wanted).is_none_or(|wanted| day(found).is_some_and(|found| found <= wanted)),
            Self::Since => moment(wanted).is_none_or(|wanted| moment(found).is_some_and(|found| found >= wanted)),
            Self::Until => moment(wanted).is_none_or(|wanted| moment(found).is_some_and(|found| found <= wanted)),
        }
    }
}

/// Both values, where both are texts.
fn texts<'value>(found: &'value Value, wanted: &'value Value) -> Option<[&'value str; 2]> {
    Some([found.as_str()?, wanted.as_str()?])
}

/// Wherever it is written: the same moment has other hours in other places. Without a place it is that of Greenwich's clocks.
fn moment(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    let of_greenwich = |time: DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse().ok().or_else(|| text.parse().ok().and_then(of_greenwich))
}

/// Whether a text is a number that is asked for as such: identifiers are texts here and numbers there.
fn is_number_in(found: &Value, wanted: &Value) -> bool {
    let number = wanted.as_i64();
    number.is_some() && found.as_str().and_then(|text| text.parse().ok()) == number
}

impl ListRequest {
    /// What the arguments of a field ask for.
    pub(crate) fn read(
        shape: &PagingShape,
        connection: &ConnectionDescription,
        arguments: &Map<String, Value>,
    ) -> Result<Self, PagingError> {
        Self::of_leaves(shape, connection, leaves(arguments))
    }

    /// What these arguments ask for, each by its path.
    pub(crate) fn of_leaves(
        shape: &PagingShape,
        connection: &ConnectionDescription,
        leaves: Vec<(String, Value)>,
    ) -> Result<Self, PagingError> {
        let (choosing, kept): (Vec<_>, Vec<_>) = leaves.into_iter().partition(|(path, _)| shape.chooses_page(path));
        let mut request = Self {
            choice: PageChoice::of_leaves(shape, choosing)?,
            order: None,
            filters: Vec::new(),
            below: None,
            kept: Vec::new(),
        };
        for (path, value) in kept.into_iter().filter(|(_, value)| !value.is_null()) {
            if connection.below.as_ref().is_some_and(|below| below.argument == path) {
                request.below = Some(key_text(&value));
            } else if shape.orders(&path) {
                request.order = Some(Order::of(&value, request.order));
            } else {
                let field = connection.filters.get(&path).unwrap_or(&path);
                let filter = Filter::new(field, value.clone());
                if let Some(stranger) = filter.stranger() {
                    return Err(PagingError::Moment(stranger.to_owned()));
                }
                request.filters.push(filter);
            }
            request.kept.push((path, value));
        }
        Ok(request)
    }
}

impl PageChoice {
    /// The page that a field's arguments choose, whatever else they say.
    pub(crate) fn read(shape: &PagingShape, arguments: &Map<String, Value>) -> Result<Self, PagingError> {
        let mut leaves = leaves(arguments);
        leaves.retain(|(path, _)| shape.chooses_page(path));
        Self::of_leaves(shape, leaves)
    }

    fn of_leaves(shape: &PagingShape, leaves: Vec<(String, Value)>) -> Result<Self, PagingError> {
        let mut choice = Self {
            size: WantedSize::Missing,
            cursor: None,
            page: None,
            offset: None,
            beyond: None,
        };
        for (path, value) in leaves {
            let is = |argument: &Option<String>| argument.as_deref() == Some(path.as_str());
            if shape.ignored.contains(&path) {
                continue;
            }
            if is(&shape.size) {
                choice.size = value.as_i64().map_or(WantedSize::Null, WantedSize::Rows);
            } else if is(&shape.cursor) {
                choice.cursor = GivenCursor::of(value);
            } else if is(&shape.page) {
                choice.page = value.as_i64();
            } else if is(&shape.offset) {
                choice.offset = value.as_i64();
            } else if is(&shape.condition) {
                choice.beyond = value.as_str().map(beyond_condition).transpose()?;
            } else if let (Some(beyond), false) = (&shape.beyond, value.is_null()) {
                choice.beyond = Some((beyond.field.clone(), value));
            }
        }
        Ok(choice)
    }
}

impl PagingShape {
    /// Whether the argument at that path says which page is meant.
    fn chooses_page(&self, path: &str) -> bool {
        !self.order.iter().any(|order| order == path) && self.arguments().any(|argument| argument == path)
    }

    fn orders(&self, path: &str) -> bool {
        let is_within = |argument: &String| {
            path.strip_prefix(argument.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.order.iter().any(is_within)
    }
}

impl GivenCursor {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Array(values) => {
                let texts = values.into_iter().filter_map(|value| value.as_str().map(str::to_owned));
                Some(Self::List(texts.collect()))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for GivenCursor {
    /// As it came in an answer: a list is JSON inside a text.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::List(texts) => {
                let quoted: Vec<String> = texts
                    .iter()
                    .map(|text| Value::from(text.as_str()).to_string())
                    .collect();
                write!(formatter, "[{}]", quoted.join(", "))
            }
        }
    }
}

impl Order {
    /// The order of a list that one of several ordering arguments speaks of.
    fn of(value: &Value, said_before: Option<Self>) -> Self {
        let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
        if text == "desc" || text.ends_with(" desc") {
            return Self::Down;
        }
        said_before.unwrap_or(Self::Up)
    }
}

impl Filter {
    /// The filter of an argument: a list accepts each of its items.
    pub(crate) fn new(path: &str, argument: Value) -> Self {
        let accepted = match argument {
            Value::Array(items) => items,
            single => vec![single],
        };
        let (comparison, path) = Comparison::of(path);
        Self {
            path: path.to_owned(),
            accepted,
            comparison,
        }
    }

    /// Whether a row may stay.
    pub(crate) fn accepts(&self, row: Instance<'_>) -> bool {
        match row.value_at(&self.path) {
            Some(Generated::Leaf(value)) => self.accepted.iter().any(|wanted| self.comparison.holds(&value, wanted)),
            _ => false,
        }
    }
}

fn key_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// All arguments that are no input objects, by their paths.
fn leaves(arguments: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    add_leaves("", arguments, &mut found);
    found
}

fn add_leaves(path: &str, object: &Map<String, Value>, found: &mut Vec<(String, Value)>) {
    for (name, value) in object {
        let path = path_below(path, name);
        match value {
            Value::Object(inner) => add_leaves(&path, inner, found),
            value => found.push((path, value.clone())),
        }
    }
}

/// The field and the text of a condition such as `id > "…"`.
fn beyond_condition(condition: &str) -> Result<(String, Value), PagingError> {
    let parts = condition.split_once('>').and_then(|(field, text)| {
        let text: String = serde_json::from_str(text.trim()).ok()?;
        Some((field.trim().to_owned(), Value::String(text)))
    });
    parts.ok_or_else(|| PagingError::Condition(condition.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(shape: &str, arguments: &Value) -> Result<ListRequest, PagingError> {
        let description = toml::from_str::<std::collections::BTreeMap<String, ConnectionDescription>>(
            "c = { of = 'Item', paging = 'p', filters = { 'group.id.is' = 'group.id' } }",
        );
        let shape = toml::from_str(shape).unwrap();
        ListRequest::read(&shape, &description.unwrap()["c"], arguments.as_object().unwrap())
    }

    #[test]
    fn arguments_are_told_apart_by_the_shape() {
        let shape = "size = 'pagination.perPage'\npage = 'pagination.page'\norder = ['orderBy']";
        let arguments = json!({ "pagination": { "page": 3, "perPage": 20 }, "orderBy": { "id": "DESC" }, "state": ["A", "B"], "group": { "id": { "is": "g" } }, "none": null });
        let request = read(shape, &arguments).unwrap();
        assert_eq!(
            (request.choice.page, request.choice.size),
            (Some(3), WantedSize::Rows(20))
        );
        assert_eq!(request.order, Some(Order::Down));
        let filters = [("state", json!(["A", "B"])), ("group.id", json!("g"))];
        let mut found = request.filters;
        found.sort_by(|one, other| other.path.cmp(&one.path));
        assert_eq!(found, filters.map(|(path, value)| Filter::new(path, value)));
    }

    #[test]
    fn days_and_moments_bound_on_both_sides_and_an_empty_text_does_not() {
        let moment = json!("2020-04-13T23:00:00+00:00");
        for (comparison, wanted, holds) in [
            (Comparison::DayFrom, "2020-04-13", true),
            (Comparison::DayFrom, "2020-04-14T00:00:00Z", false),
            (Comparison::DayFrom, "", true),
            (Comparison::DayUntil, "2020-04-13", true),
            (Comparison::DayUntil, "2020-04-12", false),
            (Comparison::DayUntil, "", true),
            (Comparison::Since, "2020-04-13T20:00:00-03:00", true),
            (Comparison::Since, "2020-04-13T23:00:01Z", false),
            (Comparison::Until, "2020-04-13T20:00:00-03:00", true),
            (Comparison::Until, "2020-04-13T22:59:59Z", false),
            (Comparison::Since, "2020-04-13", true),
            (Comparison::Since, "2020-04-14", false),
            (Comparison::Until, "2020-04-13", false),
            (Comparison::Until, "2020-04-14", true),
            (Comparison::From, "2020-04-13", true),
            (Comparison::From, "2020-04-14", false),
            (Comparison::From, "yesterday", false),
            (Comparison::To, "2020-04-13", false),
            (Comparison::To, "2020-04-14", true),
        ] {
            assert_eq!(
                comparison.holds(&moment, &json!(wanted)),
                holds,
                "{comparison:?} {wanted}"
            );
        }
        for (wanted, stranger) in [("2020-04-13", None), ("", None), ("yesterday", Some("yesterday"))] {
            assert_eq!(Filter::new(">= seen.at", json!(wanted)).stranger(), stranger);
        }
        let filter = Filter::new(">= seen.at", json!("2020-04-13"));
        assert_eq!(
            (filter.comparison, filter.path.as_str()),
            (Comparison::DayFrom, "seen.at")
        );
    }

    #[test]
    fn keysets_come_as_filters_and_as_conditions() {
        let shape = "beyond = { argument = 'where.id_gt', field = 'id' }\ncondition = 'matching'";
        let beyond = |arguments: Value| read(shape, &arguments).map(|request| request.choice.beyond);
        let expected = Ok(Some(("id".to_owned(), json!("k\"7"))));
        assert_eq!(beyond(json!({ "where": { "id_gt": "k\"7" } })), expected);
        assert_eq!(beyond(json!({ "matching": r#"id > "k\"7""# })), expected);
        assert_eq!(beyond(json!({ "where": { "id_gt": null } })), Ok(None));
        assert!(beyond(json!({ "matching": "id is 7" })).is_err());
    }
}
