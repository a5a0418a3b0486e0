//! What commands share: folders, plugins, and the registry, wherever it is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use lglp_client::{Http, Operations, RemoteOperations, RemoteRegistry};
use lglp_engine::host::{MACHINE_FILE, PluginHost, Policy, SETTINGS_FILE};
use lglp_engine::spaces::Spaces;
use lglp_openapi::spaces::SpaceList;
use lglp_registry::{HolderInfo, Registry, SledStore, Store, holder, is_registry};
use lglp_server::operations::{Environment, LazyEnvironment, LocalOperations};
use lglp_worker::command::{self, Surroundings};

use crate::Global;

/// The options of every command, and what they lead to.
pub(crate) struct Context {
    global: Arc<Global>,
    environment: Arc<LazyEnvironment>,
}

/// The registry that a command works on.
pub(crate) struct Opened {
    /// What it can be asked, wherever it is.
    pub store: Arc<dyn Registry>,
    /// What it can have done, wherever that is.
    pub operations: Arc<dyn Operations>,
    pub place: Place,
}

/// Where a registry is.
pub(crate) enum Place {
    /// In a folder that this process holds.
    Here(Arc<dyn Store>),
    /// At a server.
    Server(Http),
}

impl Opened {
    /// The server that has the registry, if one does.
    pub(crate) fn server(&self) -> Option<&Http> {
        match &self.place {
            Place::Here(_) => None,
            Place::Server(http) => Some(http),
        }
    }

    /// As [`Self::server`].
    pub(crate) fn into_server(self) -> Option<Http> {
        match self.place {
            Place::Here(_) => None,
            Place::Server(http) => Some(http),
        }
    }
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        let global = Arc::new(global);
        let shared = global.clone();
        let open = move || {
            Ok(Environment {
                host: Arc::new(shared.open_host()?),
                spaces: Arc::new(Spaces::load(&shared.spaces)?),
            })
        };
        let environment = Arc::new(LazyEnvironment::new(open));
        Self { global, environment }
    }

    /// Whether to print JSON.
    pub(crate) fn json(&self) -> bool {
        self.global.json
    }

    pub(crate) fn registry_folder(&self) -> &PathBuf {
        &self.global.registry
    }

    pub(crate) fn spaces_folder(&self) -> &PathBuf {
        &self.global.spaces
    }

    pub(crate) fn recipes_folder(&self) -> &PathBuf {
        &self.global.recipes
    }

    /// The search spaces: a server's where one has the registry, so that a text means the same to both.
    pub(crate) fn spaces(&self) -> anyhow::Result<Spaces> {
        let Some(server) = self.served()?.and_then(Opened::into_server) else {
            return self.own_spaces();
        };
        let listed: SpaceList = server.get("/v1/spaces")?;
        Spaces::listed(&listed.spaces).with_context(|| format!("the search spaces of {}", server.base()))
    }

    /// The search spaces of the folder, for a server to begin with.
    pub(crate) fn own_spaces(&self) -> anyhow::Result<Spaces> {
        Spaces::load(&self.global.spaces)
    }

    /// The file that says which plugins are loaded, if one does.
    pub(crate) fn trust(&self) -> Option<&Path> {
        self.global.host.trust()
    }

    /// How plugins run.
    pub(crate) fn policy(&self) -> anyhow::Result<Policy> {
        let runtimes = self.global.runtimes();
        self.global.host.policy(&runtimes.with_file_name(SETTINGS_FILE))
    }

    /// Where the plugins lie.
    pub(crate) fn plugins_folder(&self) -> anyhow::Result<PathBuf> {
        self.global.host.folder()
    }

    /// Opens every plugin, with what the owner of this machine decided of its runtimes.
    pub(crate) fn plugins(&self) -> anyhow::Result<PluginHost> {
        self.global.open_host()
    }

    /// Plugins and search spaces of this machine, opened once.
    pub(crate) fn environment(&self) -> anyhow::Result<Environment> {
        self.environment.get()
    }

    /// Runs the worker's command line.
    pub(crate) fn worker(&self, args: &command::Args) -> anyhow::Result<()> {
        let surroundings = Surroundings {
            server: &self.global.server,
            host: &self.global.host,
            runtimes: &self.global.runtimes(),
            json: self.global.json,
        };
        command::run(&surroundings, args)
    }

    /// The registry: the given server's, else the one of the server that holds the folder, else the folder itself.
    ///
    /// # Errors
    /// Where the folder is no registry yet: whoever only asks makes none.
    pub(crate) fn registry(&self, command: &str) -> anyhow::Result<Opened> {
        match self.served()? {
            Some(registry) => Ok(registry),
            None if is_registry(&self.global.registry)? => self.open(command),
            None => Err(no_registry(&self.global.registry)),
        }
    }

    /// As [`Self::registry`], for commands that begin with nothing: a folder that is missing or empty becomes a registry. What
    /// else they need they look for before.
    pub(crate) fn registry_or_new(&self, command: &str) -> anyhow::Result<Opened> {
        self.served()?.map_or_else(|| self.open(command), Ok)
    }

    /// The registry as a server has it, where one does.
    pub(crate) fn served(&self) -> anyhow::Result<Option<Opened>> {
        if let Some(url) = &self.global.server.server {
            return self.remote(url).map(Some);
        }
        let address = holder(&self.global.registry)?.and_then(|holder| holder.address);
        address.map(|address| self.remote(&address)).transpose()
    }

    fn open(&self, command: &str) -> anyhow::Result<Opened> {
        let info = HolderInfo {
            address: None,
            command: format!("lglp {command}"),
        };
        let store = SledStore::open(&self.global.registry, info)?;
        let store = Arc::new(store);
        let recipes = self.global.recipes.clone();
        Ok(Opened {
            store: store.clone(),
            operations: Arc::new(LocalOperations::new(store.clone(), self.environment.clone(), recipes)),
            place: Place::Here(store),
        })
    }

    fn remote(&self, url: &str) -> anyhow::Result<Opened> {
        let http = self.global.server.at(url)?;
        Ok(Opened {
            store: Arc::new(RemoteRegistry::new(http.clone())),
            operations: Arc::new(RemoteOperations::new(http.clone())),
            place: Place::Server(http),
        })
    }
}

impl Global {
    /// Opens every plugin, and keeps those that versions are fitted with beside the registry's records.
    fn open_host(&self) -> anyhow::Result<PluginHost> {
        Ok(self.host.open(&self.runtimes())?.keeping(&self.registry))
    }

    /// Where the owner of this machine says what runtimes may use, unless an option says otherwise.
    fn runtimes(&self) -> PathBuf {
        self.registry.with_file_name(MACHINE_FILE)
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
