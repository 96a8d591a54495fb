//! What becomes of a chunk's events: lines to write, and the fates that they have then.

use crate::batch;
use crate::chain::Chain;
use crate::config::Config;
use crate::intake::{Intake, Look, Sorted};
use crate::map::{Deferred, Mapper};
use crate::runner::{Current, Held};
use crate::spec::Spec;
use bytes::Bytes;
use pintle_events::Position;
use pintle_store::log::Chunk;
use pintle_store::settle::{Fate, Passed};
use pintle_store::suppressions::{self, Suppressions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One line of an object.
pub(super) struct Line {
    pub(super) source_id: Arc<str>,
    pub(super) received_at_ms: i64,
    /// The bucket and the folder that the record names.
    pub(super) place: Option<(String, String)>,
    pub(super) body: Bytes,
}

/// What became of a chunk.
#[derive(Default)]
pub(crate) struct Pressed {
    pub(super) lines: Vec<Line>,
    pub(super) deferred: Vec<Deferred>,
    /// Copies of earlier events.
    pub(super) copies: Vec<u32>,
}

/// Makes lines of events.
pub(crate) enum Press<'a> {
    /// As a destination's connections, transformations and plugin say.
    Mapped(Mapped<'a>),
    /// Every event as it was accepted, but for copies and for users who were suppressed since.
    Raw(&'a Suppressions),
}

/// What a destination makes of events.
pub(crate) struct Mapped<'a> {
    pub(crate) config: &'a Config,
    pub(crate) spec: &'a Spec,
    pub(crate) intake: &'a Intake,
    pub(crate) chains: &'a BTreeMap<Arc<str>, Chain>,
    pub(crate) mapper: &'a Mapper,
    pub(crate) current: Current,
}

impl Press<'_> {
    /// Waits until the catalog in force asks for this: no chunk is judged by an older revision than the one that
    /// was in force when it was accepted.
    pub(super) async fn current(&mut self) {
        if let Press::Mapped(mapped) = self {
            mapped.current.wait_however_long(mapped.spec).await;
        }
    }

    /// What becomes of the events that are not settled.
    ///
    /// # Errors
    /// When a transformation is broken.
    pub(super) async fn press(&mut self, chunk: &Chunk, settled: &[bool], now_ms: i64) -> Result<Pressed, Held> {
        match self {
            Press::Mapped(mapped) => mapped.press(chunk, settled, now_ms.unsigned_abs()).await,
            Press::Raw(suppressions) => Ok(raw(chunk, settled, suppressions)),
        }
    }
}

impl Mapped<'_> {
    async fn press(&self, chunk: &Chunk, settled: &[bool], now_ms: u64) -> Result<Pressed, Held> {
        let mut pressed = Pressed::default();
        let mut sorted = Sorted::new();
        let mut taken = 0;
        for idx in (0..chunk.events()).filter(|idx| !settled[*idx as usize]) {
            match self.intake.look(chunk, idx) {
                Look::Pass(Passed::NotRouted) => {}
                Look::Pass(Passed::Duplicate) => pressed.copies.push(idx),
                Look::Filter { position, reason } => {
                    pressed.deferred.push(one(position, Fate::Filtered { reason }));
                }
                Look::Take(input) => {
                    sorted.entry(input.connection_id.clone()).or_default().push(input);
                    taken += 1;
                }
            }
        }
        crate::metrics::read(&self.spec.id, taken);
        let mut kept = Vec::with_capacity(taken);
        for (connection, inputs) in sorted {
            let chain = &self.chains[&connection];
            // Calls are cut within a chunk, so that a repetition cuts them in the same places.
            for range in batch::calls(&inputs, self.config, |input| input.members.len()) {
                let inputs = &inputs[range];
                let products = chain.run(inputs, now_ms, self.config).await;
                let (mut records, mut deferred) =
                    self.mapper.records(inputs, products, chain.groups(), now_ms, self.config).await;
                kept.append(&mut records);
                pressed.deferred.append(&mut deferred);
                if let Some(name) = chain.broken(self.config) {
                    return Err(Held::Broken(name.to_owned()));
                }
            }
        }
        // Connections were transformed one after the other; a key may be in several of them.
        kept.sort_by_key(|kept| kept.idx);
        pressed.lines.extend(kept.into_iter().map(|kept| Line {
            received_at_ms: chunk.event(kept.idx).received_at_ms,
            source_id: kept.source_id,
            place: Some((kept.record.stream, kept.record.key)),
            body: kept.record.body,
        }));
        Ok(pressed)
    }
}

/// Events as they were accepted, with what the gateway stamped on them.
fn raw(chunk: &Chunk, settled: &[bool], suppressed: &Suppressions) -> Pressed {
    let mut pressed = Pressed::default();
    for idx in (0..chunk.events()).filter(|idx| !settled[*idx as usize]) {
        let event = chunk.event(idx);
        let position = Position { lane: chunk.lane, seq: chunk.seq, idx };
        if chunk.is_duplicate(idx) {
            pressed.copies.push(idx);
            continue;
        }
        if suppressed.contains(event.user_id) {
            pressed.deferred.push(one(position, Fate::Filtered { reason: suppressions::REASON.to_owned() }));
            continue;
        }
        let mut body = Vec::with_capacity(event.raw.len() + 192);
        event.write_message(&mut body);
        pressed.lines.push(Line {
            source_id: event.source_id.into(),
            received_at_ms: event.received_at_ms,
            place: None,
            body: body.into(),
        });
        pressed.deferred.push(one(position, Fate::Delivered));
    }
    pressed
}

fn one(position: Position, fate: Fate) -> Deferred {
    Deferred { positions: vec![position], owners: vec![0], fates: vec![fate] }
}
