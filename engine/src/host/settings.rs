//! How this machine's owner has plugins run: in this process or in ones of their own, and what those may use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{PluginError, owned};

/// Name of the file, where it lies beside the registry.
pub const FILE: &str = "plugins.toml";

/// The list of what ships with lglp: digests and names of files, as `sha256sum` writes them, in the folder beside the program.
const SHIPPED: &str = "SHA256SUMS";

/// What a fit may be given, seconds: 30 days.
const LONGEST_FIT_S: u64 = 30 * 24 * 3600;

/// In which process a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// In this one: a crash of it is a crash of the server.
    InProcess,
    /// In processes of its own.
    Process,
}

/// How one plugin runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// In which process.
    pub isolation: Isolation,
    /// Whether its processes may open no files but those that programs need, start nothing and reach nobody.
    pub sandbox: bool,
    /// Whether its runtimes, too, may do no more: those that ship with lglp need their device, and what drives that.
    pub sandboxed_runtimes: bool,
    /// Memory of each of its processes, MiB.
    pub memory_mib: u64,
    /// Memory that each shares with the host, for inputs and outputs, MiB; what is not used takes none.
    pub shared_mib: u64,
    /// A fitted state of it, MiB.
    pub state_mib: u64,
    /// Processors that its processes run on; 0: all.
    pub cores: usize,
    /// Processes at once, for calls.
    pub processes: usize,
    /// Time for a call, seconds; none: that of the server.
    pub deadline_s: Option<f64>,
    /// Time between two signs of life of a fit, seconds.
    pub fit_s: u64,
    /// Time for a fit at most, whatever it says, seconds; not less than `fit_s`.
    pub fit_total_s: u64,
    /// Folders and files that it may read beside those that programs need.
    pub read: Vec<String>,
    /// The interpreter of plugins that are Python programs.
    pub python: String,
}

/// A table of the file: what it says of a plugin, or of all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    isolation: Option<Isolation>,
    sandbox: Option<bool>,
    memory_mib: Option<u64>,
    shared_mib: Option<u64>,
    state_mib: Option<u64>,
    cores: Option<usize>,
    processes: Option<usize>,
    deadline_s: Option<f64>,
    fit_s: Option<u64>,
    fit_total_s: Option<u64>,
    read: Option<Vec<String>>,
    python: Option<String>,
}

/// What a machine's owner says of all plugins.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// By the names of their files; `default` is of those that do not ship with lglp.
    said: BTreeMap<String, Said>,
    /// In which process plugins run that have no table of their own.
    everywhere: Option<Isolation>,
    /// Digests of the plugins that ship with lglp.
    shipped: BTreeSet<String>,
    python: Option<String>,
}

impl Policy {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// `Machine`, naming the file and what is wrong in it; also where everybody may write it.
    pub fn load(file: Option<&Path>) -> Result<Self, PluginError> {
        let said: BTreeMap<String, Said> = match file {
            Some(file) => owned::load(file, "says in which process plugins run")?,
            None => BTreeMap::new(),
        };
        for (name, said) in &said {
            if let Some(why) = said.fault() {
                let file = file.unwrap_or(Path::new(FILE));
                return Err(owned::fault(file, &format!("[{name}]: {why}")));
            }
        }
        Ok(Self {
            said,
            ..Self::default()
        })
    }

    /// The same, where plugins without a table of their own run in this kind of process.
    #[must_use]
    pub fn everywhere(mut self, isolation: Option<Isolation>) -> Self {
        self.everywhere = isolation;
        self
    }

    /// The same, where everything runs in processes of its own.
    #[must_use]
    pub(super) fn apart(mut self) -> Self {
        self.everywhere = Some(Isolation::Process);
        self.said.values_mut().for_each(|said| said.isolation = None);
        self
    }

    /// The same with another interpreter for plugins that are Python programs.
    #[must_use]
    pub fn python(mut self, interpreter: Option<String>) -> Self {
        self.python = interpreter;
        self
    }

    /// The same, where the plugins of this folder's list ship with lglp.
    #[must_use]
    pub fn shipping(mut self, folder: &Path) -> Self {
        // Where there is no list, nothing does.
        let list = std::fs::read_to_string(folder.join(SHIPPED)).unwrap_or_default();
        let digests = list.lines().filter_map(|line| line.split_whitespace().next());
        self.shipped = digests.map(|digest| format!("sha256:{digest}")).collect();
        self
    }

    /// How a plugin runs.
    pub(super) fn of(&self, file: &str, sha256: &str) -> Settings {
        let nothing = Said::default();
        let own = self.said.get(file).unwrap_or(&nothing);
        let default = self.said.get("default").unwrap_or(&nothing);
        let ships = self.shipped.contains(sha256);
        let shipped = ships.then_some(Isolation::InProcess);
        let isolation = own.isolation.or(self.everywhere).or(shipped).or(default.isolation);
        let fit_s = own.fit_s.or(default.fit_s).unwrap_or(1800);
        let python = own.python.clone().or_else(|| default.python.clone());
        Settings {
            isolation: isolation.unwrap_or(Isolation::Process),
            sandbox: own.sandbox.or(default.sandbox).unwrap_or(true),
            sandboxed_runtimes: own.sandbox.unwrap_or(!ships && default.sandbox.unwrap_or(true)),
            memory_mib: own.memory_mib.or(default.memory_mib).unwrap_or(4096),
            shared_mib: own.shared_mib.or(default.shared_mib).unwrap_or(1024),
            state_mib: own.state_mib.or(default.state_mib).unwrap_or(256),
            cores: own.cores.or(default.cores).unwrap_or(1),
            processes: own.processes.or(default.processes).unwrap_or(4),
            deadline_s: own.deadline_s.or(default.deadline_s),
            fit_s,
            fit_total_s: own.fit_total_s.or(default.fit_total_s).unwrap_or(24 * 3600).max(fit_s),
            read: [&default.read, &own.read]
                .into_iter()
                .flatten()
                .flatten()
                .cloned()
                .collect(),
            python: python
                .or_else(|| self.python.clone())
                .unwrap_or_else(|| "python3".to_owned()),
        }
    }
}

impl Said {
    fn fault(&self) -> Option<String> {
        let of = |name: &str, value: Option<u64>, least: u64, most: u64| {
            let value = value.filter(|value| !(least..=most).contains(value))?;
            Some(format!("{name} is {value}: from {least} to {most}"))
        };
        let wide = |value: Option<usize>| value.map(|value| value as u64);
        of("memory_mib", self.memory_mib, 64, 1 << 30)
            .or_else(|| of("shared_mib", self.shared_mib, 16, 1 << 20))
            .or_else(|| of("state_mib", self.state_mib, 1, 1 << 10))
            .or_else(|| of("cores", wide(self.cores), 0, 4096))
            .or_else(|| of("processes", wide(self.processes), 1, 256))
            .or_else(|| of("fit_s", self.fit_s, 1, LONGEST_FIT_S))
            .or_else(|| of("fit_total_s", self.fit_total_s, self.fit_s.unwrap_or(1), LONGEST_FIT_S))
            .or_else(|| {
                let seconds = self.deadline_s.filter(|seconds| !(0.01..=86_400.0).contains(seconds))?;
                Some(format!("deadline_s is {seconds}: from 0.01 to 86400"))
            })
    }
}
