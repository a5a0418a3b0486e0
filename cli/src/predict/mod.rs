//! `lglp predict`.

mod networks;

use lglp_engine::predictor::COVERAGE;
use lglp_openapi::predict::{OnError, PredictRequest, PredictResponse};
use lglp_registry::HardwareName;
use lglp_sdk::Printable;
use lglp_terminal::{print_json, short, table};
use serde_json::Value;

use crate::{Context, input};

/// Predict latencies of architectures or of networks as ONNX files, or energies
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp predict --hardware xeon-1t 'mobilenetv3@320/s2-k3e3/s2-se-k3e3/s2-k3e3/s1-k3e3/s2-k3e3/s1-k3e3/s1-k3e3/s1-k3e3/s1-k3e3/s1-k3e3'\n  \
    lglp predict --hardware xeon-1t @architectures.json --model 2\n  \
    lglp predict --hardware xeon-1t @architectures.json --model energy    # joules\n  \
    some-search | lglp predict --hardware xeon-1t --json -\n  \
    lglp predict --hardware xeon-1t net.onnx other.onnx --shape input=1x3x224x224")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Alias or version number.
    #[arg(long, default_value = "production")]
    model: String,
    /// Search space; the model knows its own.
    #[arg(long)]
    space: Option<String>,
    /// Share of intervals that should hold what is measured, 0.01 to 0.999.
    #[arg(long, value_name = "SHARE", default_value_t = COVERAGE)]
    coverage: f64,
    /// Predict the others where an architecture is faulty, which is told in its row.
    #[arg(long)]
    skip_faulty: bool,
    /// The shape of an input that ONNX files leave open; an open batch is 1. May be repeated.
    #[arg(long = "shape", value_name = "INPUT=SIDES")]
    shapes: Vec<String>,
    /// Refuse ONNX files of operators that the model was not fitted on, instead of guessing what these take.
    #[arg(long)]
    refuse_unknown: bool,
    /// Canonical text, JSON, `@FILE` (one per line, or a JSON array), or `-` for standard input; or ONNX files.
    #[arg(required = true, value_name = "ARCH")]
    architectures: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if networks::are_meant(&args.architectures) {
        return networks::run(context, args);
    }
    anyhow::ensure!(
        args.shapes.is_empty() && !args.refuse_unknown,
        "--shape and --refuse-unknown are for ONNX files"
    );
    let request = PredictRequest {
        space: args.space.clone(),
        architectures: input::architectures(&args.architectures)?,
        model: Some(Value::String(args.model.clone())),
        coverage: Some(args.coverage),
        on_error: args.skip_faulty.then_some(OnError::Item),
    };
    let registry = context.registry("predict")?;
    let response = registry.operations.predict(&args.hardware, &request)?;
    if context.json() {
        return print_json(&response);
    }
    let texts = request.architectures.iter().map(|architecture| {
        let text = architecture.as_str().map(str::to_owned);
        text.unwrap_or_else(|| architecture.to_string())
    });
    print(&response, args.coverage, "architecture", texts);
    Ok(())
}

/// Prints predictions as a table; `names` are those of what was predicted.
fn print(response: &PredictResponse, coverage: f64, what: &str, names: impl Iterator<Item = String>) {
    // Networks take a millisecond or more, and spend far less than a joule on small devices.
    let (quantity, digits) = match response.unit.as_str() {
        "ms" => ("latency ms", 1),
        _ => ("energy J", 3),
    };
    let interval = format!("{} % interval", (1e3 * coverage).round() / 10.0);
    let mut rows = table(&[quantity, &interval, "note", what]).with_open_end();
    for (prediction, name) in response.predictions.iter().zip(names) {
        let interval = prediction
            .interval
            .as_ref()
            .map(|i| format!("{:.digits$} to {:.digits$}", i.low, i.high));
        let value = prediction.latency_ms.or(prediction.energy_j);
        let value = value.map(|value| format!("{value:.0$}", digits + 1));
        let canary = prediction
            .version
            .map(|version| format!("by the canary, version {version}"));
        let few = prediction.interval.as_ref().filter(|interval| interval.provisional);
        let few = few.map(|_| "provisional interval: few measurements".to_owned());
        let none = prediction.no_interval.as_ref().map(|why| format!("no interval: {why}"));
        let fault = prediction.error.as_ref().map(|fault| fault.detail.clone());
        let notes = [fault, canary, prediction.outside_training_range.clone(), few, none];
        let note = notes.into_iter().flatten().collect::<Vec<_>>().join("; ");
        rows.add_row([value.unwrap_or_default(), interval.unwrap_or_default(), note, name]);
    }
    println!("{rows}");
    let model = &response.model;
    println!(
        "{} version {} ({}, {}) of {}",
        response.hardware,
        model.version,
        Printable::of(&model.recipe),
        short(&model.digest),
        measured_by(&response.runtime, response.batch_size)
    );
}

/// What a prediction is of: a runtime, and the inputs that it takes at once.
pub(crate) fn measured_by(runtime: &str, batch_size: Option<u64>) -> String {
    let runtime = Printable::of(runtime);
    match batch_size {
        Some(batch) => format!("{runtime} at batch size {batch}"),
        None => format!("{runtime} at a batch size that is not told"),
    }
}
