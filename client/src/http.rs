//! A small JSON client; problem documents become errors with their text.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use lglp_openapi::ACTOR_HEADER;
use lglp_openapi::problem::Problem;
use lglp_sdk::Printable;
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::http::header::{AUTHORIZATION, DATE};
use ureq::http::{HeaderValue, Method, Request, Response, StatusCode};
use url::Url;

use super::connector;
use super::problem_text::problem_text;

/// A server's base address, what it is asked with, and a connection pool.
#[derive(Clone)]
pub struct Http {
    base: String,
    token: Option<String>,
    actor: String,
    agent: ureq::Agent,
    /// What a call may take; none where it may take as long as it does.
    limit: Option<Duration>,
    /// Bytes of an answer that are read.
    answer_limit: u64,
}

/// What making a connection may take, where a call has a limit.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered with a problem.
    #[error("{}", problem_text(.0))]
    Problem(Box<Problem>),
    /// No answer, or none that is understood.
    #[error("{url}: {reason}")]
    Transport {
        /// The address that was asked.
        url: String,
        /// Why there is no answer, or what is wrong with the one that came.
        reason: String,
    },
}

/// An answer of up to this size is read; the largest are fitted models.
const ANSWER_LIMIT: u64 = 1 << 30;

impl Http {
    /// A client of the server at `base`, e.g. `http://127.0.0.1:8080`. It trusts the certificates that the system trusts, or
    /// else those in the PEM file `authorities` alone. `actor` is who acts, as far as the server asks for no token.
    ///
    /// # Errors
    /// Where the file holds none, and where address, token or actor cannot be sent.
    pub fn new(base: &str, token: Option<&str>, authorities: Option<&Path>, actor: &str) -> anyhow::Result<Self> {
        check_address(base)?;
        let sendable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        anyhow::ensure!(
            token.is_none_or(sendable),
            "the token has characters that no token has; give it again by --token or LGLP_TOKEN"
        );
        anyhow::ensure!(
            HeaderValue::from_str(actor).is_ok(),
            "the name of who acts has control characters: {}",
            Printable::of(actor)
        );
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A server says where it is; who answers in its place must not have others called.
            .max_redirects(0)
            .tls_config(authorities.map_or_else(|| Ok(connector::system()), connector::authorities)?)
            .build();
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            token: token.map(str::to_owned),
            actor: actor.to_owned(),
            agent: config.into(),
            limit: None,
            answer_limit: ANSWER_LIMIT,
        })
    }

    /// The same client, over the same connections, whose calls end in an error after `limit`.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self {
            limit: Some(limit),
            ..self.clone()
        }
    }

    /// The same client, which reads answers of so many bytes at most.
    #[must_use]
    pub fn reading(self, answer_limit: u64) -> Self {
        Self { answer_limit, ..self }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Fetches JSON from a path of the server, which begins with `/`.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(Method::GET, path, &[], Vec::new())
    }

    /// Sends a JSON body, with further headers.
    pub fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| self.transport(path, &e))?;
        let headers = [headers, &[("Content-Type", "application/json")]].concat();
        self.json(method, path, &headers, body)
    }

    /// As [`Http::send`], where there may be nothing to answer (204).
    pub(crate) fn send_for_any<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<T>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| self.transport(path, &e))?;
        let answer = self.call(method, path, &[("Content-Type", "application/json")], body)?;
        if answer.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&answer)
            .map(Some)
            .map_err(|e| self.transport(path, &e))
    }

    /// Deletes what is at a path.
    pub fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, path, &[], Vec::new()).map(drop)
    }

    /// As [`Http::delete`], where the answer tells something.
    pub(crate) fn delete_for<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(Method::DELETE, path, &[], Vec::new())
    }

    /// The server's clock, as it writes it in the header of any answer; none where it does not.
    pub fn clock(&self, path: &str) -> Result<Option<OffsetDateTime>, ClientError> {
        let response = self.respond(Method::GET, path, &[], Vec::new())?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()))
    }

    /// Sends and fetches bytes.
    pub fn bytes(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        self.call(method, path, &[("Content-Type", "application/octet-stream")], body)
    }

    /// Sends bytes of a content type and fetches JSON.
    pub(crate) fn send_as<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<T, ClientError> {
        self.json(method, path, &[("Content-Type", content_type)], body)
    }

    /// The lines of an answer that comes bit by bit, each as it comes.
    pub fn lines(&self, path: &str) -> Result<impl Iterator<Item = Result<String, ClientError>> + use<>, ClientError> {
        let response = self.respond(Method::GET, path, &[], Vec::new())?;
        let lines = BufReader::new(response.into_body().into_reader()).lines();
        let url = format!("{}{path}", self.base);
        Ok(lines.map(move |line| {
            line.map_err(|e| ClientError::Transport {
                url: url.clone(),
                reason: e.to_string(),
            })
        }))
    }

    fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<T, ClientError> {
        let answer = self.call(method, path, headers, body)?;
        serde_json::from_slice(&answer).map_err(|e| self.transport(path, &e))
    }

    /// Fetches a body of any size into `out`.
    pub fn download(&self, path: &str, out: &mut dyn Write) -> Result<(), ClientError> {
        let mut response = self.respond(Method::GET, path, &[], Vec::new())?;
        let copied = std::io::copy(&mut response.body_mut().as_reader(), out);
        copied.map(drop).map_err(|e| self.transport(path, &e))
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Vec<u8>, ClientError> {
        let mut response = self.respond(method, path, headers, body)?;
        self.read(path, &mut response)
    }

    /// Calls; an answer that is no success is an error.
    fn respond(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response<ureq::Body>, ClientError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(ACTOR_HEADER, &self.actor);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(body).map_err(|e| self.transport(path, &e))?;
        let request = match self.limit {
            Some(limit) => {
                let limited = self.agent.configure_request(request).timeout_global(Some(limit));
                limited.timeout_connect(Some(CONNECT.min(limit))).build()
            }
            None => request,
        };
        let mut response: Response<ureq::Body> = self
            .agent
            .run(request)
            .map_err(|e| self.transport(path, &unreached(&e)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let bytes = self.read(path, &mut response)?;
        Err(match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => ClientError::Problem(Box::new(problem)),
            Err(_) => self.transport(path, &unexpected(response.status())),
        })
    }

    fn read(&self, path: &str, response: &mut Response<ureq::Body>) -> Result<Vec<u8>, ClientError> {
        let read = response.body_mut().with_config().limit(self.answer_limit).read_to_vec();
        read.map_err(|e| self.transport(path, &e))
    }

    fn transport(&self, path: &str, reason: &dyn std::fmt::Display) -> ClientError {
        ClientError::Transport {
            url: format!("{}{path}", self.base),
            reason: reason.to_string(),
        }
    }
}

/// Whether an address can be one of a server at all.
fn check_address(base: &str) -> anyhow::Result<()> {
    let address = Url::parse(base).ok();
    let serves = |address: &Url| matches!(address.scheme(), "http" | "https") && address.has_host();
    anyhow::ensure!(
        address.as_ref().is_some_and(serves),
        "`{}` is no server's address; expected one such as http://127.0.0.1:8080 or https://lglp.example",
        Printable::of(base)
    );
    Ok(())
}

/// Why there was no answer, and the way out where the reason is the server's certificate.
fn unreached(error: &ureq::Error) -> String {
    use rustls::{CertificateError, Error};
    let inner = match error {
        ureq::Error::Rustls(inner) => Some(inner),
        ureq::Error::Io(io) => io.get_ref().and_then(|inner| inner.downcast_ref::<Error>()),
        _ => None,
    };
    match inner {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
            format!("{error}; where its authority is a private one, name that one's certificate by --ca or LGLP_CA")
        }
        // What `openssl req -x509` makes unless told otherwise. The reason's type is that of a crate below rustls.
        Some(Error::InvalidCertificate(CertificateError::Other(other))) if other.to_string() == "CaUsedAsEndEntity" => {
            format!("{error}: the server's certificate is one of an authority; make it with basicConstraints=CA:FALSE")
        }
        _ => error.to_string(),
    }
}

fn unexpected(status: StatusCode) -> String {
    if status.is_redirection() {
        return format!("answered {status}, which leads elsewhere; give the address itself");
    }
    format!("answered {status}; is this an lglp server?")
}
