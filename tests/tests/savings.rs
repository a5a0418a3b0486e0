//! `lglp savings`: the paper's section 8, and the count of predictions that it starts from.

use lglp_tests::{HARDWARE, Registry, sample};
use serde_json::{Value, json};

/// Table 2 of the paper, which gives the time and the devices of each search: NEMO 67 hours on 60 GPUs of 250 W, DPP-Net as
/// long on four, MnasNet 8,000 candidates of two minutes.
#[test]
fn the_papers_table_comes_out() {
    let registry = Registry::default();
    registry.import(40);
    let report = |arguments: &[&str]| -> Value {
        registry.json(&[&["savings", "--hardware", HARDWARE, "--seconds", "120"], arguments].concat())
    };
    let saved = |report: &Value, field: &str| report["saved"][field].as_f64().expect("a number");
    let nemo = report(&["--predictions", "2010", "--power", "15000"]);
    assert_eq!(saved(&nemo, "kwh").round(), 1588.0);
    assert_eq!(saved(&nemo, "co2e_lb").round(), 1515.0);
    let dpp_net = report(&["--predictions", "2010", "--power", "1000"]);
    // 105.86: the paper truncates.
    assert_eq!(saved(&dpp_net, "kwh").trunc(), 105.0);
    assert_eq!(saved(&dpp_net, "co2e_lb").round(), 101.0);
    let mnasnet = report(&["--predictions", "8000"]);
    assert_eq!(saved(&mnasnet, "hours").round(), 267.0);
    let dear = report(&[
        "--predictions",
        "30",
        "--price",
        "3",
        "--pue",
        "1",
        "--carbon",
        "2",
        "--power",
        "500",
    ]);
    let expected = json!({ "hours": 1.0, "kwh": 0.5, "co2e_lb": 1.0, "dollars": 3.0 });
    assert_eq!(dear["saved"], expected);
}

/// Served predictions are counted across restarts, and both ways of asking agree.
#[test]
fn served_predictions_are_counted() {
    let registry = Registry::with_production("linear");
    let body = json!({ "architectures": sample(7, 1) }).to_string();
    let path = format!("/v1/{HARDWARE}/savings");
    {
        let server = registry.serve();
        for _ in 0..3 {
            assert_eq!(server.post(&format!("/v1/{HARDWARE}/predict"), &body).0, 200);
        }
        assert_eq!(server.post(&format!("/v1/{HARDWARE}/predict"), "{}").0, 422);
        let (status, report) = server.get(&format!("{path}?seconds=60"));
        assert_eq!((status, &report["predictions"]), (200, &json!(21)));
        assert_eq!(report["saved"]["hours"], 0.35);
        assert_eq!(
            registry.json(&["savings", "--hardware", HARDWARE, "--seconds", "60"]),
            report
        );
        assert_eq!(report["assumptions"]["seconds_from"], "given");
        let measured = server.get(&path).1;
        assert_eq!(measured["assumptions"]["seconds_from"], "measured");
        assert!(
            measured["assumptions"]["seconds_per_deployment"].as_f64() > Some(1.0),
            "{measured}"
        );
        let (status, problem) = server.get(&format!("{path}?pue=0.5"));
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/pue")));
        let (status, _) = server.get(&format!("{path}?power=much"));
        assert_eq!(status, 400);
        assert_eq!(server.get("/v1/toaster/savings").0, 404);
    }
    let report = registry.json(&["savings", "--hardware", HARDWARE, "--seconds", "60"]);
    assert_eq!(report["predictions"], 21, "counted before the server was killed");
    let said = registry.fails(&["savings", "--hardware", HARDWARE, "--power=-5"]);
    assert!(said.contains("power takes 0 to 1e12"), "{said}");
}
