//! Where plugins are, and what of this machine they may use, as options.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lglp_engine::host::{Isolation, Machine, PluginHost, Policy, SETTINGS_FILE, Trust};

use crate::whole;

/// Options that the plugin host is set up by.
#[derive(clap::Args)]
pub struct HostOptions {
    /// Folder of the plugins [default: `plugins` beside this program].
    #[arg(long, global = true, env = "LGLP_PLUGINS", value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// File in which the owner of this machine names the programs, libraries and files that runtimes use here
    /// [default: `runtimes.toml` beside the registry's folder, where there is one].
    #[arg(long, global = true, env = "LGLP_RUNTIMES", value_name = "FILE")]
    runtimes: Option<PathBuf>,
    /// File that says which plugins are loaded, by their digests or by the keys that signed them [default: all that are in the
    /// folder].
    #[arg(long, global = true, env = "LGLP_TRUST", value_name = "FILE")]
    trust: Option<PathBuf>,
    /// File in which the owner of this machine says how plugins run [default: `plugins.toml` beside the registry's folder, where there
    /// is one].
    #[arg(long, global = true, env = "LGLP_PLUGIN_SETTINGS", value_name = "FILE")]
    plugin_settings: Option<PathBuf>,
    /// Where plugins run of which that file says nothing: in this process, where a crash of one is a crash of all, or in processes of
    /// their own [default: in this one those that ship with lglp, in processes of their own all others].
    #[arg(long, global = true, env = "LGLP_ISOLATION", value_name = "WHERE")]
    isolation: Option<WhereOption>,
    /// The interpreter of plugins that are Python programs [default: python3].
    #[arg(long, global = true, env = "LGLP_PYTHON", value_name = "PROGRAM")]
    python: Option<String>,
    /// Memory that a network which is measured may take on this machine, MiB [default: half of what is left when it is
    /// measured]. Larger batches are refused.
    #[arg(long, global = true, env = "LGLP_NETWORK_MEMORY", value_name = "MIB", value_parser = whole::<u32>())]
    network_memory: Option<u32>,
}

/// Where plugins run.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum WhereOption {
    /// In this process.
    InProcess,
    /// In processes of their own.
    Process,
}

impl From<WhereOption> for Isolation {
    fn from(option: WhereOption) -> Self {
        match option {
            WhereOption::InProcess => Self::InProcess,
            WhereOption::Process => Self::Process,
        }
    }
}

/// This program, which is started to load plugins before this process does.
///
/// # Errors
/// Where it is not to be found.
pub fn program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program, to probe plugins with")
}

impl HostOptions {
    /// The file that says which plugins are loaded, if one does.
    pub fn trust(&self) -> Option<&Path> {
        self.trust.as_deref()
    }

    /// Where the plugins lie.
    ///
    /// # Errors
    /// Where this program is not to be found, beside which they lie.
    pub fn folder(&self) -> anyhow::Result<PathBuf> {
        match &self.plugins {
            Some(folder) => Ok(folder.clone()),
            None => Ok(program()?.with_file_name("plugins")),
        }
    }

    /// How plugins run; `usual` is where that is said, unless an option says otherwise.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn policy(&self, usual: &Path) -> anyhow::Result<Policy> {
        let usual = usual.exists().then_some(usual);
        let policy = Policy::load(self.plugin_settings.as_deref().or(usual))?;
        let shipped = program()?.with_file_name("plugins");
        Ok(policy
            .shipping(&shipped)
            .everywhere(self.isolation.map(Isolation::from))
            .python(self.python.clone()))
    }

    /// Opens every plugin, with what the owner of this machine decided of its runtimes. `runtimes`: where that stands, unless an
    /// option says otherwise; it may be missing.
    ///
    /// # Errors
    /// Where the folder or the file cannot be read.
    pub fn open(&self, runtimes: &Path) -> anyhow::Result<PluginHost> {
        let program = program()?;
        let trust = self
            .trust
            .as_deref()
            .map_or_else(|| Ok(Trust::default()), Trust::load)?;
        let policy = self.policy(&runtimes.with_file_name(SETTINGS_FILE))?;
        let mut host = PluginHost::open_with(&self.folder()?, &program, &trust, &policy)?;
        let usual = || runtimes.exists().then_some(runtimes);
        if let Some(file) = self.runtimes.as_deref().or_else(usual) {
            host.configure(Machine::load(file)?, file)?;
        }
        if let Some(mib) = self.network_memory {
            host.limit_networks(u64::from(mib) << 20);
        }
        Ok(host)
    }
}
