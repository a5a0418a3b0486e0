//! `lglp-onnxruntime`, the helper of the plugin: runs one network, in a process of its own whose memory the plugin has a say in
//! and which may crash without harm. Its argument is a request, its output an answer; see `wire.rs`.

mod confinement;
mod network;
mod paging;
#[path = "../src/wire.rs"]
mod wire;

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use lglp_sdk::helper::{Answers, Refusal, questions};
use network::Network;
use wire::Request;

/// Read by ONNX Runtime when it is loaded: without it the library writes to the user's cache and calls its maker, whatever its
/// environment is told, and beside runs that are timed.
const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";

fn main() -> ExitCode {
    // SAFETY: this is the process's first statement, and its only thread.
    unsafe { std::env::set_var(NO_TELEMETRY, "1") };
    Answers::to(|request, answers| match request {
        Request::Pages { pages } => answers.give(paging::ask_for(pages).and_then(|()| paging::found())),
        Request::Serve {
            library,
            threads,
            pages,
            bytes,
        } => {
            let asked = paging::ask_for(pages);
            confinement::confine();
            let network = asked.and_then(|()| load(&library, threads, bytes));
            serve(network, answers)
        }
    })
}

fn serve(network: Result<Network, Refusal>, answers: &mut Answers) -> std::io::Result<()> {
    let mut network = match network {
        Ok(network) => network,
        Err(refusal) => return answers.give::<()>(Err(refusal)),
    };
    let asked = questions::<usize>();
    answers.give(Ok(()))?;
    for runs in asked {
        let runs: Result<Vec<wire::Run>, _> = (0..runs.max(1)).map(|_| network.run()).collect();
        answers.give(runs)?;
    }
    Ok(())
}

/// The network is ready once it has run: its first run takes the memory for all.
fn load(library: &Path, threads: usize, bytes: u64) -> Result<Network, Refusal> {
    let mut onnx = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    let read = std::io::stdin().lock().take(bytes).read_to_end(&mut onnx);
    read.map_err(|problem| Refusal::Failed(format!("cannot read the network: {problem}")))?;
    let mut network = Network::new(library, &onnx, threads)?;
    // Before any run: what it leaves free the network's memory would come from.
    drop(onnx);
    network.run()?;
    Ok(network)
}
