//! What an API takes of one query: names of operations, and what is cut into pieces because of its limits.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Definition, Document, Selection};
use proptest::prelude::*;

use super::*;
use crate::project::OperationNameRule;

/// A plan within limits.
fn within(limits: QueryLimits, text: &str) -> Result<Plan, String> {
    let case = Case {
        limits,
        ..Case::default()
    };
    case.plan(text)
}

#[test]
fn a_name_is_stripped_of_what_the_api_refuses() {
    let first_word = |rule, name: &str| {
        let limits = QueryLimits {
            operation_name: rule,
            ..QueryLimits::default()
        };
        let plan = within(limits, &format!("query {name} {{ viewer {{ id }} }}")).unwrap();
        start(&plan).text.split('{').next().unwrap().to_owned()
    };
    use OperationNameRule::{Alphanumeric, AsWritten, None};
    assert_eq!(first_word(AsWritten, "My_work"), "query My_work");
    assert_eq!(first_word(Alphanumeric, "My_work"), "query Mywork");
    assert_eq!(first_word(Alphanumeric, "_2nd_try"), "query ndtry");
    assert_eq!(first_word(Alphanumeric, "__"), "query");
    assert_eq!(first_word(None, "Work"), "query");
}

#[test]
fn an_api_without_fragments_is_asked_for_the_same_without_them() {
    let text = "{ organization(login: \"a\") { groups { nodes { title findings { nodes { title } } } } } }";
    let text = |without_fragments| {
        let limits = QueryLimits {
            without_fragments,
            ..QueryLimits::default()
        };
        later(&within(limits, text).unwrap(), &[1, 1]).text.to_string()
    };
    let (with, without) = (text(false), text(true));
    let (operation, fragment) = with.split_once("fragment F1 on IssueConnection").unwrap();
    assert_eq!(operation.matches("{...F1}").count(), 2);
    assert_eq!(without, operation.replace("{...F1}", fragment));
}

/// What a request has of each limit, for the errors of tests.
fn over(limits: &QueryLimits, request: &RequestText) -> Vec<String> {
    let amounts = crate::plan::measured(limits, request);
    let over = amounts.iter().filter(|amount| amount.is_over());
    over.map(|amount| format!("{amount}: {}", request.text)).collect()
}

/// The requests for all groups of a fineness: those for the first pages, and for a further page of each connection.
fn requests(plan: &Plan, fineness: usize) -> Vec<RequestText> {
    let sizes: Vec<u32> = (0..plan.connections.len()).map(|index| 10 + index as u32).collect();
    let by_root = plan.roots_of_member().into_iter().flat_map(|root| {
        let pieces = plan.pieces_of(Target::of(None, root, true), fineness).into_iter();
        pieces.map(move |piece| (root, piece)).collect::<Vec<_>>()
    });
    let by_root = by_root.map(|(root, piece)| {
        let ask = Ask {
            connection: None,
            root,
            member: None,
            size: 1,
            position: None,
            parent: None,
            address: &[],
        };
        plan.request(&[ask], &sizes, piece)
    });
    let first: Vec<RequestText> = match fineness {
        0 => plan
            .first_texts(&sizes)
            .into_iter()
            .map(|(_, request)| request)
            .collect(),
        _ => by_root.collect(),
    };
    let later = (0..plan.connections.len()).flat_map(|connection| {
        let pieces = plan.pieces_of(Target::of(Some(connection), None, false), fineness);
        let request = |piece| plan.later_request(connection, 7, 1, &sizes, piece).unwrap();
        pieces.into_iter().map(request).collect::<Vec<_>>()
    });
    first.into_iter().chain(later).collect()
}

fn texts(plan: &Plan, fineness: usize) -> Vec<String> {
    requests(plan, fineness)
        .iter()
        .map(|request| request.text.to_string())
        .collect()
}

const WIDE: &str = "{ teams { nodes { slug name issues { edges { node { title size created author { id name email } state } \
                    addedAt } } } } }";

