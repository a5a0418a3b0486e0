//! `lglp sample`.

use lglp_engine::measure::visit_plan;
use lglp_terminal::whole;

use super::Context;

/// Draw random architectures of a search space, one a line
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp sample --space mobilenetv3 --count 1000                    # evenly over depth x resolution\n  \
    lglp sample --space mobilenetv3 --count 1000 --weighted 500     # and 500 more, weighted to the large ones\n  \
    lglp sample --space mobilenetv3 --count 100 | lglp predict --hardware xeon-1t -\n\n\
    These are the architectures that `lglp measure` measures with the same --count, --weighted and --seed.")]
pub(crate) struct Args {
    #[arg(long)]
    space: String,
    /// Draws that cover every pair of depth and resolution equally often; in a space of decisions, every choice of each.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<usize>())]
    count: usize,
    /// Further draws, in proportion to depth times resolution, or with more of large numbers: they fill the long end of the latencies.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<usize>())]
    weighted: usize,
    /// The same seed gives the same architectures; more of them begin with the same ones.
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>())]
    seed: u64,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let spaces = context.spaces()?;
    let space = spaces.get(&args.space)?;
    visit_plan(space, args.seed, args.count, args.weighted, &mut |_, architecture| {
        if context.json() {
            println!("{}", space.architecture_to_json(&architecture));
        } else {
            println!("{}", space.canonical_text(&architecture));
        }
    });
    Ok(())
}
