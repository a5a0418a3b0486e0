//! What end-to-end tests share: the built program with its plugins, registries in temporary folders, running servers.

mod built;
pub mod bundle;
pub mod form;
pub mod hanging;
pub mod plugins;
pub mod proxy;
pub mod raw;
pub mod small_disk;
pub mod tampering;
pub mod target;
pub mod worker;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub use built::release;
use serde_json::{Value, json};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
        .to_owned()
}

/// The hardware target of the shipped measurements.
pub const HARDWARE: &str = "xeon-1t";

/// The built program: `make build` puts it there, with `plugins/` beside it. `LGLP_PROGRAM` names another one, to compare
/// measurements with.
pub fn program() -> PathBuf {
    std::env::var_os("LGLP_PROGRAM").map_or_else(|| built::current("lglp"), PathBuf::from)
}

/// The interpreter with the reference packages of `tests/requirements.txt`.
pub fn python() -> PathBuf {
    root().join(".venv/bin/python")
}

/// A registry in a temporary folder, and the settings that its commands run with.
pub struct Registry {
    /// Where the registry lies, and whatever else a test makes; deleted when this is dropped.
    pub folder: tempfile::TempDir,
    /// Another folder of plugins than the one beside the program.
    pub plugins: Option<PathBuf>,
    /// Where plugins run that do not ship with lglp: `in-process`, or else processes of their own.
    pub isolation: Option<&'static str>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            plugins: None,
            isolation: None,
        }
    }
}

