//! Where two JSON values differ.

use std::collections::BTreeSet;

use lglp_openapi::lineage::Difference;
use serde_json::Value;

/// Every leaf in which two values differ, in the order of their pointers' parts. A leaf is whatever is no object; of two arrays
/// the elements are compared, place by place.
pub fn differences(a: &Value, b: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", Some(a), Some(b), &mut found);
    found
}

fn walk(pointer: &str, a: Option<&Value>, b: Option<&Value>, found: &mut Vec<Difference>) {
    if a == b {
        return;
    }
    let parts = match (a, b) {
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            (0..a.len().max(b.len())).map(|at| at.to_string()).collect::<Vec<_>>()
        }
        _ => keys(a, b),
    };
    if parts.is_empty() {
        found.push(Difference {
            pointer: pointer.to_owned(),
            a: a.cloned(),
            b: b.cloned(),
        });
    }
    for part in parts {
        let below = format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"));
        walk(&below, child(a, &part), child(b, &part), found);
    }
}

/// The fields of two objects, or of one that stands where the other value has nothing.
fn keys(a: Option<&Value>, b: Option<&Value>) -> Vec<String> {
    let sides = [a, b].map(|side| side.map(Value::as_object));
    let objects: Vec<_> = match sides {
        [Some(Some(a)), Some(Some(b))] => vec![a, b],
        [Some(Some(one)), None] | [None, Some(Some(one))] => vec![one],
        _ => vec![],
    };
    let names: BTreeSet<&String> = objects.into_iter().flat_map(|object| object.keys()).collect();
    names.into_iter().cloned().collect()
}

fn child<'a>(value: Option<&'a Value>, part: &str) -> Option<&'a Value> {
    match value? {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_leaf_is_named_once() {
        let a =
            json!({ "same": [1, {"x": 2}], "n": 1, "list": [1, 2], "gone": {"deep": {"er": 1}, "~/": 2}, "empty": {} });
        let b = json!({ "same": [1, {"x": 2}], "n": 1.5, "list": [1, 3, 4], "new": null, "empty": [] });
        let found: Vec<(String, Option<Value>, Option<Value>)> =
            differences(&a, &b).into_iter().map(|d| (d.pointer, d.a, d.b)).collect();
        let expected = [
            ("/empty", Some(json!({})), Some(json!([]))),
            ("/gone/deep/er", Some(json!(1)), None),
            ("/gone/~0~1", Some(json!(2)), None),
            ("/list/1", Some(json!(2)), Some(json!(3))),
            ("/list/2", None, Some(json!(4))),
            ("/n", Some(json!(1)), Some(json!(1.5))),
            ("/new", None, Some(json!(null))),
        ];
        assert_eq!(found, expected.map(|(pointer, a, b)| (pointer.to_owned(), a, b)));
        assert_eq!(differences(&a, &a), []);
    }

    #[test]
    fn an_object_in_the_place_of_a_scalar_is_one_difference() {
        let found = differences(&json!({ "p": {"x": 1} }), &json!({ "p": 3 }));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].pointer.as_str(), &found[0].b), ("/p", &Some(json!(3))));
    }
}
