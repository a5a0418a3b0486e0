//! TLS of outgoing connections.

use std::sync::Arc;

use ureq::tls::{RootCerts, TlsConfig};

/// Certificates are verified as the system does it, so that an authority of one's own is added in one place.
pub fn tls() -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}
