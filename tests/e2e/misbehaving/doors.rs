//! Endpoints that do wrong before there is a request: in TCP, in TLS, in HTTP/2.

use super::wire::Wire;
use pintle_tests::tls;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// The preface of an HTTP/2 client.
const PREFACE: usize = 24;
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const HEADERS: u8 = 1;
/// Longer than any client waits.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// What a server does to a connection of HTTP/2.
#[derive(Clone, Copy, Debug)]
pub enum Trick {
    /// It takes its leave when the first request has come.
    GoAway,
    /// It cancels every request.
    ResetStream,
    /// It stays connected and says nothing any more, as one whose machine has lost its power.
    FallSilent,
}

/// TLS with this certificate and these protocols.
pub fn acceptor(certificate: &str, key: &str, protocols: &[&str]) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().collect::<Result<_, _>>().unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// TLS as it should be.
pub fn good(protocols: &[&str]) -> TlsAcceptor {
    acceptor(&tls::server(), &tls::server_key(), protocols)
}

/// Plays a trick on a client that speaks HTTP/2, until it has enough.
pub async fn play(wire: &mut Wire, trick: Trick) -> io::Result<()> {
    wire.skip(PREFACE).await?;
    wire.say(SETTINGS).await?;
    while let Some((kind, stream)) = wire.frame().await? {
        match (kind, trick) {
            (HEADERS, Trick::GoAway) => {
                // The last stream that was looked at: none. No error.
                wire.say([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await?;
                return Ok(());
            }
            (HEADERS, Trick::ResetStream) => {
                // INTERNAL_ERROR
                let reset = [&[0, 0, 4, 3, 0], &stream[..], &[0, 0, 0, 2]].concat();
                wire.say(reset).await?;
            }
            (HEADERS, Trick::FallSilent) => {
                // Not even a FIN is answered: nothing is read any more. It ends with the endpoint.
                tokio::time::sleep(FOR_EVER).await;
            }
            _ => {}
        }
    }
    Ok(())
}
