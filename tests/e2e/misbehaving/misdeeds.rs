//! What can be done to a client that wanted an answer.

use super::wire::Wire;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write as _};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Slower than any time limit of a destination here, quick enough not to be a load.
const DRIP: Duration = Duration::from_millis(50);
/// As fast as a client reads.
const NO_PAUSE: Duration = Duration::ZERO;
/// So much that nobody may want to read it all.
const HUGE: usize = 64 << 20;

/// One of them. Whether the connection goes on.
#[derive(Clone, Copy, Debug)]
pub enum Misdeed {
    SlowHead,
    SlowBody,
    ResetInTheBody,
    BodyTooShort,
    BodyTooLong,
    TwoLengths,
    InformationalFlood,
    HugeBody,
    EndlessBody,
    EndlessHead,
    Garbage,
    Close,
    Reset,
    ChunkedNonsense,
    GzipBomb,
    BodyAfterNoContent,
    SwitchingProtocols,
    RedirectLoop,
    RedirectInside,
    ThrottleSeconds,
    ThrottleDate,
    Status(u16),
    /// The status with `Retry-After: 0`.
    AtOnce(u16),
}

impl Misdeed {
    /// Does it; true when the connection goes on.
    pub async fn commit(self, wire: &mut Wire, own_url: &str) -> io::Result<bool> {
        match self {
            Misdeed::SlowHead => {
                wire.say("HTTP/1.1 200 OK\r\nx: ").await?;
                wire.drone("y", DRIP).await
            }
            Misdeed::SlowBody => {
                wire.say("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
                wire.drone("y", DRIP).await
            }
            Misdeed::ResetInTheBody => {
                wire.say("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf").await?;
                wire.reset()
            }
            Misdeed::BodyTooShort => {
                wire.say("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nten bytes.").await?;
                Ok(false)
            }
            Misdeed::BodyTooLong => {
                let rest = "x".repeat(2_000);
                wire.say(format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{rest}")).await?;
                Ok(true)
            }
            Misdeed::TwoLengths => {
                wire.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\nok").await?;
                Ok(false)
            }
            Misdeed::InformationalFlood => wire.drone("HTTP/1.1 102 Processing\r\n\r\n".repeat(20), DRIP).await,
            Misdeed::HugeBody => {
                wire.say(format!("HTTP/1.1 200 OK\r\ncontent-length: {HUGE}\r\n\r\n")).await?;
                wire.say(vec![b'x'; HUGE]).await?;
                Ok(true)
            }
            Misdeed::EndlessBody => {
                wire.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                wire.drone(format!("1000\r\n{}\r\n", "x".repeat(0x1000)), NO_PAUSE).await
            }
            Misdeed::EndlessHead => {
                wire.say("HTTP/1.1 200 OK\r\n").await?;
                wire.drone(format!("x-more: {}\r\n", "y".repeat(4_000)), NO_PAUSE).await
            }
            Misdeed::Garbage => {
                wire.say("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\x00\x16\x03\x01").await?;
                Ok(false)
            }
            Misdeed::Close => Ok(false),
            Misdeed::Reset => wire.reset(),
            Misdeed::ChunkedNonsense => {
                wire.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nno\r\n").await?;
                Ok(false)
            }
            Misdeed::GzipBomb => {
                let bomb = bomb();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
                     content-length: {}\r\n\r\n",
                    bomb.len()
                );
                wire.say([head.as_bytes(), &bomb].concat()).await?;
                Ok(true)
            }
            Misdeed::BodyAfterNoContent => {
                let hidden = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                wire.say(format!("HTTP/1.1 204 No Content\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len()))
                    .await?;
                Ok(true)
            }
            Misdeed::SwitchingProtocols => {
                wire.say("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
                    .await?;
                wire.hold().await
            }
            Misdeed::RedirectLoop => redirect(wire, 307, own_url).await,
            Misdeed::RedirectInside => redirect(wire, 302, "http://169.254.169.254/latest/meta-data/").await,
            Misdeed::ThrottleSeconds => answer(wire, 429, "retry-after: 1\r\n").await,
            Misdeed::ThrottleDate => {
                let soon = OffsetDateTime::now_utc() + Duration::from_secs(2);
                let date = soon.format(&Rfc2822).expect("a date of our time").replace("+0000", "GMT");
                answer(wire, 429, &format!("retry-after: {date}\r\n")).await
            }
            Misdeed::Status(status) => answer(wire, status, "").await,
            Misdeed::AtOnce(status) => answer(wire, status, "retry-after: 0\r\n").await,
        }
    }
}

async fn redirect(wire: &mut Wire, status: u16, to: &str) -> io::Result<bool> {
    answer(wire, status, &format!("location: {to}\r\n")).await
}

async fn answer(wire: &mut Wire, status: u16, headers: &str) -> io::Result<bool> {
    wire.say(format!("HTTP/1.1 {status} Because\r\n{headers}content-length: 0\r\n\r\n")).await?;
    Ok(true)
}

/// A little that would become very much.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..HUGE >> 20 {
        encoder.write_all(&[0; 1 << 20]).expect("a Vec takes every write");
    }
    encoder.finish().expect("a Vec takes every write")
}
