//! A certificate for 127.0.0.1 that signs itself, and its key. Good until 2126.

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

fn file(name: &str) -> String {
    project_dir().join("tests/harness/tls").join(name).display().to_string()
}
