//! Time for guests: a thread that moves the epoch while a guest runs, and a meter per call.
//!
//! The epoch makes a running guest look up every tick: it lets other tasks of its thread run, and is
//! stopped when its running time is used up. Only time spent running counts, so a guest that waits for its
//! turn on a busy machine does not pay for it.
//!
//! The thread sleeps while nothing runs. It also drops instances that have been idle for long: there it
//! wakes up a few times a minute, as long as there are any.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wasmtime::Engine;

/// Ticks without a call before the thread sleeps: waking it costs a system call, and calls come in bursts.
const LINGER_TICKS: u32 = 10;
/// How often chores are looked at while calls are running.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// What the clock's thread does now and then besides.
pub(crate) trait Chores: Send + Sync + 'static {
    /// Drops what has been idle for too long; says when to come back, if at all.
    fn sweep(&self, now: Instant) -> Option<Duration>;
}

/// Owns the thread: it ends when this is dropped.
pub(crate) struct Clock {
    face: Arc<Face>,
}

impl Clock {
    pub(crate) fn start(engine: Engine, tick: Duration, chores: Weak<impl Chores>) -> std::io::Result<Clock> {
        let face = Arc::new(Face {
            running: AtomicUsize::new(0),
            thread: Mutex::new(Thread { asleep: false, ended: false }),
            wake: Condvar::new(),
            started: Instant::now(),
        });
        let clock = Clock { face: face.clone() };
        std::thread::Builder::new()
            .name("pintle-epoch".to_owned())
            .spawn(move || tick_and_sweep(&face, &engine, tick, &chores))?;
        Ok(clock)
    }

    /// A meter for one call.
    pub(crate) fn meter(&self, run_time_max: Duration) -> Arc<Meter> {
        Arc::new(Meter {
            face: self.face.clone(),
            ran: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            max: run_time_max,
        })
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.face.thread().ended = true;
        self.face.wake.notify_one();
    }
}

/// What callers and the thread share.
struct Face {
    running: AtomicUsize,
    thread: Mutex<Thread>,
    wake: Condvar,
    started: Instant,
}

struct Thread {
    asleep: bool,
    ended: bool,
}

impl Face {
    fn thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nanos(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Keeps the epoch moving until the guard is dropped.
    fn run(self: Arc<Self>) -> Running {
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 && self.thread().asleep {
            self.wake.notify_one();
        }
        Running(self)
    }
}

/// A call is under way.
struct Running(Arc<Face>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick_and_sweep(face: &Face, engine: &Engine, tick: Duration, chores: &Weak<impl Chores>) {
    let sweep = |now| chores.upgrade().and_then(|chores| chores.sweep(now));
    let mut quiet_ticks = 0;
    let mut sweep_at = Instant::now() + SWEEP_INTERVAL;
    while !face.thread().ended {
        engine.increment_epoch();
        let now = Instant::now();
        quiet_ticks = if face.running.load(Ordering::SeqCst) > 0 { 0 } else { quiet_ticks + 1 };
        if quiet_ticks > LINGER_TICKS {
            sleep(face, sweep(now));
            sweep_at = Instant::now();
        } else {
            std::thread::sleep(tick);
        }
        if sweep_at <= now {
            sweep(now);
            sweep_at = now + SWEEP_INTERVAL;
        }
    }
}

/// Sleeps until a call starts, the clock is dropped, or it is time to sweep.
fn sleep(face: &Face, at_most: Option<Duration>) {
    let mut thread = face.thread();
    thread.asleep = true;
    let nothing_to_do = |thread: &mut Thread| !thread.ended && face.running.load(Ordering::SeqCst) == 0;
    let mut thread = match at_most {
        Some(at_most) => {
            face.wake.wait_timeout_while(thread, at_most, nothing_to_do).unwrap_or_else(PoisonError::into_inner).0
        }
        None => face.wake.wait_while(thread, nothing_to_do).unwrap_or_else(PoisonError::into_inner),
    };
    thread.asleep = false;
}

/// How long one call has been running, as seen from inside and outside of the guest.
pub(crate) struct Meter {
    face: Arc<Face>,
    ran: AtomicU64,
    resumed: AtomicU64,
    max: Duration,
}

impl Meter {
    /// Whether the call has run for as long as it may. Asked by the guest itself at every tick.
    pub(crate) fn used_up(&self) -> bool {
        let now = self.face.nanos().saturating_sub(self.resumed.load(Ordering::Relaxed));
        u128::from(self.ran.load(Ordering::Relaxed).saturating_add(now)) >= self.max.as_nanos()
    }

    /// Runs a call, counting.
    pub(crate) fn measure<F: Future + Unpin>(self: Arc<Self>, call: F) -> Measured<F> {
        Measured { _running: self.face.clone().run(), meter: self, call }
    }
}

/// A future that counts the time for which it is being polled.
pub(crate) struct Measured<F> {
    _running: Running,
    meter: Arc<Meter>,
    call: F,
}

impl<F: Future + Unpin> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let from = self.meter.face.nanos();
        self.meter.resumed.store(from, Ordering::Relaxed);
        let poll = Pin::new(&mut self.call).poll(cx);
        let spent = self.meter.face.nanos().saturating_sub(from);
        self.meter.ran.fetch_add(spent, Ordering::Relaxed);
        poll
    }
}
