//! A connection, byte by byte: what no HTTP library would let a test send.

use pintle_tests::receiver::reset_on_close;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// Bytes both ways.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One connection.
pub struct Wire {
    stream: Box<dyn Stream>,
    socket: RawFd,
    input: Vec<u8>,
}

/// A request as it came.
pub struct Asked {
    pub body: Vec<u8>,
}

impl Wire {
    pub fn plain(stream: TcpStream) -> Wire {
        let socket = stream.as_raw_fd();
        Wire { stream: Box::new(stream), socket, input: Vec::new() }
    }

    /// Shakes hands as a server.
    pub async fn secure(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<Wire> {
        let socket = stream.as_raw_fd();
        Ok(Wire { stream: Box::new(acceptor.accept(stream).await?), socket, input: Vec::new() })
    }

    /// The next request; none when the client has gone.
    pub async fn request(&mut self) -> io::Result<Option<Asked>> {
        let head = loop {
            if let Some(at) = self.input.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let text = String::from_utf8_lossy(&self.input[..head]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let end = head + length.unwrap_or(0_usize);
        while self.input.len() < end {
            if !self.more().await? {
                return Ok(None);
            }
        }
        let body = self.input[head..end].to_vec();
        self.input.drain(..end);
        Ok(Some(Asked { body }))
    }

    /// The next frame of HTTP/2, by its type and stream; none when the client has gone.
    pub async fn frame(&mut self) -> io::Result<Option<(u8, [u8; 4])>> {
        loop {
            if let Some(head) = self.input.first_chunk::<9>().copied() {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                if self.input.len() >= 9 + length {
                    self.input.drain(..9 + length);
                    return Ok(Some((head[3], [head[5], head[6], head[7], head[8]])));
                }
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Reads so many bytes and forgets them.
    pub async fn skip(&mut self, bytes: usize) -> io::Result<()> {
        while self.input.len() < bytes {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.input.drain(..bytes);
        Ok(())
    }

    async fn more(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.input).await? > 0)
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Says the same again and again, until the client has enough.
    pub async fn drone(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) -> io::Result<bool> {
        loop {
            self.say(bytes.as_ref()).await?;
            tokio::time::sleep(pause).await;
        }
    }

    /// Says nothing more, until the client has enough.
    pub async fn hold(&mut self) -> io::Result<bool> {
        while self.more().await? {}
        Ok(false)
    }

    /// Ends the connection with an RST.
    pub fn reset(&mut self) -> io::Result<bool> {
        reset_on_close(self.socket);
        Ok(false)
    }
}
