//! `lglp plugin check`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lglp_engine::host::{self, Asked, ComponentKind, Finding, Purpose, Report, Verdict};
use lglp_sdk::{Printable, SearchSpace};
use lglp_terminal::{Cell, print_json, short, table, whole};
use serde_json::Value;

use crate::Context;

/// Seconds for each check.
const LIMIT: u64 = 60;

/// Say whether a plugin keeps to the contract, each check in a process of its own; fails where it does not. It finds mistakes,
/// not malice: the plugin is run
#[derive(clap::Args)]
pub(super) struct Args {
    /// The plugin's file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The only component to check.
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// Parameters of the component, JSON; settings, if it is a runtime.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    parameters: String,
    /// Seconds for each check.
    #[arg(long, default_value_t = LIMIT, value_name = "S", value_parser = whole::<u64>().range(1..=3600))]
    limit: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let report = args.report(context)?;
    match context.json() {
        true => print_json(&report)?,
        false => print(&report),
    }
    if !report.passed() {
        bail!("{} does not keep to the contract of plugins", args.file.display());
    }
    for (component, reason) in report.unchecked() {
        eprintln!("note: `{component}` was not checked: {}", Printable::of(&reason));
    }
    Ok(())
}

impl Args {
    /// What comes of the checks.
    pub(super) fn report(&self, context: &Context) -> anyhow::Result<Report> {
        let parameters: Value = serde_json::from_str(&self.parameters).context("--parameters: expected JSON")?;
        let program = lglp_terminal::program()?;
        let spaces = spaces(context)?;
        // Regressors that read tables of operators are checked where there is a plugin that makes such.
        let operators = context.plugins().ok();
        let operators = operators.and_then(|host| host.file_of(ComponentKind::Encoder, "operators"));
        let asked = Asked {
            program: &program,
            component: self.component.as_deref(),
            parameters: &parameters,
            spaces: &spaces,
            operators: operators.as_deref(),
            limit: Duration::from_secs(self.limit),
            policy: &context.policy()?,
            purpose: Purpose::Report,
        };
        let bar = super::spinner()?;
        let mut progress = |component: &str, check: &str| bar.set_message(format!("{component} {check}"));
        let report = host::check(&self.file, &asked, &mut progress);
        bar.finish_and_clear();
        Ok(report?)
    }
}

/// The search spaces of the folder, or, where there is no such, those that are shipped: an author need not have them.
fn spaces(context: &Context) -> anyhow::Result<Vec<SearchSpace>> {
    if context.spaces_folder().is_dir() {
        return Ok(context.own_spaces()?.iter().map(|space| (**space).clone()).collect());
    }
    let shipped = SHIPPED.iter().map(|toml| SearchSpace::from_toml(toml));
    Ok(shipped.collect::<Result<_, _>>()?)
}

/// Of `catalog/spaces`.
const SHIPPED: [&str; 8] = [
    include_str!("../../../catalog/spaces/bert.toml"),
    include_str!("../../../catalog/spaces/fbnet.toml"),
    include_str!("../../../catalog/spaces/mobilenetv3.toml"),
    include_str!("../../../catalog/spaces/nas-bench-201.toml"),
    include_str!("../../../catalog/spaces/ofa-mobilenetv3.toml"),
    include_str!("../../../catalog/spaces/ofa-proxyless.toml"),
    include_str!("../../../catalog/spaces/ofa-resnet50.toml"),
    include_str!("../../../catalog/spaces/vit.toml"),
];

pub(super) fn print(report: &Report) {
    if let Some(reason) = &report.unloadable {
        println!("{} cannot be loaded: {}", report.file, Printable::of(reason));
        return;
    }
    if let Some(description) = &report.description {
        let (name, version) = (&description.name, &description.version);
        let said = format!("{name} {version} ({}): {}", short(&report.sha256), description.summary);
        println!("{}", Printable::of(&said));
    }
    for component in &report.components {
        println!("\n{} `{}`", component.kind, component.name);
        let mut rows = table(&["check", "verdict", "what it means", "what was seen"]).with_open_end();
        for finding in &component.findings {
            let Finding {
                check, about, verdict, ..
            } = finding;
            let (word, detail) = match verdict {
                Verdict::Passed(detail) => (Cell::verdict("passed", true), detail),
                Verdict::Warned(detail) => (Cell::head("warning"), detail),
                Verdict::Failed(detail) => (Cell::verdict("FAILED", false), detail),
                Verdict::Skipped(detail) => (Cell::head("skipped"), detail),
            };
            rows.add_row([(*check).into(), word, (*about).into(), detail.as_str().into()]);
        }
        println!("{rows}");
    }
}
