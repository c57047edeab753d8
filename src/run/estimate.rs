//! What an export will take, as far as earlier runs and totals tell.
//!
//! Pure. The sizes are those that the engine itself would choose; what they lead to is counted and not simulated, so that
//! an estimate is near the truth where requests are full, and below it where they are not.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::{Connection, Piece, Plan, RequestText, Target};
use crate::project::RequestLimit;
use crate::run::fan_out::FanOut;
use crate::run::fineness::Fineness;
use crate::run::pace::Allowance;
use crate::run::pack::{Packer, Room, is_side_by_side};
use crate::run::text_limits::TextLimits;
use crate::schema::Style;

/// Pages of one connection whose sizes are worked out one by one; those behind are as large as the last of them.
const MOST_STEPS: u32 = 64;

/// What an export will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Requests; `None` where nothing is known of any connection.
    pub requests: Option<u64>,
    /// Whether it will be more, since nothing is known of some connections.
    pub is_at_least: bool,
    /// The rows of each connection.
    pub rows: Vec<RowsEstimate>,
}

/// The rows that a connection will bring, over all its instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsEstimate {
    /// How many; `None` where nothing is known.
    pub rows: Option<u64>,
    /// How that is known.
    pub known_by: Option<KnownBy>,
}

/// How a number of rows is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// From earlier runs.
    EarlierRuns,
    /// From the total that the API tells.
    Total,
}

/// The time that so many requests take by the limits alone.
pub fn span(requests: u64, limits: &[RequestLimit]) -> Duration {
    let windows = |limit: &RequestLimit| requests.saturating_sub(1) / u64::from(limit.max.max(1));
    let wait = |limit: &RequestLimit| {
        let windows = u32::try_from(windows(limit)).unwrap_or(u32::MAX);
        limit.per.saturating_add(limit.margin).saturating_mul(windows)
    };
    limits.iter().map(wait).max().unwrap_or_default()
}

/// Connections of one kind in one run: their rows, each with how many have so many.
type Instances = BTreeMap<u64, f64>;

/// What is known of the connections of one query.
pub(crate) struct Estimator<'plan> {
    pub(crate) plan: &'plan Plan,
    pub(crate) room: Room,
    /// How much the text of one request may say.
    pub(crate) text_limits: TextLimits,
    /// What requests may hold by what answers took.
    pub(crate) allowance: &'plan Allowance,
    pub(crate) fan_outs: &'plan [FanOut],
    /// How finely columns are cut.
    pub(crate) fineness: &'plan Fineness,
    /// Totals of connections, by index.
    pub(crate) totals: &'plan [(usize, u64)],
    /// The values that the query is run for, where it is run for several and they are known.
    pub(crate) members: Option<u64>,
}

/// The pages behind the first ones, all together.
#[derive(Default)]
struct Work {
    /// Requests that they fill by the rows asked for.
    by_rows: f64,
    /// Requests that they fill by their number.
    by_slots: f64,
    /// The most that have to follow one another.
    chain: u64,
}

