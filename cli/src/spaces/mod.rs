//! `lglp spaces`.

mod check;
mod new;

use clap::Subcommand;
use lglp_sdk::{ChainSpace, SearchSpace, count};
use lglp_terminal::{print_json, table};

use super::Context;

/// List search spaces, a server's where one has the registry; begin one, check one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp spaces\n  \
    lglp space new my-space -o my-space.toml    # one to begin with: stages of inverted residuals\n  \
    lglp space new my-space --kind blocks -o my-space.toml    # any blocks; `--kind choices` for networks that are made elsewhere\n  \
    lglp space check my-space.toml              # what is wrong, or how many networks there are and what they compute")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    New(new::Args),
    Check(check::Args),
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Some(Action::New(args)) => new::run(args),
        Some(Action::Check(args)) => check::run(context, args),
        None => list(context),
    }
}

fn list(context: &Context) -> anyhow::Result<()> {
    let spaces = context.spaces()?;
    if context.json() {
        let all: Vec<_> = spaces.iter().map(|s| &**s).collect();
        return print_json(&all);
    }
    let mut rows = table(&["space", "architectures", "structure", "title"]);
    for space in spaces.iter() {
        rows.add_row([
            space.name().to_owned(),
            format!("some 10^{:.0}", space.architectures_log10()),
            structure(space),
            space.title().to_owned(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// What an architecture consists of, in words: `5 to 15 layers, 25 resolutions from 128 to 224`.
fn structure(space: &SearchSpace) -> String {
    let Some(chain) = space.chain() else {
        let networks = if space.has_networks() { "" } else { ", no networks" };
        return format!("{}{networks}", space.shape());
    };
    let layers = match layers(chain) {
        [fewest, most] if fewest == most => count(most, "layer"),
        [fewest, most] => format!("{fewest} to {most} layers"),
    };
    let resolutions = &chain.choices.resolution;
    match (resolutions.iter().min(), resolutions.iter().max()) {
        (Some(least), Some(most)) if least < most => {
            format!("{layers}, {} resolutions from {least} to {most}", resolutions.len())
        }
        (Some(only), _) => format!("{layers}, resolution {only}"),
        _ => layers,
    }
}

/// Fewest and most layers of an architecture.
fn layers(chain: &ChainSpace) -> [usize; 2] {
    let fewest: u32 = chain.blocks.iter().filter_map(|block| block.depth.iter().min()).sum();
    [fewest as usize, chain.slots()]
}
