//! Programs that misbehave.

use super::*;

#[test]
#[ignore = "takes long"]
fn settings_that_cannot_work_name_the_fix() {
    let registry = Registry::default();
    for (settings, said) in [
        (
            vec![],
            "give preset, one of openvino, python, tflite, trtexec, or command",
        ),
        (vec![("preset", json!("pytorch"))], "there are openvino, python"),
        (vec![("command", json!(["bench", "model"]))], "command has no {onnx}"),
        (
            vec![("command", json!(["bench", "{onnx}", "{runs}"]))],
            "{runs}; there are {onnx}",
        ),
        (
            vec![("command", json!(["bench {onnx}"])), ("program", json!("b"))],
            "program is for presets",
        ),
        (
            vec![("command", json!(["b", "{onnx}"])), ("preset", json!("python"))],
            "use arguments",
        ),
        (
            vec![("preset", json!("openvino")), ("persistent", json!(true))],
            "set persistent=false",
        ),
        (
            vec![("command", json!(["b", "{onnx}"])), ("repetition", json!(3))],
            "repetition",
        ),
        (
            vec![("command", json!(["b", "{onnx}"])), ("threads", json!(0))],
            "threads",
        ),
        (
            vec![
                ("command", json!(["b", "{onnx}"])),
                ("environment", json!({ "A=B": "c" })),
            ],
            "A=B",
        ),
        (
            vec![("command", json!(["/nonexistent/bench", "{onnx}"]))],
            "cannot start /nonexistent/bench",
        ),
    ] {
        let error = registry.fails(&borrowed(&measure(1, &settings)));
        assert!(error.contains(said), "{settings:?}: {error}");
    }
    assert_eq!(registry.json(&["hardware"]), json!([]), "and no target is created");
}