fn complexity(max: u32) -> QueryLimits {
    QueryLimits {
        complexity: Some(crate::project::ComplexityLimit {
            max,
            object: 1.0,
            scalar: 1.0,
            multiplied_by: Vec::new(),
        }),
        ..QueryLimits::default()
    }
}

#[test]
fn what_fits_is_one_piece() {
    let plan = within(complexity(100), WIDE).unwrap();
    assert_eq!(plan.pieces(0), 1);
    assert_eq!(
        texts(&plan, 0).len(),
        3,
        "the first pages, and a further page of each connection"
    );
}

#[test]
fn columns_that_are_too_many_are_asked_for_in_groups_with_the_keys_of_all_rows_on_the_way() {
    let text = "{ issues { edges { addedAt node { title size created author { name email } state } } } }";
    let plan = within(complexity(11), text).unwrap();
    let start = "query($pageSize:Int!){issues(first:$pageSize)";
    let later = "query($pageSize:Int!,$cursor:String!){issues(first:$pageSize,after:$cursor)";
    let groups = [
        "{edges{addedAt node{title size id}}pageInfo{hasNextPage endCursor}totalCount}}",
        "{edges{node{created author{name email}state id}}}}",
    ];
    let expected = [start, later].map(|head| groups.map(|group| format!("{head}{group}")));
    assert_eq!(texts(&plan, 0), expected.concat());
}

#[test]
fn a_connection_is_cut_in_itself_and_its_rows_go_by_their_keys() {
    let text = "{ organization(login: \"a\") { groups { nodes { title tags findings { nodes { title size state created } } } } } }";
    let limits = complexity(18);
    let plan = within(limits.clone(), text).unwrap();
    let starts = &texts(&plan, 0)[..2];
    assert_eq!(
        starts[1],
        "query($pageSize:Int!,$pageSize2:Int!){organization(login:\"a\"){groups(first:$pageSize)\
         {nodes{findings(first:$pageSize2){nodes{size state created id}}id}}}}"
    );
    assert!(
        starts[0].contains("nodes{title tags findings(first:$pageSize2){nodes{title id}"),
        "{starts:?}"
    );
    let later = Target::of(Some(0), None, false);
    assert_eq!(plan.pieces_of(later, 0).len(), 2);
    let nothing_over: Vec<String> = requests(&plan, 0).iter().flat_map(|one| over(&limits, one)).collect();
    assert_eq!(nothing_over, Vec::<String>::new());
}

#[test]
fn what_shares_no_request_with_other_columns_makes_no_further_group() {
    let limits = QueryLimits {
        root_fields: Some(1),
        ..complexity(11)
    };
    let wide = "issues { nodes { id title size created state author { name } } }";
    let plan = within(limits, &format!("{{ {wide} pages {{ id title }} }}")).unwrap();
    let pages = Target::of(None, Some(1), true);
    assert_eq!((plan.pieces(0), plan.pieces_of(pages, 0)), (2, vec![Piece::FIRST]));
}

#[test]
fn what_stands_together_is_not_parted() {
    let text = "query($with: Boolean = true) { issues { nodes { title author { name email } ... @include(if: $with) { size \
                created } state } } pages { id title author { name } } organization(login: \"a\") { members { id name } } }";
    let plan = within(
        QueryLimits::default(),
        "query($with: Boolean = true) { organization(login: \"a\") { members { id \
                name } groups { nodes { title } } } issues { nodes { title ... @include(if: $with) { size created } } } }",
    );
    assert!(plan.unwrap_err().contains("stands beside a paginated field"));
    let plan = within(
        QueryLimits::default(),
        &text.replace(" organization(login: \"a\") { members { id name } }", ""),
    )
    .unwrap();
    let finest = plan.finest();
    let groups = texts(&plan, finest);
    let holds = |part: &str| groups.iter().filter(|text| text.contains(part)).count();
    assert!(
        holds("...@include(if:$with){size created}") > 0 && holds("{size}") + holds("{created}") == 0,
        "{groups:#?}"
    );
    assert_eq!(
        (plan.pieces(0), plan.pieces(1), plan.pieces(finest + 3)),
        (1, 2, plan.pieces(finest))
    );
    assert_eq!(
        plan.pieces(finest),
        7,
        "title, name, email, the fragment, state; title, name: {groups:#?}"
    );
}

