//! The thread that starts Postgres, starts it again when it has died, and stops it.

use super::launch::{Server, Site};
use super::{Error, Started, State, config::Config};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// The first pause before another start.
const RESTART_PAUSE: Duration = Duration::from_millis(50);

/// A server that ran for this long has come up well: its next pause is the first again.
const RAN_WELL: Duration = Duration::from_secs(60);

/// How often a starting server is looked at. Nothing is looked at once it is ready.
const READY_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// How long Postgres gets to end after a signal that leaves it no choice.
const KILL_TIME_MAX: Duration = Duration::from_secs(10);

/// What the thread waits for.
pub(super) enum Event {
    /// The server has exited and can be reaped.
    Exited,
    /// Somebody wants it stopped, or nobody wants it any more.
    Stop,
}

/// How one attempt to start ended.
enum Attempt {
    Ready(Server),
    /// It exited by itself; `passing` when the cause goes away by itself.
    Exited {
        reason: String,
        passing: bool,
    },
    /// It was not ready in time, and was stopped.
    Slow,
    /// It was stopped as asked.
    Stopped,
}

/// Runs until told to stop.
pub(super) fn run(
    config: &Config,
    events: &Sender<Event>,
    received: &Receiver<Event>,
    state: &watch::Sender<State>,
    ready: oneshot::Sender<Result<Started, Error>>,
) {
    let first = Site::prepare(config).and_then(|site| {
        let server = first_start(config, &site, events, received)?;
        Ok((site, server))
    });
    match first {
        Err(error) => {
            state.send_replace(State::Stopped);
            let _ = ready.send(Err(error));
        }
        Ok((site, server)) => {
            state.send_replace(State::Running { pid: server.pid() });
            let _ = ready.send(Ok(site.describe()));
            supervise(config, &site, server, (events, received), state);
            // The lock goes before the news: who hears of it may start here again.
            drop(site);
            state.send_replace(State::Stopped);
        }
    }
}

/// The first start: its failure is the caller's to hear, unless its cause passes.
fn first_start(
    config: &Config,
    site: &Site,
    events: &Sender<Event>,
    received: &Receiver<Event>,
) -> Result<Server, Error> {
    let until = Instant::now() + config.start_time_max;
    let mut pause = RESTART_PAUSE;
    loop {
        match attempt(config, site, until, events, received)? {
            Attempt::Ready(server) => return Ok(server),
            Attempt::Stopped => return Err(Error::Stopped),
            Attempt::Slow => return Err(Error::Slow { after: config.start_time_max, log: site.log() }),
            Attempt::Exited { reason, passing } if !passing || Instant::now() + pause > until => {
                return Err(Error::Died { reason });
            }
            Attempt::Exited { .. } => {}
        }
        if stop_within(received, pause) {
            return Err(Error::Stopped);
        }
        pause = (pause * 2).min(config.restart_pause_max);
    }
}

/// Keeps a server running until told to stop.
fn supervise(
    config: &Config,
    site: &Site,
    mut server: Server,
    (events, received): (&Sender<Event>, &Receiver<Event>),
    state: &watch::Sender<State>,
) {
    let mut pause = RESTART_PAUSE;
    loop {
        let started = Instant::now();
        match received.recv() {
            Ok(Event::Exited) => {}
            Ok(Event::Stop) | Err(_) => return stop(config, server, received),
        }
        let mut reason = server.reap();
        if started.elapsed() > RAN_WELL {
            pause = RESTART_PAUSE;
        }
        server = loop {
            tracing::error!(reason, pause_ms = pause.as_millis(), "postgres has died and is started again");
            state.send_replace(State::Down { reason });
            if stop_within(received, pause) {
                return;
            }
            pause = (pause * 2).min(config.restart_pause_max);
            state.send_replace(State::Starting);
            // Nobody waits for this start, and recovery only begins anew when it is cut short.
            let forever = Instant::now() + Duration::from_secs(u64::from(u32::MAX));
            reason = match attempt(config, site, forever, events, received) {
                Ok(Attempt::Ready(server)) => break server,
                Ok(Attempt::Stopped) => return,
                Ok(Attempt::Exited { reason, .. }) => reason,
                Ok(Attempt::Slow) => "it was not ready in time".into(),
                Err(error) => error.to_string(),
            };
        };
        tracing::info!(pid = server.pid(), "postgres runs again");
        state.send_replace(State::Running { pid: server.pid() });
    }
}

/// Starts the server and waits until it is ready, has exited, or `until` has come.
fn attempt(
    config: &Config,
    site: &Site,
    until: Instant,
    events: &Sender<Event>,
    received: &Receiver<Event>,
) -> Result<Attempt, Error> {
    let server = site.start(config, events)?;
    loop {
        match received.recv_timeout(READY_CHECK_INTERVAL) {
            Ok(Event::Exited) => {
                // Processes of a server that was killed still hold its memory; they are about to notice.
                let passing = server.last_words().mentions("shared memory block");
                return Ok(Attempt::Exited { reason: server.reap(), passing });
            }
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => {
                stop(config, server, received);
                return Ok(Attempt::Stopped);
            }
            Err(RecvTimeoutError::Timeout) if site.is_ready(&server) => return Ok(Attempt::Ready(server)),
            Err(RecvTimeoutError::Timeout) if Instant::now() > until => {
                stop(config, server, received);
                return Ok(Attempt::Slow);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Stops the server: fast, which ends its clients and writes a checkpoint, then without choice.
fn stop(config: &Config, server: Server, received: &Receiver<Event>) {
    let steps = [(libc::SIGINT, config.stop_time_max), (libc::SIGQUIT, KILL_TIME_MAX), (libc::SIGKILL, KILL_TIME_MAX)];
    for (signal, patience) in steps {
        server.signal(signal);
        if exited_within(received, patience) {
            server.reap();
            return;
        }
        tracing::warn!(pid = server.pid(), signal, "postgres has not stopped in time");
    }
    tracing::error!(pid = server.pid(), "postgres cannot be stopped");
}

/// Whether the server exits in this time.
fn exited_within(received: &Receiver<Event>, time: Duration) -> bool {
    let until = Instant::now() + time;
    loop {
        match received.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Exited) => return true,
            Ok(Event::Stop) => {}
            Err(_) => return false,
        }
    }
}

/// Pauses; true when told to stop meanwhile.
fn stop_within(received: &Receiver<Event>, time: Duration) -> bool {
    !matches!(received.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}
