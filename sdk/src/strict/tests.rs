use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    most: Option<u32>,
    least: i8,
    share: f64,
    inner: Vec<Rules>,
    any: Value,
    kind: Kind,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
enum Kind {
    #[default]
    None,
    Some(u16),
    Many {
        count: u64,
    },
}

fn read(value: &Value) -> Result<Rules, serde_json::Error> {
    Rules::deserialize(Strict::new(value))
}

#[test]
fn whole_numbers_may_have_a_fraction_of_nothing() {
    let rules = json!({ "most": 7.0, "least": -3.0, "share": 2, "inner": [{ "most": 1e3 }], "any": 1.0 });
    let read = read(&rules).expect("whole numbers");
    assert_eq!(
        (read.most, read.least, read.share, read.inner[0].most),
        (Some(7), -3, 2.0, Some(1000))
    );
    assert_eq!(read.any, json!(1.0), "what may be anything stays what it is");
    let kinds = [
        json!({ "Some": 1.0 }),
        json!({ "Many": { "count": 4e15 } }),
        json!("None"),
    ];
    let kinds = kinds.map(|kind| super::tests::read(&json!({ "kind": kind })).expect("a kind").kind);
    let wanted = [
        Kind::Some(1),
        Kind::Many {
            count: 4_000_000_000_000_000,
        },
        Kind::None,
    ];
    assert_eq!(kinds, wanted);
    for none in [
        json!({ "most": 1.5 }),
        json!({ "most": -1.0 }),
        json!({ "most": 1e300 }),
        json!({ "least": 200.0 }),
    ] {
        assert!(super::tests::read(&none).is_err(), "{none}");
    }
    let toml = "most = 7.0\nleast = -3.0\nshare = 2.5\n[[inner]]\nmost = 1e3\n[kind.Many]\ncount = 4.0";
    let toml: Rules = from_toml(toml).expect("whole numbers");
    assert_eq!((toml.most, toml.least, toml.inner[0].most), (Some(7), -3, Some(1000)));
    assert_eq!(toml.kind, Kind::Many { count: 4 });
    let fault = from_toml::<Rules>("share = 1\nmost = 7.5")
        .expect_err("no whole number")
        .to_string();
    assert!(fault.contains("line 2"), "{fault}");
    let numbers = [json!(1), json!(1.0), json!(1.5), json!(-1.0), json!(1e300)];
    let wholes = numbers.map(|number| number.as_number().and_then(whole));
    assert_eq!(wholes, [Some(1), Some(1), None, None, None]);
}

#[test]
fn digits_are_taken_where_the_fraction_is_nothing() {
    assert_eq!(["3.0", "12.000", "3"].map(plain), ["3", "12", "3"]);
    for other in ["3.", ".0", "3.5", "3.0.0", "-3.0", "v3.0", "3.0e0", ""] {
        assert_eq!(plain(other), other);
    }
}

/// Of two, the last was taken in silence: within an architecture, a job's parameters, a target's settings.
#[test]
fn a_field_that_comes_twice_is_a_fault_wherever_it_is() {
    for twice in [
        r#"{"most": 1, "most": 2}"#,
        r#"{"any": {"a": 1, "b": 2, "a": 1}}"#,
        r#"{"any": [{"\u0061": 1, "a": 2}]}"#,
        r#"{"inner": [{"least": 1}, {"least": 1, "least": 1}]}"#,
        r#"{"kind": {"Many": {"count": 1, "count": 1}}}"#,
    ] {
        let error = from_slice::<Rules>(twice.as_bytes()).expect_err(twice).to_string();
        assert!(error.contains("duplicate field"), "{twice}: {error}");
    }
    let once = r#"{"any": [{"a": 1}, {"a": 2}], "inner": [{"any": {"a": {"a": 3}}}]}"#;
    assert_eq!(
        from_slice::<Rules>(once.as_bytes()).expect("no field twice").any[1]["a"],
        2
    );
    assert!(from_slice::<Value>(b"{} {}").is_err(), "more than one text");
}

/// A misspelt field of a measurement, or of what is inside of one, was left out in silence.
#[test]
fn a_field_that_nobody_knows_is_refused_where_it_is_asked_for() {
    #[derive(Debug, Deserialize)]
    struct Open {
        inner: Option<Box<Open>>,
        kind: Option<Kind>,
        any: Option<Value>,
    }
    for unknown in [
        r#"{"inner": null, "innner": 1}"#,
        r#"{"inner": {"inner": {"most": 1}}}"#,
        r#"{"kind": {"Many": {"count": 1, "most": 1}}}"#,
    ] {
        assert!(from_slice::<Open>(unknown.as_bytes()).is_ok(), "{unknown}");
        let error = closed_from_slice::<Open>(unknown.as_bytes())
            .expect_err(unknown)
            .to_string();
        assert!(error.contains("unknown field"), "{unknown}: {error}");
    }
    let known = br#"{"inner": {"any": {"a": {"b": 1}}}, "kind": {"Many": {"count": 1}}}"#;
    let open: Open = closed_from_slice(known).expect("each field is known");
    assert!(open.any.is_none() && open.kind.is_some() && open.inner.is_some_and(|inner| inner.any.is_some()));
}

#[test]
fn arrays_are_no_objects() {
    for none in [
        json!([]),
        json!([7, 0, 0.0, [], null, "None"]),
        json!({ "inner": [[]] }),
        json!({ "kind": { "Many": [1] } }),
    ] {
        let error = read(&none).expect_err("an array").to_string();
        assert!(
            error.contains("invalid type: sequence, expected struct"),
            "{none}: {error}"
        );
    }
}
