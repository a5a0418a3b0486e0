//! `lglp serve`.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use lglp_client::tls;
use lglp_registry::{Error, HolderInfo, SledStore, holder};
use lglp_server::api::{Access, Limits, ServeOptions, document, serve};
use lglp_server::jobs::QUEUE_LIMIT;
use lglp_server::{allocator, log};
use lglp_terminal::whole;

use super::webhook::Allow;
use super::{Context, files};

/// Seconds that a call into a plugin may take, unless told otherwise: a call is one of some milliseconds.
const PLUGIN_DEADLINE_S: u32 = 10;

/// Seconds that a connection may be silent, unless told otherwise: usual balancers keep theirs for 60, and send their next request on
/// one that is about to be closed where the server waits no longer than they do.
const KEEP_ALIVE_S: u32 = 75;

/// Serve the REST API: predictions, models, measurements, plugins
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp serve\n  \
    lglp serve --bind 127.0.0.1:9000 --registry /srv/lglp\n  \
    lglp token create --name ann --role admin && lglp serve --bind 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem\n\n\
    The API's pages are at /docs.")]
pub(crate) struct Args {
    /// Address to listen on; loopback only, as long as there are no tokens (see `lglp token create --help`).
    #[arg(long, default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Prediction requests that may wait at once; further ones are answered 429.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = whole::<usize>().range(1..))]
    queue_depth: usize,
    /// Jobs that may wait at once; further ones are answered 429.
    #[arg(long, default_value_t = QUEUE_LIMIT, value_name = "N", value_parser = whole::<usize>().range(1..))]
    job_queue: usize,
    /// Connections that may be open at once; further ones are closed.
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = whole::<u32>().range(1..=100_000))]
    connections: u32,
    /// Connections from one address (of IPv6, one /64 network). Behind a proxy all clients have the proxy's: give as many as
    /// --connections then.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = whole::<u32>().range(1..))]
    connections_per_address: u32,
    /// How long a connection may be silent after an answer, seconds. Give more than what a balancer before the server keeps its own
    /// connections for, or it answers 502 now and then.
    #[arg(long, default_value_t = KEEP_ALIVE_S, value_name = "SECONDS", value_parser = whole::<u32>().range(1..=3600))]
    keep_alive: u32,
    /// How long a call into a plugin may take, seconds. One that takes longer is given up: its request is answered 504, and the
    /// plugin is asked nothing more until the call has come back. Loading a model may take three times as long.
    #[arg(long, default_value_t = PLUGIN_DEADLINE_S, value_name = "SECONDS", value_parser = whole::<u32>().range(1..=3600))]
    plugin_deadline: u32,
    #[command(flatten)]
    allow: Allow,
    /// Serve HTTPS with this certificate: PEM, the server's own first, then its chain. Read once, at the start.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key: PEM, not encrypted.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    allocator::share_heaps();
    log::start()?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::server_config(certificate, key)?),
        _ => None,
    };
    // Before anything else: where a plugin ends this process, it starts anew without it.
    let host = context.plugins()?;
    host.limit_calls(Duration::from_secs(args.plugin_deadline.into()));
    let spaces = Arc::new(context.own_spaces()?);
    let listener = listen(args.bind, context.registry_folder())?;
    let listening = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://{}", reachable(listening));
    let info = HolderInfo {
        address: Some(address.clone()),
        command: "lglp serve".into(),
    };
    let store = SledStore::open(context.registry_folder(), info)?;
    let exposed = !args.bind.ip().is_loopback();
    let access = Access::new(&document(), &store, exposed)?;
    if exposed {
        anyhow::ensure!(
            access.tokens.any_active(),
            no_tokens(args.bind, context.registry_folder())
        );
        if tls.is_none() {
            tracing::warn!(
                "tokens travel unencrypted to {}; give --tls-cert and --tls-key",
                args.bind
            );
        }
    }
    for plugin in host.infos() {
        if let Some(reason) = &plugin.unavailable {
            tracing::warn!("plugin {} is unavailable: {reason}", plugin.file);
        }
    }
    tracing::info!(
        "serving {} on {listening}, its pages on {address}/docs",
        context.registry_folder().display()
    );
    let ended = serve(ServeOptions {
        listener,
        store: Arc::new(store),
        host: Arc::new(host),
        spaces,
        queue_depth: args.queue_depth,
        recipes: context.recipes_folder().clone(),
        job_queue: args.job_queue,
        targets: Arc::new(args.allow.targets()),
        access,
        tls,
        connections: Limits {
            in_all: files::allow_for(args.connections as usize),
            per_address: args.connections_per_address as usize,
            keep_alive: Duration::from_secs(args.keep_alive.into()),
        },
        plugin_deadline: Duration::from_secs(args.plugin_deadline.into()),
    })?;
    match ended {}
}

/// Listens, unless another process has the registry open: that is what there is to say then, and not that its address is taken.
fn listen(bind: SocketAddr, registry: &Path) -> anyhow::Result<TcpListener> {
    let free = || match holder(registry)? {
        None => Ok(()),
        holder => Err(Error::Locked {
            dir: registry.to_owned(),
            holder,
        }),
    };
    free()?;
    match TcpListener::bind(bind) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            // The other one may have begun a moment ago.
            free()?;
            anyhow::bail!("another program listens on {bind}; give another address by --bind")
        }
        bound => bound.with_context(|| format!("cannot listen on {bind}")),
    }
}

/// Where programs on this machine reach a listener: one on all addresses is on the loopback address, too.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

fn no_tokens(bind: SocketAddr, registry: &Path) -> String {
    format!(
        "{bind} is reachable from outside, and the registry has no active token; create one first:\n  \
         lglp token create --name admin --role admin --registry {}\nor bind a loopback address, e.g. 127.0.0.1:8080",
        registry.display()
    )
}