/// Rows with a plain list whose items are wide.
const MEMBERS: &str = "{ issues { nodes { title watchers { name email phone role team home { city street zip } } } } }";

#[test]
fn a_plain_list_that_is_too_much_by_itself_is_cut_and_its_items_are_told_by_their_id() {
    assert_eq!(within(complexity(18), MEMBERS).unwrap().pieces(0), 1);
    let plan = within(complexity(12), MEMBERS).unwrap();
    let later = "query($pageSize:Int!,$cursor:String!){issues(first:$pageSize,after:$cursor)";
    let groups = [
        "{nodes{title watchers{name email id}id}pageInfo{hasNextPage endCursor}totalCount}}",
        "{nodes{watchers{phone role team home{city street zip}id}id}}}",
    ];
    assert_eq!(texts(&plan, 0)[2..], groups.map(|group| format!("{later}{group}")));
    let whole = within(QueryLimits::default(), MEMBERS).unwrap();
    assert_eq!(plan.tables, whole.tables, "what tells the items is no column");
    let cuts: Vec<String> = plan.description.cuts.iter().map(ToString::to_string).collect();
    assert_eq!(cuts, ["complexity 19 of 12: columns in 2 groups"]);
    let nothing_over: Vec<String> = requests(&plan, 0)
        .iter()
        .flat_map(|one| over(&complexity(12), one))
        .collect();
    assert_eq!(nothing_over, Vec::<String>::new());
}

#[test]
fn what_tells_items_fills_no_column_of_another_name() {
    let text = MEMBERS.replace("name email", "id: name email");
    let plan = within(complexity(12), &text).unwrap();
    let groups = texts(&plan, 0);
    assert!(groups.iter().all(|text| text.contains("own_id:id")), "{groups:#?}");
    let marks = "{ issues { nodes { title marks { label color size shape note } } } }";
    let plan = within(complexity(8), marks).unwrap();
    let groups = texts(&plan, 0);
    let told = |fields| groups.iter().any(|text| text.contains(fields));
    assert!(
        told("{nodes{marks{label color size code}id}}") && told("{nodes{marks{shape note code}id}}"),
        "their only `ID!` tells them: {groups:#?}"
    );
}

#[test]
fn a_list_in_the_items_of_a_list_is_cut_only_where_it_has_to_be() {
    let text = "{ issues { nodes { title parts { id name parts { id name marks { label color } } } } } }";
    let groups = |most| {
        let plan = within(complexity(most), text).unwrap();
        texts(&plan, 0)[plan.pieces(0)..].to_vec()
    };
    let whole = "parts{id parts{id name marks{label color}}}";
    assert!(
        groups(11).iter().any(|group| group.contains(whole)),
        "{:#?}",
        groups(11)
    );
    let cut = groups(10);
    assert!(cut.iter().all(|group| !group.contains(whole)), "{cut:#?}");
    assert!(
        cut.iter()
            .any(|group| group.contains("parts{id parts{id marks{label color}}}")),
        "{cut:#?}"
    );
    let refusal = within(complexity(8), text).unwrap_err();
    assert!(refusal.contains("is too much for one request by itself"), "{refusal}");
}

#[test]
fn keys_and_signals_are_a_piece_of_their_own() {
    let plan = plan(WIDE);
    let keys = plan.first_request(1, &[5, 6], Piece::KeysOnly).text;
    assert_eq!(
        &*keys,
        "query($pageSize:Int!,$pageSize2:Int!){teams(first:$pageSize){edges{node{slug issues(first:$pageSize2)\
         {edges{node{id}}pageInfo{hasNextPage endCursor}totalCount}}cursor}pageInfo{hasNextPage endCursor}}}",
        "a team has no key, and is counted by its first value"
    );
}

