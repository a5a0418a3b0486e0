//! Registries whose models are made by the test plugin `hanging`, which does not come back when it is told so.

use std::path::PathBuf;

use crate::{HARDWARE, Registry, release};

/// Recipes of the plugin, and the switches that it obeys.
pub struct Hanging {
    /// Its plugins are the built ones and `hanging`.
    pub registry: Registry,
    switches: PathBuf,
}

impl Default for Hanging {
    /// A registry with a few shipped measurements, whose plugins are the built ones and `hanging`.
    fn default() -> Self {
        let mut registry = Registry::default();
        let folder = registry.folder.path().join("plugins");
        std::fs::create_dir_all(&folder).expect("a folder");
        let built = release();
        for file in std::fs::read_dir(built.join("plugins")).expect("`make build` builds the plugins") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
        }
        let file = "liblglp_plugin_hanging.so";
        std::fs::copy(built.join(file), folder.join(file)).expect("`make build` builds it");
        registry.plugins = Some(folder);
        registry.isolation = Some("in-process");
        registry.import(60);
        let switches = registry.folder.path().join("switches");
        std::fs::create_dir_all(&switches).expect("a folder");
        Self { registry, switches }
    }
}

impl Hanging {
    /// Trains a version whose encoder and regressor are `hanging`'s; each row takes so long, milliseconds.
    pub fn train(&self, ms_per_row: f64) {
        self.train_apart(ms_per_row, "");
    }

    /// The same, where the version obeys switches of its own: those in this folder.
    pub fn train_apart(&self, ms_per_row: f64, folder: &str) {
        let switches = self.switches.join(folder);
        std::fs::create_dir_all(&switches).expect("a folder");
        let switches = switches.display();
        self.recipe(&format!(
            "name = \"hanging\"\ntitle = \"Does not come back when it is told so\"\n\n\
             [encoder]\nname = \"raw\"\nparameters = {{ switches = \"{switches}\" }}\n\n\
             [regressor]\nname = \"mean\"\nparameters = {{ switches = \"{switches}\", ms_per_row = {ms_per_row:?} }}\n"
        ));
        self.registry.train("hanging");
    }

    /// Trains a version that another plugin serves.
    pub fn train_healthy(&self) {
        self.registry.train("linear");
    }

    /// Has an alias lead to a version.
    pub fn promote(&self, version: u64, alias: &str) {
        self.registry.ok(&[
            "promote",
            "--hardware",
            HARDWARE,
            &version.to_string(),
            "--alias",
            alias,
        ]);
    }

    /// From now on the call does not come back; of a version that was trained apart its name begins with the folder.
    pub fn hang(&self, call: &str) {
        std::fs::write(self.switches.join(call), "").expect("a file");
    }

    /// From now on it does.
    pub fn let_go(&self, call: &str) {
        std::fs::remove_file(self.switches.join(call)).expect("a file");
    }

    fn recipe(&self, text: &str) {
        let folder = self.registry.folder.path().join("recipes");
        std::fs::write(folder.join("hanging.toml"), text).expect("a file");
    }
}
