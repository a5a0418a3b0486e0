//! What one prediction takes on one core, by recipe, and what its model takes to fit and to keep.
//!
//!   cargo run --release -p lglp-tests --example per_prediction -- [DATASET [RECIPE...]]
//!
//! Each recipe (these five by default) is fitted to a shipped dataset (`epyc-1t` by default). Then the same networks go through each part, the recipes taking
//! turns in every round, and the median of the rounds counts: what else the machine does meanwhile falls on all.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use lglp_engine::host::{ComponentKind, EncoderInstance, PluginHost};
use lglp_engine::measure::median;
use lglp_engine::predictor::{FittedModel, Fitting, Labelled, Recipe};
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_tests::{program, release, root};
use serde_json::Value;

const RECIPES: [&str; 5] = ["mac-proportional", "roofline", "additive", "lglp-per-mac", "lightgbm"];
const ROUNDS: usize = 9;
/// Networks of a round, in units of those that the server predicts at once.
const NETWORKS: usize = 6400;
const UNIT: usize = 64;

struct Fitted {
    recipe: Recipe,
    encoder: EncoderInstance,
    model: FittedModel,
    seconds: f64,
    bytes: usize,
    /// Microseconds of a network, by part, one for each round.
    parts: BTreeMap<&'static str, Vec<f64>>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dataset = arguments.next().unwrap_or("epyc-1t".into());
    let mut recipes: Vec<String> = arguments.collect();
    if recipes.is_empty() {
        recipes = RECIPES.map(String::from).into();
    }
    let space = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let space = SearchSpace::from_toml(&space).expect("a consistent space");
    let (architectures, latencies) = measured(&space, &dataset);
    let host = PluginHost::open(&release().join("plugins"), &program()).expect("`make build`");
    let cut = architectures.len() * 9 / 10;
    let labelled = |from: usize, to: usize| Labelled {
        architectures: &architectures[from..to],
        labels: &latencies[from..to],
        networks: &[],
    };
    let mut models: Vec<Fitted> = recipes
        .iter()
        .map(|name| {
            let recipe = Recipe::load(&root().join("catalog/recipes"), name).expect("a recipe");
            let fitting = Fitting {
                recipe: &recipe,
                host: &host,
                space: &space,
                seed: 0,
                priors: &[],
            };
            let began = Instant::now();
            let model = FittedModel::fit(
                fitting,
                labelled(0, cut),
                labelled(cut, architectures.len()),
                &mut |_| true,
            );
            let (model, seconds) = (model.expect("a model"), began.elapsed().as_secs_f64());
            let handle = host
                .component(ComponentKind::Encoder, &recipe.encoder.name)
                .expect("an encoder");
            Fitted {
                encoder: EncoderInstance::new(&handle, &space, &recipe.encoder.parameters).expect("an encoder"),
                bytes: model.save().expect("a state").values().map(Vec::len).sum(),
                recipe,
                model,
                seconds,
                parts: BTreeMap::new(),
            }
        })
        .collect();
    let networks: Vec<Architecture> = Sampler::new(&space, 1).take(NETWORKS).collect();
    for _ in 0..ROUNDS {
        for fitted in &mut models {
            let Fitted {
                encoder, model, parts, ..
            } = fitted;
            let mut time = |part: &'static str, work: &dyn Fn(&[Architecture])| {
                let began = Instant::now();
                networks.chunks(UNIT).for_each(work);
                let us = began.elapsed().as_secs_f64() * 1e6 / NETWORKS as f64;
                parts.entry(part).or_default().push(us);
            };
            time("encode", &|unit| drop(black_box(encoder.encode(unit.iter()))));
            time("value", &|unit| drop(black_box(model.predict(unit.iter()))));
            time("interval", &|unit| drop(black_box(model.estimate(unit.iter()))));
        }
    }
    println!("{dataset}: {} rows", architectures.len());
    println!("| recipe | fit, s | state, KiB | encoding alone, us | a value, us | with its spread, us |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for Fitted {
        recipe,
        seconds,
        bytes,
        parts,
        ..
    } in &models
    {
        let of = |part: &str| median(&parts[part]);
        println!(
            "| {} | {seconds:.2} | {:.0} | {:.1} | {:.1} | {:.1} |",
            recipe.name,
            *bytes as f64 / 1024.0,
            of("encode"),
            of("value"),
            of("interval"),
        );
    }
}

/// The first measurement of each architecture of a shipped dataset.
fn measured(space: &SearchSpace, dataset: &str) -> (Vec<Architecture>, Vec<f64>) {
    let path = root().join("datasets").join(dataset).join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(&path).expect("a shipped dataset");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let first = rows.filter(|row| row["round"] == 0);
    let read = |row: Value| {
        let text = row["architecture"].as_str().expect("canonical text");
        let architecture = space.architecture_from_text(text).expect("an architecture");
        (architecture, row["latency_ms"].as_f64().expect("ms"))
    };
    first.map(read).unzip()
}
