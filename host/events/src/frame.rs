//! How an event is stored: a small header and the client's own bytes.
//!
//! ```text
//! u32  length of everything after this field
//! u8   flags   which fields the gateway must add when the event is read
//! u8   kind    the forced type (0: the event's own type stands)
//! i64  receivedAt, milliseconds since 1970
//! i64  originalTimestamp, sentAt, timestamp: each only when its flag is set
//! str8 source id · str8 request ip · str16 message id · str32 user id · str32 anonymous id · str8 type
//! rest the event as the client sent it
//! ```
//! Integers are little-endian; `strN` is a length of N bits and that many UTF-8 bytes.
//! The ids stand in the header although the event has them too: they compress to almost nothing
//! behind it, and save every reader a scan. Hashes are not stored, they are recomputed.

use crate::{Kind, Times, key, surrogates};
use time::{OffsetDateTime, macros::format_description};

#[cfg(test)]
mod tests;

const MESSAGE_ID_ADDED: u8 = 1;
const RECEIVED_AT_ADDED: u8 = 2;
const REQUEST_IP_ADDED: u8 = 4;
const ORIGINAL_TIMESTAMP_ADDED: u8 = 8;
const SENT_AT_ADDED: u8 = 16;
const TIMESTAMP_ADDED: u8 = 32;

/// One accepted event on its way into the log.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The source whose write key it came with. At most 255 bytes.
    pub source_id: &'a str,
    /// When the gateway had read it, milliseconds since 1970.
    pub received_at_ms: i64,
    /// Where it came from, as text. At most 255 bytes.
    pub request_ip: &'a str,
    /// The client's message id, or the one made for it. At most 65,535 bytes.
    pub message_id: &'a str,
    /// `userId` as a trimmed string; empty when absent.
    pub user_id: &'a str,
    /// `anonymousId` as a trimmed string; empty when absent.
    pub anonymous_id: &'a str,
    /// The event's type as readers will see it. At most 255 bytes, longer ones are cut.
    pub event_type: &'a str,
    /// Set when the path decides the type and the event does not say so itself.
    pub forced_kind: Option<Kind>,
    /// The event has no usable `messageId` of its own.
    pub message_id_added: bool,
    /// The event has no `receivedAt` of its own.
    pub received_at_added: bool,
    /// The event has no `request_ip` of its own.
    pub request_ip_added: bool,
    /// Times that the event does not say itself, or not in the usual layout.
    pub times: Times,
    /// The event, a JSON object, exactly as it came.
    pub raw: &'a [u8],
}

