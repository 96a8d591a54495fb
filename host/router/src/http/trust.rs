//! Whose certificates are believed.

use crate::config::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The authorities whose certificates are believed: the usual public ones, and those of an operator.
#[derive(Clone, Debug)]
pub struct Trust(Arc<ClientConfig>);

/// The operator's file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why} (trusted-certificates)", file.display())]
pub struct Untrusted {
    file: PathBuf,
    why: String,
}

impl Trust {
    /// The public authorities alone.
    #[must_use]
    pub fn public() -> Trust {
        Trust::of(public_roots())
    }

    /// What the settings say.
    ///
    /// # Errors
    /// When `trusted-certificates` names a file that is not there, or not one of certificates.
    pub fn load(config: &Config) -> Result<Trust, Untrusted> {
        let mut roots = public_roots();
        if let Some(file) = &config.trusted_certificates {
            add(&mut roots, file).map_err(|why| Untrusted { file: file.clone(), why })?;
        }
        Ok(Trust::of(roots))
    }

    fn of(roots: RootCertStore) -> Trust {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers the TLS versions that rustls allows by default")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Trust(Arc::new(config))
    }

    /// The settings of a client, without ALPN.
    pub(super) fn client(&self) -> ClientConfig {
        ClientConfig::clone(&self.0)
    }
}

fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
    let mut found = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| format!("certificate {}: {error}", found + 1))?;
        found += 1;
    }
    if found == 0 { Err("it holds no certificate in PEM form".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &Path) -> Result<Trust, String> {
        let config = Config { trusted_certificates: Some(file.to_owned()), ..Config::default() };
        Trust::load(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let missing = load(Path::new("/no/such/file.pem")).unwrap_err();
        assert!(missing.starts_with("/no/such/file.pem: "), "{missing}");
        let none = load(Path::new("/dev/null")).unwrap_err();
        assert_eq!(none, "/dev/null: it holds no certificate in PEM form (trusted-certificates)");
        assert!(Trust::load(&Config::default()).is_ok());
    }
}
