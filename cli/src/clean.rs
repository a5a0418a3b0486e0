//! `lglp clean`.

use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::clean::{Cleaning, Decision, Findings};
use lglp_engine::predictor::Recipe;
use lglp_registry::HardwareName;
use lglp_sdk::count;
use lglp_terminal::{actor, print_json, short, table, whole};

use super::Context;

/// Find measurements that a model contradicts, measure them again where the device is at hand, exclude the faulty ones
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp clean --hardware my-box --dry-run\n  \
    lglp clean --hardware my-box\n\n\
    A model that never saw a measurement predicts it, fold by fold. Of those that it contradicts, at most --limit percent of all\n\
    are excluded from training, the worst first. On the machine that they were taken on they are measured again before: what\n\
    comes out the same stays. An excluded measurement is kept and marked; measuring the architecture again brings it back.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Search space [default: the one that the target was measured in].
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
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
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = whole::<u64>().range(2..=100))]
    folds: u64,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        (0.0..=100.0).contains(&args.limit),
        "--limit takes 0 to 100 percent, and was given {}",
        args.limit
    );
    anyhow::ensure!(
        args.threshold > 0.0,
        "--threshold takes a number above 0, and was given {}",
        args.threshold
    );
    let store = context.registry("clean")?.store;
    let recipe = Recipe::load(context.recipes_folder(), &args.recipe)?;
    let spaces = context.spaces()?;
    let host = context.plugins()?;
    let cleaning = Cleaning {
        store: &*store,
        host: &host,
        space: spaces.of_target(&*store, &args.hardware, args.space.as_deref())?,
        spaces: &spaces,
        hardware: &args.hardware,
        recipe: &recipe,
        folds: args.folds as usize,
        threshold: args.threshold,
        limit_percent: args.limit,
    };
    let style = ProgressStyle::with_template("{bar:30} fold {pos}/{len}, {elapsed} eta {eta}")?;
    let bar = ProgressBar::new(args.folds).with_style(style);
    let mut found = cleaning.find(&|| bar.inc(1))?;
    bar.finish_and_clear();
    if !args.dry_run {
        cleaning.settle(&mut found, &actor())?;
    }
    if context.json() {
        return print_json(&found);
    }
    print(args, &found);
    Ok(())
}

fn print(args: &Args, found: &Findings) {
    println!(
        "more than {} deviations from what models that never saw them predict: {} of {}",
        args.threshold,
        found.suspicious,
        count(found.architectures, "measurement")
    );
    if !found.findings.is_empty() {
        let mut rows = table(&[
            "architecture",
            "measured ms",
            "predicted ms",
            "deviations",
            "again ms",
            "decision",
        ]);
        for f in &found.findings {
            rows.add_row([
                short(f.digest.as_str()).to_owned(),
                format!("{:.1}", f.measured_ms),
                format!("{:.1}", f.predicted_ms),
                format!("{:+.1}", f.score),
                f.remeasured_ms.map_or(String::new(), |again| format!("{again:.1}")),
                match f.decision {
                    Decision::Confirmed => "stays: confirmed".into(),
                    Decision::Excluded if args.dry_run && found.at_hand => "would be measured again".into(),
                    Decision::Excluded if args.dry_run => "would be excluded".into(),
                    Decision::Excluded => "excluded".into(),
                },
            ]);
        }
        println!("{rows}");
    }
    if found.suspicious > found.findings.len() {
        println!(
            "left as they are: {}, since at most {} % may be excluded in all (--limit; excluded before: {})",
            found.suspicious - found.findings.len(),
            args.limit,
            found.excluded_before
        );
    }
}
