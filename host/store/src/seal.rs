//! Encrypts what must not be readable in a dump of the database: AES-256-GCM, a fresh nonce each time.

use crate::Error;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use rand::RngExt;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

const NONCE: usize = 12;
/// Bound to every sealed document, so that one cannot be passed off as something else.
const CONTEXT: &[u8] = b"pintle revision 1";
/// The same for code, followed by its digest: none can stand in for another.
const ARTIFACT_CONTEXT: &str = "pintle artifact 1 ";

/// The key that opens what is stored. Never printed; its id is.
#[derive(Clone)]
pub struct SecretKey {
    cipher: Aes256Gcm,
    id: String,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes in base64.
    #[error("the secret key must be 32 bytes in base64, as `head -c32 /dev/urandom | base64` makes them")]
    Shape,
    /// The file cannot be read or made.
    #[error("secret key file {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: std::io::Error,
    },
}

impl SecretKey {
    /// A key from its base64 form.
    ///
    /// # Errors
    /// When it is not 32 bytes in base64.
    pub fn parse(text: &str) -> Result<SecretKey, KeyError> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).map_err(|_| KeyError::Shape)?;
        let cipher = Aes256Gcm::new_from_slice(&bytes).map_err(|_| KeyError::Shape)?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let id = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(SecretKey { cipher, id })
    }

    /// The key in a file; made there, readable for the owner only, when there is none.
    ///
    /// # Errors
    /// When the file cannot be read, made, or holds no key.
    pub fn load_or_make(path: &Path) -> Result<SecretKey, KeyError> {
        let file = |error| KeyError::File { path: path.display().to_string(), error };
        match std::fs::File::open(path) {
            Ok(mut open) => {
                let mut text = String::new();
                open.read_to_string(&mut text).map_err(file)?;
                SecretKey::parse(&text)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = SecretKey::make();
                write_new(path, &text).map_err(file)?;
                SecretKey::parse(&text)
            }
            Err(error) => Err(file(error)),
        }
    }

    /// Writes a new key into a file that is not there yet, readable for the owner only.
    ///
    /// # Errors
    /// When the file is there or cannot be made.
    pub fn make_file(path: &Path) -> Result<SecretKey, KeyError> {
        let text = SecretKey::make();
        write_new(path, &text).map_err(|error| KeyError::File { path: path.display().to_string(), error })?;
        SecretKey::parse(&text)
    }

    /// Names the key without giving it away.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A new key, in its base64 form.
    #[must_use]
    pub fn make() -> String {
        let bytes: [u8; 32] = rand::rng().random();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    pub(crate) fn seal(&self, clear: &[u8]) -> Vec<u8> {
        self.seal_as(CONTEXT, clear)
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.open_as(CONTEXT, sealed)
    }

    pub(crate) fn seal_artifact(&self, digest: &str, clear: &[u8]) -> Vec<u8> {
        self.seal_as(format!("{ARTIFACT_CONTEXT}{digest}").as_bytes(), clear)
    }

    pub(crate) fn open_artifact(&self, digest: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.open_as(format!("{ARTIFACT_CONTEXT}{digest}").as_bytes(), sealed)
    }

    fn seal_as(&self, context: &[u8], clear: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: clear, aad: context })
            .expect("AES-GCM takes every document that fits in memory");
        [&nonce[..], &sealed].concat()
    }

    fn open_as(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let wrong = || Error::WrongKey(format!("this one is key {}", self.id));
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        self.cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: context }).map_err(|_| wrong())
    }
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(made, "{text}")?;
    made.sync_all()
}

/// The key in use. A rotation replaces it for everyone who holds the vault.
#[derive(Clone, Debug)]
pub struct Vault(Arc<RwLock<SecretKey>>);

impl Vault {
    /// A vault with this key.
    #[must_use]
    pub fn new(key: SecretKey) -> Vault {
        Vault(Arc::new(RwLock::new(key)))
    }

    /// The key in use.
    #[must_use]
    pub fn key(&self) -> SecretKey {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another key in its place.
    pub fn replace(&self, key: SecretKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
    }
}