impl Estimator<'_> {
    /// What the export will take.
    pub(crate) fn estimate(&self) -> Estimate {
        let packer = Packer::new(self.plan, self.room, self.allowance, self.fan_outs);
        let known: Vec<(Instances, Option<KnownBy>)> = self.instances();
        let mut work = Work::default();
        let mut chains = vec![0; known.len()];
        for (index, connection) in self.plan.connections.iter().enumerate() {
            let (instances, _) = &known[index];
            let longest = self.add(&mut work, &packer, index, instances);
            let above = connection.parent.map_or(0, |parent| chains[parent]);
            chains[index] = above + longest;
            work.chain = work.chain.max(chains[index]);
        }
        let later = work.by_rows.max(work.by_slots).ceil();
        let is_known = |(_, known_by): &(Instances, Option<KnownBy>)| known_by.is_some();
        let is_nothing_known = !known.is_empty() && !known.iter().any(is_known);
        let first = self.first_requests(&packer);
        let requests = first.filter(|_| !is_nothing_known || self.plan.each.is_some());
        let requests = requests.map(|first| first + whole(later).max(work.chain));
        Estimate {
            is_at_least: requests.is_none() || !known.iter().all(is_known),
            requests,
            rows: known.iter().map(rows).collect(),
        }
    }

    /// The requests for the first pages of everything; `None` where it is not known for how many values.
    fn first_requests(&self, packer: &Packer<'_>) -> Option<u64> {
        if self.plan.each.is_none() {
            return u64::try_from(self.plan.first_texts(packer.inline_sizes()).len()).ok();
        }
        let members = self.members?;
        if !self.plan.mixes_members() {
            return Some(members);
        }
        let roots = u64::try_from(self.plan.member_roots.len()).unwrap_or(u64::MAX);
        let request = |members| self.plan.first_request(members, packer.inline_sizes(), Piece::FIRST);
        let slots = self.slots(|members| Some(request(members)));
        let rows: f64 = (0..self.plan.member_roots.len())
            .map(|root| packer.root_cost(root))
            .sum();
        let by_rows = float(members) * rows / float(self.room.rows);
        Some(members.saturating_mul(roots).div_ceil(slots).max(whole(by_rows.ceil())))
    }

    /// Adds the later pages of a connection; the result is the most that one instance of it has.
    fn add(&self, work: &mut Work, packer: &Packer<'_>, index: usize, instances: &Instances) -> u64 {
        let connection = &self.plan.connections[index];
        let mut longest = 0;
        let (mut pages_of_all, mut rows_of_all) = (0.0, 0.0);
        for (rows, count) in instances {
            let rows = connection.most_rows.map_or(*rows, |most| u64::from(most).min(*rows));
            let (pages, asked) = self.later_pages(packer, index, rows);
            pages_of_all += count * float(pages);
            rows_of_all += count * asked;
            longest = longest.max(pages);
        }
        let sizes = packer.inline_sizes();
        let target = Target::of(Some(index), None, false);
        let pieces = self.plan.pieces_of(target, self.fineness.of(Some(index)));
        // Each of them is asked for at the same positions.
        let requests = pieces.len().max(1);
        work.by_rows += rows_of_all * requests as f64 / float(self.room.rows);
        for piece in pieces {
            let slots = self.slots(|pages| self.plan.later_request(index, 1, pages, sizes, piece));
            work.by_slots += pages_of_all / float(slots);
        }
        let chain = match is_side_by_side(connection) {
            true => longest.min(1),
            false => longest,
        };
        chain.saturating_mul(u64::try_from(requests).unwrap_or(u64::MAX))
    }

    /// How many pages a connection of so many rows has behind its first, and the rows that are asked for with them.
    fn later_pages(&self, packer: &Packer<'_>, index: usize, rows: u64) -> (u64, f64) {
        let connection = &self.plan.connections[index];
        if connection.paged.pager.style() == Style::Capped {
            return (0, 0.0);
        }
        let mut before = u64::from(packer.inline_sizes()[index]);
        let (mut pages, mut asked) = (0, 0.0);
        let mut size = packer.inline_sizes()[index].max(1);
        if connection.is_detached {
            // Its first page is asked for like a later one.
            (pages, asked) = (1, packer.cost(index, size));
        }
        while before < rows && pages < u64::from(MOST_STEPS) {
            size = packer.later_size(index, before, self.fan_outs).max(1);
            before += u64::from(size);
            pages += 1;
            asked += packer.cost(index, size);
        }
        let rest = rows.saturating_sub(before).div_ceil(u64::from(size));
        // Where nothing tells the end, an empty page does.
        let end = u64::from(rows > 0 && is_ended_by_an_empty_page(connection));
        (pages + rest + end, asked + float(rest + end) * packer.cost(index, size))
    }

    /// Pages that share a request at most, where that is the request for so many.
    fn slots(&self, request: impl Fn(usize) -> Option<RequestText>) -> u64 {
        let by_text = request(1).zip(request(2));
        let by_text = by_text.map_or(usize::MAX, |(one, two)| self.text_limits.slots(&one, &two));
        u64::try_from(self.room.slots.min(by_text)).unwrap_or(u64::MAX)
    }

    /// What is known of the instances of each connection in one run.
    fn instances(&self) -> Vec<(Instances, Option<KnownBy>)> {
        let learnt: Vec<BTreeMap<u64, u64>> = (0..self.plan.connections.len())
            .map(|index| self.fan_outs.get(index).map_or_else(BTreeMap::new, FanOut::rows))
            .collect();
        let runs = self.runs(&learnt);
        let mut scales: Vec<f64> = Vec::new();
        let connections = self.plan.connections.iter().enumerate();
        let known = connections.map(|(index, connection)| {
            let instances: Instances = learnt[index]
                .iter()
                .map(|(rows, count)| (*rows, float(*count) / runs))
                .collect();
            let rows: f64 = instances.iter().map(|(rows, count)| float(*rows) * count).sum();
            let total = self.totals.iter().find(|(other, _)| *other == index);
            if let Some((_, total)) = total {
                scales.push(if rows > 0.0 { float(*total) / rows } else { 1.0 });
                return (Instances::from([(*total, 1.0)]), Some(KnownBy::Total));
            }
            let scale = connection
                .parent
                .and_then(|parent| scales.get(parent))
                .copied()
                .unwrap_or(1.0);
            scales.push(scale);
            let known_by = (!instances.is_empty()).then_some(KnownBy::EarlierRuns);
            let scaled = instances.into_iter().map(|(rows, count)| (rows, count * scale));
            (scaled.collect(), known_by)
        });
        known.collect()
    }

    /// Runs that what was learnt comes from: each reads an outermost connection once, or once for each value.
    fn runs(&self, learnt: &[BTreeMap<u64, u64>]) -> f64 {
        let outermost = self.plan.connections.iter().zip(learnt);
        let outermost = outermost.filter(|(connection, _)| connection.depth == 0);
        let runs = outermost.map(|(_, rows)| rows.values().sum()).max();
        let instances: u64 = runs.unwrap_or(0);
        match self.members {
            Some(members) if self.plan.each.is_some() => (float(instances) / float(members.max(1))).max(1.0),
            _ => float(instances.max(1)),
        }
    }
}

