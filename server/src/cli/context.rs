//! What commands share: folders, plugins, and the registry, wherever it is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use lglp_openapi::spaces::SpaceList;
use lglp_registry::{HolderInfo, SledStore, Store, holder, is_registry};

use super::Global;
use crate::client::{Http, RemoteStore};
use crate::plugins::{MACHINE_FILE, Machine, PluginHost, native_folder};
use crate::spaces::Spaces;

/// The options of every command, and what they lead to.
pub struct Context {
    global: Global,
}

/// The registry, and the server that holds it, if one does.
pub struct Registry {
    pub store: Arc<dyn Store>,
    /// Set where the registry is reached over HTTP.
    pub server: Option<Http>,
}

impl Context {
    pub fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether to print JSON.
    pub fn json(&self) -> bool {
        self.global.json
    }

    pub fn registry_folder(&self) -> &PathBuf {
        &self.global.registry
    }

    pub fn recipes_folder(&self) -> &PathBuf {
        &self.global.recipes
    }

    /// The search spaces: a server's where one has the registry, so that a text means the same to both.
    pub fn spaces(&self) -> anyhow::Result<Spaces> {
        let Some(server) = self.served()?.and_then(|registry| registry.server) else {
            return self.own_spaces();
        };
        let listed: SpaceList = server.get("/v1/spaces")?;
        Spaces::listed(&listed.spaces).with_context(|| format!("the search spaces of {}", server.base()))
    }

    /// The search spaces of the folder, for a server to begin with.
    pub fn own_spaces(&self) -> anyhow::Result<Spaces> {
        Spaces::load(&self.global.spaces)
    }

    /// Opens every plugin, with what the owner of this machine decided of its runtimes.
    pub fn plugins(&self) -> anyhow::Result<PluginHost> {
        let program = std::env::current_exe().context("cannot find this program, to probe plugins with")?;
        let folder = self
            .global
            .plugins
            .clone()
            .unwrap_or_else(|| program.with_file_name("plugins"));
        let mut host = PluginHost::open(&folder, &program)?;
        let beside = || self.global.registry.with_file_name(MACHINE_FILE);
        let file = self
            .global
            .runtimes
            .clone()
            .or_else(|| Some(beside()).filter(|file| file.exists()));
        if let Some(file) = file {
            host.configure(Machine::load(&file)?, &file)?;
        }
        if let Some(mib) = self.global.network_memory {
            host.limit_networks(u64::from(mib) << 20);
        }
        Ok(host)
    }

    /// The registry: the given server's, else the one of the server that holds the folder, else the folder itself.
    ///
    /// # Errors
    /// Where the folder is no registry yet: whoever only asks makes none.
    pub fn registry(&self, command: &str) -> anyhow::Result<Registry> {
        match self.served()? {
            Some(registry) => Ok(registry),
            None if is_registry(&self.global.registry)? => self.open(command),
            None => Err(no_registry(&self.global.registry)),
        }
    }

    /// As [`Self::registry`], for commands that begin with nothing: a folder that is missing or empty becomes a registry. What
    /// else they need they look for before.
    pub fn registry_or_new(&self, command: &str) -> anyhow::Result<Registry> {
        self.served()?.map_or_else(|| self.open(command), Ok)
    }

    /// The registry as a server has it, where one does.
    pub fn served(&self) -> anyhow::Result<Option<Registry>> {
        if let Some(url) = &self.global.server {
            return self.remote(url).map(Some);
        }
        let address = holder(&self.global.registry)?.and_then(|holder| holder.address);
        address.map(|address| self.remote(&address)).transpose()
    }

    fn open(&self, command: &str) -> anyhow::Result<Registry> {
        let info = HolderInfo {
            address: None,
            command: format!("lglp {command}"),
        };
        let store = SledStore::open(&self.global.registry, info)?;
        Ok(Registry {
            store: Arc::new(store),
            server: None,
        })
    }

    /// The server that was given, if one was.
    pub fn server(&self) -> anyhow::Result<Option<Http>> {
        self.global.server.as_deref().map(|url| self.http(url)).transpose()
    }

    fn remote(&self, url: &str) -> anyhow::Result<Registry> {
        Ok(Registry {
            store: Arc::new(RemoteStore::new(self.http(url)?)),
            server: Some(self.http(url)?),
        })
    }

    fn http(&self, url: &str) -> anyhow::Result<Http> {
        // A variable that is set to nothing counts as none, and a file's last line break as no part of a token.
        let token = self
            .global
            .token
            .as_deref()
            .map(str::trim)
            .filter(|token| !token.is_empty());
        Http::new(url, token, self.global.ca.as_deref(), &actor())
    }
}

fn no_registry(folder: &Path) -> anyhow::Error {
    let here = std::env::current_dir().map_or_else(|_| String::new(), |here| format!(" (in {})", here.display()));
    anyhow::anyhow!(
        "there is no registry at {}{}: make one by `lglp serve`, `lglp measure` or `lglp dataset import`; reach one by \
         --registry, LGLP_REGISTRY or --server",
        folder.display(),
        if folder.is_absolute() { "" } else { &here }
    )
}

/// Who acts, for the audit log.
pub fn actor() -> String {
    std::env::var("USER")
        .ok()
        .filter(|u| !u.is_empty())
        .unwrap_or_else(|| "cli".into())
}

/// Compiled kernels that libtorch keeps.
const KERNELS_KEPT: &str = "64";

/// Settings that hold for the whole process and must be made before other threads run.
pub fn prepare_process() {
    // SAFETY: the first thing that the program does; no other thread runs yet.
    unsafe {
        // Plugins find their libraries by it, and OpenMP reads its thread count once, when it is loaded: one thread per
        // calling thread, or those of several calls would thrash.
        std::env::set_var("LGLP_NATIVE", native_folder());
        if std::env::var_os("OMP_NUM_THREADS").is_none() {
            std::env::set_var("OMP_NUM_THREADS", "1");
        }
        // libtorch keeps compiled kernels for every number of rows and every size of a network, a thousand of them, megabytes each:
        // a server that trains and predicts batches of all sizes would grow by them for hours.
        for cache in ["ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"] {
            if std::env::var_os(cache).is_none() {
                std::env::set_var(cache, KERNELS_KEPT);
            }
        }
    }
    sigpipe::reset();
}
