//! Entities are functions of seed, type and index; parents and children agree with each other.

use super::*;

const DATA: &str = r#"
seed = 9
vocabulary = ["red", "blue"]
[types.Root.connections]
leaves = "Leaf"
[types.Tree]
count = 5
[types.Tree.fields]
name = { label = ["oak", "elm"] }
leafCount = { count = "Leaf" }
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
tree = { ancestor = { type = "Tree", field = "name" } }
[types.Coin]
count = 100
distinct = 7
[types.Coin.fields]
value = { integer = { min = 0, max = 9223372036854775807 } }
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
fn descendants_and_ancestors_agree_over_two_generations() {
    let dataset = dataset_scaled(1.0);
    let (tree, leaves) = (dataset.ty("Tree").unwrap(), dataset.ty("Leaf").unwrap());
    let mut next = 0;
    for index in 0..tree.count() {
        let tree = dataset.entity(tree, index);
        let range = tree.descendants(leaves);
        assert_eq!(range.start, next);
        next = range.end;
        for leaf_index in [range.start, range.end - 1] {
            let found = dataset.entity(leaves, leaf_index).ancestor("Tree").unwrap();
            assert_eq!(found.index(), index);
        }
        assert_eq!(leaf(tree.value("leafCount")), Value::from(range.end - range.start));
    }
    assert_eq!(next, 5000);
    let root = dataset.singleton(dataset.ty("Root").unwrap());
    assert_eq!(root.descendants(leaves), 0..5000);
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
    };
    let identifier = leaf(dataset.entity(dataset.ty("Leaf").unwrap(), 4321).value("id"));
    let identifier = identifier.as_str().unwrap();
    let found = dataset.find(&anywhere, identifier).unwrap();
    assert_eq!((found.ty().name(), found.index()), ("Leaf", 4321));
    for guess in [
        "L-004321-00000000",
        "L-004321",
        "L-999999-00000000",
        "X-1-1",
        "",
        &identifier.replace('L', "B"),
    ] {
        assert!(dataset.find(&anywhere, guess).is_none(), "{guess}");
    }
}

#[test]
fn names_find_their_entity() {
    let dataset = dataset_scaled(1.0);
    let by_name = Lookup {
        of: Some("Tree".to_owned()),
        argument: "name".to_owned(),
        field: "name".to_owned(),
    };
    assert_eq!(dataset.find(&by_name, "elm-2").unwrap().index(), 3);
    assert!(dataset.find(&by_name, "ash").is_none());
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
        let description = toml::from_str(&format!("seed = 1\nvocabulary = []\n{text}")).unwrap();
        Dataset::new(description, 1.0).unwrap_err().to_string()
    };
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
