//! `lglp-tensorrt`, the helper of the plugin: asks the NVIDIA driver and TensorRT in a process of its own, which may hang or
//! crash without harm. Its argument is a request, its output an answer; see `wire.rs`.

mod bench;
mod driver;
mod engine;
mod shim;
mod tensorrt;
#[path = "../src/wire.rs"]
mod wire;

use std::process::ExitCode;

use lglp_sdk::helper::Answers;
use wire::Request;

fn main() -> ExitCode {
    Answers::to(|request, answers| match request {
        Request::Probe { driver, device } => answers.give(driver::probe(driver.as_deref(), device)),
        Request::Find { library } => answers.give(tensorrt::find(library.as_deref())),
        Request::Build(build) => answers.give(engine::build(&build)),
        Request::Serve(serve) => bench::serve(&serve, answers),
    })
}
