//! Every way of paging, in the stand-in that has it: all pages, read by raw requests, are the truth.

use serde_json::{Map, Value, json};

use crate::demo::config::DemoConfig;
use crate::demo::service::DemoService;
use crate::demo::service::client::{argument, data, error, next_of_page_info, picked, start, walk};
use crate::demo::truth::Family;

fn calm_service(name: &str, rows_scale: f64) -> DemoService {
    start(name, rows_scale, |behaviours| {
        behaviours.latency.base = std::time::Duration::ZERO;
    })
}

fn truth(service: &DemoService, table: &str) -> Vec<Map<String, Value>> {
    service.stand_in().truth(table).unwrap().collect()
}

fn families(service: &DemoService, ty: &str, field: &str) -> Vec<Family> {
    let families: Vec<Family> = service.stand_in().families(ty, field).unwrap().collect();
    let sizes = || families.iter().map(|family| family.children.len());
    assert!(
        sizes().any(|size| size == 0) && sizes().any(|size| size > 3),
        "{ty}.{field}"
    );
    families
}

#[tokio::test(start_paused = true)]
async fn every_stand_in_fits_its_schema_and_answers_its_example() {
    for name in DemoConfig::names() {
        let service = calm_service(name, 0.05);
        let example = service.stand_in().example().to_owned();
        assert!(data(&service, &example).await.is_object(), "{name}");
        assert_eq!(service.log().field_errors, 0, "{name}");
    }
}

#[test]
fn the_truth_is_had_by_table_type_and_parent() {
    let service = calm_service("shop", 0.05);
    let stand_in = service.stand_in();
    let vendors: Vec<_> = stand_in.objects("Vendor").unwrap().collect();
    assert_eq!(vendors, truth(&service, "vendors"));
    let of_root: Vec<Family> = stand_in.families("Query", "vendors").unwrap().collect();
    assert!(of_root.len() == 1 && of_root[0].parent.is_empty() && of_root[0].children == vendors);
    let products: Vec<_> = stand_in.objects("Product").unwrap().collect();
    let families = families(&service, "Vendor", "products");
    assert_eq!(
        families.iter().map(|family| &family.parent).collect::<Vec<_>>(),
        vendors.iter().collect::<Vec<_>>()
    );
    assert_eq!(
        families
            .into_iter()
            .flat_map(|family| family.children)
            .collect::<Vec<_>>(),
        products
    );
    assert_eq!(
        stand_in.objects("Shop").err().unwrap().to_string(),
        "the demo API has no object type `Shop`"
    );
    let no_list = stand_in.families("Vendor", "name").err().unwrap().to_string();
    assert_eq!(no_list, "the demo API has no list `Vendor.name`");
}

#[tokio::test(start_paused = true)]
async fn identifiers_may_be_sent_as_numbers() {
    let service = calm_service("board", 0.05);
    let answer = data(&service, "{ boards(ids: [1234500101, \"1234500103\"]) { id } }").await;
    assert_eq!(
        answer["boards"],
        json!([{ "id": "1234500101" }, { "id": "1234500103" }])
    );
}

