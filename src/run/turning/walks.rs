//! Whole connections, read page by page from servers of every style that cap, filter and lie: all rows are found or a
//! flaw is named, each connection ends, once, and not many requests are spent in vain.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use serde_json::json;

use super::tests::*;
use super::*;

/// A way of paging.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Relay,
    BareCursor,
    PageTotals,
    PageFlag,
    PageList,
    OffsetTotal,
    OffsetFlag,
    OffsetList,
    Keyset,
}

const KINDS: [Kind; 9] = [
    Kind::Relay,
    Kind::BareCursor,
    Kind::PageTotals,
    Kind::PageFlag,
    Kind::PageList,
    Kind::OffsetTotal,
    Kind::OffsetFlag,
    Kind::OffsetList,
    Kind::Keyset,
];

impl Kind {
    fn pager(self) -> Pager {
        match self {
            Self::Relay => relay(),
            Self::BareCursor => bare_cursor(),
            Self::PageTotals => page_totals(),
            Self::PageFlag => page_flag(),
            Self::PageList => page_list(),
            Self::OffsetTotal => offset_total(),
            Self::OffsetFlag => offset_flag(),
            Self::OffsetList => offset_list(),
            Self::Keyset => keyset(),
        }
    }

    fn has_numbers(self) -> bool {
        matches!(self, Self::PageTotals | Self::OffsetTotal | Self::OffsetFlag)
    }

    fn first_page(self) -> u64 {
        u64::from(self != Self::PageFlag)
    }
}

/// What a server says of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    Truth,
    Nothing,
    TooMany(u64),
    AtMost(u64),
}

impl Word {
    fn of(self, truth: u64) -> Option<u64> {
        match self {
            Self::Truth => Some(truth),
            Self::Nothing => None,
            Self::TooMany(more) => Some(truth + more),
            Self::AtMost(most) => Some(truth.min(most)),
        }
    }

    fn is_lie(self) -> bool {
        !matches!(self, Self::Truth | Self::Nothing)
    }
}

#[derive(Debug, Clone)]
struct Server {
    kind: Kind,
    rows: u64,
    /// The most rows that a page has.
    cap: u64,
    /// Every so many rows one is left out, after the page was cut; 0 for none.
    hides: u64,
    total: Word,
    page_count: Word,
    /// Says that there is more behind each full page.
    is_lazy: bool,
    has_keys: bool,
    heeds_position: bool,
    /// Gives its last page again behind its end.
    wraps: bool,
}

impl Server {
    fn begin(&self, position: Option<&Value>, size: u64) -> u64 {
        let Some(position) = position.filter(|_| self.heeds_position) else {
            return 0;
        };
        match self.kind {
            Kind::Relay | Kind::BareCursor => position.as_str().unwrap()[1..].parse().unwrap(),
            Kind::PageTotals | Kind::PageFlag | Kind::PageList => {
                (position.as_u64().unwrap() - self.kind.first_page()) * size
            }
            Kind::OffsetTotal | Kind::OffsetFlag | Kind::OffsetList => position.as_u64().unwrap(),
            Kind::Keyset => position.as_u64().unwrap() + 1,
        }
    }

    /// Where the last page begins.
    fn last(&self, size: u64) -> u64 {
        match self.kind {
            Kind::PageTotals | Kind::PageFlag | Kind::PageList => self.rows.saturating_sub(1) / size * size,
            _ => self.rows.saturating_sub(size),
        }
    }

    fn hides(&self, row: u64) -> bool {
        self.hides > 0 && row.is_multiple_of(self.hides)
    }

    fn shown(&self) -> Vec<u64> {
        (0..self.rows).filter(|row| !self.hides(*row)).collect()
    }

