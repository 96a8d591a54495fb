//! Batches as the processor gives them to components: one a line.

use anyhow::ensure;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

/// Different batches in a file, at most: single events need not be as many as there are.
const BATCHES_MAX: usize = 1_000;

/// Writes the events of a file, one a line, to another as batches of this size.
pub fn write(events: &Path, to: &Path, size: usize) -> anyhow::Result<()> {
    let events: Vec<String> = BufReader::new(File::open(events)?).lines().collect::<Result<_, _>>()?;
    let mut file = BufWriter::new(File::create(to)?);
    for (number, events) in events.chunks_exact(size).take(BATCHES_MAX).enumerate() {
        let entries: Vec<String> =
            events.iter().enumerate().map(|(at, event)| entry(event, number * size + at)).collect();
        writeln!(file, "[{}]", entries.join(","))?;
    }
    Ok(file.flush()?)
}

/// Reads them.
pub fn read(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let batches: Vec<Vec<u8>> =
        std::fs::read(path)?.trim_ascii_end().split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    ensure!(batches.iter().all(|batch| !batch.is_empty()), "{} has no batches", path.display());
    Ok(batches)
}

/// An event with metadata and a seed as the processor adds them.
fn entry(event: &str, number: usize) -> String {
    format!(
        r#"{{"message":{event},"metadata":{{"sourceId":"demo","sourceName":"Demo","destinationId":"receiver","destinationName":"Local receiver","destinationType":"WEBHOOK","connectionId":"demo-receiver","messageId":"message-{number}","eventType":"track","receivedAt":"2026-03-01T12:00:00.000Z","rudderId":"00000000-0000-4000-8000-{number:012x}"}},"seed":"1.{number}.0"}}"#
    )
}