#[test]
#[ignore = "takes long"]
fn answers_that_are_none_name_the_place() {
    let registry = Registry::default();
    for (text, said) in [
        (
            "import time; time.sleep(1000)",
            "was still running after 2 s and was killed",
        ),
        ("sys.exit('no such device')", "status 1; its last words: no such device"),
        ("os.kill(os.getpid(), 9)", "was killed by signal 9"),
        ("print('warming up')", "printed no JSON object on its standard output"),
        (r#"print('{"samples": [{"wall_ms": 1.')"#, "EOF while parsing"),
        (r#"print('{"latencies": [1.5]}')"#, "missing field `samples`"),
        (r#"print('{"samples": []}')"#, "samples is empty"),
        (r#"print('{"samples": [{"cpu_ms": 1}]}')"#, "missing field `wall_ms`"),
        (
            r#"print('{"samples": [{"wall_ms": 1}, {"wall_ms": -2}]}')"#,
            "samples[1].wall_ms is -2",
        ),
        (
            r#"print('{"samples": [{"wall_ms": NaN}]}')"#,
            "no answer in lglp's format",
        ),
        (
            r#"print('{"samples": [{"wall_ms": 1, "cpu_ms": 0}]}')"#,
            "samples[0].cpu_ms is 0",
        ),
        (
            r#"print('{"samples": [{"wall_ms": 1, "energy_j": 0}]}')"#,
            "samples[0].energy_j is 0",
        ),
        (
            r#"print('{"samples": [{"wall_ms": 1, "energy_J": 2}]}')"#,
            "unknown field `energy_J`",
        ),
        (
            r#"open(sys.argv[2], "w").write("{}")"#,
            "the file {output} has no answer",
        ),
    ] {
        let command = json!([python(), "-c", format!("import os, sys; {text}"), "{onnx}", "{output}"]);
        let settings = [("command", command), ("time_limit_s", json!(2))];
        let error = registry.fails(&borrowed(&measure(1, &settings)));
        assert!(error.contains(said), "{text}: {error}");
    }
}

/// A GPU that fell off the bus would otherwise be measured on as a CPU from then on.
#[test]
fn a_program_that_changes_its_device_is_stopped() {
    let registry = Registry::default();
    let text = r#"
import json, os
first = not os.path.exists(os.environ["MARK"])
open(os.environ["MARK"], "w").close()
print(json.dumps({"samples": [{"wall_ms": 1}], "device": "GPU" if first else "cpu"}))
"#;
    let settings = [
        (
            "command",
            json!([python(), script(&registry, "falls.py", text), "{onnx}"]),
        ),
        ("environment", json!({ "MARK": registry.folder.path().join("mark") })),
    ];
    let error = registry.fails(&borrowed(&measure(1, &settings)));
    assert!(
        error.contains(r#"device was "GPU" at first and is "cpu" now"#),
        "{error}"
    );
}

/// A program that stays, and misbehaves as the variable `FAULT` says, at the eighth question to run, or as soon as it can.
/// It adds a line to the file `STARTS` whenever it is started.
const STAYS: &str = r#"
import json, os, sys, time
fault, starts = os.environ["FAULT"], os.environ["STARTS"]
with open(starts, "a") as file:
    print(os.getpid(), file=file)
start = len(open(starts).read().splitlines())
say = lambda answer: print(json.dumps(answer), flush=True)
runs, loaded = 0, {}
for line in sys.stdin:
    q = json.loads(line)
    if "describe" in q:
        say({"described": {"device": "Abacus" if fault != "turns" or start == 1 else "cpu", "runtime": "beads"}})
        if fault == "leaves" or fault == "turns":
            sys.exit("had enough")
    elif "load" in q:
        loaded[q["id"]] = os.path.getsize(q["load"]) / 1e6
        say({"loaded": q["id"]} if fault != "load" else {"error": "out of memory"})
    elif "unload" in q:
        del loaded[q["unload"]]
        say({"unloaded": q["unload"]})
    elif "run" in q:
        runs += 1
        ms, id, n = loaded[q["run"]], q["run"], q["repetitions"]
        if fault == "dies" and start == 1 and runs == 8:
            os.kill(os.getpid(), 9)
        if fault == "hangs":
            print("waiting for the device", file=sys.stderr, flush=True)
            time.sleep(1000)
        if fault == "chatters":
            print("iteration 1 of 20", flush=True)
        if fault == "slow":
            time.sleep(1)
        samples = [{"wall_ms": -ms if fault == "negative" else ms}] * n
        say({"ran": id + 1 if fault == "mixes" else id, "samples": samples})
"#;

fn staying(registry: &Registry, fault: &str) -> (Vec<(&'static str, Value)>, PathBuf) {
    let starts = registry.folder.path().join(format!("starts-{fault}"));
    let settings = vec![
        ("command", json!([python(), script(registry, "stays.py", STAYS)])),
        ("persistent", json!(true)),
        ("time_limit_s", json!(3)),
        ("environment", json!({ "FAULT": fault, "STARTS": &starts })),
    ];
    (settings, starts)
}

fn lines(file: &Path) -> usize {
    std::fs::read_to_string(file).expect("a file").lines().count()
}

/// In the middle of a night's campaign a driver may take the program down; the campaign goes on with a new one, which has
/// to be told both networks again.
#[test]
fn a_program_that_dies_in_the_middle_is_started_anew_and_nothing_is_lost() {
    let registry = Registry::default();
    let (settings, starts) = staying(&registry, "dies");
    registry.ok(&borrowed(&measure(6, &settings)));
    assert_eq!(lines(&starts), 2);
    let measured = measurements(&registry);
    assert_eq!(measured.len(), 6);
    let onnx = registry.folder.path().join("network.onnx");
    for m in &measured {
        registry.run(&["network", &m.architecture, "-o", onnx.to_str().expect("UTF-8")]);
        let ms = std::fs::metadata(&onnx).expect("written").len() as f64 / 1e6;
        assert!(
            (m.latency_ms / ms - 1.0).abs() < 1e-5,
            "{ms} ms were told, {} recorded",
            m.latency_ms
        );
    }
}

/// `leaves` is more than a message: a question to a program that no longer listens, written to a pipe, would end lglp without
/// a word, whose commands end by SIGPIPE so that they can be piped.
#[test]
#[ignore = "takes long"]
fn programs_that_stay_and_misbehave_are_told_by_their_fault() {
    let registry = Registry::default();
    for (fault, said, started) in [
        (
            "leaves",
            "ended without an answer (exit status: 1); its last line: had enough",
            2,
        ),
        ("turns", r#"device was "Abacus" at first and is "cpu" now"#, 2),
        ("load", "with an error: out of memory", 1),
        (
            "hangs",
            "within 3 s and was killed; its last line: waiting for the device",
            1,
        ),
        ("chatters", "not one JSON object a line: iteration 1 of 20", 1),
        ("mixes", r#"expected {"ran": 1} in it"#, 1),
        ("negative", "samples[0].wall_ms is -", 1),
    ] {
        let (settings, starts) = staying(&registry, fault);
        let error = registry.fails(&borrowed(&measure(1, &settings)));
        assert!(error.contains(said), "{fault}: {error}");
        assert_eq!(lines(&starts), started, "{fault}");
    }
}

/// A program that outlived a killed campaign would measure beside the next one.
#[test]
fn a_program_that_stays_ends_with_lglp() {
    let registry = Registry::default();
    let (settings, starts) = staying(&registry, "slow");
    let mut child = registry
        .command(&borrowed(&measure(1, &settings)))
        .spawn()
        .expect("the program runs");
    let begun = Instant::now();
    let wait = |what: &str, done: &dyn Fn() -> bool| {
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait("it is not started", &|| starts.is_file() && lines(&starts) == 1);
    let pid = std::fs::read_to_string(&starts).expect("a file");
    let process = Path::new("/proc").join(pid.trim());
    assert!(process.exists());
    child.kill().expect("killed");
    child.wait().expect("ended");
    wait("it goes on", &|| !process.exists());
}