#[test]
fn rows_without_a_key_stay_whole_or_are_refused_with_a_remedy() {
    let teams = "{ teams { nodes { slug name } } issues { nodes { title size created state } } }";
    let plan = within(complexity(17), teams).unwrap();
    let groups = texts(&plan, 0);
    assert!(
        groups[0].contains("nodes{slug name}") && !groups[1].contains("teams"),
        "{groups:#?}"
    );
    let refusal = within(complexity(6), "{ teams { nodes { slug name } } }").unwrap_err();
    for part in [
        "`teams` is too much for one request, and its rows have no key: complexity 7 of 6",
        "work.graphql:1:3",
        "`teams @table(key: [\u{2026}])`",
        "`limits.query.complexity` is 6",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    assert!(within(complexity(9), "{ teams { nodes { slug name } } }").is_ok());
    let keyed = "{ teams @table(key: [\"slug\"]) { nodes { slug name } } }";
    assert_eq!(within(complexity(6), keyed).unwrap().pieces(0), 2);
}

#[test]
fn a_value_that_is_too_deep_is_refused_by_name() {
    let limits = QueryLimits {
        depth: Some(3),
        ..QueryLimits::default()
    };
    let refusal = within(limits, "{ issues { nodes { id author { name } } } }").unwrap_err();
    assert!(
        refusal.contains("`issues.nodes.author.name` is too much for one request by itself: depth 4 of 3"),
        "{refusal}"
    );
}

#[test]
fn fields_of_the_query_root_go_in_as_few_requests_as_the_limits_allow() {
    let text = "{ viewer { name } a: issues { nodes { id } } b: issues { nodes { id } } pages { id } entries { nodes { text } } }";
    let limits = |root_fields| QueryLimits {
        root_fields: Some(root_fields),
        ..QueryLimits::default()
    };
    let roots = |most: u32| -> Vec<Vec<String>> {
        let plan = within(limits(most), text).unwrap();
        let sizes = plan.full_sizes();
        let names = |text: &str| {
            let document = Document::parse(text, "request.graphql").unwrap();
            let Definition::OperationDefinition(operation) = &document.definitions[0] else {
                panic!("a query was expected")
            };
            let fields = operation.selection_set.iter().filter_map(|one| one.as_field());
            fields.map(|field| field.name.to_string()).collect()
        };
        let texts = plan.first_texts(&sizes).into_iter();
        texts.map(|(_, request)| names(&request.text)).collect()
    };
    let whole = vec![vec!["viewer", "issues", "issues", "pages", "entries"]];
    assert_eq!(roots(5), whole);
    assert_eq!(
        roots(3),
        [vec!["viewer", "issues", "issues"], vec!["viewer", "pages", "entries"]],
        "values of the query root are columns of all tables"
    );
    assert_eq!(within(limits(3), text).unwrap().pieces(0), 1);
    let apart = within(limits(1), text).unwrap();
    assert_eq!((apart.pieces(0), apart.member_roots.len()), (2, 4));
    let values_once = [
        vec!["issues"],
        vec!["issues"],
        vec!["pages"],
        vec!["entries"],
        vec!["viewer"],
    ];
    assert_eq!(roots(1), values_once);
}

#[test]
fn the_request_for_totals_keeps_to_the_limits_too() {
    let text = "{ a: issues { nodes { id } } b: issues { nodes { id } } }";
    let probe = |limits| within(limits, text).unwrap().probe.unwrap().request;
    let limits = QueryLimits {
        root_fields: Some(1),
        ..QueryLimits::default()
    };
    let totals = |limits| probe(limits).text.matches("totalCount").count();
    assert_eq!((totals(QueryLimits::default()), totals(limits)), (2, 1));
}

#[test]
fn a_connection_that_stands_too_deep_is_asked_for_by_the_rows_that_hold_it() {
    let text =
        "{ organization(login: \"a\") { groups { nodes { title findings { nodes { title author { name } } } } } } }";
    let depth = |most| {
        let limits = QueryLimits {
            depth: Some(most),
            ..QueryLimits::default()
        };
        within(limits, text)
    };
    assert!(
        !depth(7)
            .unwrap()
            .connections
            .iter()
            .any(|connection| connection.is_detached)
    );
    for most in [5, 6] {
        let plan = depth(most).unwrap();
        let detached: Vec<bool> = plan
            .connections
            .iter()
            .map(|connection| connection.is_detached)
            .collect();
        assert_eq!((plan.pieces(0), detached), (1, vec![false, true]), "depth {most}");
        let texts = texts(&plan, 0);
        assert_eq!(
            texts[0],
            "query($pageSize:Int!){organization(login:\"a\"){groups(first:$pageSize)\
             {nodes{title id}pageInfo{hasNextPage endCursor}totalCount}}}"
        );
        let first = Ask {
            connection: Some(1),
            root: None,
            member: None,
            size: 7,
            position: None,
            parent: None,
            address: &[Some("g".into())],
        };
        assert_eq!(
            &*plan.request(&[first], &plan.full_sizes(), Piece::FIRST).text,
            "query($id:ID!,$pageSize:Int!){group(groupId:$id){findings(first:$pageSize)\
             {nodes{title author{name}id}pageInfo{hasNextPage endCursor}totalCount}id}}"
        );
        let rows = rows_below(&plan);
        assert_eq!(
            (rows.row.detached.as_slice(), rows.row.cells.len()),
            (&[1][..], 2),
            "title and id"
        );
        let tables: Vec<_> = plan.tables.iter().map(|table| &table.columns).collect();
        assert_eq!(
            tables,
            depth(7)
                .unwrap()
                .tables
                .iter()
                .map(|table| &table.columns)
                .collect::<Vec<_>>()
        );
    }
    let cuts: Vec<String> = depth(5)
        .unwrap()
        .description
        .cuts
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        cuts,
        ["depth 7 of 5: `organization.groups.nodes.findings` is read by `group(groupId:)` with the row's `id`"]
    );
    let refusal = depth(4).unwrap_err();
    assert!(
        refusal.contains("`organization.groups.nodes.findings.nodes.author.name` is too much")
            && refusal.contains("depth 5 of 4"),
        "{refusal}"
    );
}

