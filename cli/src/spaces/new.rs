//! `lglp space new`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use lglp_sdk::SearchSpace;

/// A space that is whole, to be changed into another one.
const SCAFFOLD: &str = include_str!("scaffold.toml");

/// Write a search space to begin with
#[derive(clap::Args)]
pub(super) struct Args {
    /// What it is to be called: a-z, 0-9 and '-'.
    name: String,
    /// The file to write; without it, it is printed. One that exists is left as it is.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let text = SCAFFOLD.replacen("\"NAME\"", &format!("{:?}", args.name), 1);
    // A name that no space can have is refused before it is in a file.
    SearchSpace::from_toml(&text)?;
    let Some(path) = &args.output else {
        print!("{text}");
        return Ok(());
    };
    let shown = path.display();
    let mut file = std::fs::File::create_new(path).with_context(|| shown.to_string())?;
    file.write_all(text.as_bytes()).with_context(|| shown.to_string())?;
    println!("written to {shown}; change it, and then: lglp space check {shown}");
    Ok(())
}
