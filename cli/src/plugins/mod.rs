//! `lglp plugins`.

mod check;
mod install;
mod new;
mod signing;

use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_client::Method;
use lglp_engine::host::{Isolation, PluginInfo};
use lglp_openapi::plugins::Rescanned;
use lglp_sdk::Printable;
use lglp_terminal::{print_json, short, table};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Context;
use crate::context::Opened;

/// List plugins and their components, and why a plugin is unavailable, a server's where one has the registry; begin, check, install, sign one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp plugins\n  \
    lglp plugin new my-encoder --kind encoder                     # a project that builds, in Rust; `--language c` for C\n  \
    lglp plugin check target/release/libmy_encoder.so            # whether it keeps to the contract\n  \
    lglp plugin install target/release/libmy_encoder.so          # into the plugin folder, once it is checked\n  \
    lglp plugin rescan                                           # a running server takes up what is new there\n  \
    lglp plugin keygen -o my.key && lglp plugin sign --key my.key libmine.so\n  \
    lglp plugin check libmine.so --component mine --parameters '{\"depth\": 3}'")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    New(new::Args),
    Check(check::Args),
    Install(install::Args),
    /// Have a server look at its plugin folder anew: new builds that keep to the contract are taken up without a restart, and versions
    /// go on with the builds that they were fitted with.
    Rescan {
        /// Do not check them before: they have been.
        #[arg(long)]
        unchecked: bool,
    },
    Keygen(signing::KeygenArgs),
    Sign(signing::SignArgs),
    Verify(signing::VerifyArgs),
}

#[derive(Deserialize)]
struct List {
    plugins: Vec<PluginInfo>,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Some(Action::New(args)) => new::run(context, args),
        Some(Action::Check(args)) => check::run(context, args),
        Some(Action::Install(args)) => install::run(context, args),
        Some(Action::Rescan { unchecked }) => rescan(context, *unchecked),
        Some(Action::Keygen(args)) => signing::keygen(args),
        Some(Action::Sign(args)) => signing::sign(args),
        Some(Action::Verify(args)) => signing::verify(args, context.trust()),
        None => list(context),
    }
}

fn rescan(context: &Context, unchecked: bool) -> anyhow::Result<()> {
    let server = context.served()?.and_then(Opened::into_server);
    let server =
        server.context("no server has the registry: every command looks at the plugin folder when it begins")?;
    let path = match unchecked {
        true => "/v1/plugins/rescan?unchecked=true",
        false => "/v1/plugins/rescan",
    };
    let bar = spinner()?.with_message("the server checks what is new in its plugin folder");
    let told = server.send(Method::POST, path, &[], &json!({}));
    bar.finish_and_clear();
    let told: Value = told?;
    if context.json() {
        return print_json(&told);
    }
    let Rescanned {
        taken_up,
        gone,
        left,
        unchecked,
    } = serde_json::from_value(told)?;
    for file in &taken_up {
        println!("{} is taken up", Printable::of(file));
    }
    for file in &gone {
        println!("{} is there no more; versions that need it go on", Printable::of(file));
    }
    for (file, why) in &left {
        println!("{} is left: {}", Printable::of(file), Printable::of(why));
    }
    for (file, why) in &unchecked {
        println!("{} was not checked: {}", Printable::of(file), Printable::of(why));
    }
    if taken_up.is_empty() && gone.is_empty() && left.is_empty() {
        println!("nothing is new in the plugin folder of {}", server.base());
    }
    Ok(())
}

/// For what says nothing of how far it is.
fn spinner() -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}

fn list(context: &Context) -> anyhow::Result<()> {
    // A server's, where one has the registry: it is what predicts, and may have been started with another folder.
    let served = context.served()?.and_then(Opened::into_server);
    let list = match &served {
        Some(server) => server.get("/v1/plugins")?,
        None => json!({ "plugins": context.plugins()?.infos() }),
    };
    if context.json() {
        return print_json(&list);
    }
    let List { plugins } = serde_json::from_value(list)?;
    let mut rows = table(&["plugin", "runs in", "kind", "name", "what it is", "revision"]);
    for info in plugins {
        let revision = short(&info.sha256).to_owned();
        let Some(description) = info.description else {
            let reason = info.unavailable.unwrap_or_default();
            let nowhere = String::new();
            rows.add_row([
                info.file,
                nowhere,
                "unavailable".into(),
                String::new(),
                reason,
                revision,
            ]);
            continue;
        };
        let runs_in = match info.isolation {
            Some(Isolation::Process) => "its own process",
            _ => "lglp's process",
        };
        for component in description.components {
            let what = match &info.quarantined {
                Some(reason) => format!("in quarantine: {reason}"),
                None => component.summary,
            };
            let plugin = description.name.clone();
            rows.add_row([
                plugin,
                runs_in.to_owned(),
                component.kind.to_string(),
                component.name,
                what,
                revision.clone(),
            ]);
        }
    }
    println!("{rows}");
    if let Some(server) = served {
        println!("as {} has them", server.base());
    }
    Ok(())
}
