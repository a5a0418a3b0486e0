//! A server without tokens answers whoever reaches its loopback address: that must not be a web page that a browser on this
//! machine has open. Browsers say where a request comes from, in headers that pages cannot change.

use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use lglp_openapi::problem::Slug;

use crate::api::problem::ApiError;

/// Refuses requests of web pages of other sites, and those to a name that only pretends to be this machine (DNS rebinding).
pub(super) fn check(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |header| headers.get(header).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST.as_str()).unwrap_or_default();
    if !is_this_machine(host) {
        return Err(refused(format!(
            "the request is to {host:?}, which is no loopback address"
        )));
    }
    match text(ORIGIN.as_str()) {
        Some(origin) if origin.split_once("://").is_none_or(|(_, authority)| authority != host) => {
            Err(refused(format!("the request comes from the web page {origin:?}")))
        }
        _ => Ok(()),
    }
}

/// Whether a `Host` names a loopback address. One that is missing comes from no browser.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    loopback || host.is_empty() || name.eq_ignore_ascii_case("localhost")
}

fn refused(what: String) -> ApiError {
    let detail = format!("{what}; a server without tokens answers this machine alone: create a token, and send it");
    ApiError::new(
        StatusCode::FORBIDDEN,
        Slug::ForeignOrigin,
        "The request comes from elsewhere",
        detail,
    )
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn admitted(headers: &[(HeaderName, &'static str)]) -> bool {
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        check(&pairs.collect()).is_ok()
    }

    #[test]
    fn web_pages_of_other_sites_and_other_names_are_refused() {
        assert!(admitted(&[]));
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "[::1]:8080",
            "[::1]",
            "127.0.0.1",
            "LOCALHOST",
        ] {
            assert!(admitted(&[(HOST, host)]), "{host}");
        }
        for host in [
            "evil.example:8080",
            "10.0.0.1:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
        ] {
            assert!(!admitted(&[(HOST, host)]), "{host}");
        }
        let here = (HOST, "127.0.0.1:8080");
        assert!(
            admitted(&[here.clone(), (ORIGIN, "http://127.0.0.1:8080")]),
            "the API's own pages"
        );
        for origin in ["https://evil.example", "null", "http://127.0.0.1:9000"] {
            assert!(!admitted(&[here.clone(), (ORIGIN, origin)]), "{origin}");
        }
    }
}