const DEEP: &str = "{ organization(login: \"a\") { groups { nodes { title lead { name home { city street } } findings { nodes { size } } } } } }";

#[test]
fn what_stands_too_deep_in_a_row_is_asked_for_by_the_row() {
    let depth = |most, text: &str| {
        let limits = QueryLimits {
            depth: Some(most),
            ..QueryLimits::default()
        };
        within(limits, text)
    };
    assert!(depth(6, DEEP).unwrap().description.cuts.is_empty());
    let plan = depth(5, DEEP).unwrap();
    let cuts: Vec<String> = plan.description.cuts.iter().map(ToString::to_string).collect();
    assert_eq!(
        cuts,
        [
            "depth 6 of 5: `organization.groups.nodes.findings` is read by `group(groupId:)` with the row's `id`",
            "depth 6 of 5: `organization.groups.nodes.lead` is read by `group(groupId:)` with the row's `id`"
        ]
    );
    assert_eq!(
        texts(&plan, 0)[0],
        "query($pageSize:Int!){organization(login:\"a\"){groups(first:$pageSize)\
         {nodes{title id}pageInfo{hasNextPage endCursor}totalCount}}}"
    );
    let row = Target::Row { row: 0 };
    assert_eq!(plan.pieces_of(row, 0), [Piece::FIRST]);
    let values = ["g".into(), "h".into()];
    assert_eq!(
        &*plan.lone_request(0, &values, Piece::FIRST).text,
        "query($id:ID!,$id2:ID!){t0:group(groupId:$id){lead{name home{city street}}id}\
         t1:group(groupId:$id2){lead{name home{city street}}id}}"
    );
    assert_eq!(plan.rows_apart(&[Target::Start]), [0]);
    assert!(plan.rows_apart(&[Target::of(Some(1), None, true)]).is_empty());
    assert_eq!(plan.tables, depth(6, DEEP).unwrap().tables);
    let refusal = depth(3, DEEP).unwrap_err();
    assert!(refusal.contains("depth"), "{refusal}");
    let refusal = depth(4, "{ issues { nodes { title watchers { home { city } } } } }").unwrap_err();
    for part in [
        "`issues.nodes.watchers.home.city` is too much for one request by itself: depth 5 of 4",
        "`issues @lookup(field: ",
        "a query file of its own",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}

/// The rows of the groups of an organization.
fn rows_below(plan: &Plan) -> RowsLayout {
    let AncestorRole::Object(fields) = plan.layout(&[Target::Start]).data.role else {
        panic!("an object was expected")
    };
    let AncestorRole::Object(mut fields) = fields.into_iter().next().unwrap().role else {
        panic!("an object was expected")
    };
    let AncestorRole::Rows(rows) = fields.remove(0).role else {
        panic!("rows were expected")
    };
    rows
}

/// The response paths of the plain fields that a text asks for.
fn leaves(text: &str) -> BTreeSet<String> {
    let document = Document::parse(text, "request.graphql").unwrap();
    let mut leaves = BTreeSet::new();
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            collect_leaves(&document, &operation.selection_set, "", &mut leaves);
        }
    }
    leaves
}

