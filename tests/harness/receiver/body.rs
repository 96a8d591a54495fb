//! Bodies that take their time, do not end, or break.

use super::reset_on_close;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::os::fd::RawFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

const CHUNK: usize = 16 << 10;

#[derive(Clone, Debug)]
pub(super) enum BodyPlan {
    Whole(Bytes),
    Huge { bytes: usize },
    Drip { bytes: usize, pause: Duration },
    Broken,
}

impl BodyPlan {
    pub(super) fn start(self, socket: RawFd) -> ScriptedBody {
        match self {
            BodyPlan::Whole(bytes) => ScriptedBody::Whole(bytes),
            BodyPlan::Huge { bytes } => ScriptedBody::Huge { left: bytes },
            BodyPlan::Drip { bytes, pause } => ScriptedBody::Drip { left: bytes, pause, sleep: Box::pin(sleep(pause)) },
            BodyPlan::Broken => ScriptedBody::Broken { begun: false, socket },
        }
    }
}

#[derive(Debug)]
pub(super) enum ScriptedBody {
    Whole(Bytes),
    Huge { left: usize },
    Drip { left: usize, pause: Duration, sleep: Pin<Box<Sleep>> },
    Broken { begun: bool, socket: RawFd },
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let data = match &mut *self {
            ScriptedBody::Whole(bytes) if bytes.is_empty() => return Poll::Ready(None),
            ScriptedBody::Whole(bytes) => std::mem::take(bytes),
            ScriptedBody::Huge { left: 0 } | ScriptedBody::Drip { left: 0, .. } => return Poll::Ready(None),
            ScriptedBody::Huge { left } => {
                let size = CHUNK.min(*left);
                *left -= size;
                Bytes::from(vec![b'x'; size])
            }
            ScriptedBody::Drip { left, pause, sleep } => {
                ready!(sleep.as_mut().poll(cx));
                *left -= 1;
                let next = sleep.deadline() + *pause;
                sleep.as_mut().reset(next);
                Bytes::from_static(b"x")
            }
            ScriptedBody::Broken { begun: false, socket } => {
                let socket = *socket;
                *self = ScriptedBody::Broken { begun: true, socket };
                Bytes::from_static(b"the beginning")
            }
            ScriptedBody::Broken { socket, .. } => {
                reset_on_close(*socket);
                return Poll::Ready(Some(Err(io::Error::other("the test wants the body broken off"))));
            }
        };
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ScriptedBody::Whole(bytes) => bytes.is_empty(),
            ScriptedBody::Huge { left } | ScriptedBody::Drip { left, .. } => *left == 0,
            ScriptedBody::Broken { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ScriptedBody::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            ScriptedBody::Huge { left } | ScriptedBody::Drip { left, .. } => SizeHint::with_exact(*left as u64),
            ScriptedBody::Broken { .. } => SizeHint::default(),
        }
    }
}
