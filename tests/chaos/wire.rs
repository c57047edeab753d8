//! Messages of HTTP/1.1 as they are on the wire, as far as those of the client and of the stand-ins go: each says how long
//! its body is.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request or a response.
pub(crate) struct Message {
    /// Head and body.
    pub(crate) bytes: Vec<u8>,
    /// Where the body begins.
    body_at: usize,
}

impl Message {
    /// The next message of a connection; none where it ends before that is whole.
    pub(crate) async fn read(socket: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        loop {
            if socket.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
            let Some(body_at) = end_of_head(&bytes) else { continue };
            if bytes.len() >= body_at + announced(&bytes[..body_at]) {
                return Some(Self { bytes, body_at });
            }
        }
    }

    /// A response with these lines in its head, beside that on its length.
    pub(crate) fn response(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::announcing(status, headers, body, body.len())
    }

    /// The same with any length announced.
    pub(crate) fn announcing(status: &str, headers: &str, body: &[u8], length: usize) -> Self {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
        Self {
            bytes: [head.as_bytes(), body].concat(),
            body_at: head.len(),
        }
    }

    /// A response whose body ends where the connection does.
    pub(crate) fn without_length(body: &[u8]) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
        Self {
            bytes: [head.as_bytes(), body].concat(),
            body_at: head.len(),
        }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.body_at..]
    }

    pub(crate) async fn send(&self, socket: &mut TcpStream) -> std::io::Result<()> {
        socket.write_all(&self.bytes).await
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let end = b"\r\n\r\n";
    bytes
        .windows(end.len())
        .position(|window| window == end)
        .map(|at| at + end.len())
}

fn announced(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.map_or(0, |length| length.trim().parse().expect("a length"))
}
