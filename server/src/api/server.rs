//! The HTTP server: routes, limits, start and stop.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::dev::{Server, Service};
use actix_web::middleware::from_fn;
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::{App, web};
use anyhow::Context;
use lglp_engine::host::PluginHost;
use lglp_engine::spaces::Spaces;
use lglp_registry::Store;
use tracing_actix_web::TracingLogger;
use utoipa_swagger_ui::SwaggerUi;

use super::budget::Budget;
use super::closing::{self, Closing};
use super::connections::{self, Limits, Places};
use super::heavy::HeavyReads;
use super::method_label::method_label;
use super::metrics::Metrics;
use super::pace::Pace;
use super::places::Places as Listening;
use super::request_id::{self, RequestSpan};
use super::{Access, State, access, compression, document, extract, routes, unrouted};
use crate::allocator;
use crate::compute::{Crew, Desk};
use crate::jobs::{Jobs, Plans, Services};
use crate::serving::{FLUSH_INTERVAL, Serving, Usage};
use crate::webhooks::{Dispatcher, Targets};

/// What the server runs on.
pub struct ServeOptions {
    /// Already bound, so that its address is known before the registry is opened under it.
    pub listener: TcpListener,
    /// The registry, held by this process.
    pub store: Arc<dyn Store>,
    /// The plugins, opened.
    pub host: Arc<PluginHost>,
    /// The search spaces that there are here.
    pub spaces: Arc<Spaces>,
    /// Prediction requests that may wait; beyond it they get 429.
    pub queue_depth: usize,
    /// Folder of the recipes, for training jobs.
    pub recipes: PathBuf,
    /// Jobs that may wait; beyond it they get 429.
    pub job_queue: usize,
    /// Where webhooks may send to.
    pub targets: Arc<Targets>,
    /// Decides who may do what.
    pub access: Access,
    /// Plain HTTP where there is none.
    pub tls: Option<rustls::ServerConfig>,
    /// Connections beyond these are closed at once.
    pub connections: Limits,
    /// How long a call into a plugin may take.
    pub plugin_deadline: Duration,
}

/// Bytes of bodies in flight, and of what parsing makes of them, all requests together.
const BODIES: usize = 512 << 20;

/// How often what is free of the process's memory is given back to the system.
const GIVE_BACK_INTERVAL: Duration = Duration::from_secs(30);

/// Bytes of measurements that are imported in parts, until they are recorded.
const IMPORTS: usize = 768 << 20;

/// Bytes of answers that wait for their readers.
const ANSWERS: usize = 512 << 20;

/// Serves until SIGINT, SIGTERM or SIGQUIT, and ends the process then (`closing.rs`).
///
/// # Errors
/// Where it cannot start.
pub fn serve(options: ServeOptions) -> anyhow::Result<Infallible> {
    let address = options.listener.local_addr().context("the listener has no address")?;
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let serving = Serving::for_server(
        options.store.clone(),
        options.host.clone(),
        options.spaces.clone(),
        options.plugin_deadline,
    )?;
    let crew = Crew::start("predict", cores, Some(options.plugin_deadline))
        .context("cannot start the threads that predict")?;
    let usage = Arc::new(Usage::new(options.store.clone()));
    let services = Services {
        store: options.store.clone(),
        host: options.host.clone(),
        spaces: options.spaces.clone(),
        serving: serving.clone(),
        recipes: options.recipes,
        plans: Plans::default(),
    };
    let jobs = Arc::new(Jobs::start(services, options.job_queue));
    let places = Arc::new(Places::new(options.connections));
    let state = web::Data::new(State {
        store: options.store,
        host: options.host,
        spaces: options.spaces,
        listening: Listening::default(),
        metrics: Metrics::new(serving.counts(), &jobs.queue, &places),
        serving,
        access: options.access,
        usage,
        jobs,
        registrations: Pace::default(),
        targets: options.targets,
        desk: Desk::new(Arc::new(crew), options.queue_depth),
        memory: Budget::new(BODIES),
        imports: Budget::new(IMPORTS),
        answers: Budget::new(ANSWERS),
        heavy: HeavyReads::default(),
        loaded: OnceLock::new(),
    });
    let observer = Box::new(state.metrics.deliveries.clone());
    let webhooks = Dispatcher::start(&state.store, state.targets.clone(), observer);
    let webhooks = webhooks.context("cannot start delivering to webhooks")?;
    let system = actix_web::rt::System::new();
    let closing = Closing(state.clone());
    match system.block_on(run(
        state,
        options.listener,
        address,
        options.tls,
        places,
        closing.clone(),
    )) {
        Ok(()) => closing.end(webhooks),
        Err(error) => closing.fail(&error),
    }
}

