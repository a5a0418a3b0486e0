//! What a person sees on a terminal: tables, summaries, times, and nothing that commands it.

use std::process::Output;

use lglp_tests::{HARDWARE, Registry};
use serde_json::{Value, json};

/// A terminal of so many columns, in Vienna.
fn on_terminal(registry: &Registry, columns: &str, arguments: &[&str]) -> String {
    let output = run(registry, arguments, &[("COLUMNS", columns), ("TZ", VIENNA)]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lglp {arguments:?} failed: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn run(registry: &Registry, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = registry.command(arguments);
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.envs(variables.iter().copied());
    command.output().expect("the program runs; `make build` builds it")
}

/// An offset that needs no zone files.
const VIENNA: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// `2026-11-26 14:05:10 +01:00`
fn is_local_time(words: &[&str]) -> bool {
    let [day, time, offset] = words else { return false };
    let shape = |text: &str| {
        text.chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect::<String>()
    };
    shape(day) == "0000-00-00" && shape(time) == "00:00:00" && matches!(*offset, "+01:00" | "+02:00")
}

fn has_local_time(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(3).any(is_local_time)
}

/// At 80 columns `onnxruntime` was shown as `onnxrunti` and `me`, and a canonical text in pieces that cannot be copied.
#[test]
fn no_word_is_cut_at_any_width() {
    let registry = Registry::with_production("additive");
    let plain = registry.ok(&["hardware"]);
    let words: Vec<&str> = plain.split_whitespace().collect();
    assert!(words.contains(&"onnxruntime") && words.contains(&HARDWARE), "{plain}");
    for columns in ["200", "100", "80", "60", "40", "20"] {
        let shown = on_terminal(&registry, columns, &["hardware"]);
        for word in [HARDWARE, "onnxruntime"] {
            assert!(
                shown.split_whitespace().any(|own| own == word),
                "{columns}: {word} in\n{shown}"
            );
        }
    }
    // Too narrow for a table: a line for each fact.
    let narrow = on_terminal(&registry, "40", &["hardware"]);
    assert!(narrow.contains(&format!(" hardware:      {HARDWARE}\n")), "{narrow}");
    assert!(
        narrow
            .lines()
            .filter(|line| line.starts_with(' '))
            .all(|line| line.chars().count() <= 40),
        "{narrow}"
    );

    let architecture = &lglp_tests::sample(1, 3)[0];
    let shown = on_terminal(&registry, "60", &["predict", "--hardware", HARDWARE, architecture]);
    let line = shown.lines().find(|line| line.ends_with(architecture.as_str()));
    let line = line.unwrap_or_else(|| panic!("the architecture is in pieces:\n{shown}"));
    assert!(line.contains(" to "), "its interval stands before it: {line}");
}

/// `lglp models` showed nanoseconds in UTC, `lglp audit` cut the zone off, and one version was 1,304 lines of JSON.
#[test]
fn one_version_and_one_job_are_summed_up_in_local_time() {
    let registry = Registry::with_production("additive");
    let terminal = |arguments: &[&str]| on_terminal(&registry, "200", arguments);
    let version = terminal(&["models", "--hardware", HARDWARE, "1"]);
    for part in [
        "version:",
        "1 of xeon-1t",
        "production",
        "recipe:",
        "additive, seed 0",
        "120 architectures of mobilenetv3",
        "mape",
        "mean absolute percentage error",
        "--json prints all of it",
    ] {
        assert!(version.contains(part), "{part:?} is not in\n{version}");
    }
    assert!(version.lines().count() < 40, "{version}");
    assert!(has_local_time(&version), "{version}");
    let whole = registry.json(&["models", "--hardware", HARDWARE, "1"]);
    assert!(whole["content"]["golden"].is_array(), "--json is all of it");
    let utc = whole["created_at"].as_str().expect("a time");
    assert!(utc.ends_with('Z'), "JSON stays as it is: {utc}");

    registry.token("ann", "admin", &[]);
    let lists: [&[&str]; 4] = [
        &["models", "--hardware", HARDWARE],
        &["models", "lineage", "--hardware", HARDWARE, "1"],
        &["audit"],
        &["token", "list"],
    ];
    for arguments in lists {
        let shown = terminal(arguments);
        assert!(has_local_time(&shown), "{arguments:?}:\n{shown}");
        assert!(
            !shown.contains(&utc[..19]) && !shown.contains("Z "),
            "{arguments:?}:\n{shown}"
        );
    }

    registry.ok(&["train", "--hardware", HARDWARE, "--recipe", "additive", "--job"]);
    let job = terminal(&["jobs", "1"]);
    for part in ["job:", "train for xeon-1t", "queued", "recipe \"additive\"", "created:"] {
        assert!(job.contains(part), "{part:?} is not in\n{job}");
    }
    assert!(has_local_time(&job), "{job}");
    assert!(has_local_time(&terminal(&["jobs"])));
    assert_eq!(registry.json(&["jobs", "1"])["parameters"]["recipe"], "additive");
}

/// A reason cleared the screen of whoever read the log, set the title of the terminal, and wrote an entry of its own.
#[test]
fn what_others_wrote_commands_no_terminal() {
    let registry = Registry::with_production("additive");
    let reason = "\u{1b}[2J\u{1b}]0;owned\u{7}it agrees\r\n 99  bob promoted\u{202e}\u{9b}31m";
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/aliases/production");
    let body = json!({ "version": 1, "actor": "ann\u{1b}[A", "reason": reason }).to_string();
    let (status, answer) = server.call("PUT", &path, &[("If-Match", "\"1\"")], Some(&body));
    assert_eq!(status, 200, "{answer}");
    let shown: [&[&str]; 2] = [&["audit"], &["models", "lineage", "--hardware", HARDWARE, "1"]];
    for arguments in shown {
        let text = registry.ok(arguments);
        let commands = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}');
        assert!(!text.contains(commands), "{arguments:?}: {text:?}");
        let line = text.lines().find(|line| line.contains("it agrees"));
        let line = line.unwrap_or_else(|| panic!("{arguments:?}: {text}"));
        for part in [
            r"ann\u{1b}[A",
            r"\u{1b}[2J\u{1b}]0;owned\u{7}it agrees\u{d}\u{a} 99  bob promoted\u{202e}\u{9b}31m",
        ] {
            assert!(line.contains(part), "{arguments:?}: {part} is not in {line}");
        }
    }
    let entries = registry.json(&["audit"]);
    let entries = entries.as_array().expect("entries");
    assert!(
        entries.iter().any(|entry| entry["reason"] == reason),
        "records keep what was sent"
    );
    // What was sent comes back in an error.
    let said = registry.fails(&["promote", "--hardware", HARDWARE, "1", "--alias", "a\u{1b}[2J"]);
    assert!(!said.contains('\u{1b}'), "{said:?}");
    drop(server);
    let said = registry.fails(&["jobs", "watch", "1", "--server", "http://\u{202e}\u{7}"]);
    assert!(!said.contains(['\u{202e}', '\u{7}']), "{said:?}");
}

/// After 500 measurements the newest 50 entries were 50 of them, and there was no way of asking for anything else.
#[test]
fn the_audit_log_is_filtered_and_folded() {
    let registry = Registry::default();
    registry.import(1);
    let server = registry.serve();
    let one = server.get(&format!("/v1/{HARDWARE}/measurements?space=mobilenetv3")).1[0].clone();
    for (index, architecture) in lglp_tests::sample(12, 5).iter().enumerate() {
        let mut measurement = one.clone();
        measurement["architecture"] = json!(architecture);
        measurement["digest"] = json!(lglp_registry::Digest::of(architecture.as_bytes()));
        measurement["latency_ms"] = json!(10.0 + index as f64);
        let body = json!([measurement]).to_string();
        let (status, answer) = server.post(&format!("/v1/{HARDWARE}/measurements"), &body);
        assert_eq!(status, 200, "{answer}");
    }
    registry.ok(&["gate", "--hardware", HARDWARE, "--min-n", "5"]);
    let mut server = Some(server);
    for served in [true, false] {
        let (first, last) = ("3-14", "12 measurements of mobilenetv3, replicate 0");
        let shown = registry.ok(&["audit"]);
        let row = shown.lines().find(|line| line.trim_start().starts_with(first));
        let row = row.unwrap_or_else(|| panic!("served {served}: no row {first} in\n{shown}"));
        assert!(row.contains(last), "{row}");
        assert!(shown.contains("hardware created"), "{shown}");
        // The row is whole where it is the last that is asked for, from either end.
        for ends in [&["--limit", "2"][..], &["--from", "3", "--limit", "1"]] {
            let shown = registry.ok(&[&["audit"][..], ends].concat());
            assert!(shown.contains(first) && shown.contains(last), "{ends:?}:\n{shown}");
            assert_eq!(
                shown.lines().count(),
                1 + ends.last().map_or(0, |rows| rows.parse().expect("rows"))
            );
        }
        let entries = registry.json(&["audit", "--kind", "measurements_recorded", "--limit", "5"]);
        let sequences: Vec<u64> = entries.as_array().expect("entries").iter().map(sequence).collect();
        assert_eq!(sequences, [10, 11, 12, 13, 14], "--json is unfolded");

        let all = registry.json(&["audit"]);
        let at = |index: usize| all[index]["at"].as_str().expect("a time").to_owned();
        let found = |filter: &[&str]| -> Vec<u64> {
            let found = registry.json(&[&["audit"][..], filter].concat());
            found.as_array().expect("entries").iter().map(sequence).collect()
        };
        assert_eq!(found(&["--kind", "gate_set"]), [15]);
        assert_eq!(found(&["--since", &at(12)]), [13, 14, 15]);
        assert_eq!(found(&["--until", &at(2)]), [1, 2]);
        assert_eq!(found(&["--since", &at(2), "--until", &at(4)]), [3, 4]);
        assert_eq!(found(&["--since", "2100-01-01"]), [0; 0]);
        let actor = all[14]["actor"].as_str().expect("an actor");
        assert!(found(&["--actor", actor, "--kind", "gate_set"]) == [15] && found(&["--actor", "nobody"]).is_empty());
        if let Some(server) = server.take() {
            let (status, answer) = server.get("/v1/audit?kind=measured");
            assert_eq!((status, &answer["errors"][0]["pointer"]), (422, &json!("/kind")));
            let (status, answer) = server.get("/v1/audit?since=yesterday");
            assert_eq!((status, &answer["errors"][0]["pointer"]), (422, &json!("/since")));
            let said = registry.fails(&["audit", "--kind", "measured"]);
            assert!(said.contains("measurements_recorded"), "{said}");
            let said = registry.fails(&["audit", "--since", "yesterday"]);
            assert!(said.contains("2026-11-26 14:05"), "{said}");
            // Ended for good, so that commands open the registry themselves.
            server.terminate();
        }
    }
}

fn sequence(entry: &Value) -> u64 {
    entry["sequence"].as_u64().expect("a number")
}

/// There were none; and a file that output goes to must not get any.
#[test]
fn colours_are_for_terminals_alone() {
    let registry = Registry::with_production("additive");
    let forced = [("CLICOLOR_FORCE", "1")];
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = run(&registry, arguments, variables);
        (output.stdout.contains(&0x1b), output.stderr.contains(&0x1b))
    };
    let (list, fails) = (["hardware"], ["models", "--hardware", "toaster", "1"]);
    assert_eq!(coloured(&list, &[]), (false, false), "a pipe");
    assert_eq!(coloured(&fails, &[]), (false, false), "a pipe");
    assert_eq!(coloured(&list, &forced), (true, false), "heads of tables");
    assert_eq!(coloured(&fails, &forced), (false, true), "`error:`");
    registry.ok(&["gate", "--hardware", HARDWARE, "--min-n", "5"]);
    let asked = ["promote", "--hardware", HARDWARE, "1", "--dry-run"];
    let verdict = String::from_utf8(run(&registry, &asked, &forced).stdout).expect("UTF-8");
    assert!(verdict.contains("\u{1b}[38;5;9m FAILS"), "{verdict:?}");
}

