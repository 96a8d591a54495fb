//! What a transformation answers.

use crate::{CallFailure, Config};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The results of one batch, in the guest's order.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Outputs, errors and drops. An input that is not mentioned was dropped.
    pub entries: Vec<Entry>,
    /// Lines the script logged.
    pub logs: Vec<LogLine>,
}

/// What became of one input, or one of several things that became of it.
#[derive(Clone, Debug)]
pub enum Entry {
    /// An event that goes on.
    Output {
        /// The input it came from.
        index: usize,
        /// The event: a JSON object.
        event: Box<RawValue>,
    },
    /// The transformation failed on this input.
    Error {
        /// The input.
        index: usize,
        /// What went wrong.
        message: String,
        /// Where, in the user's code.
        stack: Option<String>,
    },
    /// The transformation let go of this input on purpose.
    Dropped {
        /// The input.
        index: usize,
    },
}

/// One line that a script logged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    #[serde(default = "info")]
    pub level: String,
    /// The text.
    pub message: String,
}

fn info() -> String {
    "info".to_owned()
}

/// An entry as the guest writes it.
#[derive(Deserialize)]
struct Written {
    index: Option<usize>,
    output: Option<Box<RawValue>>,
    error: Option<WrittenError>,
    #[serde(default)]
    dropped: bool,
    log: Option<LogLine>,
}

#[derive(Deserialize)]
struct WrittenError {
    message: String,
    stack: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

impl Reply {
    /// Reads the answer to a batch of so many events.
    pub(crate) fn parse(mut bytes: Vec<u8>, events: usize, config: &Config) -> Result<Reply, CallFailure> {
        // A script easily cuts a text between the halves of an emoji: no reason to lose a batch over a log
        // line, nor to hand such text to whoever is next.
        pintle_events::surrogates::mend(&mut bytes);
        let written: Vec<Written> = serde_json::from_slice(&bytes)
            .map_err(|error| CallFailure::BadOutput(format!("it is not a JSON array of entries: {error}")))?;
        let mut reply = Reply { entries: Vec::with_capacity(written.len()), logs: Vec::new() };
        let mut logs_left_out = 0;
        for (position, entry) in written.into_iter().enumerate() {
            let bad = |problem: &str| CallFailure::BadOutput(format!("entry {position} {problem}"));
            if let Some(mut line) = entry.log {
                if reply.logs.len() < config.logs_per_batch_max {
                    cut(&mut line.level, config.text_bytes_max);
                    cut(&mut line.message, config.text_bytes_max);
                    reply.logs.push(line);
                } else {
                    logs_left_out += 1;
                }
                continue;
            }
            let index = entry.index.ok_or_else(|| bad("has no `index`"))?;
            if index >= events {
                return Err(bad(&format!("is about event {index} of {events}")));
            }
            reply.entries.push(match (entry.output, entry.error, entry.dropped) {
                (Some(event), None, false) if event.get().starts_with('{') => Entry::Output { index, event },
                (Some(_), None, false) => return Err(bad("has an `output` that is not an object")),
                (None, Some(error), false) => error.entry(index, config.text_bytes_max),
                (None, None, true) => Entry::Dropped { index },
                _ => return Err(bad("must have exactly one of `output`, `error` and `dropped`")),
            });
        }
        if logs_left_out > 0 {
            let message = format!("{logs_left_out} more lines were logged and left out");
            reply.logs.push(LogLine { level: "warn".to_owned(), message });
        }
        Ok(reply)
    }

