//! HTTP/1.1 by hand, over a plain socket: what a well-behaved client library would refuse to send.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer takes longer than this in a test; what does is reported as an error instead of a hang.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// A request, before it is bytes.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    body: Vec<u8>,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    /// `Content-Length`, true or claimed.
    Length(Option<u64>),
    Chunked,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Request {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: pintle\r\n");
        Request { head, body: Vec::new(), framing: Framing::Length(None) }
    }

    /// A POST with a body.
    #[must_use]
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Request {
        Request { body: body.into(), ..Request::new("POST", path) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Adds basic authentication with this user name and no password.
    #[must_use]
    pub fn key(self, write_key: &str) -> Request {
        let credentials = base64(format!("{write_key}:").as_bytes());
        self.header("Authorization", &format!("Basic {credentials}"))
    }

    /// Compresses the body.
    #[must_use]
    pub fn gzip(mut self) -> Request {
        self.body = gzip(&self.body);
        self.header("Content-Encoding", "gzip")
    }

    /// Claims a length, whatever the body's is.
    #[must_use]
    pub fn claim_length(mut self, length: u64) -> Request {
        self.framing = Framing::Length(Some(length));
        self
    }

    /// Sends the body in chunks instead of announcing its length.
    #[must_use]
    pub fn chunked(mut self) -> Request {
        self.framing = Framing::Chunked;
        self
    }

    /// The request's line and headers.
    #[must_use]
    pub fn head_bytes(&self) -> Vec<u8> {
        let framing = match self.framing {
            Framing::Length(claimed) => {
                format!("Content-Length: {}\r\n", claimed.unwrap_or(self.body.len() as u64))
            }
            Framing::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
        };
        format!("{}{framing}\r\n", self.head).into_bytes()
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        const CHUNK_BYTES: usize = 60_000;
        let mut bytes = self.head_bytes();
        if self.framing == Framing::Chunked {
            for chunk in self.body.chunks(CHUNK_BYTES) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// Sends it on a connection of its own, all of it before the answer is read, as simple clients do.
    /// Writing may fail when the server has closed early: what counts is whether there is an answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, to: SocketAddr) -> io::Result<Answer> {
        let mut connection = Connection::open(to).await?;
        let written = connection.write(&self.bytes()).await;
        connection.answer().await.map_err(|error| match written {
            Ok(()) => error,
            Err(broken) => io::Error::new(broken.kind(), format!("{error}, after writing failed: {broken}")),
        })
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A connection that can be used in unusual ways.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(to: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, unread: Vec::new() })
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timed(self.stream.write_all(bytes)).await
    }

    /// Ends our half of the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.write(&request.bytes()).await?;
        self.answer().await
    }

    /// Reads one answer; `100 Continue` counts as one.
    ///
    /// # Errors
    /// When the connection ends before the answer does.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            self.more().await?;
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("not a status line: {head}")))?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, text: String::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.unread.len() < length {
            self.more().await?;
        }
        let body: Vec<u8> = self.unread.drain(..length).collect();
        answer.text = String::from_utf8_lossy(&body).into_owned();
        Ok(answer)
    }

    /// Waits until the server has ended the connection; answers what came before.
    ///
    /// # Errors
    /// When it was reset instead.
    pub async fn ended(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.more().await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(std::mem::take(&mut self.unread));
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        match timed(self.stream.read_buf(&mut self.unread)).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended")),
            _ => Ok(()),
        }
    }
}

async fn timed<T>(io: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(ANSWER_TIME_MAX, io).await?
}

/// Compressed as SDKs do it.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes every write")
}

/// Base64 with padding: enough for a header or a key, and no dependency.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}
