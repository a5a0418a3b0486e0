//! Bodies as JSON: what is found in their architectures one by one is what a reader of all of the body says.

use lglp_tests::{HARDWARE, Registry, readable};
use serde_json::json;

use super::problem;

#[test]
fn a_body_is_json_as_a_whole_or_is_refused() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let one = readable(160, 1, 3, 3).to_string();
    let many = vec![one.as_str(); 200].join(", ");
    let twice = one.replacen("\"resolution\"", "\"resolution\": 160, \"resolution\"", 1);
    let post = |body: &str| server.post(&format!("/v1/{HARDWARE}/predict"), body);
    for body in [
        format!("{{\"architectures\": [{one}]}}"),
        format!(" {{ \"model\" : 1 ,\n\t\"architectures\" : [ {one} , {one} ] }} "),
        format!("{{\"architectures\": [{many}], \"coverage\": 0.5, \"on_error\": \"item\"}}"),
        format!(
            "{{\"archi\\u0074ectures\": [{}]}}",
            one.replacen("kernel", "kern\\u0065l", 1)
        ),
        format!("\u{feff}{{\"architectures\": [{one}]}}"),
    ] {
        let (status, answer) = post(&body);
        assert_eq!(status, 200, "{body}: {answer}");
    }
    // No JSON, wherever that shows; whether faults of architectures come before, or are wanted one by one.
    for items in [
        "{\"resolution\": 160, \"blocks\": [}".to_owned(),
        format!("{many}, {{]"),
        format!("{{}}, {many}, 01"),
        format!("{one} {one}"),
        format!("{one},"),
        format!("\"a, {one}"),
        format!("{one}, \"\\x\""),
    ] {
        for end in ["]}", "], \"on_error\": \"item\"}"] {
            let body = format!("{{\"architectures\": [{items}{end}");
            let (status, answer) = post(&body);
            assert_eq!(status, 400, "{body}: {answer}");
        }
    }
    let trailing = format!("{{\"architectures\": [{one}]}} x");
    assert_eq!(post(&trailing).0, 400);
    // What stands in strings opens and ends nothing.
    for (items, faulty) in [
        (format!("\"a]b\", {one}, \"c[d\", \"{{\""), vec![0, 2, 3]),
        (format!("\"a\\\"]b\", {one}, [[{one}]]"), vec![0, 2]),
        (format!("{one}, {twice}"), vec![1]),
        (format!("{many}, null, true, -1"), vec![200, 201, 202]),
    ] {
        let (status, kind, places) = problem(post(&format!("{{\"architectures\": [{items}]}}")));
        assert_eq!((status, kind.as_str()), (422, "invalid-request"), "{items}");
        let expected: Vec<String> = faulty.iter().map(|at| format!("/architectures/{at}")).collect();
        assert_eq!(places, expected, "{items}");
    }
    let many = vec![json!("no architecture"); 10_001];
    let (status, kind, places) = problem(post(&json!({ "architectures": many }).to_string()));
    assert_eq!((status, kind.as_str()), (422, "invalid-request"));
    assert_eq!(places, ["/architectures"]);
}
