//! `lglp savings`.

use lglp_openapi::savings::{Footprint, PowerFrom, SavingsQuery, SavingsReport, SecondsFrom};
use lglp_registry::HardwareName;
use lglp_sdk::count;
use lglp_terminal::{print_json, table, whole};

use super::Context;

/// Time, energy, carbon and money that predicting saved, in the place of deploying and measuring
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp savings --hardware xeon-1t\n  \
    lglp savings --hardware xeon-1t --predictions 8000 --seconds 120    # a search of MnasNet's size\n  \
    lglp savings --hardware xeon-1t --power 65 --pue 1.2 --carbon 0.5 --price 0.05\n\n\
    Energy is PUE x hours x watts, carbon energy x factor (Strubell et al., 2019), money hours x price.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Seconds that one deployment and its measurement take [default: the median measured here, else the paper's 120].
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Watts of device and host meanwhile [default: what the device was measured to draw, else 250, a data
    /// centre's GPU].
    #[arg(long, value_name = "W")]
    power: Option<f64>,
    /// Power usage effectiveness of the data centre [default: 1.58].
    #[arg(long)]
    pue: Option<f64>,
    /// Pounds of CO2 equivalent for a kilowatt-hour [default: 0.954, the mix of the USA].
    #[arg(long, value_name = "LB")]
    carbon: Option<f64>,
    /// US dollars for an hour of the device [default: 1.46, a P100 on demand].
    #[arg(long, value_name = "USD")]
    price: Option<f64>,
    /// Predictions to reckon with, instead of those that were served.
    #[arg(long, value_name = "N", value_parser = whole::<u64>())]
    predictions: Option<u64>,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let query = SavingsQuery {
        seconds: args.seconds,
        power: args.power,
        pue: args.pue,
        carbon: args.carbon,
        price: args.price,
        predictions: args.predictions,
    };
    let registry = context.registry("savings")?;
    let report = registry.operations.savings(&args.hardware, &query)?;
    if context.json() {
        return print_json(&report);
    }
    print(&report);
    Ok(())
}

fn print(report: &SavingsReport) {
    let mut rows = table(&["what", "count", "hours", "kWh", "lb CO2e", "USD"]).with_numbers(1..=5);
    let mut row = |what: &str, number: u64, f: &Footprint| {
        let cells = [f.hours, f.kwh, f.co2e_lb, f.dollars].map(|value| format!("{value:.1}"));
        rows.add_row([vec![what.to_owned(), number.to_string()], cells.to_vec()].concat());
    };
    row("predictions served", report.predictions, &report.saved);
    row("measurements taken", report.measurements, &report.invested);
    println!("{rows}");
    let a = &report.assumptions;
    let from = match a.seconds_from {
        SecondsFrom::Given => "as given",
        SecondsFrom::Measured => "the median here",
        SecondsFrom::Paper => "the paper's",
    };
    if let Some(energy) = &report.energy {
        println!(
            "an inference spends {:.3} J in the median of {}, at {:.1} W",
            energy.joules_per_inference,
            count(energy.measurements, "measurement"),
            energy.power_w
        );
    }
    let power_from = match a.power_from {
        PowerFrom::Given => "as given",
        PowerFrom::Measured => "as measured",
        PowerFrom::Assumed => "assumed",
    };
    println!(
        "with {:.1} s a deployment ({from}), {} W ({power_from}), PUE {}, {} lb CO2e a kWh, {} USD an hour; \
         --help tells how to change that",
        a.seconds_per_deployment,
        (10.0 * a.power_w).round() / 10.0,
        a.pue,
        a.co2e_lb_per_kwh,
        a.dollars_per_hour,
    );
}
