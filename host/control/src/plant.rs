//! What the admin API needs from the rest of the process, and nothing more.

use crate::dead_letters::{DeadLetter, DeadLetterDetail, DeadLetterFilter, DryRunOutcome, RetryOutcome};
use crate::replays::{ReplayBody, ReplayCount, ReplayView};
use crate::status::Status;
use crate::tail::TailEvent;
use crate::views::traces::WhyView;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::sync::broadcast;

/// A running Pintle, as the admin API sees it.
pub trait Plant: Send + Sync + 'static {
    /// How everything is.
    fn status(&self) -> Answer<'_, Status>;

    /// Dead letters, newest first, at most so many.
    fn dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<DeadLetter>>;

    /// The ids of dead letters, oldest first, at most so many.
    fn oldest_dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<String>>;

    /// Removes dead letters, the oldest first, at most so many; says how many. What is removed is gone for good.
    fn discard(&self, filter: DeadLetterFilter, limit: u32, by: Order) -> Answer<'_, u64>;

    /// Gives a dead letter another event; false when there is no such dead letter.
    fn edit(&self, id: String, message: Box<RawValue>, by: Order) -> Answer<'_, bool>;

    /// One dead letter with everything that is known about it.
    fn dead_letter(&self, id: String) -> Answer<'_, Option<DeadLetterDetail>>;

    /// Delivers a dead letter again, outside the order of its key.
    fn retry(&self, id: String) -> Answer<'_, RetryOutcome>;

    /// What a retry of a dead letter would send, with another event in its place if one is given. Sends nothing.
    fn dry_run(&self, id: String, message: Option<Box<RawValue>>) -> Answer<'_, DryRunOutcome>;

    /// What is known of the events with a message id.
    fn why(&self, question: Question) -> Answer<'_, WhyView>;

    /// Replays, newest first, at most so many; of one only when an id is given.
    fn replays(&self, id: Option<String>, limit: u32) -> Answer<'_, Vec<ReplayView>>;

    /// What a replay would take, or why there would be none. Sends nothing.
    fn count_replay(&self, asked: ReplayBody) -> Answer<'_, Result<ReplayCount, String>>;

    /// Starts a replay, or says why there is none.
    fn start_replay(&self, asked: ReplayBody, by: Order) -> Answer<'_, Result<ReplayView, String>>;

    /// Lets a replay go no further; false when it is over already, or not there.
    fn cancel_replay(&self, id: String, by: Order) -> Answer<'_, bool>;

    /// Events accepted from now on. The channel is bounded: who does not keep up misses events and is
    /// told how many.
    fn tail(&self) -> broadcast::Receiver<TailEvent>;
}

/// Which event is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Its message id.
    pub message_id: String,
    /// Its source; all that there are when absent.
    pub source: Option<String>,
    /// Not received before that, in Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Not received after that, in Unix milliseconds.
    pub until_ms: Option<i64>,
}

/// Who wants something done, and why: it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub author: String,
    /// To what, in words.
    pub subject: String,
    /// Why; empty when nobody said.
    pub reason: String,
}

/// What a [`Plant`] answers, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Failure>>;

/// Why a [`Plant`] has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not now, for a reason that may be told: Postgres is away, the node is shutting down.
    #[error("{0}")]
    Unavailable(String),
    /// We are broken. The text is for the log, never for the client.
    #[error("{0}")]
    Broken(String),
}
