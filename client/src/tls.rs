//! TLS: certificates and keys from PEM files, and how rustls is set up on both sides.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};

/// The cryptography that TLS uses. Said at each use, so that nothing depends on which crate asked first.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What a server proves itself with.
///
/// # Errors
/// Naming the file and what is wrong with it.
pub fn server_config(certificate: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let chain = certificates(certificate)?;
    let private = private_key(key)?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .context("this build of TLS has no protocol version")?;
    let (certificate, key) = (certificate.display(), key.display());
    match builder.with_no_client_auth().with_single_cert(chain, private) {
        Ok(config) => Ok(config),
        Err(rustls::Error::InconsistentKeys(_)) => bail!(
            "the key in {key} is not that of the first certificate in {certificate}; a chain begins with the server's own"
        ),
        Err(error) => bail!("the certificate in {certificate} with the key in {key} cannot be used: {error}"),
    }
}

/// The certificates that a client trusts.
///
/// # Errors
/// Naming the file and what is wrong with it.
pub fn authorities(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found = certificates(file)?;
    let mut store = RootCertStore::empty();
    for certificate in &found {
        let added = store.add(certificate.clone());
        added.with_context(|| format!("a certificate in {} cannot be trusted", file.display()))?;
    }
    Ok(found)
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let name = file.display();
    let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, PemError>>();
    let found = read().map_err(|error| unreadable(file, error))?;
    anyhow::ensure!(
        !found.is_empty(),
        "{name} holds no certificate; expected PEM, which begins with -----BEGIN CERTIFICATE-----"
    );
    Ok(found)
}

fn private_key(file: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    let name = file.display();
    match PrivateKeyDer::from_pem_file(file) {
        Ok(key) => Ok(key),
        Err(PemError::NoItemsFound) => bail!(
            "{name} holds no private key; expected PEM, which begins with -----BEGIN PRIVATE KEY-----. An encrypted key \
             has to be decrypted first: openssl pkey -in {name} -out KEY"
        ),
        Err(error) => Err(unreadable(file, error)),
    }
}

fn unreadable(file: &Path, error: PemError) -> anyhow::Error {
    let name = file.display();
    match error {
        PemError::Io(error) => anyhow::Error::new(error).context(format!("cannot read {name}")),
        error => anyhow::anyhow!("{name} is not PEM: {error}"),
    }
}
