//! What a runtime promises.

use super::{Check, Subject, Verdict, memory};
use crate::host::{PluginError, RuntimeInstance};
use crate::networks::{Family, random};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "opens",
        about: "it opens its device, and tells what that is",
        run: opens,
    },
    Check {
        name: "runs",
        about: "it runs a network, and tells how long that takes",
        run: runs,
    },
    Check {
        name: "damaged-networks",
        about: "it refuses what is no network",
        run: damaged,
    },
    Check {
        name: "memory",
        about: "memory does not grow over 10,000 runs, and loads between them",
        run: memory_grows,
    },
];

/// Of some milliseconds.
fn network() -> Vec<u8> {
    random(Family::Backbones, 2)
}

fn open(subject: &Subject) -> Result<RuntimeInstance, PluginError> {
    RuntimeInstance::open(&subject.handle, &subject.parameters, None, None)
}

fn opens(subject: &Subject) -> Result<Verdict, PluginError> {
    let runtime = open(subject)?;
    let (first, second) = (runtime.describe()?, runtime.describe()?);
    if first != second {
        return Ok(Verdict::Failed(format!(
            "it describes itself as {first}, and then as {second}"
        )));
    }
    let missing: Vec<&str> = ["runtime", "device"]
        .into_iter()
        .filter(|field| first[field].is_null())
        .collect();
    Ok(match missing.is_empty() {
        true => Verdict::Passed(first.to_string()),
        false => Verdict::Warned(format!("it does not tell its {}: {first}", missing.join(" and "))),
    })
}

fn runs(subject: &Subject) -> Result<Verdict, PluginError> {
    let runtime = open(subject)?;
    let mut network = runtime.load(&network())?;
    let runs = network.run_many(8)?;
    let fastest = runs.iter().map(|run| run.wall_ms).fold(f64::INFINITY, f64::min);
    Ok(match fastest > 0.0 {
        true => Verdict::Passed(format!("{} runs, the fastest {fastest:.3} ms", runs.len())),
        false => Verdict::Failed("a run of 0 ms".to_owned()),
    })
}

fn damaged(subject: &Subject) -> Result<Verdict, PluginError> {
    let runtime = open(subject)?;
    let network = network();
    let cut = &network[..network.len() / 2];
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("a text", b"no network"),
        ("half a network", cut),
    ] {
        match runtime.load(bytes) {
            Ok(_) => return Ok(Verdict::Failed(format!("it takes {what} for a network"))),
            Err(error @ PluginError::Panicked { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    // Having refused these, it goes on.
    runtime.load(&network)?.run()?;
    Ok(Verdict::Passed("nothing, a text, half a network".to_owned()))
}

fn memory_grows(subject: &Subject) -> Result<Verdict, PluginError> {
    let runtime = open(subject)?;
    let onnx = network();
    let mut network = runtime.load(&onnx)?;
    let mut at = 0;
    memory::grows(subject, || {
        at += 1;
        if at % 16 == 0 {
            network = runtime.load(&onnx)?;
        }
        network.run().map(drop)
    })
}
