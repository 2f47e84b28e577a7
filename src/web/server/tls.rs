//! HTTPS without a proxy, by Rocket's own `tls` setting: certificates and a key in PEM.

use std::sync::Arc;

use rocket::config::TlsConfig;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::ServeError;

/// The TLS handshake for each connection.
///
/// # Errors
/// Where the certificates or the key cannot be read or do not belong together.
pub(super) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, ServeError> {
    let certs = config.certs().either(std::fs::read, |pem| Ok(pem.to_vec()));
    let certs = certs.map_err(|error| refused("certificate", &error))?;
    let key = config.key().either(std::fs::read, |pem| Ok(pem.to_vec()));
    let key = key.map_err(|error| refused("key", &error))?;
    let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certs).collect();
    let certs = certs.map_err(|error| refused("certificate", &error))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| refused("key", &error))?;
    let mut provider = ring::default_provider();
    let wanted: Vec<_> = config
        .ciphers()
        .map(|cipher| format!("{cipher:?}"))
        .collect();
    provider.cipher_suites.retain(|suite| {
        // `TLS13_AES_…` is what the others call `TLS_AES_…`.
        let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
        wanted.contains(&name)
    });
    let agreed = ServerConfig::builder_with_provider(Arc::<CryptoProvider>::new(provider))
        .with_safe_default_protocol_versions()
        .and_then(|server| server.with_no_client_auth().with_single_cert(certs, key));
    let mut server = agreed.map_err(|error| refused("configuration", &error))?;
    server.ignore_client_order = config.prefer_server_cipher_order();
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn refused(what: &str, error: &dyn std::error::Error) -> ServeError {
    ServeError(format!("the {what} for TLS cannot be used ({error})"))
}