fn collect_leaves(document: &Document, selections: &[Selection], above: &str, leaves: &mut BTreeSet<String>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                // In company the fields of the query root have other response keys.
                let key = if above.is_empty() {
                    &field.name
                } else {
                    field.response_name()
                };
                let path = format!("{above}.{key}");
                if field.selection_set.is_empty() {
                    leaves.insert(path);
                } else {
                    collect_leaves(document, &field.selection_set, &path, leaves);
                }
            }
            Selection::InlineFragment(inline) => collect_leaves(document, &inline.selection_set, above, leaves),
            Selection::FragmentSpread(spread) => {
                let fragment = document.definitions.iter().find_map(|definition| match definition {
                    Definition::FragmentDefinition(fragment) if fragment.name == spread.fragment_name => Some(fragment),
                    _ => None,
                });
                collect_leaves(document, &fragment.unwrap().selection_set, above, leaves);
            }
        }
    }
}

/// A query of fields picked by the bits of `picks`, some of them nested.
fn picked(picks: u64) -> String {
    let pick = |bit: u32, field: &'static str| if picks >> bit & 1 == 1 { field } else { "" };
    let issue = |bit| {
        [
            pick(bit, "title "),
            pick(bit + 1, "size created "),
            pick(bit + 2, "author { name email } "),
            pick(bit + 3, "...on Issue @include(if: $with) { state at: created } "),
        ]
        .concat()
    };
    let (first, second, third) = (issue(0), issue(4), issue(8));
    let roots = [
        format!("issues {{ edges {{ addedAt node {{ id {first} }} }} }} "),
        pick(
            12,
            "items { edges { node { __typename ... on Repository { name stars } ... on Folder { name depth } } } } ",
        )
        .into(),
        pick(13, "entries { nodes { at text } } ").into(),
        pick(14, "viewer { name email } ").into(),
        format!(
            "organization(login: \"a\") {{ {} groups {{ nodes {{ {} findings {{ nodes {{ {second} id }} }} }} }} }} ",
            pick(15, "name owner { name email }"),
            pick(16, "title tags"),
        ),
        format!(
            "teams {{ edges {{ node {{ {} issues(first: 5) {{ nodes {{ {third} id }} }} }} }} }} ",
            pick(17, "slug name")
        ),
    ];
    let chosen = roots
        .iter()
        .enumerate()
        .filter(|(index, _)| picks >> (18 + index) & 1 == 1);
    let chosen: String = chosen.map(|(_, root)| root.as_str()).collect();
    format!("query Work($with: Boolean = true) {{ {chosen} pages {{ id title @include(if: $with) }} }}")
}

