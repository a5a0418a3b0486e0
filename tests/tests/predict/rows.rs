//! Architectures as rows of bytes: numbers come back, and they are those of the JSON.

use lglp_sdk::SearchSpace;
use lglp_tests::{HARDWARE, Registry, Server, root, sample};
use serde_json::{Value, json};

use super::predict;

fn space() -> SearchSpace {
    let text = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("the space");
    SearchSpace::from_toml(&text).expect("a space")
}

fn rows(texts: &[String]) -> Vec<u8> {
    let space = space();
    let row = |text: &String| {
        space
            .architecture_from_json(&json!(text))
            .expect("of the space")
            .row()
            .to_vec()
    };
    texts.iter().flat_map(row).collect()
}

/// Posts rows: status, number of the version, and the body.
fn post(server: &Server, query: &str, rows: &[u8]) -> (u16, Option<String>, Vec<u8>) {
    let url = format!("{}/v1/{HARDWARE}/predict{query}", server.base);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(url).header("Content-Type", "application/octet-stream");
    let mut answer = request.send(rows).expect("an answer");
    let version = answer.headers().get("lglp-model-version");
    let version = version.map(|version| version.to_str().expect("text").to_owned());
    let status = answer.status().as_u16();
    (status, version, answer.body_mut().read_to_vec().expect("a body"))
}

/// Value, low, high, and whether it lies outside, of each.
fn numbers(body: &[u8]) -> Vec<[f64; 4]> {
    let (numbers, rest) = body.as_chunks::<8>();
    assert!(
        rest.is_empty() && numbers.len().is_multiple_of(4),
        "{} bytes",
        body.len()
    );
    let numbers: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    numbers.as_chunks::<4>().0.to_vec()
}

fn of_json(answer: &Value) -> Vec<[f64; 4]> {
    let predictions = answer["predictions"].as_array().expect("predictions");
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let of_one = |one: &Value| {
        let outside = if one["outside_training_range"].is_string() {
            1.0
        } else {
            0.0
        };
        [
            number(&one["latency_ms"]),
            number(&one["interval"]["low"]),
            number(&one["interval"]["high"]),
            outside,
        ]
    };
    predictions.iter().map(of_one).collect()
}

#[test]
fn rows_are_answered_with_the_numbers_of_the_json() {
    let registry = Registry::with_production("additive");
    let server = registry.serve();
    for count in [1, 300] {
        let texts = sample(count, 8);
        for coverage in [0.5, 0.9] {
            let (status, answer) = predict(&server, &json!({ "architectures": texts, "coverage": coverage }));
            assert_eq!(status, 200, "{answer}");
            let query = format!("?coverage={coverage}&model=production&space=mobilenetv3");
            let (status, version, body) = post(&server, &query, &rows(&texts));
            assert_eq!(
                (status, version.as_deref()),
                (200, Some("1")),
                "{}",
                String::from_utf8_lossy(&body)
            );
            assert_eq!(numbers(&body), of_json(&answer), "{count} rows");
        }
    }
}

#[test]
fn faulty_rows_are_refused_or_left_out() {
    let registry = Registry::with_production("additive");
    let server = registry.serve();
    let texts = sample(100, 9);
    let (good, of_row) = (rows(&texts), space().row_len());
    let (_, _, expected) = post(&server, "", &good);
    let mut broken = good.clone();
    broken[2 * of_row] = 255;
    broken[99 * of_row + 7] = 200;
    let (status, _, body) = post(&server, "", &broken);
    let problem: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(status, 422, "{problem}");
    let pointers: Vec<&Value> = problem["errors"]
        .as_array()
        .expect("faults")
        .iter()
        .map(|one| &one["pointer"])
        .collect();
    assert_eq!(pointers.len(), 2, "{problem}");
    assert!(
        pointers[0].as_str().expect("text").starts_with("/architectures/2"),
        "{problem}"
    );
    let (status, _, body) = post(&server, "?on_error=item", &broken);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    for (at, (one, whole)) in numbers(&body).iter().zip(numbers(&expected)).enumerate() {
        match at {
            2 | 99 => assert!(one.iter().all(|number| number.is_nan()), "{at}: {one:?}"),
            _ => assert_eq!(*one, whole, "{at}"),
        }
    }
    for (query, bytes, expected, says) in [
        ("", &good[1..], 422, "are no whole rows of the space `mobilenetv3`"),
        ("", &[][..], 422, "0 rows; allowed: 1 to 10000"),
        ("?space=fbnet", &good[..], 422, "predicts in the space `mobilenetv3`"),
        ("?coverage=2", &good[..], 422, "is not a share"),
        ("?coverage=x", &good[..], 400, "coverage"),
        ("?rows=3", &good[..], 400, "unknown field `rows`"),
        ("?on_error=never", &good[..], 400, "on_error"),
        ("?model=17", &good[..], 404, "17"),
    ] {
        let (status, _, body) = post(&server, query, bytes);
        let body = String::from_utf8_lossy(&body);
        assert!(status == expected && body.contains(says), "{query}: {status} {body}");
    }
    let many = good.repeat(101);
    let (status, _, body) = post(&server, "", &many);
    assert_eq!(status, 422, "{}", String::from_utf8_lossy(&body));
}
