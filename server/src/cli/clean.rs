//! `lglp clean`.

use indicatif::{ProgressBar, ProgressStyle};
use lglp_registry::{Exclusion, HardwareName, Measurement, Store};
use lglp_sdk::SearchSpace;
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::context::actor;
use super::table::{print_json, short, table};
use crate::measure::{Campaign, Protocol, Wanted, is_at_hand};
use crate::plugins::{Kind, PluginHost};
use crate::predictor::Recipe;
use crate::train::{TrainingData, labels, suspicions};

/// Find measurements that a model contradicts, measure them again where the device is at hand, exclude the faulty ones
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp clean --hardware my-box --dry-run\n  \
    lglp clean --hardware my-box\n\n\
    A model that never saw a measurement predicts it, fold by fold. Of those that it contradicts, at most --limit percent of all\n\
    are excluded from training, the worst first. On the machine that they were taken on they are measured again before: what\n\
    comes out the same stays. An excluded measurement is kept and marked; measuring the architecture again brings it back.")]
pub struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(long, default_value = "mobilenetv3")]
    space: String,
    /// Recipe of the models that judge; the better it predicts, the smaller the faults that it finds.
    #[arg(long, default_value = "lglp-per-mac")]
    recipe: String,
    /// Robust standard deviations beyond which a measurement is suspicious.
    #[arg(long, value_name = "Z", default_value_t = 5.0)]
    threshold: f64,
    /// Percent of the measurements that may be excluded in all.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.5)]
    limit: f64,
    /// Parts that the data are cut into.
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=100))]
    folds: u64,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What becomes of a suspicious measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Decision {
    /// Measured again, it came out the same: the model is wrong.
    Confirmed,
    /// Not to be trained on.
    Excluded,
}

