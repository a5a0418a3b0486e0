//! How a program begins and ends.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use lglp_engine::host::native_folder;
use lglp_sdk::Printable;

/// Settings that hold for the whole process and must be made before other threads run.
pub fn prepare() {
    // SAFETY: the first thing that the program does; no other thread runs yet.
    unsafe {
        // Plugins find their libraries by it, and OpenMP reads its thread count once, when it is loaded: one thread per
        // calling thread, or those of several calls would thrash.
        std::env::set_var("LGLP_NATIVE", native_folder());
        if std::env::var_os("OMP_NUM_THREADS").is_none() {
            std::env::set_var("OMP_NUM_THREADS", "1");
        }
    }
    // Rust ignores SIGPIPE, so that `lglp ... | head` would end in a panic about a broken pipe.
    sigpipe::reset();
}

/// Says what a command failed by, if it did; the status that the program ends with.
pub fn exit(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let loud = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
            anstream::eprintln!("{loud}error:{loud:#} {}", Printable::lines(message(&error)));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, each said once: some name their cause themselves.
fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