/// "1 measurements, 1 of them new", "--rows is 5; there are 1", and a price in 309 digits.
#[test]
fn sentences_are_plain() {
    let registry = Registry::default();
    registry.import(1);
    let again = registry.folder.path().join("dataset");
    let said = registry.ok(&["dataset", "import", again.to_str().expect("UTF-8")]);
    assert_eq!(said, format!("{HARDWARE}: 1 measurement, 0 of them new\n"));
    let said = registry.fails(&["savings", "--hardware", HARDWARE, "--price", "1e308"]);
    assert!(said.contains("price takes 0 to 1e12, and was given 1e308"), "{said}");
    let said = registry.fails(&["reproduce", "--hardware", HARDWARE, "--rows", "5"]);
    assert!(
        said.contains("--rows asks for 5, and xeon-1t has measurements of 1 architecture in mobilenetv3"),
        "{said}"
    );
    let said = registry.fails(&["clean", "--hardware", HARDWARE, "--limit", "101"]);
    assert!(
        said.contains("--limit takes 0 to 100 percent, and was given 101"),
        "{said}"
    );
    let said = registry.fails(&["train", "--hardware", HARDWARE]);
    assert!(!said.contains("1 measured architectures"), "{said}");
    assert!(registry.ok(&["audit", "verify"]).starts_with("2 entries, each"));
}
