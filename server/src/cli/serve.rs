//! `lglp serve`.

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context as _;
use lglp_registry::{HolderInfo, SledStore};
use tracing_subscriber::EnvFilter;

use super::Context;
use super::webhook::Allow;
use crate::api::{ServeOptions, serve};
use crate::jobs::QUEUE_LIMIT;

/// Serve the REST API: predictions, models, measurements, plugins
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  lglp serve\n  lglp serve --bind 127.0.0.1:9000 --registry /srv/lglp\n\nThe API's pages are at /docs."
)]
pub struct Args {
    /// Address to listen on; loopback only, as long as there are no tokens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Prediction requests that may wait at once; further ones are answered 429.
    #[arg(long, default_value_t = 256, value_name = "N")]
    queue_depth: usize,
    /// Jobs that may wait at once; further ones are answered 429.
    #[arg(long, default_value_t = QUEUE_LIMIT, value_name = "N")]
    job_queue: usize,
    #[command(flatten)]
    allow: Allow,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("LGLP_LOG").unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    anyhow::ensure!(
        args.bind.ip().is_loopback(),
        "{} is reachable from outside, and there are no tokens yet: bind a loopback address, e.g. 127.0.0.1:8080",
        args.bind
    );
    let listener = TcpListener::bind(args.bind).with_context(|| format!("cannot listen on {}", args.bind))?;
    let address = format!("http://{}", listener.local_addr()?);
    let info = HolderInfo {
        address: Some(address.clone()),
        command: "lglp serve".into(),
    };
    let store = SledStore::open(context.registry_folder(), info)?;
    let signal = store.signal();
    let host = context.plugins()?;
    for plugin in host.infos() {
        if let Some(reason) = &plugin.unavailable {
            tracing::warn!("plugin {} is unavailable: {reason}", plugin.file);
        }
    }
    tracing::info!(
        "serving {} on {address}, its pages on {address}/docs",
        context.registry_folder().display()
    );
    serve(ServeOptions {
        listener,
        store: Arc::new(store),
        host: Arc::new(host),
        spaces: Arc::new(context.spaces()?),
        queue_depth: args.queue_depth,
        recipes: context.recipes_folder().clone(),
        job_queue: args.job_queue,
        signal,
        targets: Arc::new(args.allow.targets()),
    })
}
