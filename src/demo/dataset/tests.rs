//! Entities are functions of seed, type and index; parents and children agree with each other.

use super::*;

const DATA: &str = r#"
seed = 9
vocabulary = ["red", "blue"]
example = ""
[pagings.relay]
[types.Root.connections]
leaves = "Leaf"
[types.Tree]
count = 5
[types.Tree.fields]
name = { label = ["oak", "elm"] }
leafCount = { count = "Leaf" }
crown = { object = "Crown" }
[types.Crown]
[types.Branch]
count = 60
within = { type = "Tree", empty = 0.0, heaviest = 0.5 }
[types.Branch.fields]
id = { identifier = "B" }
[types.Leaf]
count = 5000
scaled = true
within = { type = "Branch", empty = 0.3, heaviest = 0.4 }
[types.Leaf.fields]
id = { identifier = "L" }
colour = { pattern = "{word}" }
fallen = { by = { field = "colour", when = { red = { text = ["yes"] } }, otherwise = { text = ["-"] } } }
tree = { ancestor = { type = "Tree", field = "name" } }
[types.Coin]
count = 100
distinct = 7
[types.Coin.fields]
value = { integer = { min = 0, max = 9223372036854775807 } }
number = { serial = { start = 1000, form = "text" } }
uuid = { uuid = "coin" }
"#;

fn dataset_scaled(rows_scale: f64) -> Dataset {
    Dataset::new(toml::from_str(DATA).unwrap(), rows_scale).unwrap()
}

fn leaf(generated: Option<Generated<'_>>) -> Value {
    let Some(Generated::Leaf(value)) = generated else {
        panic!("not a leaf: {generated:?}")
    };
    value
}

