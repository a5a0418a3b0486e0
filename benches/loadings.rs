//! How much a network's latency hangs on how it was loaded, by the pages of its memory and the size of what it is paired with.
//!
//!   cargo run --release -p lglp-tests --example loadings -- [LOADINGS]
//!
//! Networks of three sizes are loaded time and again (8 times by default), with huge pages and with the system's in turn, and paired with
//! two reference networks that stay. A perfect protocol would find the same ratio each time.

use lglp_engine::host::{PluginHost, RuntimeInstance};
use lglp_engine::measure::meters::Device;
use lglp_engine::measure::{Protocol, WEIGHTS_SEED, median, reference_architectures};
use lglp_engine::networks;
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_tests::{program, release, root};
use serde_json::{Map, json};

const PAGES: [&str; 2] = ["system", "huge"];

/// Places of the candidates among 100 draws, by their multiply-accumulates.
const CANDIDATES: [usize; 3] = [10, 35, 65];

fn main() {
    let loadings = std::env::args()
        .nth(1)
        .map_or(8, |count| count.parse().expect("a number"));
    let space = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let space = SearchSpace::from_toml(&space).expect("a consistent space");
    let host = PluginHost::open(&release().join("plugins"), &program()).expect("`make build`");
    let runtimes = PAGES.map(|pages| {
        let settings = Map::from_iter([("pages".to_owned(), json!(pages))]);
        host.runtime("onnxruntime", &settings)
            .and_then(|runtime| runtime.open())
            .expect("a runtime")
    });
    let found = |runtime: &RuntimeInstance| runtime.describe().expect("facts")["pages"].clone();
    println!(
        "pages asked for and found: {PAGES:?}, {:?}",
        runtimes.each_ref().map(found)
    );
    let mut drawn: Vec<Architecture> = Sampler::new(&space, 0).take(100).collect();
    drawn.sort_by_key(|architecture| networks::macs_if_any(&space, architecture));
    let candidates = CANDIDATES.map(|place| onnx(&space, &drawn[place]));
    let references: Vec<Vec<u8>> = reference_architectures(&space)
        .expect("a space of networks")
        .iter()
        .map(|one| onnx(&space, one))
        .collect();
    let ends = [&references[0], references.last().expect("the target's own at least")];
    let protocol = Protocol {
        most_pairs: 16,
        precision: 0.0,
        attempts: 1,
        ..Protocol::default()
    };
    let device = runtimes
        .each_ref()
        .map(|runtime| Device::of_runtime(&runtime.describe().expect("facts")));
    let mut loaded = runtimes
        .each_ref()
        .map(|runtime| ends.map(|onnx| runtime.load(onnx).expect("a reference network")));
    // Logarithms of ratios, by pages, candidate and reference.
    let mut ratios = vec![vec![vec![Vec::with_capacity(loadings); ends.len()]; candidates.len()]; PAGES.len()];
    let mut times = vec![Vec::new(); candidates.len()];
    for _ in 0..loadings {
        for (which, onnx) in candidates.iter().enumerate() {
            for (mode, runtime) in runtimes.iter().enumerate() {
                let mut candidate = runtime.load(onnx).expect("a network");
                for (size, reference) in loaded[mode].iter_mut().enumerate() {
                    let measured = protocol
                        .measure(&mut candidate, reference, 1, &device[mode], &|| true)
                        .expect("times");
                    ratios[mode][which][size].push(measured.ratio.ln());
                    times[which].extend(measured.pairs.iter().map(|pair| pair.cpu_ms));
                }
            }
        }
    }
    println!("| candidate, ms | pages | spread, paired with the small reference | with the large one |");
    println!("| --- | --- | --- | --- |");
    for (which, times) in times.iter().enumerate() {
        for (mode, pages) in PAGES.iter().enumerate() {
            let [small, large] = [0, 1].map(|size| percent(&ratios[mode][which][size]));
            println!("| {:.0} | {pages} | {small:.1} % | {large:.1} % |", median(times));
        }
    }
}

fn onnx(space: &SearchSpace, architecture: &Architecture) -> Vec<u8> {
    networks::build(space, architecture, 1, WEIGHTS_SEED)
        .expect("a network")
        .onnx
}

/// Standard deviation of logarithms, in percent of what they are of.
fn percent(logarithms: &[f64]) -> f64 {
    let count = logarithms.len() as f64;
    let mean = logarithms.iter().sum::<f64>() / count;
    let squares = logarithms.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    100.0 * (squares / (count - 1.0)).sqrt()
}