    /// The page at a position, and which rows are in it.
    fn answer(&self, position: Option<&Value>, size: u32) -> (FoundPage, Vec<u64>) {
        let size = u64::from(size).min(self.cap);
        let begin = self.begin(position, size).min(self.rows);
        let begin = match self.wraps && begin == self.rows {
            true => self.last(size),
            false => begin,
        };
        let end = (begin + size).min(self.rows);
        let rows: Vec<u64> = (begin..end).filter(|row| !self.hides(*row)).collect();
        let has_next = end < self.rows || (self.is_lazy && end - begin == size);
        let has_flag = matches!(self.kind, Kind::Relay | Kind::PageFlag | Kind::OffsetFlag);
        // A cursor at the end says nothing where there is a flag.
        let has_cursor = self.kind == Kind::Relay || (self.kind == Kind::BareCursor && has_next);
        let digest: Vec<String> = match self.has_keys {
            true => rows.iter().map(ToString::to_string).collect(),
            false => rows.iter().map(|row| (row % 3).to_string()).collect(),
        };
        let has_numbers = self.kind.has_numbers();
        let page_count = self.page_count.of(self.rows.div_ceil(size));
        let page = FoundPage {
            rows: rows.len() as u64,
            has_items: true,
            has_keys: self.has_keys,
            are_keys_unique: self.has_keys,
            digest: Some(digest.join("-")),
            has_next: has_flag.then_some(has_next),
            end_cursor: has_cursor.then(|| json!(format!("c{end}"))),
            total: self.total.of(self.shown().len() as u64).filter(|_| has_numbers),
            page_count: page_count.filter(|_| self.kind == Kind::PageTotals),
            last_key: rows.last().map(|row| json!(row)),
            ..FoundPage::default()
        };
        (page, rows)
    }

    fn is_honest(&self) -> bool {
        let has_gaps = self.hides > 0 && self.kind == Kind::PageTotals;
        let lies = match self.kind {
            Kind::PageTotals => self.total.is_lie() || self.page_count.is_lie(),
            kind => kind.has_numbers() && self.total.is_lie(),
        };
        self.heeds_position && !self.wraps && !lies && !has_gaps
    }
}

/// What came of a walk.
#[derive(Debug, Default)]
struct Walked {
    rows: Vec<u64>,
    /// The positions that rows have within the connection.
    places: Vec<u64>,
    ends: Vec<End>,
    flaws: Vec<String>,
    error: Option<PagingError>,
    requests: u64,
}

impl Walked {
    fn is_loud(&self) -> bool {
        self.error.is_some() || !self.flaws.is_empty()
    }
}

/// Walks a connection whose first page has that size; `turns` picks the page to ask for next.
fn walk(server: &Server, connection: &Connection, first_size: u32, turns: &[usize]) -> Walked {
    let mut walked = Walked::default();
    let mut pages = vec![(None, 0, first_size, None, Trail::default())];
    let mut turns = turns.iter().cycle();
    while !pages.is_empty() && walked.requests < 2_000 {
        let (position, before, size, expected, trail) = pages.remove(turns.next().unwrap() % pages.len());
        let (mut page, rows) = server.answer(position.as_ref(), size);
        if server.has_keys {
            page.repeats = rows.iter().filter(|row| walked.rows.contains(row)).count() as u64;
        }
        walked.requests += 1;
        walked.places.extend((0..page.rows).map(|index| before + index));
        let asked = Asked {
            position: position.as_ref(),
            before,
            size,
            expected,
            trail: &trail,
            restart: None,
            total: None,
        };
        match turn(connection, asked, &page) {
            Ok(turn) => {
                let is_new = |row: &u64| !server.has_keys || !walked.rows.contains(row);
                let new: Vec<u64> = rows.into_iter().filter(is_new).filter(|_| !turn.is_void).collect();
                walked.rows.extend(new);
                walked.ends.extend(turn.end);
                walked.flaws.extend(turn.flaws);
                pages.extend(turn.next.into_iter().map(|next| {
                    let size = next.size.unwrap_or(connection.page_size);
                    (Some(next.position), next.before, size, next.expected, next.trail)
                }));
            }
            Err(error) => {
                walked.error = Some(error);
                break;
            }
        }
    }
    walked.rows.sort_unstable();
    walked
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        3 => Just(Word::Truth),
        1 => Just(Word::Nothing),
        1 => (1..500_u64).prop_map(Word::TooMany),
        1 => (1..300_u64).prop_map(Word::AtMost),
    ]
}

