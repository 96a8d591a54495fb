//! A dead letter from the inside: the way its event took, and what would be sent of it now.
//!
//! ```text
//!  the log ─▶ as received ─▶ transformation ─▶ … ─▶ destination's component ─▶ requests
//!             └──────── trace ──────────────────┘   └──────── dry run ───────────────┘
//! ```
//! Nothing is delivered, logged or counted, and nothing of it is stored: the transformations that run now are run
//! again on the event. The same code comes to the same outcome, for all that is random in it hangs on the
//! event's place in the log; code that was changed since shows what it does now.

use crate::batch::{self, Input};
use crate::chain::{Chain, End};
use crate::config::Config;
use crate::integrations;
use crate::runner::{Exit, now_ms};
use crate::supervisor::{Handle, RetryError};
use bytes::Bytes;
use pintle_router::Rehearsal;
use pintle_store::dead_letters::{self, Stored};
use pintle_store::settle::{DeadLetter, Stage};

/// The way of an event to its destination.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The event as it was received; none when the log has it no more.
    pub received: Option<Bytes>,
    /// What each transformation makes of it, in their order.
    pub steps: Vec<Step>,
    /// Why there are no steps although there may have been.
    pub untold: Option<String>,
}

/// What one transformation makes of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The transformation's name.
    pub transformation: String,
    /// Its version: the start of its code's digest.
    pub version: String,
    /// The events that go on, without the destination's secrets.
    pub events: Vec<String>,
    /// How many more there are than `trace-bytes-max` shows.
    pub more: usize,
    /// Why something of it does not go on.
    pub ended: Vec<String>,
}

/// What would become of a dead letter now.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    /// What each transformation makes of it; none for one that died behind them.
    pub steps: Vec<Step>,
    /// What becomes of each event that comes of it: at the destination, or of those that did not get so far.
    pub results: Vec<Rehearsal>,
}

impl Handle {
    /// The way of a dead letter's event, as far as it can still be told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn trace(&self, stored: &Stored) -> Result<Trace, pintle_store::Error> {
        let letter = &stored.letter;
        let read = |event: &pintle_events::EventRef<'_>| {
            let mut message = Vec::with_capacity(event.raw.len() + 192);
            event.write_message(&mut message);
            Bytes::from(message)
        };
        let received = self.parts.log.event(letter.position, read).await?;
        let untold = |why: &str| Trace { untold: Some(why.to_owned()), ..Trace::default() };
        // Before its retention has passed it is there; then only one that no transformation has changed still is.
        let payload = match (&received, letter.stage) {
            (Some(received), _) => batch::edited(&letter.payload, received),
            (None, Stage::Transformation) => letter.payload.clone(),
            (None, Stage::Delivery) => {
                return Ok(untold("the log does not have the event as it was received any more"));
            }
        };
        let (exit, chain) = match self.running(stored).await {
            Ok(running) => running,
            Err(RetryError::NotRunning(_)) => {
                let why = "the destination does not deliver now, or its connection is gone";
                return Ok(Trace { received, ..untold(why) });
            }
            Err(other) => return Ok(Trace { received, ..untold(&other.to_string()) }),
        };
        let input = Input::of_letter(&DeadLetter { payload, ..letter.clone() });
        let walk = walk(&chain, input, &exit, &self.parts.config).await;
        Ok(Trace { received, steps: walk.steps, untold: None })
    }

    /// What a retry of this dead letter would send, with another event in its place if one is given.
    ///
    /// # Errors
    /// [`RetryError`] says why it cannot be told.
    pub async fn dry_run(&self, id: i64, message: Option<&[u8]>) -> Result<DryRun, RetryError> {
        let stored = dead_letters::get(&self.parts.store, id).await?.ok_or(RetryError::Missing(id))?;
        let (exit, chain) = self.running(&stored).await?;
        let mut letter = stored.letter;
        if let Some(message) = message {
            letter.payload = batch::edited(&letter.payload, message);
        }
        let input = Input::of_letter(&letter);
        let Walk { steps, left, ended: mut results } = match letter.stage {
            Stage::Transformation => walk(&chain, input, &exit, &self.parts.config).await,
            Stage::Delivery => Walk { left: vec![input.members], ..Walk::default() },
        };
        for members in left {
            results.push(exit.rehearse(&letter, batch::payload(&members)).await);
        }
        Ok(DryRun { steps, results })
    }

    /// The destination's way out, and the chain that leads to it.
    async fn running(&self, stored: &Stored) -> Result<(Exit, Chain), RetryError> {
        // Of a replay's: nothing is settled here, so that its destination can say it as well.
        let home = self.home(&stored.destination).await?;
        let seat = self.seat(&home).await;
        let chain = seat.chains.get(&*stored.letter.connection_id).cloned();
        seat.exit.zip(chain).ok_or(RetryError::NotRunning(home))
    }
}

/// A chain that was gone through.
#[derive(Default)]
struct Walk {
    steps: Vec<Step>,
    /// What is left in the end.
    left: Vec<Bytes>,
    /// What became of the rest.
    ended: Vec<Rehearsal>,
}

/// Takes an event through a chain step by step.
async fn walk(chain: &Chain, input: Input, exit: &Exit, config: &Config) -> Walk {
    let Walk { mut steps, mut left, mut ended } = Walk { left: vec![input.members.clone()], ..Walk::default() };
    let mut room = config.trace_bytes_max.get();
    for (name, version, chain) in chain.apart() {
        if left.is_empty() {
            break;
        }
        let inputs: Vec<Input> = left.drain(..).map(|members| Input { members, ..input.clone() }).collect();
        let mut step = Step { transformation: name.to_owned(), version: version.to_owned(), ..Step::default() };
        for range in batch::calls(&inputs, config, |input| input.members.len()) {
            for product in chain.run(&inputs[range], now_ms(), config).await {
                match product.result {
                    Ok(members) => {
                        show(&mut step, &members, exit, &mut room);
                        left.push(members);
                    }
                    Err(end) => {
                        let end = told(end, exit);
                        if let Rehearsal::Filtered(why) | Rehearsal::Refused(why) = &end {
                            step.ended.push(why.clone());
                        }
                        ended.push(end);
                    }
                }
            }
        }
        steps.push(step);
    }
    Walk { steps, left, ended }
}

fn show(step: &mut Step, members: &Bytes, exit: &Exit, room: &mut usize) {
    let message = batch::message(members);
    if message.len() > *room {
        step.more += 1;
        return;
    }
    *room -= message.len();
    step.events.push(exit.unsecret(&String::from_utf8_lossy(message)));
}

/// An end in words, without secrets: code may have written them into its error.
fn told(end: End, exit: &Exit) -> Rehearsal {
    match end {
        End::Dropped { transformation } => {
            Rehearsal::Filtered(format!("dropped by transformation \"{transformation}\""))
        }
        End::LeftOut => Rehearsal::Filtered(integrations::LEFT_OUT.to_owned()),
        End::Failed { reason, stack } => {
            let whole = stack.map_or(reason.clone(), |stack| format!("{reason}\n{stack}"));
            Rehearsal::Refused(exit.masked(&whole))
        }
    }
}