#[test]
fn values_go_with_others_of_the_same_object() {
    let dataset = dataset_scaled(1.0);
    let leaves = dataset.ty("Leaf").unwrap();
    let pairs = (0..100).map(|index| {
        let leaf = dataset.entity(leaves, index);
        ["colour", "fallen"].map(|field| self::leaf(leaf.value(field)))
    });
    let mut pairs: Vec<[Value; 2]> = pairs.collect();
    pairs.sort_by_key(|pair| pair[0].to_string());
    pairs.dedup();
    assert_eq!(pairs, [["blue", "-"], ["red", "yes"]]);
    let broken = DATA.replace(r#"field = "colour""#, r#"field = "fallen""#);
    let refused = Dataset::new(toml::from_str(&broken).unwrap(), 1.0).unwrap_err();
    assert!(
        refused.to_string().starts_with("`Leaf.fallen` goes with `fallen`"),
        "{refused}"
    );
}

#[test]
fn descendants_and_ancestors_agree_over_two_generations() {
    let dataset = dataset_scaled(1.0);
    let tree = dataset.ty("Tree").unwrap();
    let mut next = 0;
    for index in 0..tree.count() {
        let tree = dataset.entity(tree, index);
        let leaves = tree.descendants("Leaf");
        for position in [0, leaves.len() - 1] {
            let found = leaves.row(position).unwrap();
            assert_eq!(found.index(), next + position);
            assert_eq!(found.ancestor("Tree").unwrap().index(), index);
        }
        next += leaves.len();
        assert_eq!(leaf(tree.value("leafCount")), Value::from(leaves.len()));
    }
    assert_eq!(next, 5000);
    let root = dataset.singleton(dataset.ty("Root").unwrap());
    assert_eq!(root.descendants("Leaf").len(), 5000);
}

#[test]
fn values_of_an_ancestor_are_the_ancestors_own() {
    let dataset = dataset_scaled(1.0);
    let leaves = dataset.ty("Leaf").unwrap();
    let first = dataset.entity(leaves, 0);
    assert_eq!(
        leaf(first.value("tree")),
        leaf(first.ancestor("Tree").unwrap().value("name"))
    );
}

#[test]
fn the_scale_changes_counts_and_not_the_values_of_rows() {
    let (one, tenth) = (dataset_scaled(1.0), dataset_scaled(0.1));
    let (leaves, fewer) = (one.ty("Leaf").unwrap(), tenth.ty("Leaf").unwrap());
    assert_eq!(
        (leaves.count(), fewer.count(), tenth.ty("Branch").unwrap().count()),
        (5000, 500, 60)
    );
    let same =
        |index| leaf(one.entity(leaves, index).value("colour")) == leaf(tenth.entity(fewer, index).value("colour"));
    assert!((0..500).all(same));
}

#[test]
fn identifiers_find_their_entity_and_guesses_do_not() {
    let dataset = dataset_scaled(1.0);
    let anywhere = Lookup {
        of: None,
        argument: "id".to_owned(),
        field: "id".to_owned(),
        lower: false,
        missing: None,
    };
    let identifier = leaf(dataset.entity(dataset.ty("Leaf").unwrap(), 4321).value("id"));
    let found = dataset.find(&anywhere, &identifier).unwrap();
    let identifier = identifier.as_str().unwrap();
    assert_eq!((found.ty().name(), found.index()), ("Leaf", 4321));
    for guess in [
        "L-004321-00000000",
        "L-004321",
        "L-999999-00000000",
        "X-1-1",
        "",
        &identifier.replace('L', "B"),
    ] {
        assert!(dataset.find(&anywhere, &Value::from(guess)).is_none(), "{guess}");
    }
}

#[test]
fn serial_numbers_and_uuids_grow_and_find_their_entity() {
    let dataset = dataset_scaled(1.0);
    let coins = dataset.ty("Coin").unwrap();
    for field in ["number", "uuid"] {
        let keys: Vec<Value> = (0..100)
            .map(|index| leaf(dataset.entity(coins, index).value(field)))
            .collect();
        assert!(keys.is_sorted_by_key(|key| key.as_str().map(str::to_owned)), "{field}");
        for (index, key) in (0..).zip(&keys) {
            assert_eq!(
                dataset.find_in(coins, field, key).map(|found| found.index()),
                Some(index)
            );
        }
        assert!(dataset.find_in(coins, field, &Value::from("none")).is_none());
    }
    assert_eq!(leaf(dataset.entity(coins, 3).value("number")), "1003");
}

#[test]
fn objects_of_an_entity_have_its_ancestors_and_descendants() {
    let dataset = dataset_scaled(1.0);
    let tree = dataset.entity(dataset.ty("Tree").unwrap(), 2);
    let Some(Generated::Object(crown)) = tree.value("crown") else {
        panic!("no crown")
    };
    assert_eq!(crown.descendants("Leaf").len(), tree.descendants("Leaf").len());
    assert_eq!(crown.ancestor("Tree").unwrap().index(), 2);
    assert!(tree.ancestor("Tree").is_none());
}

#[test]
fn names_find_their_entity() {
    let dataset = dataset_scaled(1.0);
    let by_name = Lookup {
        of: Some("Tree".to_owned()),
        argument: "name".to_owned(),
        field: "name".to_owned(),
        lower: false,
        missing: None,
    };
    assert_eq!(dataset.find(&by_name, &Value::from("elm-2")).unwrap().index(), 3);
    assert!(dataset.find(&by_name, &Value::from("Elm-2")).is_none());
    let in_any_case = Lookup {
        lower: true,
        ..by_name.clone()
    };
    assert_eq!(dataset.find(&in_any_case, &Value::from("Elm-2")).unwrap().index(), 3);
    assert!(dataset.find(&by_name, &Value::from("ash")).is_none());
}

#[test]
fn rows_of_a_type_without_a_key_repeat() {
    let dataset = dataset_scaled(1.0);
    let coins = dataset.ty("Coin").unwrap();
    let mut values: Vec<String> = (0..100)
        .map(|index| leaf(dataset.entity(coins, index).value("value")).to_string())
        .collect();
    values.sort();
    values.dedup();
    assert!((2..=7).contains(&values.len()), "{} values", values.len());
}

#[test]
fn unknown_types_and_circles_are_named() {
    let refused = |text: &str| {
        let description = toml::from_str(&format!(
            "seed = 1\nvocabulary = []\nexample = ''\npagings = {{}}\n{text}"
        ))
        .unwrap();
        Dataset::new(description, 1.0).unwrap_err().to_string()
    };
    assert_eq!(
        refused("[types.A.connections]\nb = { of = 'A', paging = 'p' }"),
        "`A.b` is paged as `p`, which has no [pagings.p] table"
    );
    assert_eq!(
        refused("[types.A.fields]\nb = { list = { min = 0, max = 1, of = { object = 'B' } } }"),
        "`A.b` speaks of the type `B`, which has no [types.B] table"
    );
    let circle = "[types.A]\nwithin = { type = 'B', empty = 0.0, heaviest = 0.0 }\n\
                  [types.B]\nwithin = { type = 'A', empty = 0.0, heaviest = 0.0 }";
    assert_eq!(
        refused(circle),
        "the type `A` is its own ancestor: remove one of the `within` keys"
    );
}
