//! The service: where it listens, and until when.

use crate::api;
use crate::guard::Hosts;
use crate::plant::Plant;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
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
    /// Allows an address that others can reach. There are no passwords yet: whoever reaches the port
    /// may read events and dead letters. Default: false.
    pub insecure: bool,
    /// Host names, beside localhost, that clients may use for this API. Default: none.
    pub hosts: Vec<String>,
    /// How many may watch the events at the same time. Default: 8.
    pub tail_readers_max: usize,
    /// The most dead letters one page holds. Default: 500.
    pub page_items_max: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            insecure: false,
            hosts: Vec::new(),
            tail_readers_max: 8,
            page_items_max: 500,
        }
    }
}

/// Why the admin API cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can be reached from elsewhere, and nobody said that this is meant.
    #[error(
        "admin-listen {0} can be reached from other machines, and the admin API has no passwords; use \
         127.0.0.1, or say --admin-insecure if the network is yours"
    )]
    Exposed(SocketAddr),
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
    plant: Arc<dyn Plant>,
    metrics: PrometheusHandle,
}

impl Admin {
    /// Takes the port; nothing is answered before [`Admin::run`].
    pub async fn bind(config: Config, plant: Arc<dyn Plant>, metrics: PrometheusHandle) -> Result<Admin, Error> {
        if !config.listen.ip().is_loopback() && !config.insecure {
            return Err(Error::Exposed(config.listen));
        }
        let failed = |error| Error::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Admin { listener, address, config, plant, metrics })
    }

    /// The address, with the port that was given for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`, then finishes what is under way and ends the streams.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let hosts = Hosts::new(self.address, self.config.insecure, &self.config.hosts);
        let metrics = self.metrics.clone();
        let router = api::router(self.config, self.plant, self.metrics, hosts, shutdown.clone());
        let stop = shutdown.clone();
        let overdue = async move {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN_WAIT).await;
        };
        let serve = axum::serve(self.listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
        tokio::select! {
            served = serve.into_future() => served.map_err(Error::Serve),
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
