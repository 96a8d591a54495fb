//! The service: where it listens, and until when.

use crate::guard::Hosts;
use crate::office::Office;
use crate::plant::Plant;
use crate::{api, tls};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where the admin API listens, and its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The address. Default: 127.0.0.1:8081.
    pub listen: SocketAddr,
    /// Allows an address that others can reach although there is no certificate: tokens and events then
    /// travel in clear text. Default: false.
    pub insecure: bool,
    /// The file with the certificate and its chain, in PEM form. Default: none.
    pub tls_certificate: Option<PathBuf>,
    /// The file with the certificate's private key, in PEM form. Default: none.
    pub tls_key: Option<PathBuf>,
    /// Host names, beside localhost, that clients may use for this API. Default: none.
    pub hosts: Vec<String>,
    /// How many may watch the events at the same time. Default: 8.
    pub tail_readers_max: usize,
    /// The most things one page holds. Default: 500.
    pub page_items_max: u32,
    /// The most dead letters that one request retries or discards. Default: 1,000.
    pub dead_letters_max: u32,
    /// The most rows of the books one answer holds. Default: 20,000.
    pub ledger_rows_max: usize,
    /// The largest JSON body, in bytes. Default: 4 MiB.
    pub body_bytes_max: usize,
    /// The largest upload of code or a component, in bytes; `component-bytes-max` and `source-bytes-max` of
    /// the runtime bound what is taken of it. Default: 64 MiB.
    pub upload_bytes_max: usize,
    /// The most events one test run takes. Default: 1,000.
    pub trial_events_max: usize,
    /// The most events one shadow run looks back on. Default: 10,000.
    pub shadow_events_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            insecure: false,
            tls_certificate: None,
            tls_key: None,
            hosts: Vec::new(),
            tail_readers_max: 8,
            page_items_max: 500,
            dead_letters_max: 1_000,
            ledger_rows_max: 20_000,
            body_bytes_max: 4 << 20,
            upload_bytes_max: 64 << 20,
            trial_events_max: 1_000,
            shadow_events_max: 10_000,
        }
    }
}

/// Why the admin API cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can be reached from elsewhere, and nobody said that this is meant.
    #[error(
        "admin-listen {0} can be reached from other machines; name a certificate (admin: tls-certificate and \
         tls-key), use 127.0.0.1, or say --admin-insecure if nobody else listens on the network"
    )]
    Exposed(SocketAddr),
    /// One of the two files of a certificate is not named.
    #[error("admin: {0} is missing; tls-certificate and tls-key belong together")]
    Half(&'static str),
    /// The certificate cannot be used.
    #[error("{file}: {why}")]
    Tls {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {0} for the admin API: {1}; choose another with --admin-listen")]
    Listen(SocketAddr, std::io::Error),
    /// Accepting connections failed.
    #[error("the admin API stopped: {0}")]
    Serve(std::io::Error),
}

/// How long a reader that does not read may hold up the end.
const DRAIN_WAIT: Duration = Duration::from_secs(2);

/// How long stale histogram samples may wait to be folded.
const UPKEEP_EVERY: Duration = Duration::from_secs(30);

/// The admin API, bound to its port.
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
    tls: Option<Arc<rustls::ServerConfig>>,
    plant: Arc<dyn Plant>,
    office: Option<Office>,
    metrics: PrometheusHandle,
}

impl Admin {
    /// Takes the port; nothing is answered before [`Admin::run`].
    pub async fn bind(config: Config, plant: Arc<dyn Plant>, metrics: PrometheusHandle) -> Result<Admin, Error> {
        let tls = match (&config.tls_certificate, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::load(certificate, key, &["http/1.1"])?),
            (None, None) => None,
            (None, Some(_)) => return Err(Error::Half("tls-certificate")),
            (Some(_), None) => return Err(Error::Half("tls-key")),
        };
        if !config.listen.ip().is_loopback() && !config.insecure && tls.is_none() {
            return Err(Error::Exposed(config.listen));
        }
        let failed = |error| Error::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Admin { listener, address, config, tls, plant, office: None, metrics })
    }

    /// The same, with the catalog's part of the API.
    #[must_use]
    pub fn with_office(self, office: Office) -> Admin {
        Admin { office: Some(office), ..self }
    }

    /// The address, with the port that was given for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`, then finishes what is under way and ends the streams.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let open = self.config.insecure || self.tls.is_some();
        let hosts = Hosts::new(self.address, open, &self.config.hosts);
        let metrics = self.metrics.clone();
        let router = api::router(self.config, self.plant, self.office, self.metrics, hosts, shutdown.clone());
        let stop = shutdown.clone();
        let overdue = async move {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN_WAIT).await;
        };
        let stopped = async move { stop.cancelled().await };
        let serve = async move {
            match self.tls {
                None => axum::serve(self.listener, router).with_graceful_shutdown(stopped).await,
                Some(config) => {
                    let listener = tls::Listener::new(self.listener, self.address, config);
                    axum::serve(listener, router).with_graceful_shutdown(stopped).await
                }
            }
        };
        tokio::select! {
            served = serve => served.map_err(Error::Serve),
            () = overdue => Ok(()),
            never = upkeep(metrics) => match never {},
        }
    }
}

/// Histograms keep their samples until somebody folds them; without a scraper nobody else does.
async fn upkeep(metrics: PrometheusHandle) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
