//! Posting to somebody else's server, at addresses that were checked before.

use std::net::SocketAddr;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::connector;

/// Bytes of an answer's body that are read, so that its sender can end in peace. Nothing is made of them.
const BODY_LIMIT: u64 = 4 << 10;

/// What reading them may take.
const BODY_TIME: Duration = Duration::from_millis(500);

/// Addresses of a host at most.
const ADDRESSES_LIMIT: usize = 16;

/// A POST of JSON.
pub struct Post<'a> {
    /// Where to post: `http` or `https`.
    pub url: &'a str,
    /// Where the host of the URL is; it is not looked up again.
    pub addresses: &'a [SocketAddr],
    /// Names and values, beside `Content-Type`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The JSON text, sent as it is.
    pub body: &'a [u8],
    /// For everything until the status is there.
    pub timeout: Duration,
}

impl Post<'_> {
    /// Sends it, over a connection of its own, and returns the status of the answer. No redirect is followed, no proxy used.
    ///
    /// # Errors
    /// In words: no connection, no answer in time, an answer that is not HTTP.
    pub fn send(&self) -> Result<u16, String> {
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("lglp/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(self.timeout))
            .timeout_recv_body(Some(BODY_TIME))
            .tls_config(connector::system())
            .build();
        let known = Known(self.addresses.to_vec());
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), known);
        let mut request = Request::post(self.url).header("Content-Type", "application/json");
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(self.body).map_err(|e| e.to_string())?;
        let mut response = agent.run(request).map_err(|error| match error {
            ureq::Error::Timeout(_) => format!("no answer within {} s", self.timeout.as_secs()),
            error => error.to_string(),
        })?;
        let _ = response.body_mut().with_config().limit(BODY_LIMIT).read_to_vec();
        Ok(response.status().as_u16())
    }
}

/// The host and port that a POST to a URL would ask for, in the eyes of what sends it.
pub fn destination(url: &str) -> Option<(String, Option<u16>)> {
    let uri: Uri = url.parse().ok()?;
    Some((uri.host()?.to_owned(), uri.port_u16()))
}

/// Answers with addresses that are known.
#[derive(Debug)]
struct Known(Vec<SocketAddr>);

impl Resolver for Known {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        for address in self.0.iter().take(ADDRESSES_LIMIT) {
            addresses.push(*address);
        }
        if addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(addresses)
    }
}
