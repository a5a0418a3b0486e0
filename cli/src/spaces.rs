//! `lglp spaces`.

use lglp_terminal::{print_json, table};

use super::Context;

/// List search spaces; a server's where one has the registry
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(context: &Context, _: &Args) -> anyhow::Result<()> {
    let spaces = context.spaces()?;
    if context.json() {
        let all: Vec<_> = spaces.iter().map(|s| &**s).collect();
        return print_json(&all);
    }
    let mut rows = table(&["space", "blocks", "layers", "resolutions", "title"]);
    for space in spaces.iter() {
        let fewest: u32 = space.blocks.iter().filter_map(|b| b.depth.iter().min()).sum();
        let resolutions = &space.choices.resolution;
        let ends = (resolutions.iter().min(), resolutions.iter().max());
        rows.add_row([
            space.name.clone(),
            space.blocks.len().to_string(),
            format!("{fewest} to {}", space.slots()),
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
