//! Value by value: what a JSON value becomes in a column of each type.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;

use super::*;

const DECIMAL: ScalarType = ScalarType::Decimal {
    precision: 10,
    scale: 2,
};

/// What becomes of one value: its JSON in the output, or the reason of its rejection.
fn one(ty: ColumnType, nullable: bool, json: &str) -> Result<String, String> {
    let table = table(vec![column("v", ty, nullable)]);
    let body = plain_body(&format!(r#"{{"id":"a","v":{json}}}"#));
    let outcome = decode(&table, &plain_layout(&["v"]), &body);
    match (&outcome.rows[..], &outcome.rejects[..]) {
        ([row], []) => {
            let value = row
                .strip_prefix(r#"{"_id":"a","v":"#)
                .and_then(|rest| rest.strip_suffix('}'));
            Ok(value.unwrap().to_owned())
        }
        ([], [(raw, column, reason)]) => {
            assert_eq!(*raw, format!(r#"{{"id":"a","v":{json}}}"#));
            assert!(column.starts_with('v'), "{column}");
            Err(reason.clone())
        }
        _ => panic!("neither one row nor one reject: {outcome:?}"),
    }
}

#[track_caller]
fn fits(ty: ScalarType, cases: &[(&str, &str)]) {
    for (json, value) in cases {
        assert_eq!(
            one(ColumnType::Scalar(ty), false, json),
            Ok((*value).to_owned()),
            "{json} as {ty}"
        );
    }
}

#[track_caller]
fn does_not_fit(ty: ScalarType, cases: &[&str]) {
    for json in cases {
        let reason = one(ColumnType::Scalar(ty), true, json).expect_err(json);
        assert!(reason.starts_with(&format!("`{json}` is no {ty}")), "{reason}");
    }
}

#[test]
fn int32_takes_whole_numbers_in_range() {
    let largest = [("2147483647", "2147483647"), ("-2147483648", "-2147483648")];
    fits(ScalarType::Int32, &largest);
    fits(
        ScalarType::Int32,
        &[("1.0", "1"), ("1e3", "1000"), ("-0", "0"), ("1200e-2", "12")],
    );
    does_not_fit(
        ScalarType::Int32,
        &[
            "1.5",
            "3e9",
            "2147483648",
            "-2147483649",
            "1e400",
            r#""12""#,
            "true",
            "[1]",
            "{}",
        ],
    );
}

#[test]
fn int64_takes_whole_numbers_and_their_texts_exactly() {
    let exact = ["9223372036854775807", "-9223372036854775808", "9007199254740993"];
    for digits in exact {
        fits(
            ScalarType::Int64,
            &[(digits, digits), (&format!("\"{digits}\""), digits)],
        );
    }
    fits(
        ScalarType::Int64,
        &[
            ("9007199254740993.0", "9007199254740993"),
            (r#""1e3""#, "1000"),
            (r#""\u0031""#, "1"),
        ],
    );
    let beyond = [
        "9223372036854775808",
        "18446744073709551616",
        "1.0000000000000000000001",
        "1e19",
        "1e400",
    ];
    does_not_fit(ScalarType::Int64, &beyond);
    does_not_fit(
        ScalarType::Int64,
        &[r#""""#, r#"" 1""#, r#""1.5""#, r#""0x1""#, "false", "[]"],
    );
}

#[test]
fn floats_are_the_nearest_to_their_text() {
    let digits = [
        "3",
        "-0.0",
        "0.1",
        "0.30000000000000004",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072011e-308",
        "9007199254740993",
        "0.1234567890123456789",
        "123456789012345678901234567890",
        "8.988465674311580536566e307",
    ];
    let table = table(vec![scalar("v", ScalarType::Float64, false)]);
    let items: Vec<_> = digits
        .iter()
        .map(|digits| format!(r#"{{"id":"a","v":{digits}}}"#))
        .collect();
    let mut decoder = Decoder::new([table].into());
    decoder
        .decode(&plain_body(&items.join(",")), &plain_layout(&["v"]), &[], &[])
        .unwrap();
    let batch = decoder.take_rest(0).unwrap().rows.unwrap();
    for (digits, value) in digits
        .iter()
        .zip(batch.column(1).as_primitive::<Float64Type>().values())
    {
        assert_eq!(value.to_bits(), digits.parse::<f64>().unwrap().to_bits(), "{digits}");
    }
    does_not_fit(
        ScalarType::Float64,
        &["1e400", "-1e400", r#""1.5""#, r#""NaN""#, "true", "[]", "{}"],
    );
}

#[test]
fn strings_are_text_and_the_text_of_numbers_and_booleans() {
    fits(
        ScalarType::String,
        &[
            (r#""a""#, r#""a""#),
            (r#""""#, r#""""#),
            (r#""\u00e9\n\ud83d\ude00""#, r#""é\n😀""#),
        ],
    );
    let verbatim = [
        "12",
        "-3",
        "1.50",
        "1e3",
        "-0",
        "123456789012345678901234567890",
        "0.10",
        "true",
        "false",
    ];
    for text in verbatim {
        fits(ScalarType::String, &[(text, &format!("\"{text}\""))]);
    }
    does_not_fit(ScalarType::String, &["[]", "{}", r#"["a"]"#, r#"{"a":1}"#]);
}

#[test]
fn half_a_surrogate_pair_is_no_text_and_costs_only_its_own_row() {
    let table = table(vec![scalar("v", ScalarType::String, true)]);
    let body = plain_body(r#"{"id":"a","v":"\ud800"},{"id":"b","v":"\ud83d\ude00"}"#);
    let outcome = decode(&table, &plain_layout(&["v"]), &body);
    assert_eq!(outcome.rows, [r#"{"_id":"b","v":"😀"}"#]);
    let [(raw, column, reason)] = &outcome.rejects[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!((raw.as_str(), column.as_str()), (r#"{"id":"a","v":"\ud800"}"#, "v"));
    assert!(reason.starts_with("not readable: "), "{reason}");
}

#[test]
fn booleans_are_true_and_false_alone() {
    fits(ScalarType::Boolean, &[("true", "true"), ("false", "false")]);
    does_not_fit(ScalarType::Boolean, &["0", "1", r#""true""#, "[]"]);
}

#[test]
fn decimals_are_never_cut_or_rounded() {
    let cases = [
        ("1", "1.00"),
        ("1.50", "1.50"),
        ("-0.05", "-0.05"),
        ("1.500", "1.50"),
        ("12e-1", "1.20"),
    ];
    for (digits, value) in cases {
        fits(DECIMAL, &[(digits, value), (&format!("\"{digits}\""), value)]);
    }
    fits(DECIMAL, &[("99999999.99", "99999999.99")]);
    does_not_fit(
        DECIMAL,
        &[
            "12345.678",
            "100000000.00",
            r#""0.001""#,
            r#""""#,
            r#""1,5""#,
            "1e400",
            "true",
            "[]",
        ],
    );
    let widest = ScalarType::Decimal {
        precision: 38,
        scale: 10,
    };
    let digits = "1234567890123456789012345678.0123456789";
    fits(widest, &[(digits, digits), (&format!("\"{digits}\""), digits)]);
}

#[test]
fn times_are_read_from_text_or_counted_from_1970() {
    fits(ScalarType::Date, &[(r#""2024-02-29""#, r#""2024-02-29""#)]);
    does_not_fit(
        ScalarType::Date,
        &[r#""2023-02-29""#, r#""2024-02-29T00:00:00Z""#, "20240229"],
    );
    fits(
        ScalarType::Timestamp,
        &[(r#""2024-02-29T12:00:00.5+02:00""#, r#""2024-02-29T10:00:00.500Z""#)],
    );
    fits(
        ScalarType::TimestampSeconds,
        &[
            ("1.5", r#""1970-01-01T00:00:01.500Z""#),
            (r#""-1""#, r#""1969-12-31T23:59:59Z""#),
        ],
    );
    fits(
        ScalarType::TimestampMillis,
        &[("1709208000001", r#""2024-02-29T12:00:00.001Z""#)],
    );
    does_not_fit(
        ScalarType::TimestampSeconds,
        &["1.0000001", "1e18", r#""2024-02-29""#, "true"],
    );
    let reason = one(
        ColumnType::Scalar(ScalarType::Timestamp),
        true,
        r#""2024-02-29T12:00:00""#,
    )
    .unwrap_err();
    assert_eq!(
        reason,
        r#"`"2024-02-29T12:00:00"` is no timestamp (RFC 3339 with its offset, no finer than a microsecond)"#
    );
}

#[test]
fn json_is_kept_as_its_very_text() {
    let texts = [
        r#"{"a": [1.10, null],"a":"\ud800"}"#,
        "[]",
        "1.10",
        "123456789012345678901234567890",
        "true",
        r#""a""#,
    ];
    for text in texts {
        let quoted = serde_json::to_string(text).unwrap();
        fits(ScalarType::Json, &[(text, &quoted)]);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    fits(ScalarType::Json, &[(&deep, &format!("\"{deep}\""))]);
}

#[test]
fn null_fits_where_the_column_may_be_null() {
    let all = [
        ScalarType::Boolean,
        ScalarType::Int32,
        ScalarType::Int64,
        ScalarType::Float64,
        ScalarType::String,
        DECIMAL,
        ScalarType::Date,
        ScalarType::Timestamp,
        ScalarType::TimestampSeconds,
        ScalarType::Json,
    ];
    let lists = [
        list(scalar("item", ScalarType::Int32, true)),
        ColumnType::Struct(vec![scalar("a", ScalarType::Int32, false)]),
    ];
    for ty in all.map(ColumnType::Scalar).into_iter().chain(lists) {
        assert_eq!(one(ty.clone(), true, "null"), Ok("null".to_owned()), "{ty:?}");
        let refused = Err("null where the schema promises a value".to_owned());
        assert_eq!(one(ty.clone(), false, "null"), refused, "{ty:?}");
    }
}

#[test]
fn lists_hold_nulls_only_where_their_items_may_be_null() {
    let integers = |nullable| list(scalar("item", ScalarType::Int32, nullable));
    assert_eq!(one(integers(true), false, "[1,null,3]"), Ok("[1,null,3]".to_owned()));
    assert_eq!(one(integers(false), false, "[]"), Ok("[]".to_owned()));
    assert!(one(integers(false), false, "[1,null]").unwrap_err().contains("null"));
    assert_eq!(one(integers(false), false, "1"), Err("`1` is no list".to_owned()));
    assert_eq!(
        one(integers(false), false, r#"{"a":1}"#),
        Err(r#"`{"a":1}` is no list"#.to_owned())
    );
    let nested = list(column("item", integers(true), true));
    assert_eq!(
        one(nested, false, "[[1],null,[],[null,2]]"),
        Ok("[[1],null,[],[null,2]]".to_owned())
    );
}

#[test]
fn objects_nest_to_any_depth_and_tell_where_they_are_wrong() {
    let place = || {
        ColumnType::Struct(vec![
            scalar("file", ScalarType::String, false),
            column("lines", list(scalar("item", ScalarType::Int32, false)), true),
        ])
    };
    let places = || list(column("item", place(), true));
    let json = r#"[{"lines":[1,2],"other":{},"file":"a"},null,{"file":"b"}]"#;
    let value = r#"[{"file":"a","lines":[1,2]},null,{"file":"b","lines":null}]"#;
    assert_eq!(one(places(), false, json), Ok(value.to_owned()));
    assert_eq!(one(place(), false, "[]"), Err("`[]` is no object".to_owned()));

    let table = table(vec![column("places", places(), true)]);
    let wrong = [
        (
            r#"[{"file":"a"},{"file":"a","lines":[1,2.5]}]"#,
            "places[1].lines[1]",
            "`2.5` is no int32",
        ),
        (
            r#"[{"lines":[]}]"#,
            "places[0].file",
            "no value where the schema promises one",
        ),
        (
            r#"[{"file":null}]"#,
            "places[0].file",
            "null where the schema promises a value",
        ),
        (
            r#"[{"file":"a","file":"b"}]"#,
            "places[0].file",
            "the key `file` stands twice in one object",
        ),
        (r#"[7]"#, "places[0]", "`7` is no object"),
    ];
    for (json, column, reason) in wrong {
        let body = plain_body(&format!(r#"{{"id":"a","places":{json}}}"#));
        let outcome = decode(&table, &plain_layout(&["places"]), &body);
        let told: Vec<_> = outcome
            .rejects
            .iter()
            .map(|(_, column, reason)| (column.as_str(), reason.as_str()))
            .collect();
        assert_eq!(told, [(column, reason)]);
    }
}

#[test]
fn local_times_and_words_for_null_are_read_where_the_column_says_so() {
    let local: ScalarType = "timestamp(-05:00)".parse().unwrap();
    fits(local, &[(r#""2018-04-07 19:45:11""#, r#""2018-04-08T00:45:11Z""#)]);
    let reason = one(ColumnType::Scalar(local), true, r#""-""#).unwrap_err();
    let expected = "timestamp (as 2020-04-13 00:00:00, -05:00 from UTC, no finer than a microsecond)";
    assert_eq!(reason, format!(r#"`"-"` is no {expected}"#));
    let closed = Column {
        null_text: Some("-".to_owned()),
        ..scalar("v", local, true)
    };
    let body = plain_body(r#"{"id":"a","v":"-"},{"id":"b","v":null},{"id":"c","v":"--"}"#);
    let outcome = decode(&table(vec![closed]), &plain_layout(&["v"]), &body);
    assert_eq!(outcome.rows, [r#"{"_id":"a","v":null}"#, r#"{"_id":"b","v":null}"#]);
    assert_eq!(outcome.rejects.len(), 1);
}
