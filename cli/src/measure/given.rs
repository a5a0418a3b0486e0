//! Networks that are measured by themselves.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::measure::Plan;
use lglp_engine::networks::{GivenNetwork, RandomNetwork, is_named_onnx};
use lglp_registry::{Digest, Registry, canonical_json};
use lglp_sdk::{Architecture, Printable, Sampler, SearchSpace};
use lglp_terminal::whole;

/// Networks of no search space.
#[derive(clap::Args)]
#[group(id = "given", multiple = false)]
pub(super) struct Given {
    /// ONNX files, or folders of such: they are recorded by what they compute, and keep their names. Where `--space` says nothing of
    /// networks, each file is that of the architecture that it is named by.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["count", "weighted", "seed"])]
    onnx: Vec<PathBuf>,
    /// So many random networks, finished ones included, of the operators that real ones use: they teach what any network takes.
    #[arg(long, value_name = "N", value_parser = whole::<usize>().range(1..), conflicts_with_all = ["count", "weighted", "seed"])]
    random: Option<usize>,
}

impl Given {
    /// Whether they are drawn here.
    pub(super) fn are_random(&self) -> bool {
        self.random.is_some()
    }

    /// Whether there are any, drawn or in files.
    pub(super) fn are_given(&self) -> bool {
        self.are_random() || !self.onnx.is_empty()
    }

    /// The networks, each read once to be told apart; `None` where architectures are to be measured.
    ///
    /// # Errors
    /// Where no file is a network, and for a folder without any file of that name.
    pub(super) fn networks(&self) -> anyhow::Result<Option<Vec<GivenNetwork>>> {
        if let Some(count) = self.random {
            let bar = bar(count)?;
            let drawn = RandomNetwork::sequence().take(count).map(|network| {
                bar.inc(1);
                GivenNetwork::random(network)
            });
            let networks = drawn.collect::<Result<_, _>>()?;
            bar.finish_and_clear();
            return Ok(Some(networks));
        }
        if self.onnx.is_empty() {
            return Ok(None);
        }
        files(&self.onnx).map(Some)
    }
}

/// The networks of files, and of those in folders, each read once to be told apart. One that cannot be read costs no other.
///
/// # Errors
/// Where no file is a network, and for a folder without any file of that name.
pub(crate) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<GivenNetwork>> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(if path.is_dir() {
            of_folder(path)?
        } else {
            vec![path.clone()]
        });
    }
    let bar = bar(files.len())?;
    let (mut networks, mut unusable) = (Vec::new(), Vec::new());
    for path in &files {
        match GivenNetwork::file(path) {
            Ok(network) => networks.push(network),
            Err(error) => unusable.push(error),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    for error in &unusable {
        eprintln!("left out: {}", Printable::of(&error.to_string()));
    }
    anyhow::ensure!(!networks.is_empty(), "there is no network left to measure");
    Ok(networks)
}

/// Stores networks where jobs find them, without their weights; the plan that names them.
///
/// # Errors
/// Where a network cannot be read any more, and what the registry refuses.
pub(crate) fn sent(store: &dyn Registry, networks: &[GivenNetwork]) -> anyhow::Result<Digest> {
    let style = ProgressStyle::with_template("sending networks {bar:30} {pos}/{len} {per_sec} eta {eta}")?;
    let bar = ProgressBar::new(networks.len() as u64).with_style(style);
    for network in networks {
        store.put_blob(&network.structure()?)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(store.put_blob(&canonical_json(&Plan::of_networks(networks))?)?)
}

/// The architectures of a space that files are named by. One whose name is none costs no other.
///
/// # Errors
/// Where no name is.
pub(super) fn named(
    space: &SearchSpace,
    networks: Vec<GivenNetwork>,
) -> anyhow::Result<Vec<(Architecture, GivenNetwork)>> {
    let mut named = Vec::with_capacity(networks.len());
    for network in networks {
        match space.architecture_from_text(network.name()) {
            Ok(architecture) => named.push((architecture, network)),
            Err(error) => {
                let problem = format!(
                    "{}: its name is no architecture of `{}`: {error}",
                    network.name(),
                    space.name()
                );
                eprintln!("left out: {}", Printable::of(&problem));
            }
        }
    }
    let example = Sampler::new(space, 0).next().map(|one| space.canonical_text(&one));
    anyhow::ensure!(
        !named.is_empty(),
        "`{}` says nothing of networks, so that files are named by their architecture, such as {}.onnx; none is",
        space.name(),
        example.unwrap_or_default()
    );
    Ok(named)
}

/// The ONNX files of a folder, by name.
fn of_folder(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown = || folder.display().to_string();
    let entries = std::fs::read_dir(folder).with_context(shown)?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()
        .with_context(shown)?;
    files.retain(|path| is_named_onnx(path));
    anyhow::ensure!(!files.is_empty(), "no ONNX file (*.onnx) in {}", shown());
    files.sort();
    Ok(files)
}

fn bar(count: usize) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("reading networks {bar:30} {pos}/{len} {per_sec} eta {eta}")?;
    Ok(ProgressBar::new(count as u64).with_style(style))
}
