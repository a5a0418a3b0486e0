//! `lglp gate`.

use lglp_registry::{GateChange, GateRules, HardwareName, Registry, Verdict};
use lglp_sdk::Printable;
use lglp_terminal::{Cell, Table, actor, print_json, table, when, whole};

use super::Context;

/// Show or set what a version must have shown before it goes into production
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp gate --hardware xeon-1t\n  \
    lglp gate --hardware xeon-1t --min-n 50 --max-mape 5 --max-regression 10 --reason 'policy of May'\n  \
    lglp gate --hardware xeon-1t --clear --reason 'new device'\n\n\
    Rules look at the newest validation report of the version (`lglp validate`). Setting some sets all: those left out are\n\
    gone. Changing them needs the role admin where there are tokens.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Architectures measured, at least.
    #[arg(long, value_name = "N", value_parser = whole::<u32>())]
    min_n: Option<u32>,
    /// Mean absolute percentage error at most.
    #[arg(long, value_name = "PERCENT")]
    max_mape: Option<f64>,
    /// Spearman's rank correlation at least.
    #[arg(long, value_name = "CORRELATION")]
    min_spearman: Option<f64>,
    /// Share of measurements within the prediction's interval at least, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    min_coverage: Option<f64>,
    /// Age of the report at most.
    #[arg(long, value_name = "HOURS")]
    max_age: Option<f64>,
    /// How much larger the MAPE may be than production's on the same architectures, percent of the latter.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    max_regression: Option<f64>,
    /// Look at reports on networks of no space (`lglp validate --onnx`) instead of those on architectures.
    #[arg(long)]
    on_networks: bool,
    /// Ask nothing any more.
    #[arg(long, conflicts_with_all = ["on_networks", "min_n", "max_mape", "min_spearman", "min_coverage", "max_age", "max_regression"])]
    clear: bool,
    /// For the audit log.
    #[arg(long, default_value = "")]
    reason: String,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("gate")?;
    let store: &dyn Registry = &*registry.store;
    let mut gate = store.gate(&args.hardware)?;
    let rules = GateRules {
        min_n: args.min_n,
        max_mape: args.max_mape,
        min_spearman: args.min_spearman,
        min_coverage: args.min_coverage,
        max_age_hours: args.max_age,
        max_regression: args.max_regression,
        on_networks: args.on_networks,
    };
    anyhow::ensure!(
        !rules.is_empty() || !args.on_networks,
        "--on-networks says which reports the rules look at; name a rule, such as --max-mape 10"
    );
    if args.clear || !rules.is_empty() {
        let change = GateChange {
            rules,
            expected_generation: gate.map_or(0, |gate| gate.generation).into(),
            actor: actor(),
            reason: args.reason.clone(),
        };
        gate = Some(store.set_gate(&args.hardware, &change)?);
    }
    if context.json() {
        return print_json(&gate);
    }
    let Some(gate) = gate.filter(|gate| !gate.rules.is_empty()) else {
        println!("{} has no gate: every version may go into production", args.hardware);
        return Ok(());
    };
    println!(
        "the gate of {}, set by {} at {} (change {})",
        args.hardware,
        Printable::of(&gate.set_by),
        when(&gate.set_at),
        gate.generation
    );
    let mut rows = table(&["rule", "bound"]);
    if let serde_json::Value::Object(rules) = serde_json::to_value(gate.rules)? {
        for (rule, bound) in rules {
            rows.add_row([rule, bound.to_string()]);
        }
    }
    println!("{rows}");
    Ok(())
}

/// What a gate says, a rule a line.
pub(crate) fn verdict_table(verdict: &Verdict) -> Table {
    let mut rows = table(&["rule", "verdict", "what it says"]);
    for outcome in &verdict.rules {
        let mark = if outcome.passed { "holds" } else { "FAILS" };
        rows.add_row([
            Cell::from(&outcome.rule),
            Cell::verdict(mark, outcome.passed),
            Cell::from(&outcome.detail),
        ]);
    }
    rows
}
