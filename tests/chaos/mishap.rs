//! What can go wrong between a client and a server that answers.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::chaos::wire::Message;

/// From one byte of a dripping response to the next.
const DRIP: Duration = Duration::from_millis(10);

/// What becomes of one exchange. Where it says "bytes", those of the whole response count, head included, and a number
/// beyond its length goes on at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// All goes well.
    None,
    /// The connection is reset before the server has seen the request.
    LoseRequest,
    /// The server has answered, and the connection is reset.
    LoseResponse,
    /// So many bytes arrive, then the connection is closed.
    Cut(usize),
    /// So many bytes arrive, then the connection is reset.
    Reset(usize),
    /// The end of the body is the end of the connection, and comes after so many bytes of it: HTTP sees nothing wrong.
    CutUnannounced(usize),
    /// More bytes are announced than come.
    TooLong,
    /// Fewer bytes are announced than come: the others stand where the next response should.
    TooShort,
    /// A gateway answers in the server's place, after it was asked: a status and a page in HTML.
    Gateway(&'static str),
    /// A body of so many bytes, in a thousandth of them.
    Bomb(usize),
    /// So many bytes arrive, then nothing, for as long as the client waits.
    Stall(usize),
    /// Byte by byte, for as long as the client waits.
    Drip,
}

impl Mishap {
    /// Whether the server gets the request.
    pub(crate) fn reaches_server(&self) -> bool {
        *self != Self::LoseRequest
    }

    /// Gives the client what is to arrive of a response; whether the connection is good for another exchange.
    pub(crate) async fn strike(&self, client: &mut TcpStream, response: Option<Message>) -> bool {
        let Some(response) = response else { return false };
        let whole = response.bytes.len();
        // A client that has gone has seen enough.
        let sent = match self {
            Self::None => return response.send(client).await.is_ok(),
            Self::LoseRequest | Self::LoseResponse => return false,
            Self::Cut(bytes) => send_and_close(client, &response.bytes[..bytes % whole]).await,
            Self::Reset(bytes) => client.write_all(&response.bytes[..bytes % whole]).await,
            Self::CutUnannounced(bytes) => {
                let body = response.body();
                let cut = Message::without_length(&body[..bytes % body.len()]);
                send_and_close(client, &cut.bytes).await
            }
            Self::TooLong => {
                let body = response.body();
                let longer = Message::announcing("200 OK", JSON, body, body.len() + 100);
                send_and_close(client, &longer.bytes).await
            }
            Self::TooShort => {
                let body = response.body();
                let shorter = Message::announcing("200 OK", JSON, body, body.len() / 2);
                return shorter.send(client).await.is_ok();
            }
            Self::Gateway(status) => {
                let page = b"<html><head><title>Bad gateway</title></head><body><h1>Sorry</h1></body></html>";
                let page = Message::response(status, "content-type: text/html\r\n", page);
                return page.send(client).await.is_ok();
            }
            Self::Bomb(bytes) => return bomb(*bytes).send(client).await.is_ok(),
            Self::Stall(bytes) => stall(client, &response.bytes[..bytes % whole]).await,
            Self::Drip => drip(client, &response.bytes).await,
        };
        drop(sent);
        false
    }
}

const JSON: &str = "content-type: application/json\r\n";

/// Ends the connection in good order, with nothing lost of what was sent.
async fn send_and_close(client: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    client.write_all(bytes).await?;
    client.shutdown().await?;
    wait_for_end(client).await
}

async fn stall(client: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    client.write_all(bytes).await?;
    wait_for_end(client).await
}

async fn drip(client: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        client.write_all(&[*byte]).await?;
        sleep(DRIP).await;
    }
    Ok(())
}

/// Until the client closes its side.
async fn wait_for_end(client: &mut TcpStream) -> std::io::Result<()> {
    let mut rest = [0; 1024];
    while client.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Blanks before a JSON object, as gzip packs them.
fn bomb(bytes: usize) -> Message {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&vec![b' '; bytes]).expect("memory");
    let body = packer.finish().expect("memory");
    Message::response("200 OK", &format!("{JSON}content-encoding: gzip\r\n"), &body)
}
