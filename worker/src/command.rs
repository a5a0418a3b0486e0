//! The command line of a worker: `lglp-worker` and `lglp worker`, each with `doctor`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_registry::{HardwareName, WorkerName};
use lglp_sdk::Printable;

use lglp_engine::host::{PluginError, PluginHost};
use lglp_terminal::{Cell, HostOptions, ServerOptions, SetupArgs, print_json, table};

use crate::connection::EventSink;
use crate::doctor::{Examination, Report, Verdict, examine};
use crate::event::Event;
use crate::identity::{default_name, default_state};
use crate::{Options, run as work};

/// What the program was told beside.
pub struct Surroundings<'a> {
    /// How to reach the server: its address, token and authority.
    pub server: &'a ServerOptions,
    /// Which plugins to open, and what they may use of this machine.
    pub host: &'a HostOptions,
    /// Where the owner of this machine says what runtimes may use, unless an option says otherwise.
    pub runtimes: &'a Path,
    /// Whether to print JSON.
    pub json: bool,
}

impl Surroundings<'_> {
    fn plugins(&self) -> anyhow::Result<PluginHost> {
        self.host.open(self.runtimes)
    }
}

/// Measure on this machine for a server elsewhere
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  \
        lglp worker --server http://lglp:8080 --hardware edge-1 --runtime onnxruntime   # creates edge-1\n  \
        lglp worker --server http://lglp:8080 --hardware edge-1   # another day, or one more worker for it\n  \
        lglp worker --server http://lglp:8080 --hardware edge-1-b8 --runtime onnxruntime --batch-size 8\n  \
        lglp worker doctor --server http://lglp:8080 --hardware edge-1\n\n\
        The token, of role worker, goes into LGLP_TOKEN. SIGTERM ends a worker after the architecture in hand; however it\n\
        ends, it loses nothing that it finished. docs/workers.md has the rest."
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<WorkerCommand>,
    /// Hardware target to measure for.
    #[arg(long, value_name = "NAME", required = true)]
    hardware: Option<HardwareName>,
    #[command(flatten)]
    own: OwnArgs,
    /// End when there is no work.
    #[arg(long)]
    once: bool,
}

#[derive(Subcommand)]
enum WorkerCommand {
    Doctor(DoctorArgs),
}

/// Say what this machine can measure, what is missing, and what to do; exit status 1 where it can measure nothing
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp worker doctor\n  \
    lglp worker doctor --server http://lglp:8080 --hardware edge-1 --json\n  \
    lglp worker doctor --runtime tensorrt --set precision=fp16")]
pub(crate) struct DoctorArgs {
    /// Hardware target that is to be measured.
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
    #[command(flatten)]
    own: OwnArgs,
}

#[derive(clap::Args)]
struct OwnArgs {
    /// Name of the worker, which no other has [default: this host's].
    #[arg(long, value_name = "NAME")]
    name: Option<WorkerName>,
    /// Folder where it keeps what is measured until the server has it [default: lglp/worker-NAME in $XDG_STATE_HOME or
    /// ~/.local/state].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    setup: Option<SetupArgs>,
}

impl OwnArgs {
    fn name(&self) -> String {
        self.name.clone().map_or_else(default_name, String::from)
    }

    fn state(&self) -> Option<PathBuf> {
        self.state.clone().or_else(|| default_state(&self.name()))
    }
}

/// Works, or examines this machine.
///
/// # Errors
/// What it cannot go on with; that this machine can measure nothing.
pub fn run(surroundings: &Surroundings<'_>, args: &Args) -> anyhow::Result<()> {
    if let Some(WorkerCommand::Doctor(args)) = &args.command {
        return doctor(surroundings, args);
    }
    let http = surroundings.server.given()?;
    let http = http.context("a worker needs its server; give --server URL, or set LGLP_SERVER")?;
    let state = args.own.state().context("this user has no home; give --state DIR")?;
    let mut host = surroundings.plugins()?;
    let setup = args.own.setup.as_ref().map(|setup| setup.setup(&mut host));
    work(Options {
        http: &http,
        host: &host,
        name: &args.own.name(),
        hardware: args.hardware.clone().expect("clap requires it"),
        setup,
        state: &state,
        once: args.once,
        report: event_sink(surroundings.json)?,
    })?;
    Ok(())
}

/// Between two lines of progress where there is no terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Shows events: a bar and lines on a terminal, lines in a log, objects for programs.
fn event_sink(json: bool) -> anyhow::Result<EventSink> {
    if json {
        return Ok(Arc::new(|event| {
            // What a bar shows a hundred times is no news.
            if !matches!(event, Event::Calibrating { .. }) {
                println!("{}", serde_json::json!(event));
            }
        }));
    }
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {per_sec} eta {eta} {wide_msg}",
    )?);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let said = Mutex::new(None::<Instant>);
    Ok(Arc::new(move |event| {
        let line = || {
            let event = Printable::of(event);
            if bar.is_hidden() {
                eprintln!("{event}");
            } else {
                bar.suspend(|| eprintln!("{event}"));
            }
        };
        match event {
            Event::Calibrating { done, of } => show(&bar, *done, *of, "calibrating the reference network".into()),
            Event::Measured {
                latency_ms,
                half_width,
                done,
                total,
                ..
            } => {
                let last = format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width);
                show(&bar, *done, *total, last);
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                if bar.is_hidden() && said.is_none_or(|said| said.elapsed() >= LOG_INTERVAL) {
                    *said = Some(Instant::now());
                    line();
                }
            }
            Event::Leased { done, total, .. } => {
                line();
                bar.reset();
                show(&bar, *done, *total, String::new());
            }
            Event::Finished { .. } | Event::Released { .. } | Event::LeaseLost { .. } | Event::Failed { .. } => {
                bar.reset();
                line();
            }
            _ => line(),
        }
    }))
}

fn show(bar: &ProgressBar, done: usize, of: usize, message: String) {
    bar.set_length(of as u64);
    bar.set_position(done as u64);
    bar.set_message(message);
}

fn doctor(surroundings: &Surroundings<'_>, args: &DoctorArgs) -> anyhow::Result<()> {
    let http = surroundings.server.given()?;
    let name = args.own.name();
    let mut host = surroundings.plugins();
    let setup = args.own.setup.as_ref().zip(host.as_mut().ok());
    let setup = setup.map(|(setup, host)| setup.setup(host));
    let broken = host.as_ref().err().map(|e| PluginError::Folder(e.to_string()));
    let report = examine(&Examination {
        host: host
            .as_ref()
            .map_err(|_| broken.as_ref().expect("set where there is an error")),
        name: &name,
        hardware: args.hardware.as_ref(),
        setup,
        state: args.own.state(),
        http: http.as_ref(),
    });
    if surroundings.json {
        print_json(&report)?;
    } else {
        print(&report);
    }
    anyhow::ensure!(
        !report.measures_with.is_empty(),
        "this machine can measure nothing as it is"
    );
    Ok(())
}

fn print(report: &Report) {
    let mut rows = table(&["what", "state", "found", "to do"]);
    for finding in &report.findings {
        let verdict = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Missing => "missing",
        };
        rows.add_row([
            Cell::from(&finding.what),
            match finding.verdict {
                Verdict::Warning => Cell::from(verdict),
                _ => Cell::verdict(verdict, finding.verdict == Verdict::Ok),
            },
            Cell::from(&finding.found),
            Cell::from(finding.remedy.as_deref().unwrap_or_default()),
        ]);
    }
    println!("{rows}");
    if !report.measures_with.is_empty() {
        println!("measures with {}", report.measures_with.join(", "));
    }
}