#[derive(Serialize)]
struct Finding {
    architecture: String,
    digest: lglp_registry::Digest,
    round: u32,
    measured_ms: f64,
    predicted_ms: f64,
    score: f64,
    remeasured_ms: Option<f64>,
    decision: Decision,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        (0.0..=100.0).contains(&args.limit),
        "--limit is {}; it must be 0 to 100 percent",
        args.limit
    );
    anyhow::ensure!(
        args.threshold > 0.0,
        "--threshold is {}; it must be above 0",
        args.threshold
    );
    let registry = context.registry("clean")?;
    let store = &*registry.store;
    let recipe = Recipe::load(context.recipes_folder(), &args.recipe)?;
    let spaces = context.spaces()?;
    let space = spaces.get(&args.space)?;
    let host = context.plugins()?;
    let data = TrainingData::measured(store, &args.hardware, space)?;
    let labels = labels(store, &args.hardware, &space.name)?;
    let before = store.exclusions(&args.hardware, &space.name)?.len();
    let all = store.measurements(&args.hardware, &space.name, Some(0))?.len();
    let room = ((all as f64 * args.limit / 100.0).floor() as usize).saturating_sub(before);

    let bar = ProgressBar::new(args.folds).with_style(ProgressStyle::with_template(
        "{bar:30} fold {pos}/{len}, {elapsed} eta {eta}",
    )?);
    let found = suspicions(&recipe, &host, space, &data, args.folds as usize, 0, &|| {
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let suspicious = found.iter().take_while(|s| s.score.abs() > args.threshold).count();
    let mut findings: Vec<Finding> = found
        .iter()
        .take(suspicious.min(room))
        .map(|s| {
            let label = &labels[s.row];
            Finding {
                architecture: label.architecture.clone(),
                digest: label.digest.clone(),
                round: label.round,
                measured_ms: label.latency_ms,
                predicted_ms: s.predicted_ms,
                score: s.score,
                remeasured_ms: None,
                decision: Decision::Excluded,
            }
        })
        .collect();
    let target = store.hardware(&args.hardware)?;
    let at_hand = is_at_hand(&target) && host.component(Kind::Runtime, &target.runtime).is_ok();
    if at_hand && !args.dry_run {
        for finding in &mut findings {
            measure_again(store, &host, space, args, finding)?;
        }
    }
    let exclusions: Vec<Exclusion> = findings
        .iter()
        .filter(|f| f.decision == Decision::Excluded)
        .map(|f| exclusion(args, f))
        .collect();
    if !args.dry_run {
        store.exclude_measurements(&args.hardware, &exclusions, &actor())?;
    }
    if context.json() {
        return print_json(&json!({
            "architectures": data.architectures.len(), "suspicious": suspicious, "at_hand": at_hand,
            "excluded_before": before, "dry_run": args.dry_run, "findings": findings,
        }));
    }
    print(args, &findings, suspicious, data.architectures.len(), before, at_hand);
    Ok(())
}

/// Measures an architecture once more; what comes out nearer to the first measurement than to the prediction confirms it.
fn measure_again(
    store: &dyn Store,
    host: &PluginHost,
    space: &SearchSpace,
    args: &Args,
    finding: &mut Finding,
) -> anyhow::Result<()> {
    let of_it = |m: &Measurement| m.digest == finding.digest;
    let taken = store.measurements(&args.hardware, &space.name, None)?;
    let last = taken.iter().filter(|m| of_it(m)).map(|m| m.round).max();
    // Rounds 0 and 1 tell the noise floor, which outliers that are picked out would spoil.
    let round = last.map_or(2, |last| (last + 1).max(2));
    let architecture = space.architecture_from_text(&finding.architecture)?;
    let campaign = Campaign {
        store,
        host,
        space,
        hardware: &args.hardware,
        runtime: "",
        protocol: Protocol::default(),
        wanted: Wanted::These {
            round,
            architectures: &[architecture],
        },
    };
    campaign.run(&mut |_| {})?;
    let again = store.measurements(&args.hardware, &space.name, Some(round))?;
    if let Some(label) = again.iter().find(|m| of_it(m)).map(|m| m.latency_ms) {
        finding.remeasured_ms = Some(label);
        let distance = |from: f64| (label / from).ln().abs();
        if distance(finding.measured_ms) < distance(finding.predicted_ms) {
            finding.decision = Decision::Confirmed;
        }
    }
    Ok(())
}

fn exclusion(args: &Args, finding: &Finding) -> Exclusion {
    let reason = match finding.remeasured_ms {
        Some(again) => format!(
            "{:.1} ms; {again:.1} ms when measured again, {:.1} ms predicted by models that never saw it",
            finding.measured_ms, finding.predicted_ms
        ),
        None => format!(
            "{:.1} ms; {:.1} ms predicted by models that never saw it",
            finding.measured_ms, finding.predicted_ms
        ),
    };
    Exclusion {
        space: args.space.clone(),
        digest: finding.digest.clone(),
        round: finding.round,
        reason,
        evidence: json!({
            "recipe": args.recipe, "folds": args.folds, "threshold": args.threshold,
            "predicted_ms": finding.predicted_ms, "score": finding.score, "remeasured_ms": finding.remeasured_ms,
        }),
    }
}

fn print(args: &Args, findings: &[Finding], suspicious: usize, of: usize, before: usize, at_hand: bool) {
    println!(
        "{suspicious} of {of} measurements are more than {} deviations from what models that never saw them predict",
        args.threshold
    );
    if !findings.is_empty() {
        let mut rows = table(&[
            "architecture",
            "measured ms",
            "predicted ms",
            "deviations",
            "again ms",
            "decision",
        ]);
        for f in findings {
            rows.add_row([
                short(f.digest.as_str()).to_owned(),
                format!("{:.1}", f.measured_ms),
                format!("{:.1}", f.predicted_ms),
                format!("{:+.1}", f.score),
                f.remeasured_ms.map_or(String::new(), |again| format!("{again:.1}")),
                match f.decision {
                    Decision::Confirmed => "stays: confirmed".into(),
                    Decision::Excluded if args.dry_run && at_hand => "would be measured again".into(),
                    Decision::Excluded if args.dry_run => "would be excluded".into(),
                    Decision::Excluded => "excluded".into(),
                },
            ]);
        }
        println!("{rows}");
    }
    if suspicious > findings.len() {
        println!(
            "the other {} are left: at most {} % may be excluded in all, {before} were before (--limit)",
            suspicious - findings.len(),
            args.limit
        );
    }
}
