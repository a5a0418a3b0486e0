//! `lglp space new`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use lglp_sdk::SearchSpace;

/// What a space is of.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Stages of inverted residuals, as in MobileNetV3.
    Chain,
    /// Decisions, and blocks of steps that they make networks of.
    Blocks,
    /// Decisions alone; networks are made elsewhere.
    Choices,
}

impl Kind {
    /// A space that is whole, to be changed into another one.
    fn scaffold(self) -> &'static str {
        match self {
            Self::Chain => include_str!("scaffolds/chain.toml"),
            Self::Blocks => include_str!("scaffolds/blocks.toml"),
            Self::Choices => include_str!("scaffolds/choices.toml"),
        }
    }
}

/// Write a search space to begin with
#[derive(clap::Args)]
pub(super) struct Args {
    /// What it is to be called: a-z, 0-9 and '-'.
    name: String,
    /// What it is to be of.
    #[arg(long, value_enum, default_value = "chain")]
    kind: Kind,
    /// The file to write; without it, it is printed. One that exists is left as it is.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let text = args
        .kind
        .scaffold()
        .replacen("\"NAME\"", &format!("{:?}", args.name), 1);
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
