//! Back-pressure: what `send` waits for.
//!
//! Two things can hold a sender up. The *rooms* bound what is in memory, in events and in bytes. The
//! *door* is shut while the breaker is open; the outlet then lets single deliveries in when it needs one
//! that has not been tried yet to probe with.

use crate::config::Config;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The outlet takes no more: it is being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the destination is being shut down and takes no more deliveries")]
pub struct Closed;

#[derive(Debug)]
pub(super) struct Rooms {
    events: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    events_max: usize,
    bytes_max: u32,
}

/// The room that one delivery takes up, until this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    _event: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Rooms {
    pub(super) fn new(config: &Config) -> Rooms {
        let events_max = config.waiting_events_max.get().min(Semaphore::MAX_PERMITS);
        let bytes_max = config.waiting_bytes_max.get();
        Rooms {
            events: Arc::new(Semaphore::new(events_max)),
            bytes: Arc::new(Semaphore::new(bytes_max as usize)),
            events_max,
            bytes_max,
        }
    }

    /// Waits for room for one delivery. One that is larger than everything allowed travels alone.
    pub(super) async fn take(&self, bytes: usize) -> Result<Room, Closed> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.bytes_max);
        let event = self.events.clone().acquire_owned().await.map_err(|_| Closed)?;
        let bytes = self.bytes.clone().acquire_many_owned(bytes).await.map_err(|_| Closed)?;
        Ok(Room { _event: event, _bytes: bytes })
    }

    /// Deliveries that have room.
    pub(super) fn taken(&self) -> usize {
        self.events_max.saturating_sub(self.events.available_permits())
    }

    pub(super) fn close(&self) {
        self.events.close();
        self.bytes.close();
    }
}

#[derive(Debug)]
pub(super) struct Door {
    open: AtomicBool,
    bell: Notify,
}

impl Door {
    pub(super) fn new() -> Door {
        Door { open: AtomicBool::new(true), bell: Notify::new() }
    }

    /// Waits until the door is open, or until this sender alone is let in.
    pub(super) async fn pass(&self) {
        if self.open.load(Ordering::Acquire) {
            return;
        }
        let mut bell = std::pin::pin!(self.bell.notified());
        // Listening before looking again: the door may open in between.
        bell.as_mut().enable();
        if !self.open.load(Ordering::Acquire) {
            bell.await;
        }
    }

    pub(super) fn open(&self) {
        if !self.open.swap(true, Ordering::AcqRel) {
            self.bell.notify_waiters();
        }
    }

    pub(super) fn shut(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Lets one sender in, now or when it comes.
    pub(super) fn admit_one(&self) {
        self.bell.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::{NonZeroU32, NonZeroUsize};

    #[tokio::test]
    async fn a_delivery_waits_for_room_in_events_and_in_bytes() {
        let config = Config {
            waiting_events_max: NonZeroUsize::new(2).unwrap(),
            waiting_bytes_max: NonZeroU32::new(1_000).unwrap(),
            ..Config::default()
        };
        let rooms = Rooms::new(&config);
        let first = rooms.take(900).await.unwrap();
        let mut second = tokio_test(rooms.take(200));
        assert!(second.poll().is_none(), "no room in bytes");
        drop(first);
        let second = second.poll().unwrap().unwrap();
        assert_eq!(rooms.taken(), 1);
        let third = rooms.take(100).await.unwrap();
        let mut fourth = tokio_test(rooms.take(1));
        assert!(fourth.poll().is_none(), "no room in events");
        drop((second, third));
        drop(fourth.poll().unwrap().unwrap());
        drop(rooms.take(5_000_000).await.unwrap());
        rooms.close();
        assert_eq!(rooms.take(1).await.unwrap_err(), Closed);
    }

    #[tokio::test]
    async fn a_shut_door_lets_one_in_when_asked_and_all_when_opened() {
        let door = Door::new();
        door.pass().await;
        door.shut();
        let mut first = tokio_test(door.pass());
        let mut second = tokio_test(door.pass());
        let mut third = tokio_test(door.pass());
        assert!(first.poll().is_none() && second.poll().is_none() && third.poll().is_none());
        door.admit_one();
        assert!(first.poll().is_some());
        assert!(second.poll().is_none());
        door.open();
        assert!(second.poll().is_some() && third.poll().is_some());
    }

    struct Polled<F>(std::pin::Pin<Box<F>>);

    fn tokio_test<F: Future>(future: F) -> Polled<F> {
        Polled(Box::pin(future))
    }

    impl<F: Future> Polled<F> {
        fn poll(&mut self) -> Option<F::Output> {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            match self.0.as_mut().poll(&mut context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            }
        }
    }
}
