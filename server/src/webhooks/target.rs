//! Where events may be sent: to this machine, and to what the server's operator allowed.
//!
//! A server that posts wherever it is told can be turned against what only it can reach. So a target is a loopback address,
//! or listed. A URL is checked when a webhook is created, and again whenever something is sent, together with what its host
//! resolves to; the connection then goes to that very address, since a second look-up may answer otherwise.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use url::{Host, Url};

/// Why nothing is sent to a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It is no URL, or one that cannot be posted to.
    #[error("{reason}; expected http://HOST[:PORT]/PATH or https://...")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// It holds a name or a password, which would lie open in listings and logs.
    #[error("credentials do not belong into the URL: deliveries are signed, and a receiver knows them by that")]
    Credentials,
    /// Its host is neither this machine nor listed.
    #[error(
        "{host}:{port} is neither a loopback address nor allowed: use 127.0.0.1, [::1] or localhost, or start the server with \
         --webhook-allow {host}:{port}"
    )]
    NotAllowed {
        /// The URL's host.
        host: String,
        /// The URL's port, or else the one of its scheme.
        port: u16,
    },
    /// The name of this machine leads to another.
    #[error("{host} is {address} here, which is not a loopback address: use 127.0.0.1 or [::1]")]
    NotLoopback {
        /// The URL's host.
        host: String,
        /// Where it leads: an address that is not loopback.
        address: IpAddr,
    },
    /// The host has no address.
    #[error("{host} cannot be resolved: {reason}")]
    Unresolved {
        /// The URL's host.
        host: String,
        /// What the system answered, or that there is no address.
        reason: String,
    },
}

/// A host that events may be sent to, at one port or at any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    host: Host<String>,
    port: Option<u16>,
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |reason: &dyn fmt::Display| format!("expected HOST or HOST:PORT, e.g. ci.example.org:443: {reason}");
        // The last colon of `[::1]` is not one before a port.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().map_err(|e| wrong(&e))?)),
            _ => (text, None),
        };
        let host = Host::parse(host).map_err(|e| wrong(&e))?;
        Ok(Self { host, port })
    }
}

/// The rule: loopback, and what is listed.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    allowed: Vec<Allowed>,
}

/// A URL that may be sent to, as far as its text tells.
#[derive(Debug)]
pub struct Target {
    url: Url,
    host: Host<String>,
    port: u16,
    listed: bool,
}

