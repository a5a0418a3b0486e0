//! Programs that stay, so that their start is paid once. One that ends in the middle is started anew, told its network
//! again, and asked again; one that is late or talks nonsense is killed, and the next call starts it anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lglp_sdk::Printable;
use lglp_sdk::plugin::{PluginError, Sample};
use serde_json::{Map, Value, json};

use crate::files::Network;
use crate::parse::{SamplesAnswer, facts};
use crate::plan::Plan;
use crate::process::{Process, Silence};
use crate::template::Values;
use crate::{Facts, same_facts};

pub(crate) struct Persistent {
    plan: Plan,
    values: Values,
    facts: Facts,
    running: Mutex<Running>,
    networks: AtomicU64,
}

/// The process that answers at present.
#[derive(Default)]
struct Running {
    process: Option<Process>,
    /// Starts so far: networks that an earlier process had loaded are not loaded in this one.
    starts: u64,
}

/// A network that the program has loaded, or will be told to load when it is to run.
pub(crate) struct Loaded {
    persistent: Arc<Persistent>,
    network: Network,
    id: u64,
    /// The start in which it was loaded.
    start: u64,
}

/// Why a question has no good answer.
enum Refusal {
    /// The process is of no use any more.
    Silence(Silence),
    /// It answered, with an error or with what is no answer to be used; it may be asked again.
    Error(PluginError),
}

impl From<Silence> for Refusal {
    fn from(silence: Silence) -> Self {
        Self::Silence(silence)
    }
}

impl Persistent {
    /// Starts the program and asks it what it is.
    pub(crate) fn open(plan: Plan, values: Values) -> Result<(Self, Facts), PluginError> {
        let mut persistent = Self {
            plan,
            values,
            facts: Facts::new(),
            running: Mutex::default(),
            networks: AtomicU64::new(1),
        };
        let mut process = persistent.start()?;
        persistent.facts = persistent.described(&mut process).map_err(PluginError::from)?;
        persistent.running = Mutex::new(Running {
            process: Some(process),
            starts: 1,
        });
        let facts = persistent.facts.clone();
        Ok((persistent, facts))
    }

    /// Writes a network's file and has it loaded.
    pub(crate) fn load(self: &Arc<Self>, onnx: &[u8]) -> Result<Loaded, PluginError> {
        let mut loaded = Loaded {
            persistent: self.clone(),
            network: Network::write(onnx)?,
            id: self.networks.fetch_add(1, Ordering::Relaxed),
            start: 0,
        };
        loaded.ask(|_, _| Ok(()))?;
        Ok(loaded)
    }

    fn start(&self) -> Result<Process, PluginError> {
        Process::start(self.plan.start(&self.plan.command, &self.values))
    }

    fn described(&self, process: &mut Process) -> Result<Facts, Refusal> {
        let answer = self.question(process, &json!({ "describe": true }), "described", None)?;
        match answer.get("described") {
            Some(Value::Object(told)) => Ok(facts(told)),
            _ => Err(process
                .faulty("answered describe without an object in `described`")
                .into()),
        }
    }

    /// Asks, and looks whether the answer is one to this question: it repeats the network's number under `name`.
    fn question(
        &self,
        process: &mut Process,
        question: &Value,
        name: &str,
        id: Option<u64>,
    ) -> Result<Map<String, Value>, Refusal> {
        let answer = process.ask(question, self.time_limit())?;
        if let Some(error) = answer.get("error") {
            let reason = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            let reason = Printable::of(reason);
            let message = format!("the program answered {question} with an error: {reason}");
            return Err(Refusal::Error(PluginError::Failed(message)));
        }
        let fits = match id {
            Some(id) => answer.get(name).and_then(Value::as_u64) == Some(id),
            None => answer.contains_key(name),
        };
        if fits {
            return Ok(answer);
        }
        let wanted = id.map_or_else(|| format!("{name:?}"), |id| format!("{{\"{name}\": {id}}}"));
        let got = Value::Object(answer).to_string();
        let got = Printable::of(crate::parse::shortened(&got));
        let what = format!("answered {question} with {got}; expected {wanted} in it");
        Err(process.faulty(&what).into())
    }

    fn time_limit(&self) -> Duration {
        self.plan.time_limit
    }
}

impl Loaded {
    pub(crate) fn run(&mut self, runs: usize) -> Result<Vec<Sample>, PluginError> {
        self.ask(|loaded, process| {
            let question = json!({ "run": loaded.id, "repetitions": runs });
            let mut answer = loaded.persistent.question(process, &question, "ran", Some(loaded.id))?;
            // It was compared above; the rest is what a program that is started once would answer.
            answer.remove("ran");
            let told: Result<SamplesAnswer, _> = serde_json::from_value(Value::Object(answer));
            let samples = told.map_err(|e| e.to_string()).and_then(|answer| answer.samples());
            samples.map_err(|reason| {
                let program = &loaded.persistent.plan.program(&loaded.persistent.values);
                Refusal::Error(PluginError::Failed(format!(
                    "{program}: the answer to {question}: {reason}"
                )))
            })
        })
    }

    /// Does something with a process that has the network loaded; once more with a new one where the first one ended.
    fn ask<T>(&mut self, act: impl Fn(&Self, &mut Process) -> Result<T, Refusal>) -> Result<T, PluginError> {
        let persistent = self.persistent.clone();
        // Whoever panicked with it left a process whose answers are matched with their questions.
        let mut running = persistent.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ended_before = false;
        loop {
            let refusal = match self.attempt(&mut running, &act) {
                Ok(done) => return Ok(done),
                Err(Refusal::Error(error)) => return Err(error),
                Err(Refusal::Silence(silence)) => silence,
            };
            running.process = None;
            match refusal {
                Silence::Ended(_) if !ended_before => ended_before = true,
                other => return Err(Refusal::Silence(other).into()),
            }
        }
    }

    fn attempt<T>(
        &mut self,
        running: &mut Running,
        act: impl Fn(&Self, &mut Process) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let persistent = self.persistent.clone();
        if running.process.is_none() {
            let mut process = persistent.start().map_err(Refusal::Error)?;
            let facts = persistent.described(&mut process)?;
            same_facts(&persistent.facts, &facts).map_err(Refusal::Error)?;
            running.starts += 1;
            running.process = Some(process);
        }
        let process = running.process.as_mut().expect("started above");
        if self.start != running.starts {
            let question = json!({ "load": self.network.onnx(), "id": self.id });
            persistent.question(process, &question, "loaded", Some(self.id))?;
            self.start = running.starts;
        }
        act(self, process)
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let mut running = self.persistent.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.start != running.starts {
            return;
        }
        let Some(process) = &mut running.process else { return };
        let question = json!({ "unload": self.id });
        let answer = self.persistent.question(process, &question, "unloaded", Some(self.id));
        // One that cannot even forget is started anew for the next.
        if answer.is_err() {
            running.process = None;
        }
    }
}

impl From<Refusal> for PluginError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Silence(Silence::Ended(reason) | Silence::Faulty(reason)) => Self::Failed(reason),
            Refusal::Error(error) => error,
        }
    }
}
