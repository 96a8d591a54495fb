//! Where events are delivered to, seen from the bench.

use crate::client::Connection;
use crate::peers::Peer;
use crate::pintle::{Pintle, demo};
use crate::scratch::Scratch;
use anyhow::ensure;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The first delivery waits until the plugins are compiled, which takes a while in a debug build.
const FIRST_ARRIVAL_TIME_MAX: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Without an arrival for this long, nothing is on the way any more.
const QUIET: Duration = Duration::from_millis(500);

/// The receiver's process, and a connection to ask it.
#[derive(Debug)]
pub struct Destination {
    peer: Peer,
    pub address: SocketAddr,
    asking: Connection,
}

/// Starts a receiver and a Pintle with the demo on it, and waits until the first event has arrived: whatever
/// is made at first use is made then.
pub async fn start_delivering(scratch: &Scratch, name: &str) -> anyhow::Result<(Pintle, Destination)> {
    let mut destination = Destination::start().await?;
    let pintle = Pintle::start(scratch, name, &demo(destination.address.port())?).await?;
    destination.first(&pintle).await?;
    Ok((pintle, destination))
}

impl Destination {
    /// Starts a receiver.
    pub async fn start() -> anyhow::Result<Destination> {
        let mut peer = Peer::role(&["receiver"])?;
        let address = peer.address()?;
        Ok(Destination { peer, address, asking: Connection::open(address).await? })
    }

    /// Waits until the event that proved the start has arrived, and nothing is on the way any more.
    pub async fn first(&mut self, pintle: &Pintle) -> anyhow::Result<()> {
        let deadline = Instant::now() + FIRST_ARRIVAL_TIME_MAX;
        while self.arrived().await? == 0 {
            ensure!(Instant::now() < deadline, "nothing is delivered; the status: {}", pintle.status().await?);
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.quiet().await
    }

    /// Its URL with this path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many events have arrived.
    pub async fn arrived(&mut self) -> anyhow::Result<u64> {
        Ok(self.asking.get("/count").await?.parse()?)
    }

    /// How old events were when they arrived, since this was asked last, sorted, in nanoseconds. None are
    /// noted before the first question.
    pub async fn ages_ns(&mut self) -> anyhow::Result<Vec<u64>> {
        self.ages_ns_at("/").await
    }

    /// The same of those that were posted to this path.
    pub async fn ages_ns_at(&mut self, path: &str) -> anyhow::Result<Vec<u64>> {
        let text = self.asking.get(&format!("/ages{path}")).await?;
        let mut ages: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        ages.sort_unstable();
        Ok(ages)
    }

    /// Waits until as many have arrived, or that moment.
    pub async fn wait_for(&mut self, events: u64, deadline: Instant) -> anyhow::Result<()> {
        while self.arrived().await? < events && Instant::now() < deadline {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Waits until nothing arrives any more.
    pub async fn quiet(&mut self) -> anyhow::Result<()> {
        loop {
            let before = self.arrived().await?;
            tokio::time::sleep(QUIET).await;
            if self.arrived().await? == before {
                return Ok(());
            }
        }
    }

    /// CPU time of the receiver so far.
    pub fn cpu_us(&self) -> anyhow::Result<u64> {
        self.peer.cpu_us()
    }
}