#[tokio::test(start_paused = true)]
async fn relay_connections_are_read_by_node() {
    let service = calm_service("shop", 0.05);
    let vendors = |after: &Value| {
        let after = argument("after", after);
        format!(
            "{{ vendors(first: 50{after}) {{ totalCount nodes {{ id name }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
    };
    let rows = walk(&service, vendors, ("/vendors", "/nodes"), next_of_page_info).await;
    assert_eq!(rows, picked(&truth(&service, "vendors"), "id name"));
    for family in families(&service, "Product", "reviews") {
        let id = &family.parent["id"];
        let reviews = |after: &Value| {
            let after = argument("after", after);
            let page = format!(
                "reviews(first: 40{after}) {{ edges {{ node {{ id stars }} }} pageInfo {{ hasNextPage endCursor }} }}"
            );
            format!("{{ node(id: {id}) {{ ... on Product {{ {page} }} }} }}")
        };
        let rows = walk(&service, reviews, ("/node/reviews", "/edges"), next_of_page_info).await;
        let nodes: Vec<Value> = rows.iter().map(|edge| edge["node"].clone()).collect();
        assert_eq!(nodes, picked(&family.children, "id stars"));
    }
    let log = service.log();
    assert_eq!(
        (
            log.rows_repeated,
            log.types["Review"].sent,
            log.types["Review"].repeated
        ),
        (0, 3_000, 0)
    );
}

#[test]
fn the_shop_is_skewed_as_promised() {
    let service = calm_service("shop", 1.0);
    let products = families(&service, "Vendor", "products");
    let reviews = families(&service, "Product", "reviews");
    let rows = |families: &[Family]| families.iter().map(|family| family.children.len()).sum::<usize>();
    assert_eq!(
        (products.len(), reviews.len(), rows(&products), rows(&reviews)),
        (120, 1_500, 1_500, 60_000)
    );
    let exactly = reviews.iter().filter(|family| family.children.len() == 2_673).count();
    assert_eq!(exactly, 1);
    // What a client needs that reads one parent at a time, in pages of the server's cap.
    let pages = |families: &[Family]| {
        families
            .iter()
            .map(|family| family.children.len().div_ceil(100).max(1))
            .sum::<usize>()
    };
    assert_eq!(2 + pages(&products) + pages(&reviews), 1_882);
}

#[tokio::test(start_paused = true)]
async fn relay_connections_four_levels_deep_are_read_by_lookups_and_places() {
    let service = calm_service("clinic", 0.2);
    for family in families(&service, "Patient", "chart.visits") {
        let mrn = &family.parent["mrn"];
        let visits = |after: &Value| {
            let after = argument("after", after);
            let page = format!(
                "visits(first: 50{after}) {{ edges {{ node {{ visitId ward }} }} pageInfo {{ hasNextPage endCursor }} }}"
            );
            format!("{{ patient(mrn: {mrn}) {{ chart {{ {page} }} }} }}")
        };
        let rows = walk(&service, visits, ("/patient/chart/visits", "/edges"), next_of_page_info).await;
        let nodes: Vec<Value> = rows.iter().map(|edge| edge["node"].clone()).collect();
        assert_eq!(nodes, picked(&family.children, "visitId ward"));
    }
    let measured = families(&service, "LabOrder", "panel.measurements");
    let widest = measured.iter().max_by_key(|family| family.children.len()).unwrap();
    let orders = families(&service, "Visit", "encounter.orders");
    let is_above = |family: &&Family| family.children.contains(&widest.parent);
    let visit = &orders.iter().find(is_above).unwrap().parent["visitId"];
    let orders = |after: &Value| {
        let after = argument("after", after);
        let page = format!(
            "orders(first: 1{after}) {{ edges {{ cursor node {{ orderNumber }} }} pageInfo {{ hasNextPage endCursor }} }}"
        );
        format!("{{ visit(visitId: {visit}) {{ encounter {{ {page} }} }} }}")
    };
    let all = walk(
        &service,
        orders,
        ("/visit/encounter/orders", "/edges"),
        next_of_page_info,
    )
    .await;
    let place = all
        .iter()
        .position(|edge| edge["node"]["orderNumber"] == widest.parent["orderNumber"])
        .unwrap();
    let before = place
        .checked_sub(1)
        .map_or(Value::Null, |before| all[before]["cursor"].clone());
    let measurements = |after: &Value| {
        let (before, after) = (argument("after", &before), argument("after", after));
        let page = format!(
            "measurements(first: 50{after}) {{ edges {{ node {{ analyte unit }} }} pageInfo {{ hasNextPage endCursor }} }}"
        );
        format!(
            "{{ visit(visitId: {visit}) {{ encounter {{ orders(first: 1{before}) {{ edges {{ node {{ panel {{ {page} }} }} }} }} }} }} }}"
        )
    };
    let page = "/visit/encounter/orders/edges/0/node/panel/measurements";
    let rows = walk(&service, measurements, (page, "/edges"), next_of_page_info).await;
    let nodes: Vec<Value> = rows.iter().map(|edge| edge["node"].clone()).collect();
    assert_eq!(nodes, picked(&widest.children, "analyte unit"));
}

#[tokio::test(start_paused = true)]
async fn relay_connections_of_edges_alone_are_read_by_the_parents_place() {
    let service = calm_service("library", 0.2);
    let branches = |after: &Value| {
        let after = argument("after", after);
        format!(
            "{{ openBranches(first: 10{after}) {{ edges {{ cursor node {{ code }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
    };
    let edges = walk(&service, branches, ("/openBranches", "/edges"), next_of_page_info).await;
    let families = families(&service, "Branch", "shelves");
    assert_eq!(edges.len(), families.len());
    let befores = std::iter::once(Value::Null).chain(edges.iter().map(|edge| edge["cursor"].clone()));
    for (before, family) in befores.zip(families) {
        let shelves = |after: &Value| {
            let (before, after) = (argument("after", &before), argument("after", after));
            let page = format!(
                "shelves(first: 7{after}) {{ edges {{ node {{ mark floor }} }} pageInfo {{ hasNextPage endCursor }} }}"
            );
            format!("{{ openBranches(first: 1{before}) {{ edges {{ node {{ {page} }} }} }} }}")
        };
        let page = "/openBranches/edges/0/node/shelves";
        let rows = walk(&service, shelves, (page, "/edges"), next_of_page_info).await;
        let nodes: Vec<Value> = rows.iter().map(|edge| edge["node"].clone()).collect();
        assert_eq!(nodes, picked(&family.children, "mark floor"));
    }
}

fn count(page: &Value) -> usize {
    page.as_array().unwrap().len()
}

/// The number of the page after one with `metadata`.
fn next_page(page: &Value, _: &[Value]) -> Option<Value> {
    let metadata = &page["metadata"];
    let current = metadata["currentPage"].as_u64()?;
    (current < metadata["totalPages"].as_u64()?).then(|| Value::from(current + 1))
}

const METADATA: &str = "metadata { currentPage limitValue totalCount totalPages }";

#[tokio::test(start_paused = true)]
async fn numbered_pages_with_totals_are_read_by_arguments_and_by_input_objects() {
    let service = calm_service("factory", 0.2);
    let plants = |page: &Value| {
        let page = argument("page", page);
        format!("{{ plants(limit: 25{page}) {{ collection {{ id label }} {METADATA} }} }}")
    };
    let rows = walk(&service, plants, ("/plants", "/collection"), next_page).await;
    assert_eq!(rows, picked(&truth(&service, "plants"), "id label"));

    let alarms = |page: &Value| {
        let page = argument("page", page);
        format!(
            "{{ alarms(pagination: {{ perPage: 150{page} }}, filters: {{ levels: [LOW, HIGH] }}) {{ collection {{ id level }} {METADATA} }} }}"
        )
    };
    let rows = walk(&service, alarms, ("/alarms", "/collection"), next_page).await;
    let mut expected = truth(&service, "alarms");
    expected.retain(|alarm| alarm["level"] == "LOW" || alarm["level"] == "HIGH");
    assert_eq!(rows, picked(&expected, "id level"));

    for family in families(&service, "Plant", "machines") {
        let id = &family.parent["id"];
        let machines = |page: &Value| {
            let page = argument("page", page);
            format!(
                "{{ plant(id: {id}) {{ machines(pagination: {{ perPage: 20{page} }}) {{ collection {{ id state }} {METADATA} }} }} }}"
            )
        };
        let rows = walk(&service, machines, ("/plant/machines", "/collection"), next_page).await;
        assert_eq!(rows, picked(&family.children, "id state"));
    }
    assert_eq!(service.log().rows_repeated, 0);
}

#[tokio::test(start_paused = true)]
async fn a_size_above_the_cap_shows_in_the_metadata_alone() {
    let service = calm_service("factory", 1.0);
    let query = format!("{{ plants(limit: 2000, page: 0) {{ collection {{ id }} {METADATA} }} }}");
    let plants = data(&service, &query).await["plants"].take();
    let metadata = json!({ "currentPage": 1, "limitValue": 50, "totalCount": 60, "totalPages": 2 });
    assert_eq!(
        (plants["collection"].as_array().unwrap().len(), &plants["metadata"]),
        (50, &metadata)
    );
    let behind = data(
        &service,
        &format!("{{ plants(limit: 50, page: 9) {{ collection {{ id }} {METADATA} }} }}"),
    )
    .await;
    assert_eq!(behind["plants"]["collection"], json!([]));
    assert_eq!(behind["plants"]["metadata"]["totalPages"], 2);
}

#[tokio::test(start_paused = true)]
async fn bare_lists_are_read_by_offsets_until_they_come_short() {
    let service = calm_service("space", 1.0);
    let tasks = |offset: &Value| {
        let offset = argument("offset", offset);
        format!("{{ findTasks(limit: 400, orderBy: {{ id: ASC }}{offset}) {{ id done }} }}")
    };
    let until_short = |page: &Value, rows: &[Value]| (count(page) == 400).then(|| Value::from(rows.len()));
    let rows = walk(&service, tasks, ("/findTasks", ""), until_short).await;
    let expected = picked(&truth(&service, "findTasks"), "id done");
    assert_eq!(rows, expected);
    let downwards = data(&service, "{ findTasks(limit: 3, orderBy: { id: DESC }) { id done } }").await;
    let last: Vec<Value> = expected.iter().rev().take(3).cloned().collect();
    assert_eq!(downwards["findTasks"], Value::from(last));
}

#[tokio::test(start_paused = true)]
async fn capped_lists_are_cut_off_and_the_reverse_query_has_all() {
    let service = calm_service("space", 1.0);
    let projects = families(&service, "Project", "tasks");
    let widest = projects.iter().max_by_key(|family| family.children.len()).unwrap();
    let id = &widest.parent["id"];
    let inner = |limit: &str| format!("{{ findProjects(id: {{ is: {id} }}) {{ tasks{limit} {{ id }} }} }}");
    for (limit, rows) in [("", 100), ("(limit: 300)", 300), ("(limit: 9000)", 500)] {
        let found = data(&service, &inner(limit)).await["findProjects"][0]["tasks"].take();
        assert_eq!(found, Value::from(picked(&widest.children[..rows], "id")));
    }
    let reverse = |offset: &Value| {
        let offset = argument("offset", offset);
        format!(
            "{{ findTasks(project: {{ id: {{ is: {id} }} }}, limit: 500, orderBy: {{ id: ASC }}{offset}) {{ id }} }}"
        )
    };
    let until_short = |page: &Value, rows: &[Value]| (count(page) == 500).then(|| Value::from(rows.len()));
    let rows = walk(&service, reverse, ("/findTasks", ""), until_short).await;
    assert_eq!(rows, picked(&widest.children, "id"));
    assert_eq!(rows.len(), 730);
}

#[tokio::test(start_paused = true)]
async fn moving_cursors_lead_on_at_the_root() {
    let service = calm_service("board", 0.3);
    let numbered = |page: &Value| format!("{{ boards(limit: 50{}) {{ id }} }}", argument("page", page));
    let until_empty =
        |page: &Value, rows: &[Value]| (page != &json!([])).then(|| Value::from(rows.len().div_ceil(50) + 1));
    let rows = walk(&service, numbered, ("/boards", ""), until_empty).await;
    assert_eq!(rows, picked(&truth(&service, "boards"), "id"));

    for (ty, families) in ["Board", "Group"].map(|ty| (ty, families(&service, ty, "items_page"))) {
        for family in families {
            let first = first_items(&service, ty, &family).await;
            let mut items = first["items"].as_array().unwrap().clone();
            let mut cursor = first["cursor"].clone();
            while !cursor.is_null() {
                let query =
                    format!("{{ next_items_page(cursor: {cursor}, limit: 30) {{ cursor items {{ id name }} }} }}");
                let mut next = data(&service, &query).await["next_items_page"].take();
                items.append(next["items"].as_array_mut().unwrap());
                cursor = next["cursor"].take();
            }
            assert_eq!(items, picked(&family.children, "id name"));
        }
    }
}

/// The first items of a board, or of a group on any board.
async fn first_items(service: &DemoService, ty: &str, family: &Family) -> Value {
    const ITEMS: &str = "items_page(limit: 20) { cursor items { id name } }";
    let parent = &family.parent;
    if ty == "Board" {
        let query = format!("{{ boards(ids: [{}]) {{ {ITEMS} }} }}", parent["id"]);
        return data(service, &query).await["boards"][0]["items_page"].take();
    }
    let query = format!("{{ boards(limit: 500) {{ groups {{ id title {ITEMS} }} }} }}");
    let boards = data(service, &query).await;
    let mut groups = boards["boards"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|board| board["groups"].as_array().unwrap());
    let group = groups.find(|group| group["id"] == parent["id"] && group["title"] == parent["title"]);
    group.unwrap()["items_page"].clone()
}

#[tokio::test(start_paused = true)]
async fn flat_cursors_read_equal_rows_and_rows_of_an_interface() {
    let service = calm_service("press", 0.3);
    let next = |page: &Value, _: &[Value]| (page["hasNextPage"] == true).then(|| page["endCursor"].clone());
    let clicks = |after: &Value| {
        let after = argument("after", after);
        format!("{{ clicks(first: 50{after}) {{ items {{ target device }} hasNextPage endCursor }} }}")
    };
    let rows = walk(&service, clicks, ("/clicks", "/items"), next).await;
    assert_eq!(rows, picked(&truth(&service, "clicks"), "target device"));
    let mut distinct: Vec<String> = rows.iter().map(Value::to_string).collect();
    distinct.sort();
    distinct.dedup();
    assert!(rows.len() == 720 && distinct.len() <= 150);

    for family in families(&service, "Author", "entries") {
        let handle = &family.parent["handle"];
        let entries = |after: &Value| {
            let after = argument("after", after);
            let page =
                format!("entries(first: 9{after}) {{ items {{ __typename slug title topic }} hasNextPage endCursor }}");
            format!("{{ author(handle: {handle}) {{ {page} }} }}")
        };
        let rows = walk(&service, entries, ("/author/entries", "/items"), next).await;
        assert_eq!(rows, picked(&family.children, "__typename slug title topic"));
    }
}

#[tokio::test(start_paused = true)]
async fn cursors_that_are_lists_as_text_are_sent_as_lists() {
    let service = calm_service("press", 1.0);
    let list = |cursor: &Value| serde_json::from_str::<Value>(cursor.as_str().unwrap()).unwrap();
    let next = |page: &Value, _: &[Value]| (page["hasNextPage"] == true).then(|| list(&page["endCursor"]));
    let corrections = |after: &Value| {
        let after = argument("after", after);
        format!("{{ corrections(first: 50{after}) {{ items {{ id text }} hasNextPage endCursor }} }}")
    };
    let rows = walk(&service, corrections, ("/corrections", "/items"), next).await;
    assert_eq!(rows, picked(&truth(&service, "corrections"), "id text"));
    // 1,200 rows are 24 full pages, of which the last promises more, and an empty one.
    assert_eq!(service.log().answered, 25);
    let cursor = data(&service, &corrections(&Value::Null)).await["corrections"]["endCursor"].take();
    assert_eq!(
        error(&service, &corrections(&cursor)).await,
        "the cursor has 1 values, and the order has 2"
    );
}

#[tokio::test(start_paused = true)]
async fn pages_with_a_flag_are_read_though_their_totals_lie() {
    let service = calm_service("press", 0.3);
    let next = |page: &Value, _: &[Value]| {
        let info = &page["pageInfo"];
        (info["hasNextPage"] == true).then(|| Value::from(info["currentPage"].as_u64().unwrap() + 1))
    };
    const INFO: &str = "pageInfo { total perPage currentPage lastPage hasNextPage }";
    let stories = |page: &Value| {
        format!(
            "{{ Page(perPage: 50{}) {{ {INFO} stories {{ id score }} }} }}",
            argument("page", page)
        )
    };
    let rows = walk(&service, stories, ("/Page", "/stories"), next).await;
    assert_eq!(rows, picked(&truth(&service, "Page"), "id score"));
    let told = data(&service, &stories(&Value::Null)).await["Page"]["pageInfo"].take();
    assert_eq!((&told["total"], &told["lastPage"]), (&json!(690 + 2_700), &json!(68)));

    for family in families(&service, "Note", "mentions") {
        let slug = &family.parent["slug"];
        let mentions = |page: &Value| {
            let page = argument("page", page);
            format!(
                "{{ entry(slug: {slug}) {{ ... on Note {{ mentions(perPage: 6{page}) {{ {INFO} mentions {{ id of }} }} }} }} }}"
            )
        };
        let rows = walk(&service, mentions, ("/entry/mentions", "/mentions"), next).await;
        assert_eq!(rows, picked(&family.children, "id of"));
    }
}

#[tokio::test(start_paused = true)]
async fn offsets_with_a_total_are_read_up_to_it() {
    let service = calm_service("press", 0.3);
    let next = |page: &Value, rows: &[Value]| {
        assert_eq!(
            page["skip"].as_u64().unwrap() as usize + page["items"].as_array().unwrap().len(),
            rows.len()
        );
        (page["total"] != rows.len()).then(|| Value::from(rows.len()))
    };
    let assets = |skip: &Value| {
        let skip = argument("skip", skip);
        format!("{{ assetCollection(limit: 300, order: id_ASC{skip}) {{ total skip limit items {{ file size }} }} }}")
    };
    let rows = walk(&service, assets, ("/assetCollection", "/items"), next).await;
    assert_eq!(rows, picked(&truth(&service, "assetCollection"), "file size"));
    for family in families(&service, "Gallery", "pictures") {
        let slug = &family.parent["slug"];
        let pictures = |skip: &Value| {
            let skip = argument("skip", skip);
            let page = format!("pictures(limit: 7{skip}) {{ total skip limit items {{ caption width }} }}");
            format!("{{ entry(slug: {slug}) {{ ... on Gallery {{ {page} }} }} }}")
        };
        let rows = walk(&service, pictures, ("/entry/pictures", "/items"), next).await;
        assert_eq!(rows, picked(&family.children, "caption width"));
    }
}

#[tokio::test(start_paused = true)]
async fn keysets_are_read_by_filters_and_by_conditions() {
    let service = calm_service("press", 1.0);
    let next = |page: &Value, rows: &[Value]| {
        let is_full = page.as_array().unwrap().len() == 1_000;
        is_full.then(|| rows.last().unwrap()["id"].clone())
    };
    let transfers = |id: &Value| {
        let beyond = argument("id_gt", id);
        format!(
            "{{ transfers(first: 1000, orderBy: id, orderDirection: asc, where: {{ kind_in: [royalty, refund]{beyond} }}) {{ id kind }} }}"
        )
    };
    let rows = walk(&service, transfers, ("/transfers", ""), next).await;
    let mut expected = truth(&service, "transfers");
    expected.retain(|transfer| transfer["kind"] != "advance");
    assert_eq!(rows, picked(&expected, "id kind"));

    let next = |page: &Value, rows: &[Value]| (page["count"] == 500).then(|| rows.last().unwrap()["id"].clone());
    let letters = |id: &Value| {
        let condition = Value::from(format!("id > {id}"));
        let condition = argument("where", if id.is_null() { id } else { &condition });
        format!("{{ letters(limit: 500, sort: [\"id asc\"]{condition}) {{ total count results {{ id subject }} }} }}")
    };
    let rows = walk(&service, letters, ("/letters", "/results"), next).await;
    assert_eq!(rows, picked(&truth(&service, "letters"), "id subject"));
}

#[tokio::test(start_paused = true)]
async fn connections_under_plain_lists_and_of_unions_are_read() {
    let service = calm_service("press", 0.3);
    let issues = "{ issues(first: 50) { nodes { number sections { id teasers(first: 50) { nodes { id } pageInfo { hasNextPage endCursor } } } } } }";
    let sections = families(&service, "Issue", "sections");
    let teasers: Vec<Family> = families(&service, "Section", "teasers");
    let answered = data(&service, issues).await["issues"]["nodes"].take();
    for (issue, family) in answered.as_array().unwrap().iter().zip(&sections) {
        let found = issue["sections"].as_array().unwrap();
        let ids: Vec<&Value> = found.iter().map(|section| &section["id"]).collect();
        assert_eq!(
            ids,
            family.children.iter().map(|child| &child["id"]).collect::<Vec<_>>()
        );
        for section in found {
            let family = teasers
                .iter()
                .find(|family| family.parent["id"] == section["id"])
                .unwrap();
            let expected = picked(family.children.iter().take(50), "id");
            assert_eq!(section["teasers"]["nodes"], Value::from(expected));
        }
    }
    let contributors = |after: &Value| {
        let after = argument("after", after);
        let parts = "__typename ... on Author { name } ... on Agency { name }";
        format!(
            "{{ contributors(first: 30{after}) {{ edges {{ node {{ {parts} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
    };
    let edges = walk(&service, contributors, ("/contributors", "/edges"), next_of_page_info).await;
    let nodes: Vec<Value> = edges.iter().map(|edge| edge["node"].clone()).collect();
    assert_eq!(nodes, picked(&truth(&service, "contributors"), "__typename name"));
    assert_eq!(nodes.len(), 220);
}