async fn run(
    state: web::Data<State>,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<rustls::ServerConfig>,
    places: Arc<Places>,
    closing: Closing,
) -> anyhow::Result<()> {
    let warming = state.clone();
    std::thread::spawn(move || {
        warming.loaded.get_or_init(|| {
            let failed = warming.serving.warm_up().into_iter().map(|(hardware, error)| {
                tracing::error!(%hardware, "the production model cannot be loaded: {error}");
                (hardware.to_string(), error.to_string())
            });
            failed.collect()
        });
    });
    let usage = state.usage.clone();
    let serving = state.serving.clone();
    let (counting, comparing) = (usage.clone(), serving.clone());
    actix_web::rt::spawn(async move {
        loop {
            actix_web::rt::time::sleep(FLUSH_INTERVAL).await;
            let (usage, serving) = (counting.clone(), comparing.clone());
            let _ = web::block(move || {
                usage.flush();
                serving.flush();
            })
            .await;
        }
    });
    actix_web::rt::spawn(async {
        loop {
            actix_web::rt::time::sleep(GIVE_BACK_INTERVAL).await;
            let _ = web::block(allocator::give_back).await;
        }
    });
    let told = signals().context("cannot listen to signals")?;
    let document = document::document();
    let app = move || {
        let metrics = state.clone();
        let answers = state.answers.clone();
        App::new()
            .wrap(from_fn(connections::stay_with_client))
            .wrap(from_fn(access::guard))
            .wrap(from_fn(unrouted::explain))
            .wrap(from_fn(request_id::tell))
            .wrap(TracingLogger::<RequestSpan>::new())
            .wrap(from_fn(super::head::as_get))
            // Outermost, so that it counts what is not admitted, too.
            .wrap_fn(move |request, service| {
                let metrics = metrics.clone();
                let method = method_label(request.method());
                let began = Instant::now();
                let answer = service.call(request);
                async move {
                    let answer = answer.await?;
                    let route = answer.request().match_pattern().unwrap_or_else(|| "none".into());
                    metrics
                        .metrics
                        .note(route, method, answer.status().as_u16(), began.elapsed());
                    Ok(answer)
                }
            })
            .wrap(from_fn(move |request, next| {
                connections::keep_pace(answers.clone(), request, next)
            }))
            // Around it, so that answers are counted as they lie in memory.
            .wrap(from_fn(compression::compress))
            .app_data(state.clone())
            .app_data(web::PathConfig::default().error_handler(extract::path_error))
            .configure(routes::configure)
            .service(
                SwaggerUi::new("/docs/{_:.*}")
                    .url("/openapi.json", document.clone())
                    // As the page sees it, which may lie behind a prefix of paths.
                    .config(utoipa_swagger_ui::Config::new(["../openapi.json"])),
            )
            .service(web::redirect("/docs", "docs/"))
            .route("/", web::get().to(super::root::root))
            .default_service(web::to(unrouted::no_route))
    };
    let server = Server::build()
        .workers(2)
        .shutdown_signal(async move {
            told.await;
            closing.begin();
        })
        .shutdown_timeout(closing::GRACE_S);
    let server = connections::listen(server, listener, tls, places, app);
    let server = server.with_context(|| format!("cannot listen on {address}"))?.run();
    server.await.context("the server failed")
}

/// Waits for a signal that ends the server.
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit()];
    let mut signals = kinds.into_iter().map(signal).collect::<std::io::Result<Vec<_>>>()?;
    Ok(poll_fn(move |context| {
        let told = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if told { Poll::Ready(()) } else { Poll::Pending }
    }))
}
