//! Certificates, and their keys: one for 127.0.0.1 that signs itself, and those of an authority of the tests' own,
//! of which each but one has something wrong with it. Good until 2125 and later, but for the expired one.

use crate::folder::project_dir;

/// The file of the certificate, in PEM form.
#[must_use]
pub fn certificate() -> String {
    file("certificate.pem")
}

/// The file of its key, in PEM form.
#[must_use]
pub fn key() -> String {
    file("key.pem")
}

/// The file of the certificate of the authority that has signed those below.
#[must_use]
pub fn authority() -> String {
    file("authority.pem")
}

/// The file of a certificate for 127.0.0.1 and localhost; its key is [`server_key`].
#[must_use]
pub fn server() -> String {
    file("server.pem")
}

/// The same, expired in 2020.
#[must_use]
pub fn expired() -> String {
    file("expired.pem")
}

/// The same, for other.example.
#[must_use]
pub fn elsewhere() -> String {
    file("elsewhere.pem")
}

/// The file of the key of these three.
#[must_use]
pub fn server_key() -> String {
    file("server-key.pem")
}

fn file(name: &str) -> String {
    project_dir().join("tests/harness/tls").join(name).display().to_string()
}