impl Registry {
    /// The registry's own folder, which is there once a command has made it.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    /// The program, with this registry.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .current_dir(root())
            .args(arguments)
            .arg("--registry")
            .arg(self.path());
        // Recipes of the tests lie beside the product's, copied so that `--recipes` finds both.
        command.arg("--recipes").arg(self.recipes());
        if let Some(plugins) = &self.plugins {
            command.arg("--plugins").arg(plugins);
        }
        if let Some(isolation) = self.isolation {
            command.arg("--isolation").arg(isolation);
        }
        for variable in ["LGLP_ISOLATION", "LGLP_PLUGIN_SETTINGS", "LGLP_PYTHON"] {
            command.env_remove(variable);
        }
        command.env_remove("LGLP_SERVER").stdin(Stdio::null());
        command.env_remove("LGLP_TOKEN").env_remove("LGLP_CA");
        // Tables are laid out for it.
        command.env_remove("COLUMNS");
        command
    }

    fn recipes(&self) -> PathBuf {
        let folder = self.folder.path().join("recipes");
        if !folder.is_dir() {
            std::fs::create_dir_all(&folder).expect("a folder");
            for from in ["catalog/recipes", "tests/recipes"] {
                for file in std::fs::read_dir(root().join(from)).expect("recipes") {
                    let file = file.expect("a file");
                    std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
                }
            }
        }
        folder
    }

    /// A registry with a few shipped measurements and version 1 of a recipe in production.
    pub fn with_production(recipe: &str) -> Self {
        let registry = Self::default();
        registry.import(120);
        registry.train(recipe);
        registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
        registry
    }

    /// Trains a recipe; the version.
    pub fn train(&self, recipe: &str) -> Value {
        self.json(&["train", "--hardware", HARDWARE, "--recipe", recipe])
    }

    /// Runs the program, which must fail; its standard error.
    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "lglp {arguments:?} succeeded");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    /// Runs the program; its output, whatever the exit status.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .output()
            .expect("the program runs; `make build` builds it")
    }

    /// Runs the program, which must succeed; its standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lglp {arguments:?} failed: {stderr}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs the program with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat())).expect("JSON")
    }

    /// Creates a token on the command line; its secret.
    pub fn token(&self, name: &str, role: &str, more: &[&str]) -> String {
        let made = self.ok(&[&["token", "create", "--name", name, "--role", role], more].concat());
        made.trim_end().to_owned()
    }

    /// Imports the first `rows` measurements of the shipped dataset, for quick trainings.
    pub fn import(&self, rows: usize) {
        let shipped = root().join("datasets").join(HARDWARE);
        let part = self.folder.path().join("dataset");
        std::fs::create_dir_all(&part).expect("a folder");
        std::fs::copy(shipped.join("hardware.json"), part.join("hardware.json")).expect("the shipped dataset");
        let all = std::fs::read_to_string(shipped.join("mobilenetv3.jsonl")).expect("the shipped dataset");
        let lines: Vec<&str> = all.lines().take(rows).collect();
        std::fs::write(part.join("mobilenetv3.jsonl"), lines.join("\n")).expect("a file");
        self.ok(&["dataset", "import", part.to_str().expect("UTF-8")]);
    }

    /// Exports what was measured on a target; the folder.
    pub fn export(&self, hardware: &str) -> PathBuf {
        let folder = self.folder.path().join("exported");
        let name = folder.to_str().expect("UTF-8");
        self.ok(&["dataset", "export", "--hardware", hardware, name]);
        folder
    }

    /// Starts a server on a free port.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Starts a server on a free port, with further arguments.
    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        self.serve_at("127.0.0.1:0", arguments, agent(None))
    }

    /// Starts a server that is asked by this agent.
    pub fn serve_at(&self, bind: &str, arguments: &[&str], agent: ureq::Agent) -> Server {
        let child = self
            .command(&[&["serve", "--bind", bind], arguments].concat())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs; `make build` builds it");
        self.serving(child, agent)
    }

    /// Starts a server on a free port, whose log goes to a file.
    pub fn serve_logging(&self, log: &Path) -> Server {
        let mut command = self.command(&["serve", "--bind", "127.0.0.1:0"]);
        command.stderr(std::fs::File::create(log).expect("a file"));
        let child = command.spawn().expect("the program runs; `make build` builds it");
        self.serving(child, agent(None))
    }

    /// Waits until a process that was started to serve the registry is ready.
    pub fn serving(&self, child: Child, agent: ureq::Agent) -> Server {
        let server = self.listening(child, agent);
        let started = Instant::now();
        while server.get("/readyz").0 != 200 {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the server does not get ready"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Waits until a process that was started to serve the registry listens; it may never be ready.
    pub fn listening(&self, child: Child, agent: ureq::Agent) -> Server {
        let base = String::new();
        let mut server = Server { child, base, agent };
        let started = Instant::now();
        loop {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the server does not listen"
            );
            std::thread::sleep(Duration::from_millis(20));
            let Ok(text) = std::fs::read_to_string(self.path().join("holder.json")) else {
                continue;
            };
            let Ok(holder) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            if holder["pid"] == server.child.id()
                && let Some(address) = holder["address"].as_str()
            {
                server.base = address.to_owned();
                return server;
            }
        }
    }
}