impl Targets {
    /// Allows loopback addresses, and these hosts.
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self { allowed }
    }

    /// Checks the URL of a webhook that is to be created, and returns it in its normal form: what is listed then is what is
    /// sent to. A listed host need not be reachable yet.
    pub fn accept(&self, url: &str) -> Result<String, TargetError> {
        let target = self.check(url)?;
        if !target.listed {
            target.addresses()?;
        }
        Ok(target.url.into())
    }

    /// Checks all that the text of a URL tells.
    pub fn check(&self, url: &str) -> Result<Target, TargetError> {
        let malformed = |reason: String| TargetError::Malformed { reason };
        let url = Url::parse(url).map_err(|e| malformed(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(malformed(format!("{}: is not sent to", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        let (Some(host), Some(port)) = (url.host().map(|h| h.to_owned()), url.port_or_known_default()) else {
            return Err(malformed("it has no host".into()));
        };
        // What sends reads the URL with a parser of its own: both must see one host.
        if lglp_client::destination(url.as_str()) != Some((host.to_string(), url.port())) {
            return Err(malformed(
                "it is ambiguous, or holds characters that must be escaped".into(),
            ));
        }
        let here = match &host {
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
            Host::Domain(name) => name == "localhost",
        };
        let listed = |allowed: &Allowed| allowed.host == host && allowed.port.is_none_or(|p| p == port);
        let listed = self.allowed.iter().any(listed);
        if !here && !listed {
            let host = host.to_string();
            return Err(TargetError::NotAllowed { host, port });
        }
        Ok(Target {
            url,
            host,
            port,
            listed,
        })
    }
}

impl Target {
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Looks up where the target is, and checks it.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, TargetError> {
        let found = match &self.host {
            Host::Ipv4(address) => vec![SocketAddr::from((*address, self.port))],
            Host::Ipv6(address) => vec![SocketAddr::from((*address, self.port))],
            Host::Domain(name) => resolve(name, self.port)?,
        };
        self.permit(found)
    }

    /// The addresses, where all of them may be sent to.
    fn permit(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, TargetError> {
        let elsewhere = found.iter().find(|address| !address.ip().is_loopback());
        match elsewhere {
            Some(address) if !self.listed => Err(TargetError::NotLoopback {
                host: self.host.to_string(),
                address: address.ip(),
            }),
            _ => Ok(found),
        }
    }
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TargetError> {
    let unresolved = |reason: String| TargetError::Unresolved {
        host: host.to_owned(),
        reason,
    };
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|e| unresolved(e.to_string()))?
        .collect();
    if found.is_empty() {
        return Err(unresolved("it has no address".into()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(hosts: &[&str]) -> Targets {
        Targets::new(hosts.iter().map(|host| host.parse().unwrap()).collect())
    }

    #[test]
    fn loopback_is_allowed_in_every_spelling_and_normalised() {
        for (url, normal) in [
            ("http://127.0.0.1:9000/hook", "http://127.0.0.1:9000/hook"),
            ("HTTP://LOCALHOST:9000", "http://localhost:9000/"),
            ("https://[::1]/a?b=c", "https://[::1]/a?b=c"),
            ("http://127.255.0.3/", "http://127.255.0.3/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://0177.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(Targets::default().accept(url).unwrap(), normal);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://169.254.169.254/latest/meta-data",
            "http://example.org/",
            "http://localhost.example.org/",
            "http://localhost./",
            "http://127.0.0.1.example.org/",
            "http://127.0.0.1@10.0.0.1/",
            "http://10.0.0.1#@127.0.0.1/",
            "http://10.0.0.1\\@127.0.0.1/",
            "http://user:password@127.0.0.1/",
            "http://167772161/",
            "http://012.0.0.1/",
            "http://0xa.0.0.1/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::]/",
            "http://[fe80::1]/",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "//127.0.0.1/",
            "127.0.0.1:9000",
            "",
        ] {
            assert!(Targets::default().accept(url).is_err(), "{url}");
        }
    }

    #[test]
    fn listed_hosts_are_allowed_at_their_port() {
        let targets = allowing(&["ci.example.org:8443", "10.0.0.1", "[fe80::1]:80"]);
        for url in [
            "https://ci.example.org:8443/x",
            "http://10.0.0.1:1/",
            "https://10.0.0.1/",
            "http://[fe80::1]/",
        ] {
            assert_eq!(targets.accept(url).unwrap(), url);
        }
        for url in [
            "https://ci.example.org/",
            "http://10.0.0.2/",
            "http://[fe80::1]:81/",
            "http://a.ci.example.org:8443/",
        ] {
            assert!(targets.accept(url).is_err(), "{url}");
        }
        for wrong in ["", "http://ci.example.org", "ci.example.org:99999", "[::1", "a b"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
    }

    /// A name server that answers `localhost` with something else does not lead there.
    #[test]
    fn a_name_must_lead_to_loopback_unless_it_is_listed() {
        let (home, away) = ("127.0.0.1:80".parse().unwrap(), "10.0.0.1:80".parse().unwrap());
        let target = Targets::default().check("http://localhost/").unwrap();
        assert_eq!(target.permit(vec![home]).unwrap(), [home]);
        assert!(matches!(
            target.permit(vec![home, away]),
            Err(TargetError::NotLoopback { .. })
        ));
        let listed = allowing(&["localhost"]).check("http://localhost/").unwrap();
        assert_eq!(listed.permit(vec![away]).unwrap(), [away]);
    }
}