proptest! {
    #[test]
    fn every_request_keeps_all_limits_and_together_they_ask_for_everything(
        picks in any::<u64>(),
        characters in 150_u32..900,
        depth in 4_u32..12,
        most in 10_u32..80,
        directives in 1_u32..4,
        root_fields in 1_u32..5,
        is_limited in any::<[bool; 5]>(),
        fineness in 0_usize..4,
    ) {
        let text = picked(picks);
        let whole = within(QueryLimits::default(), &text).unwrap();
        let limits = QueryLimits {
            characters: is_limited[0].then_some(characters),
            depth: is_limited[1].then_some(depth),
            directives: is_limited[3].then_some(directives),
            root_fields: is_limited[4].then_some(root_fields),
            complexity: complexity(most).complexity.filter(|_| is_limited[2]),
            ..QueryLimits::default()
        };
        let Ok(plan) = within(limits.clone(), &text) else { return Ok(()) };
        for request in requests(&plan, fineness) {
            prop_assert_eq!(over(&limits, &request), Vec::<String>::new());
        }
        let all = |plan: &Plan, fineness| texts(plan, fineness).iter().flat_map(|text| leaves(text)).collect::<BTreeSet<_>>();
        let (asked, wanted) = (all(&plan, fineness), all(&whole, 0));
        prop_assert_eq!(asked.difference(&wanted).next(), None);
        for lacking in wanted.difference(&asked) {
            // What does not come with the rows that hold it is asked for by their addresses.
            let place = plan.connections.iter().filter(|one| one.is_detached).find_map(|one| {
                let key = one.path.rsplit('.').next()?;
                Some(format!(".{key}{}", lacking.strip_prefix(&format!(".{}", one.path))?))
            });
            prop_assert!(place.is_some_and(|place| asked.iter().any(|leaf| leaf.ends_with(&place))), "{}", lacking);
        }
    }
}

#[test]
fn a_piece_is_cut_into_ever_finer_ones_down_to_single_values_and_the_keys() {
    let text = "{ issues { nodes { title size created author { name email } state } } entries { nodes { at text } } }";
    let plan = plan(text);
    let target = plan
        .connections
        .iter()
        .position(|connection| connection.path == "issues");
    let target = Target::Page {
        connection: target.unwrap(),
        is_first: false,
    };
    let (mut pieces, mut whole) = (vec![Piece::FIRST], Vec::new());
    while let Some(piece) = pieces.pop() {
        match plan.finer(piece, target).as_slice() {
            [] => whole.push(piece),
            finer => {
                assert!(finer.len() > 1 && !finer.contains(&piece), "{piece:?}: {finer:?}");
                pieces.extend(finer);
            }
        }
    }
    let losses: Vec<Vec<String>> = whole
        .iter()
        .filter_map(|piece| plan.loss(*piece, target))
        .map(|loss| loss.values)
        .collect();
    let place = |value: &&str| vec![format!("issues.nodes.{value}")];
    let mut expected: Vec<Vec<String>> = ["title", "size", "created", "author.name", "author.email", "state"]
        .iter()
        .map(place)
        .collect();
    let mut losses = losses;
    losses.sort();
    expected.sort();
    assert_eq!(losses, expected, "each value by itself, and none of another list");
    assert_eq!(whole.iter().filter(|piece| **piece == Piece::KeysOnly).count(), 1);
    assert_eq!(plan.loss(Piece::KeysOnly, target), None);
}