fn server() -> impl Strategy<Value = Server> {
    let rows = prop_oneof![0..300_u64, select(vec![0, 1, 20, 40, 100, 200, 300])];
    let cap = prop_oneof![5..60_u64, Just(1_000)];
    let hides = prop_oneof![3 => Just(0_u64), 1 => 2..9_u64];
    let shape = (select(KINDS.to_vec()), rows, cap, hides);
    let words = (word(), word(), any::<bool>(), any::<bool>());
    let faults = (prop::bool::weighted(0.9), prop::bool::weighted(0.2));
    (shape, words, faults).prop_map(
        |((kind, rows, cap, hides), (total, page_count, is_lazy, has_keys), (heeds_position, wraps))| Server {
            kind,
            rows,
            cap,
            // Offsets and keys count the rows that are shown.
            hides: match kind {
                Kind::Relay | Kind::BareCursor | Kind::PageFlag | Kind::PageTotals => hides,
                _ => 0,
            },
            total,
            page_count,
            is_lazy,
            has_keys,
            heeds_position,
            wraps: wraps && (kind.has_numbers() || matches!(kind, Kind::PageList | Kind::OffsetList)),
        },
    )
}

/// Whether a wrong number says that the rows that came are all, and the last page is shorter than was asked for, as the
/// server gives fewer, or leaves rows out: that is believed.
fn is_deceived(server: &Server, walked: &Walked) -> bool {
    let rows = walked.rows.len() as u64;
    let number = match server.kind {
        Kind::PageTotals => server.total.is_lie() || server.page_count.is_lie(),
        kind => kind.has_numbers() && server.total.is_lie(),
    };
    let fits = server
        .total
        .of(rows)
        .is_none_or(|_| server.total.of(server.rows).is_none_or(|total| total == rows));
    number && fits && walked.ends == [End::Total] && (server.cap < u64::from(PAGE_SIZE) || server.hides > 0)
}

proptest! {
    // The same servers each time: what others show is looked for by hand, with another seed.
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        rng_seed: RngSeed::Fixed(20_261_122),
        ..ProptestConfig::default()
    })]

    #[test]
    fn all_rows_are_found_or_a_flaw_is_named(
        server in server(),
        first_size in select(vec![5_u32, 10, 20, PAGE_SIZE]),
        turns in prop::collection::vec(0..64_usize, 1..20),
    ) {
        let connection = Connection {
            // Only first pages that share a request are smaller than others.
            is_repeated: first_size < PAGE_SIZE,
            ..connection(server.kind.pager())
        };
        let walked = walk(&server, &connection, first_size, &turns);
        prop_assert!(walked.requests < 2_000, "it goes on for ever");
        prop_assert!(walked.error.is_some() || walked.ends.len() == 1, "{walked:?}");
        let is_complete = match server.heeds_position {
            // Without keys, a last page that comes again cannot be told from more rows.
            true if server.wraps && !server.has_keys => server.shown().iter().all(|row| walked.rows.contains(row)),
            true => walked.rows == server.shown(),
            // Without keys, the same rows in a page of another size
            // cannot be told from new ones.
            false if server.has_keys => server.shown().iter().all(|row| walked.rows.contains(row)),
            false => first_size < PAGE_SIZE || walked.rows == server.shown(),
        };
        prop_assert!(is_complete || walked.is_loud() || is_deceived(&server, &walked), "cut silently: {walked:?}");

        let least = server.rows.div_ceil(u64::from(first_size).min(server.cap)).max(1);
        if server.is_honest() {
            prop_assert!(is_complete && !walked.is_loud(), "{walked:?}");
            let mut places = walked.places.clone();
            places.sort_unstable();
            places.dedup();
            prop_assert_eq!(places.len(), walked.places.len(), "each row has a place of its own");
            prop_assert!(walked.requests <= least + spare_requests(&server), "{} for {}", walked.requests, least);
        } else {
            // Rows without keys are taken for long, the longer the fewer are on a page.
            let page = server.rows.min(server.cap).min(u64::from(first_size)).max(1);
            let most = 200 + 2_000 / page;
            prop_assert!(walked.requests <= 2 * least + most, "{} for {}", walked.requests, least);
        }
    }
}

/// Requests beyond the pages that there are: an empty page to confirm the end, and those guessed behind it.
fn spare_requests(server: &Server) -> u64 {
    match server.kind {
        Kind::Relay | Kind::BareCursor | Kind::PageFlag | Kind::PageTotals | Kind::Keyset => 1,
        // Offsets are asked for again where pages are shorter than was expected.
        Kind::OffsetTotal | Kind::OffsetFlag if server.total == Word::Truth => 4,
        Kind::OffsetTotal | Kind::OffsetFlag | Kind::PageList | Kind::OffsetList => 9,
    }
}