/// A frame that cannot be read: the log is damaged or was written by a newer Pintle.
#[derive(Debug, thiserror::Error)]
#[error("damaged event frame: {0}")]
pub struct Damaged(&'static str);

impl Frame<'_> {
    /// The hash of the event's ordering key.
    #[must_use]
    pub fn key_hash(&self) -> u64 {
        key::hash(self.anonymous_id, self.user_id)
    }

    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(64 + self.raw.len() + self.message_id.len() + self.anonymous_id.len() + self.user_id.len());
        out.extend_from_slice(&[0; 4]);
        let flags = u8::from(self.message_id_added) * MESSAGE_ID_ADDED
            + u8::from(self.received_at_added) * RECEIVED_AT_ADDED
            + u8::from(self.request_ip_added) * REQUEST_IP_ADDED
            + u8::from(self.times.original_timestamp_ms.is_some()) * ORIGINAL_TIMESTAMP_ADDED
            + u8::from(self.times.sent_at_ms.is_some()) * SENT_AT_ADDED
            + u8::from(self.times.timestamp_ms.is_some()) * TIMESTAMP_ADDED;
        out.push(flags);
        out.push(self.forced_kind.map_or(0, |kind| kind as u8));
        out.extend_from_slice(&self.received_at_ms.to_le_bytes());
        for ms in
            [self.times.original_timestamp_ms, self.times.sent_at_ms, self.times.timestamp_ms].into_iter().flatten()
        {
            out.extend_from_slice(&ms.to_le_bytes());
        }
        put8(out, self.source_id);
        put8(out, self.request_ip);
        let id = cut(self.message_id, usize::from(u16::MAX));
        out.extend_from_slice(&(id.len() as u16).to_le_bytes());
        out.extend_from_slice(id.as_bytes());
        for text in [self.user_id, self.anonymous_id] {
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        put8(out, self.event_type);
        out.extend_from_slice(self.raw);
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// Appends the event as plugins and destinations see it: the client's bytes whole, with halves of
    /// surrogate pairs replaced, and behind them the fields the gateway stamped.
    pub fn write_message(&self, out: &mut Vec<u8>) {
        let Some(close) = self.raw.iter().rposition(|byte| *byte == b'}') else {
            return; // Not an object: the gateway accepts none, so this chunk was written by something else.
        };
        let start = out.len();
        out.extend_from_slice(&self.raw[..close]);
        surrogates::mend(&mut out[start..]);
        let empty = self.raw[..close].iter().rev().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
        out.extend_from_slice(if empty { br#""rudderId":""# } else { br#","rudderId":""# });
        out.extend_from_slice(key::rudder_id(self.user_id, self.anonymous_id).as_bytes());
        out.push(b'"');
        if self.message_id_added {
            put_field(out, "messageId", self.message_id);
        }
        if self.received_at_added {
            put_field(out, "receivedAt", &timestamp(self.received_at_ms));
        }
        for (name, ms) in [
            ("originalTimestamp", self.times.original_timestamp_ms),
            ("sentAt", self.times.sent_at_ms),
            ("timestamp", self.times.timestamp_ms),
        ] {
            if let Some(ms) = ms {
                put_field(out, name, &timestamp(ms));
            }
        }
        if self.request_ip_added {
            put_field(out, "request_ip", self.request_ip);
        }
        if let Some(kind) = self.forced_kind {
            put_field(out, "type", kind.as_str());
        }
        out.push(b'}');
    }
}

/// An event read from the log, borrowed from its chunk.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    frame: Frame<'a>,
}

impl<'a> std::ops::Deref for EventRef<'a> {
    type Target = Frame<'a>;

    fn deref(&self) -> &Frame<'a> {
        &self.frame
    }
}

impl<'a> EventRef<'a> {
    /// Reads the frame at the start of `bytes`, and says how long it is.
    ///
    /// # Errors
    /// When the bytes are not a whole frame.
    pub fn read(bytes: &'a [u8]) -> Result<(EventRef<'a>, usize), Damaged> {
        let mut rest = Reader(bytes);
        let length = rest.u32()? as usize;
        let mut body = Reader(rest.take(length)?);
        let flags = body.take(1)?[0];
        let forced = body.take(1)?[0];
        let received_at_ms = body.i64()?;
        let mut time = |flag: u8| if flags & flag == 0 { Ok(None) } else { body.i64().map(Some) };
        let times = Times {
            original_timestamp_ms: time(ORIGINAL_TIMESTAMP_ADDED)?,
            sent_at_ms: time(SENT_AT_ADDED)?,
            timestamp_ms: time(TIMESTAMP_ADDED)?,
        };
        let source_id = body.str8()?;
        let request_ip = body.str8()?;
        let length16 = u16::from_le_bytes(body.take(2)?.try_into().expect("two bytes were taken"));
        let message_id = body.str(usize::from(length16))?;
        let user_id = body.str32()?;
        let anonymous_id = body.str32()?;
        let event_type = body.str8()?;
        let frame = Frame {
            source_id,
            received_at_ms,
            request_ip,
            message_id,
            user_id,
            anonymous_id,
            event_type,
            forced_kind: Kind::from_number(forced),
            message_id_added: flags & MESSAGE_ID_ADDED != 0,
            received_at_added: flags & RECEIVED_AT_ADDED != 0,
            request_ip_added: flags & REQUEST_IP_ADDED != 0,
            times,
            raw: body.0,
        };
        Ok((EventRef { frame }, 4 + length))
    }
}

/// A time in the layout that RudderStack writes: `2006-01-02T15:04:05.000Z`.
#[must_use]
pub fn timestamp(ms: i64) -> String {
    // Digit by digit: every destination has four of them in each event, and `format` takes several times as long.
    let Ok(at) = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)) else { return formatted(ms) };
    let Ok(year @ 0..=9999) = u32::try_from(at.year()) else { return formatted(ms) };
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put_digits(&mut text[0..4], year);
    put_digits(&mut text[5..7], u8::from(at.month()).into());
    put_digits(&mut text[8..10], at.day().into());
    put_digits(&mut text[11..13], at.hour().into());
    put_digits(&mut text[14..16], at.minute().into());
    put_digits(&mut text[17..19], at.second().into());
    put_digits(&mut text[20..23], ms.rem_euclid(1000) as u32);
    String::from_utf8_lossy(&text).into_owned()
}

/// The same of any time. What no calendar has becomes the beginning of 1970.
fn formatted(ms: i64) -> String {
    let layout = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|at| at.format(&layout).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
}

fn put_digits(out: &mut [u8], mut number: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn put_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    serde_json::to_writer(&mut *out, value).expect("a string is always JSON");
}

fn put8(out: &mut Vec<u8>, text: &str) {
    let text = cut(text, usize::from(u8::MAX));
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Damaged("it ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes were taken")))
    }

    fn i64(&mut self) -> Result<i64, Damaged> {
        Ok(i64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    fn str(&mut self, length: usize) -> Result<&'a str, Damaged> {
        std::str::from_utf8(self.take(length)?).map_err(|_| Damaged("a header field is not UTF-8"))
    }

    fn str8(&mut self) -> Result<&'a str, Damaged> {
        let length = self.take(1)?[0];
        self.str(usize::from(length))
    }

    fn str32(&mut self) -> Result<&'a str, Damaged> {
        let length = self.u32()? as usize;
        self.str(length)
    }
}
