//! Which server is talked to, as options.

use std::path::PathBuf;

use lglp_client::Http;

/// Options that name a server, and what it is talked to with.
#[derive(clap::Args)]
pub struct ServerOptions {
    /// The server to talk to, e.g. http://127.0.0.1:8080 [default: the one that holds the registry, if one does].
    #[arg(long, global = true, env = "LGLP_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// Token for the server. Better given by the variable: other users of a machine see the arguments of programs.
    #[arg(
        long,
        global = true,
        env = "LGLP_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    token: Option<String>,
    /// PEM file of the authority to trust the server's certificate by [default: those that the system trusts].
    #[arg(long, global = true, env = "LGLP_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl ServerOptions {
    /// The server that was given, if one was.
    ///
    /// # Errors
    /// Where its address, or the authority's file, cannot be read.
    pub fn given(&self) -> anyhow::Result<Option<Http>> {
        self.server.as_deref().map(|url| self.at(url)).transpose()
    }

    /// A server at another address, talked to with the same token.
    ///
    /// # Errors
    /// As [`Self::given`].
    pub fn at(&self, url: &str) -> anyhow::Result<Http> {
        // A variable that is set to nothing counts as none, and a file's last line break as no part of a token.
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        Http::new(url, token, self.ca.as_deref(), &actor())
    }
}

/// Who acts, for the audit log.
pub fn actor() -> String {
    std::env::var("USER")
        .ok()
        .filter(|u| !u.is_empty())
        .unwrap_or_else(|| "cli".into())
}
