//! What a process holds, as the system counts it.

use std::{fmt, fs};

use super::traffic::Traffic;

/// What a process held at a minute.
pub(crate) struct Sample {
    minute: u64,
    requests: u64,
    failed: u64,
    /// Resident memory, MiB: all of it, what no file stands behind, and pages of files.
    resident: f64,
    /// Resident memory where a page that others share counts for its share, MiB.
    proportional: f64,
    anonymous: f64,
    files: f64,
    /// Resident memory of glibc's heaps beside the first one, MiB: one for each thread that had to wait for another.
    arenas: f64,
    threads: u64,
    open_files: usize,
}

impl Sample {
    pub(crate) const HEADER: &str =
        "minute  requests  failed  resident  proportional  anonymous  of files  arenas  threads  open files";

    /// Looks at a process now.
    pub(crate) fn take(pid: u32, minute: u64, traffic: &Traffic) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running server");
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).expect("a field");
            let number = line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
            number.expect("a number")
        };
        let mib = |name: &str| number(name) as f64 / 1024.0;
        Self {
            minute,
            requests: traffic.requests(),
            failed: traffic.failed(),
            resident: mib("VmRSS:"),
            proportional: proportional(pid),
            anonymous: mib("RssAnon:"),
            files: mib("RssFile:"),
            arenas: arenas(pid),
            threads: number("Threads:"),
            open_files: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            minute,
            requests,
            failed,
            ..
        } = self;
        write!(
            f,
            "{minute:6}  {requests:8}  {failed:6}  {:8.1}  {:12.1}  {:9.1}",
            self.resident, self.proportional, self.anonymous
        )?;
        write!(
            f,
            "  {:8.1}  {:6.1}  {:7}  {:10}",
            self.files, self.arenas, self.threads, self.open_files
        )
    }
}

fn proportional(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap_or_default();
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// glibc puts a heap of a thread's at a multiple of 64 MiB, and no mapping of a file or a stack begins there with
/// nothing in between.
fn arenas(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap_or_default();
    let (mut counts, mut kib) = (false, 0.0);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((begin, _)) = first.split_once('-')
            && let Ok(begin) = u64::from_str_radix(begin, 16)
        {
            // Mappings of files and stacks have a name.
            counts = begin.is_multiple_of(64 << 20) && words.count() == 4;
        } else if counts && first == "Rss:" {
            kib += words.next().and_then(|n| n.parse::<f64>().ok()).unwrap_or_default();
        }
    }
    kib / 1024.0
}

/// Growth of resident memory by least squares, MiB a minute.
pub(crate) fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|s| s.minute as f64), mean(|s| s.resident));
    let product = |s: &Sample| (s.minute as f64 - x) * (s.resident - y);
    let square = |s: &Sample| (s.minute as f64 - x).powi(2);
    samples.iter().map(product).sum::<f64>() / samples.iter().map(square).sum::<f64>().max(f64::MIN_POSITIVE)
}
