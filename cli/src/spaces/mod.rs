//! `lglp spaces`.

mod check;
mod new;

use clap::Subcommand;
use lglp_sdk::SearchSpace;
use lglp_terminal::{print_json, table};

use super::Context;

/// List search spaces, a server's where one has the registry; begin one, check one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp spaces\n  \
    lglp space new my-space -o my-space.toml    # one to begin with\n  \
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
    let mut rows = table(&["space", "blocks", "layers", "resolutions", "title"]);
    for space in spaces.iter() {
        let [fewest, most] = layers(space);
        let resolutions = &space.choices.resolution;
        let ends = (resolutions.iter().min(), resolutions.iter().max());
        rows.add_row([
            space.name.clone(),
            space.blocks.len().to_string(),
            format!("{fewest} to {most}"),
            match ends {
                (Some(least), Some(most)) => format!("{} from {least} to {most}", resolutions.len()),
                _ => String::new(),
            },
            space.title.clone(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// Fewest and most layers of an architecture.
fn layers(space: &SearchSpace) -> [usize; 2] {
    let fewest: u32 = space.blocks.iter().filter_map(|block| block.depth.iter().min()).sum();
    [fewest as usize, space.slots()]
}