fn rows((instances, known_by): &(Instances, Option<KnownBy>)) -> RowsEstimate {
    let rows: f64 = instances.iter().map(|(rows, count)| float(*rows) * count).sum();
    RowsEstimate {
        rows: known_by.map(|_| whole(rows.round())),
        known_by: *known_by,
    }
}

fn is_ended_by_an_empty_page(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager.style(),
        Style::PageList | Style::OffsetList | Style::Keyset
    )
}

fn float(number: u64) -> f64 {
    number as f64
}

fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::plan::{GraphqlFile, PlanSettings, QueryDocument, plan_query};
    use crate::project::QueryLimits;
    use crate::schema::ApiSchema;

    const SCHEMA: &str = "
        type Query { node(id: ID!): Group groups(first: Int, after: String): Groups! logs(offset: Int, limit: Int): [Log] }
        type PageInfo { hasNextPage: Boolean! endCursor: String }
        type Groups { nodes: [Group!]! pageInfo: PageInfo! totalCount: Int! }
        type Group { id: ID! logs(first: Int, after: String): Logs! }
        type Logs { nodes: [Log!]! pageInfo: PageInfo! }
        type Log { text: String }";

    fn plan(text: &str) -> Plan {
        let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
        let file = GraphqlFile {
            path: Path::new("work.graphql"),
            text,
        };
        let document = QueryDocument::read(file, &[]).unwrap().unwrap();
        let settings = PlanSettings {
            query_name: "work",
            api: "",
            variables: &BTreeMap::new(),
            scalars: &BTreeMap::new(),
            paging: &[],
            flatten: false,
            page_size: 100,
            limits: &crate::project::QueryLimits::default(),
            denied: &[],
        };
        plan_query(&document, &schema, settings).unwrap()
    }

    fn estimate(plan: &Plan, limits: &QueryLimits, fan_outs: &[FanOut], totals: &[(usize, u64)]) -> Estimate {
        let estimator = Estimator {
            plan,
            room: Room::of(limits),
            text_limits: TextLimits::of(limits),
            allowance: &Allowance::unlimited(plan.connections.len()),
            fan_outs,
            fineness: &Fineness::new(plan.connections.len()),
            totals,
            members: None,
        };
        estimator.estimate()
    }

    fn ended(connections: &[(u64, u64)]) -> FanOut {
        let mut fan_out = FanOut::default();
        for (rows, count) in connections {
            (0..*count).for_each(|_| fan_out.note_ended(*rows, false));
        }
        fan_out
    }

    const GROUPS: &str = "{ groups { nodes { id logs { nodes { text } } } } }";

    #[test]
    fn without_knowledge_there_is_no_number() {
        let plan = plan(GROUPS);
        let unknown = [FanOut::default(), FanOut::default()];
        let estimate = estimate(&plan, &QueryLimits::default(), &unknown, &[]);
        assert_eq!((estimate.requests, estimate.is_at_least), (None, true));
    }

    #[test]
    fn a_total_alone_gives_the_pages_that_there_are_at_least() {
        let plan = plan(GROUPS);
        let unknown = [FanOut::default(), FanOut::default()];
        let estimate = estimate(&plan, &QueryLimits::default(), &unknown, &[(0, 1000)]);
        assert!(estimate.is_at_least);
        assert!(estimate.requests.is_some_and(|requests| requests >= 10), "{estimate:?}");
        let rows: Vec<_> = estimate.rows.iter().map(|rows| (rows.rows, rows.known_by)).collect();
        assert_eq!(rows, [(Some(1000), Some(KnownBy::Total)), (None, None)]);
    }

    #[test]
    fn what_two_runs_showed_is_not_taken_for_that_of_one() {
        let plan = plan(GROUPS);
        let known = [ended(&[(20, 2)]), ended(&[(3, 38), (30, 2)])];
        let estimate = estimate(&plan, &QueryLimits::default(), &known, &[]);
        let rows: Vec<_> = estimate.rows.iter().map(|rows| rows.rows).collect();
        assert_eq!(rows, [Some(20), Some(3 * 19 + 30)]);
        // One group has more logs than come with it; they are there with one more request.
        assert_eq!((estimate.requests, estimate.is_at_least), (Some(2), false));
    }

    #[test]
    fn a_total_of_now_scales_what_stands_below() {
        let plan = plan(GROUPS);
        let known = [ended(&[(20, 1)]), ended(&[(3, 20)])];
        let estimate = estimate(&plan, &QueryLimits::default(), &known, &[(0, 40)]);
        let rows: Vec<_> = estimate.rows.iter().map(|rows| rows.rows).collect();
        assert_eq!(rows, [Some(40), Some(120)]);
    }

    #[test]
    fn limits_on_the_text_make_more_requests() {
        let plan = plan(GROUPS);
        let known = [ended(&[(30, 1)]), ended(&[(3, 10), (30, 20)])];
        let requests = |limits: QueryLimits| estimate(&plan, &limits, &known, &[]).requests;
        let of_roots = QueryLimits {
            root_fields: Some(2),
            nodes: Some(200),
            ..QueryLimits::default()
        };
        let of_text = QueryLimits {
            characters: Some(400),
            nodes: Some(200),
            ..QueryLimits::default()
        };
        let free = requests(QueryLimits::default());
        assert!(requests(of_roots) > free && requests(of_text) > free);
    }

    #[test]
    fn a_bare_list_costs_the_empty_page_behind_it() {
        let plan = plan("{ logs { text } }");
        let estimate = estimate(&plan, &QueryLimits::default(), &[ended(&[(32, 1)])], &[]);
        assert_eq!(estimate.requests, Some(2));
    }

    #[test]
    fn the_slowest_window_decides() {
        let limit = |max, seconds| RequestLimit {
            max,
            per: Duration::from_secs(seconds),
            margin: Duration::ZERO,
            counted_by: crate::project::CountedBy::Token,
        };
        let limits = [limit(3, 1), limit(100, 60)];
        let seconds = |requests| span(requests, &limits).as_secs();
        assert_eq!([1, 3, 4, 100, 101, 201].map(seconds), [0, 0, 1, 33, 60, 120]);
        assert_eq!(span(1000, &[]), Duration::ZERO);
    }
}