/// A running server; killed when it is dropped.
pub struct Server {
    /// Its process.
    pub child: Child,
    /// Its address, e.g. `http://127.0.0.1:40123`, as it told it when it began to listen.
    pub base: String,
    agent: ureq::Agent,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Asks the server to end, as an operating system does; its exit status, `None` where it was ended by a signal.
    ///
    /// # Panics
    /// Where it does not end within a minute.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(sent.success(), "the server has ended before");
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "SIGTERM does not end the server"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Status and body of a POST of bytes with a token.
    pub fn post_bytes_as(&self, secret: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request.header("Authorization", bearer(secret));
        let Ok(mut response) = request.send(body) else {
            return (0, Value::Null);
        };
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (response.status().as_u16(), value)
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, &[], None)
    }

    /// Waits until what is at a path is as it should be.
    pub fn wait(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let found = self.get(path).1;
            if is_so(&found) {
                return found;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "still: {found}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a POST is answered with 200: what was lost for a while comes back within 20 s.
    pub fn wait_answered(&self, path: &str, body: &str, what: &str) {
        let began = Instant::now();
        while self.post(path, body).0 != 200 {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{what}: it does not come back"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Status and body of a POST of JSON text.
    pub fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.call("POST", path, &[], Some(body))
    }

    /// Status and body of any call; the body is a string where it is no JSON, and null where there is no answer.
    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> (u16, Value) {
        let Some(mut response) = self.send(method, path, headers, body) else {
            return (0, Value::Null);
        };
        let text = response
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_to_string()
            .unwrap_or_default();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (response.status().as_u16(), value)
    }

    /// Status and body of a call with a token.
    pub fn call_as(&self, secret: &str, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        self.call(method, path, &[("Authorization", &bearer(secret))], body)
    }

    /// Status of any call, whose body is not waited for; 0 where there is no answer.
    pub fn status(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> u16 {
        self.send(method, path, headers, body)
            .map_or(0, |response| response.status().as_u16())
    }

    /// A header of the answer to a call without a body.
    pub fn header(&self, method: &str, path: &str, headers: &[(&str, &str)], name: &str) -> Option<String> {
        let response = self.send(method, path, headers, None)?;
        response.headers().get(name)?.to_str().ok().map(str::to_owned)
    }

    /// The whole answer to any call; none where there is none.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Option<ureq::http::Response<ureq::Body>> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.unwrap_or_default().as_bytes().to_vec();
        self.agent.run(request.body(body).expect("a request")).ok()
    }
}

/// What the header `Authorization` holds for a token.
pub fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

/// Another secret for the same token.
pub fn tampered(secret: &str) -> String {
    let last = if secret.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &secret[..secret.len() - 1])
}

/// A client that trusts the certificates in a PEM file, where one is given.
pub fn agent(authorities: Option<&Path>) -> ureq::Agent {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ureq::tls::TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    if let Some(file) = authorities {
        let pem = std::fs::read(file).expect("a file");
        let certificate = ureq::tls::Certificate::from_pem(&pem).expect("a certificate");
        tls = tls.root_certs(ureq::tls::RootCerts::new_with_certs(&[certificate]));
    }
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.tls_config(tls.build()).build().into()
}

/// Random architectures of the mobilenetv3 space, as canonical texts.
pub fn sample(count: usize, seed: u64) -> Vec<String> {
    let registry = Registry::default();
    let (count, seed) = (count.to_string(), seed.to_string());
    let text = registry.ok(&["sample", "--space", "mobilenetv3", "--count", &count, "--seed", &seed]);
    text.lines().map(str::to_owned).collect()
}

/// Readable JSON of an architecture of the mobilenetv3 space: every block has `depth` layers of one kernel and expansion.
pub fn readable(resolution: u32, depth: usize, kernel: u32, expansion: u32) -> Value {
    let block = |index: usize| {
        let layer = json!({ "kernel": kernel, "expansion": expansion, "shortcut": false });
        json!({ "stride": if index < 4 { 2 } else { 1 }, "se": index % 2 == 1, "layers": vec![layer; depth] })
    };
    json!({ "resolution": resolution, "blocks": (0..10).map(block).collect::<Vec<_>>() })
}

/// The names of the search spaces that are shipped, in order.
pub fn spaces() -> Vec<String> {
    let folder = std::fs::read_dir(root().join("catalog/spaces")).expect("a folder");
    let mut names: Vec<String> = folder
        .map(|file| {
            file.expect("a file")
                .path()
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// Those of the shipped search spaces that are of chains.
pub fn chains() -> Vec<String> {
    let mut names = spaces();
    names.retain(|name| {
        let file = root().join(format!("catalog/spaces/{name}.toml"));
        let definition = std::fs::read_to_string(file).expect("a file");
        !definition.contains("[[decisions]]")
    });
    names
}

/// Runs a Python reference script with a text on its standard input; its standard output.
pub fn reference(script: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(python())
        .current_dir(root())
        .arg(root().join("tests/reference").join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python with the reference packages; `make test-tools` installs it");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the script ends");
    let _ = writer.join();
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{script} {arguments:?} failed: {text}");
    text
}