    /// Adds what the guest wrote to its standard streams, as far as there is room for more lines.
    pub(crate) fn add_written(&mut self, lines: Vec<LogLine>, config: &Config) {
        let room = config.logs_per_batch_max.saturating_sub(self.logs.len());
        let left_out = lines.len().saturating_sub(room);
        for mut line in lines.into_iter().take(room) {
            cut(&mut line.message, config.text_bytes_max);
            self.logs.push(line);
        }
        if left_out > 0 {
            let message = format!("{left_out} more lines were written to the standard streams and left out");
            self.logs.push(LogLine { level: "warn".to_owned(), message });
        }
    }
}

impl WrittenError {
    fn entry(self, index: usize, bytes_max: usize) -> Entry {
        let place = || Some(format!("at {}:{}", self.line?, self.column?));
        let mut message = self.message;
        let mut stack = self.stack.filter(|stack| !stack.is_empty()).or_else(place);
        cut(&mut message, bytes_max);
        if let Some(stack) = &mut stack {
            cut(stack, bytes_max);
        }
        Entry::Error { index, message, stack }
    }
}

/// Cuts a text to so many bytes, between characters.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, events: usize) -> Result<Reply, String> {
        let config = Config { logs_per_batch_max: 2, text_bytes_max: 8, ..Config::default() };
        Reply::parse(text.as_bytes().to_vec(), events, &config).map_err(|failure| failure.to_string())
    }

    #[test]
    fn outputs_errors_drops_and_logs_come_apart() {
        let reply = parse(
            r#"[{"index":0,"output":{"a":1.00}},{"index":0,"output":{"b":2}},{"log":{"level":"warn","message":"hm"}},
                {"index":1,"error":{"message":"no","line":3,"column":5}},{"index":2,"dropped":true}]"#,
            3,
        )
        .unwrap();
        assert_eq!(reply.logs, [LogLine { level: "warn".into(), message: "hm".into() }]);
        let [first, second, error, dropped] = reply.entries.as_slice() else { panic!("{reply:?}") };
        assert!(matches!(first, Entry::Output { index: 0, event } if event.get() == r#"{"a":1.00}"#));
        assert!(matches!(second, Entry::Output { index: 0, .. }));
        assert!(
            matches!(error, Entry::Error { index: 1, message, stack: Some(at) } if message == "no" && at == "at 3:5")
        );
        assert!(matches!(dropped, Entry::Dropped { index: 2 }));
    }

    #[test]
    fn an_answer_about_an_event_that_was_not_asked_about_is_refused() {
        assert_eq!(
            parse(r#"[{"index":2,"dropped":true}]"#, 2).unwrap_err(),
            "its answer is not usable: entry 0 is about event 2 of 2"
        );
    }

    #[test]
    fn an_output_that_is_no_object_is_refused() {
        for output in ["1", "[]", "\"x\"", "null"] {
            assert!(parse(&format!(r#"[{{"index":0,"output":{output}}}]"#), 1).is_err(), "{output}");
        }
    }

    #[test]
    fn half_an_emoji_spoils_nothing() {
        let reply = parse(
            r#"[{"index":0,"output":{"a":"\ud83d"}},{"index":1,"error":{"message":"\ud83d","stack":"\ude00"}},
                {"log":{"message":"\ud83d!"}}]"#,
            2,
        )
        .unwrap();
        assert_eq!(reply.logs[0].message, "\u{fffd}!");
        let [output, error] = reply.entries.as_slice() else { panic!("{reply:?}") };
        assert!(matches!(output, Entry::Output { event, .. } if event.get() == r#"{"a":"\ufffd"}"#), "{output:?}");
        assert!(matches!(error, Entry::Error { message, .. } if message == "\u{fffd}"), "{error:?}");
    }

    #[test]
    fn too_many_log_lines_are_left_out_and_counted() {
        let line = r#"{"log":{"message":"0123456789"}}"#;
        let reply = parse(&format!("[{line},{line},{line},{line}]"), 0).unwrap();
        let texts: Vec<_> = reply.logs.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(texts, ["01234567…", "01234567…", "2 more lines were logged and left out"]);
    }

    #[test]
    fn a_deeply_nested_answer_costs_no_stack() {
        let depth = 200_000;
        let output = format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let reply = parse(&format!(r#"[{{"index":0,"output":{output}}}]"#), 1).unwrap();
        assert_eq!(reply.entries.len(), 1);
    }
}
