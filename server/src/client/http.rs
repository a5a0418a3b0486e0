//! A small JSON client; problem documents become errors with their text.

use std::io::Write;

use lglp_openapi::problem::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request, Response, StatusCode};

/// A server's base address, and a connection pool.
pub struct Http {
    base: String,
    agent: ureq::Agent,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered with a problem.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// No answer, or none that is understood.
    #[error("{url}: {reason}")]
    Transport { url: String, reason: String },
}

/// An answer of up to this size is read; the largest are fitted models.
const ANSWER_LIMIT: u64 = 1 << 30;

impl Http {
    /// A client of the server at `base`, e.g. `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            agent: config.into(),
        }
    }

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

    /// Sends and fetches bytes.
    pub fn bytes(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        self.call(method, path, &[("Content-Type", "application/octet-stream")], body)
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
        let mut response = self.run(Method::GET, path, &[], Vec::new())?;
        if !response.status().is_success() {
            return self.read(path, response).map(drop);
        }
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
        let response = self.run(method, path, headers, body)?;
        self.read(path, response)
    }

    fn run(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response<ureq::Body>, ClientError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).map_err(|e| self.transport(path, &e))?;
        self.agent.run(request).map_err(|e| self.transport(path, &e))
    }

    fn read(&self, path: &str, mut response: Response<ureq::Body>) -> Result<Vec<u8>, ClientError> {
        let read = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec();
        let bytes = read.map_err(|e| self.transport(path, &e))?;
        if response.status().is_success() {
            return Ok(bytes);
        }
        Err(match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => ClientError::Problem(Box::new(problem)),
            Err(_) => self.transport(path, &unexpected(response.status())),
        })
    }

    fn transport(&self, path: &str, reason: &dyn std::fmt::Display) -> ClientError {
        ClientError::Transport {
            url: format!("{}{path}", self.base),
            reason: reason.to_string(),
        }
    }
}

fn unexpected(status: StatusCode) -> String {
    format!("answered {status}; is this an lglp server?")
}
