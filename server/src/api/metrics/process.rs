//! What the process takes, by the names that every Prometheus client gives it.

use std::fs;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Number = Gauge<f64, AtomicU64>;

/// Gauges of the process, set when they are asked for. What the system does not tell stays 0.
pub(super) struct Process {
    cpu: Counter<f64, AtomicU64>,
    resident: Number,
    virtual_bytes: Number,
    files: Number,
    threads: Number,
}

impl Process {
    /// Registers them; when the process began is now, about.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let cpu = Counter::default();
        let help = "Processor time of the process, of user and system";
        registry.register("process_cpu_seconds", help, cpu.clone());
        let mut gauge = |name: &str, help: &str| {
            let gauge = Number::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        gauge("process_start_time_seconds", "When the process began, since 1970").set(now.as_secs_f64());
        Self {
            cpu,
            resident: gauge("process_resident_memory_bytes", "Resident memory"),
            virtual_bytes: gauge("process_virtual_memory_bytes", "Virtual memory"),
            files: gauge("process_open_fds", "Open files"),
            threads: gauge("process_threads", "Threads"),
        }
    }

    /// Asks the system.
    pub(super) fn look(&self) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let told = |name: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.unwrap_or(0.0)
        };
        self.resident.set(1024.0 * told("VmRSS:"));
        self.virtual_bytes.set(1024.0 * told("VmSize:"));
        self.threads.set(told("Threads:"));
        self.files
            .set(fs::read_dir("/proc/self/fd").map_or(0.0, |files| files.count() as f64));
        let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = usage.tv_sec as f64 + usage.tv_nsec as f64 / 1e9;
        self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
    }
}
