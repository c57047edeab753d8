//! A host that speaks TLS with a certificate for which nobody vouches but itself.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::project::Api;

/// The host. Whoever sends it a request has not looked at its certificate, and never gets an answer.
pub(crate) struct SelfSigned {
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

impl SelfSigned {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let acceptor = TlsAcceptor::from(Arc::new(config()));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                // Clients are to break it off.
                drop(acceptor.accept(client).await);
            }
        });
        Self {
            port,
            _runtime: runtime,
        }
    }
}

impl From<&SelfSigned> for Api {
    fn from(host: &SelfSigned) -> Self {
        Self {
            address: format!("https://127.0.0.1:{}/graphql", host.port),
            token: None,
        }
    }
}

fn config() -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("self_signed.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("self_signed.key")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions of TLS");
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key);
    config.expect("a key that fits its certificate")
}
