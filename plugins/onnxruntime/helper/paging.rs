//! The pages that memory of this process comes in.
//!
//! With pages of 4 KiB, where they lie in memory is chance, and with it which of them compete for a place in the second-level cache:
//! one network, loaded eight times, took 3 to 5 % more or less each time. Pages of 2 MiB leave about 1 % to chance
//! (`benches/loadings.rs`), and are what a system has by itself whose `/sys/kernel/mm/transparent_hugepage/enabled` says `always`.

use std::ffi::{c_int, c_void};

use lglp_sdk::helper::Refusal;
use libc::{M_ARENA_MAX, M_MMAP_MAX, M_TOP_PAD, M_TRIM_THRESHOLD};

use crate::wire::Pages;

/// Bytes by which the heap grows, at once. Only what is written to takes memory.
const GROWTH: c_int = c_int::MAX & !(HUGE as c_int - 1);

/// Bytes of a huge page.
const HUGE: usize = 2 << 20;

/// Bytes that are taken to look at them.
const TRIED: usize = 16 << 20;

/// Has memory come in such pages from now on: all of it from one heap, the first 2 GiB of which are advised to have huge ones. Where
/// the system does not give so much, it stays as it is. The C library's own setting (`glibc.malloc.hugetlb`) takes effect by chance
/// in glibc 2.36, which compares a text that it did not end.
pub(crate) fn ask_for(pages: Pages) -> Result<(), Refusal> {
    if pages == Pages::System || !may_grow() {
        return Ok(());
    }
    // SAFETY: sets numbers of the C library's allocator, before another thread is there. One that it does not know it leaves alone.
    unsafe {
        libc::mallopt(M_ARENA_MAX, 1);
        libc::mallopt(M_MMAP_MAX, 0);
        libc::mallopt(M_TRIM_THRESHOLD, c_int::MAX);
        libc::mallopt(M_TOP_PAD, GROWTH);
    }
    // The heap grows when it has not got as much.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(TRIED)));
    if let Some((start, end)) = heap()? {
        let start = start.next_multiple_of(HUGE);
        // SAFETY: advice about memory of this process changes nothing that it holds. Where it is not taken, pages stay small.
        unsafe { libc::madvise(start as *mut c_void, end.saturating_sub(start), libc::MADV_HUGEPAGE) };
    }
    Ok(())
}

/// Whether the heap may grow at once: systems limit it, or have less.
fn may_grow() -> bool {
    const ROOM: isize = GROWTH as isize + TRIED as isize;
    // SAFETY: moves the end of the heap there and back, while no other thread is there that could have moved it.
    unsafe {
        let grown = libc::sbrk(ROOM) as isize != -1;
        if grown {
            libc::sbrk(-ROOM);
        }
        grown
    }
}

/// Where the heap begins and ends.
fn heap() -> Result<Option<(usize, usize)>, Refusal> {
    let maps = read("/proc/self/maps")?;
    let heap = maps.lines().find(|line| line.ends_with("[heap]"));
    Ok(heap.and_then(|line| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some((number(start)?, number(end)?))
    }))
}

/// The pages of a block of memory that is written to: looked at, since systems and C libraries may have none of that.
pub(crate) fn found() -> Result<Pages, Refusal> {
    let block = vec![1_u8; TRIED];
    std::hint::black_box(&block);
    let about = read("/proc/self/smaps_rollup")?;
    let huge = about.lines().find_map(|line| line.strip_prefix("AnonHugePages:"));
    let kib = huge.and_then(|huge| huge.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    Ok(match kib {
        Some(kib) if kib * 1024 >= TRIED / 2 => Pages::Huge,
        _ => Pages::System,
    })
}

fn read(file: &str) -> Result<String, Refusal> {
    std::fs::read_to_string(file).map_err(|problem| Refusal::Failed(format!("{file}: {problem}")))
}
