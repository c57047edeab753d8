//! A bad network of our own: it stands before a stand-in, and does to each exchange what a test says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use gqldump::demo::DemoServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::project::Api;

mod mishap;
mod secured;
mod wire;

pub(crate) use mishap::Mishap;
pub(crate) use secured::SelfSigned;

use wire::Message;

type Choose = dyn Fn(u64) -> Mishap + Send + Sync;

/// The network before one stand-in; dropping it takes it down.
pub(crate) struct Chaos {
    network: Arc<Network>,
    port: u16,
    token: Option<String>,
    running: Option<Running>,
}

/// What happened to one exchange.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) mishap: Mishap,
    /// Bytes of the whole response, head included; none where the server was never asked.
    pub(crate) whole: usize,
}

struct Network {
    server: SocketAddr,
    choose: Box<Choose>,
    begun: Mutex<u64>,
    exchanges: Mutex<Vec<Exchange>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Chaos {
    /// Stands before `server`. `choose` is asked, with the number of the exchange from 0, what becomes of it.
    pub(crate) fn before(server: &DemoServer, choose: impl Fn(u64) -> Mishap + Send + Sync + 'static) -> Self {
        let port = server.address().port().expect("a port");
        let network = Network {
            server: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            choose: Box::new(choose),
            begun: Mutex::default(),
            exchanges: Mutex::default(),
        };
        let mut chaos = Self {
            network: Arc::new(network),
            port: 0,
            token: Api::from(server).token,
            running: None,
        };
        chaos.come_up();
        chaos
    }

    /// All connections are reset, and new ones are refused.
    pub(crate) fn go_down(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            drop(stop);
            thread.join().expect("a network without bugs");
        }
    }

    /// Connections are possible again, at the same address.
    pub(crate) fn come_up(&mut self) {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        self.port = listener.local_addr().expect("an address").port();
        let (stop, stopped) = oneshot::channel();
        let network = Arc::clone(&self.network);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = accept(&listener, &network) => {}
                    _ = stopped => {}
                }
            });
        });
        self.running = Some(Running { stop, thread });
    }

    /// Requests that were read so far.
    pub(crate) fn requests(&self) -> u64 {
        *self.network.begun.lock().expect("a count")
    }

    /// All exchanges that are over.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.network.exchanges.lock().expect("exchanges").clone()
    }

    /// How many exchanges did not go well.
    pub(crate) fn mishaps(&self) -> usize {
        let exchanges = self.exchanges();
        exchanges
            .iter()
            .filter(|exchange| exchange.mishap != Mishap::None)
            .count()
    }
}

impl From<&Chaos> for Api {
    fn from(chaos: &Chaos) -> Self {
        Self {
            address: format!("http://127.0.0.1:{}/graphql", chaos.port),
            token: chaos.token.clone(),
        }
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.go_down();
    }
}

async fn accept(listener: &TcpListener, network: &Arc<Network>) {
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        // Whatever is dropped unread, or when the network goes down, is reset and not closed in good order.
        client.set_zero_linger().expect("a socket");
        client.set_nodelay(true).expect("a socket");
        let network = Arc::clone(network);
        tokio::spawn(async move { network.carry(client).await });
    }
}

impl Network {
    /// Carries the exchanges of one connection, one after the other, until one of them ends it.
    async fn carry(&self, mut client: TcpStream) {
        while let Some(request) = Message::read(&mut client).await {
            let number = {
                let mut begun = self.begun.lock().expect("a count");
                *begun += 1;
                *begun - 1
            };
            let mishap = (self.choose)(number);
            let response = match mishap.reaches_server() {
                true => Some(self.answer(&request).await),
                false => None,
            };
            self.exchanges.lock().expect("exchanges").push(Exchange {
                mishap: mishap.clone(),
                whole: response.as_ref().map_or(0, |response| response.bytes.len()),
            });
            if !mishap.strike(&mut client, response).await {
                return;
            }
        }
    }

    async fn answer(&self, request: &Message) -> Message {
        let mut server = TcpStream::connect(self.server).await.expect("the stand-in");
        request.send(&mut server).await.expect("the stand-in reads");
        Message::read(&mut server).await.expect("the stand-in answers")
    }
}
