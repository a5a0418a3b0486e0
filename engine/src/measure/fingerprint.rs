//! The machine that latencies belong to.

use std::collections::BTreeMap;

/// What identifies this machine as far as latency goes: processor, cores, memory, operating system, compute library.
/// Absent facts are left out rather than guessed.
pub fn of_this_machine() -> serde_json::Value {
    let cpuinfo = read("/proc/cpuinfo");
    let fact = |name: &str| {
        let line = cpuinfo
            .lines()
            .find(|l| l.split(':').next().is_some_and(|k| k.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let flags = fact("flags").unwrap_or_default();
    let simd: Vec<&str> = ["avx2", "fma", "avx512f", "avx512_vnni", "amx_tile"]
        .into_iter()
        .filter(|wanted| flags.split(' ').any(|f| f == *wanted))
        .collect();
    let mut facts: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
    facts.insert("architecture", std::env::consts::ARCH.into());
    facts.insert("os", std::env::consts::OS.into());
    facts.insert("simd", simd.into());
    if let Ok(cores) = std::thread::available_parallelism() {
        facts.insert("cores", cores.get().into());
    }
    for (name, value) in [
        ("cpu", fact("model name")),
        ("cpu_generation", generation(fact)),
        ("cpu_cache", fact("cache size")),
        (
            "kernel",
            Some(read("/proc/sys/kernel/osrelease").trim().to_owned()).filter(|s| !s.is_empty()),
        ),
        ("memory_gib", memory_gib()),
    ] {
        if let Some(value) = value {
            facts.insert(name, value.into());
        }
    }
    serde_json::json!(facts)
}

/// What tells the generations of a processor apart that all go by one name, as those of virtual machines do: family, model and stepping, or of ARM
/// implementer, part and revision.
fn generation(fact: impl Fn(&str) -> Option<String>) -> Option<String> {
    let x86 = [("family", "cpu family"), ("model", "model"), ("stepping", "stepping")];
    let arm = [
        ("implementer", "CPU implementer"),
        ("part", "CPU part"),
        ("revision", "CPU revision"),
    ];
    [x86, arm].into_iter().find_map(|names| {
        let facts = names.map(|(word, name)| Some(format!("{word} {}", fact(name)?)));
        let facts: Option<Vec<String>> = facts.into_iter().collect();
        Some(facts?.join(", "))
    })
}

/// Processes that were ready to run during the last minute, on average; `None` where the system does not tell.
pub fn load_average() -> Option<f64> {
    read("/proc/loadavg").split(' ').next()?.parse().ok()
}

fn memory_gib() -> Option<String> {
    let meminfo = read("/proc/meminfo");
    let kib: f64 = meminfo
        .lines()
        .find(|l| l.starts_with("MemTotal"))?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()?;
    Some(format!("{:.0}", kib / 1024.0 / 1024.0))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
