//! Budgets of the server, taken by one caller.

use std::io::Write;
use std::time::{Duration, Instant};

use lglp_tests::raw::{Raw, answer, gzip, head, memory, post};
use lglp_tests::{HARDWARE, Registry, readable, root};
use serde_json::{Value, json};

/// The story: one viewer sent 16 bodies of 32 MiB but for their last byte. They held all of the memory that there is for bodies,
/// and everybody else was answered 429 until the pace limit closed them, 17 seconds later.
#[test]
fn bodies_that_one_viewer_leaves_unfinished_keep_memory_for_others() {
    let registry = Registry::with_production("linear");
    let [mallory, ann] = ["mallory", "ann"].map(|name| registry.token(name, "viewer", &[]));
    let server = registry.serve();
    let predict = format!("/v1/{HARDWARE}/predict");
    let (length, part) = (32 << 20, vec![b' '; 1 << 20]);
    let mut unfinished: Vec<Raw> = (0..16).map(|_| Raw::to(&server)).collect();
    let authorization = format!("Authorization: Bearer {mallory}\r\n");
    for body in &mut unfinished {
        body.send(head(&predict, length, &authorization).as_bytes());
    }
    // All but the last of it, side by side.
    for _ in 0..31 {
        for body in &mut unfinished {
            body.send(&part);
        }
    }
    let architectures: Vec<Value> = (0..200).map(|_| readable(320, 2, 3, 3)).collect();
    let batch = json!({ "architectures": architectures }).to_string();
    assert!(batch.len() > 16 << 10, "{} bytes are parsed as small ones", batch.len());
    for body in [json!({ "architectures": [readable(320, 2, 3, 3)] }).to_string(), batch] {
        let (status, answer) = server.call_as(&ann, "POST", &predict, Some(&body));
        assert_eq!(status, 200, "{answer}");
    }
    drop(unfinished);
}

/// The story: a list was made whole, as values and then as text, before anything of it was counted. Measurements of 100,000
/// samples each, which an operator may record, made 2.6 GB of one GET by a viewer.
#[test]
#[ignore = "takes long"]
fn a_long_list_is_read_as_it_is_sent() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let text = std::fs::read_to_string(root().join(format!("datasets/{HARDWARE}/mobilenetv3.jsonl"))).expect("data");
    let rows: Vec<Value> = text
        .lines()
        .take(20)
        .map(|row| serde_json::from_str(row).expect("JSON"))
        .collect();
    let sample = rows[0]["samples"][0].clone();
    let path = format!("/v1/{HARDWARE}/measurements");
    for (at, mut row) in rows.into_iter().enumerate() {
        row["round"] = json!(7);
        row["measured_at"] = json!("2026-01-01T00:00:00Z");
        row["samples"] = json!(vec![sample.clone(); 40_000]);
        let body = json!([row]).to_string();
        let (status, answer) = server.call("POST", &path, &[], Some(&body));
        assert_eq!(status, 200, "row {at} of {} bytes: {answer}", body.len());
    }
    let (before, _) = memory(&server);
    let list = format!("{}{path}?space=mobilenetv3&round=7", server.base);
    let sizes: Vec<usize> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let whole = ureq::get(&list)
                        .call()
                        .expect("the list")
                        .body_mut()
                        .with_config()
                        .limit(1 << 30)
                        .read_to_vec();
                    let whole = whole.expect("all of it");
                    let whole = String::from_utf8(whole).expect("text");
                    assert_eq!(whole.matches("\"measured_at\"").count(), 20, "each is in it once");
                    assert!(whole.starts_with("[{") && whole.ends_with("}]"), "the list is whole");
                    whole.len()
                })
            })
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().expect("a list"))
            .collect()
    });
    let (_, peak) = memory(&server);
    let all = sizes.iter().sum::<usize>() as u64 >> 20;
    assert!(all > 100, "{all} MiB are no test");
    assert!(
        peak < before + 80,
        "{before} MiB rose to {peak} MiB for lists of {all} MiB"
    );
}

/// The story: a gzip of a million empty members unpacks to nothing, so that no limit met it, and took a thread for minutes.
#[test]
fn a_gzip_of_empty_members_is_refused() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let member = gzip(b"");
    let body = member.repeat((31 << 20) / member.len());
    let begun = Instant::now();
    let mut stream = post(
        &server,
        &format!("/v1/{HARDWARE}/predict"),
        "Content-Encoding: gzip\r\n",
        &body,
    );
    stream.flush().expect("it is sent");
    let (status, text) = answer(&mut stream);
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("members"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
