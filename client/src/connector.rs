//! TLS of outgoing connections.

use std::path::Path;

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::tls;

/// Certificates as the system verifies them, so that an authority of one's own is added in one place.
pub(crate) fn system() -> TlsConfig {
    trusting(RootCerts::PlatformVerifier)
}

/// Certificates verified by those in a PEM file alone.
///
/// # Errors
/// Where the file holds none.
pub(crate) fn authorities(file: &Path) -> anyhow::Result<TlsConfig> {
    let found = tls::authorities(file)?;
    let own: Vec<_> = found.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(trusting(RootCerts::new_with_certs(&own)))
}

fn trusting(roots: RootCerts) -> TlsConfig {
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(tls::provider())
        .root_certs(roots)
        .build()
}
