//! The machine: what latency depends on besides the network.

use lglp_engine::measure::{load_average, meters, of_this_machine};
use serde_json::Value;

use super::Finding;

/// Processes ready to run, for each core, that labels do not suffer from yet.
const BUSY: f64 = 0.5;

pub(super) fn look() -> Vec<Finding> {
    let facts = of_this_machine();
    let mut findings = vec![processor(&facts), load(&facts), governor(), clock()];
    findings.extend(meters::survey().into_iter().map(meter));
    findings
}

/// Energy and conditions. Latency is measured without.
fn meter(found: meters::Finding) -> Finding {
    let what = format!("meter {}", found.name);
    if found.ok {
        return Finding::ok(what, found.detail);
    }
    let remedy = "latency is measured all the same, without what this tells; docs/energy.md says what it needs";
    Finding::warning(what, found.detail, remedy)
}

fn processor(facts: &Value) -> Finding {
    let text = |name: &str| {
        facts
            .get(name)
            .map(|fact| fact.as_str().map_or_else(|| fact.to_string(), str::to_owned))
    };
    let known = |name: &str, unit: &str| text(name).map(|fact| format!("{fact}{unit}"));
    let simd = facts.get("simd").and_then(Value::as_array).into_iter().flatten();
    let simd: Vec<&str> = simd.filter_map(Value::as_str).collect();
    let parts = [
        text("cpu").or_else(|| text("architecture")),
        known("cores", " cores"),
        known("memory_gib", " GiB"),
        (!simd.is_empty()).then(|| simd.join(" ")),
        known("kernel", "").map(|kernel| format!("Linux {kernel}")),
    ];
    Finding::ok("machine", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn load(facts: &Value) -> Finding {
    let Some(load) = load_average() else {
        return Finding::warning(
            "other work",
            "the system does not tell its load",
            "see to it that nothing else runs while the worker measures",
        );
    };
    let cores = facts.get("cores").and_then(Value::as_f64).unwrap_or(1.0);
    let found = format!("{load:.2} processes ready to run, in the mean of a minute");
    if load <= BUSY * cores {
        return Finding::ok("other work", found);
    }
    let remedy = "stop other programs: labels scatter on a busy machine";
    Finding::warning("other work", found, remedy)
}

/// How the processor's clock is set.
fn governor() -> Finding {
    let what = "processor clock";
    match std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") {
        Ok(governor) if governor.trim() == "performance" => Finding::ok(what, "governor performance"),
        Ok(governor) => Finding::warning(
            what,
            format!("governor {}: its speed follows the load", governor.trim()),
            "cpupower frequency-set --governor performance",
        ),
        // Virtual machines do not tell; pairing with the reference network makes up for it.
        Err(_) => Finding::ok(what, "the system does not tell, as in a virtual machine"),
    }
}

/// What times are read from.
fn clock() -> Finding {
    let what = "clock source";
    let source = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    match source.as_deref().map(str::trim) {
        Ok(slow @ ("hpet" | "acpi_pm" | "jiffies")) => Finding::warning(
            what,
            format!("{slow}: reading it takes long"),
            "boot with clocksource=tsc where the machine has a steady one",
        ),
        Ok(source) => Finding::ok(what, source),
        Err(_) => Finding::ok(what, "the system does not tell"),
    }
}
