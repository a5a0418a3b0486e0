//! Threads that each keep memory of their own.

use std::fs;

use lglp_tests::{Registry, Server, sample};
use serde_json::json;

/// What each of glibc's heaps beside the first one reserves, and a multiple of which it begins at.
const RESERVED: u64 = 64 << 20;

/// glibc's heaps beside the first one: each is a mapping that is in use, and right after it one that is not yet.
fn heaps(server: &Server) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", server.child.id())).expect("a running server");
    let address = |text: &str| u64::from_str_radix(text, 16).expect("an address");
    let mappings: Vec<_> = maps
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let (begin, end) = words.next().and_then(|range| range.split_once('-')).expect("a range");
            (address(begin), address(end), words.next().expect("rights"))
        })
        .collect();
    let is_heap = |pair: &&[(u64, u64, &str)]| {
        let ((begin, end, rights), (rest, last, reserved)) = (pair[0], pair[1]);
        begin.is_multiple_of(RESERVED)
            && rights == "rw-p"
            && rest == end
            && reserved == "---p"
            && last == begin + RESERVED
    };
    mappings.windows(2).filter(is_heap).count()
}

/// The story: an hour of mixed traffic, and resident memory rose all along, though nothing leaked. Each of some thirty
/// threads had a heap of its own, up to eight for each core, and each heap stayed as large as it ever was.
#[test]
fn threads_share_heaps() {
    let registry = Registry::with_production("lglp-quick");
    let server = registry.serve();
    let batch = json!({ "architectures": sample(500, 3) }).to_string();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(server.post("/v1/xeon-1t/predict", &batch).0, 200);
                    assert_eq!(server.get("/v1/xeon-1t/models/1").0, 200);
                    assert_eq!(server.get("/v1/audit").0, 200);
                }
            });
        }
    });
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let heaps = heaps(&server);
    assert!(heaps <= cores.max(2), "{heaps} heaps on {cores} cores");
}
