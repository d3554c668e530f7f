//! Connections: accepted, bounded in number and in patience, and ended in order.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    pin::pin,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};
use tokio_io_timeout::TimeoutStream;
use tracing::{debug, warn};

use super::{ApiState, routes};

/// Connections at the same time. More wait in the system's backlog until one ends, which the time limits see to.
pub const CONNECTIONS: usize = 1_024;

/// Octets of a request's line and header fields; more are answered with 431.
const HEADER_OCTETS: usize = 16 * 1024;

/// How long accepting rests when the system is out of something, file descriptors for example.
const ACCEPT_REST: Duration = Duration::from_millis(500);

/// The REST API on a socket that is bound already, so that an address in use is found before anything else starts.
pub struct HttpServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    patience: Patience,
}

/// How long a client may take.
#[derive(Clone, Copy)]
struct Patience {
    /// For the head of a request, and between two requests.
    head: Duration,
    /// For taking any part of an answer.
    write: Duration,
    /// For what is under way when the server ends.
    end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { head: Duration::from_secs(10), write: Duration::from_secs(10), end: Duration::from_secs(5) }
    }
}

impl HttpServer {
    /// Binds the address; connections wait until [`HttpServer::serve`]. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the address is in use or not this host's.
    pub fn bind(addr: SocketAddr) -> io::Result<HttpServer> {
        let listener = StdListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let local_addr = listener.local_addr()?;
        Ok(HttpServer { listener, local_addr, patience: Patience::default() })
    }

    /// The address that is bound, with the port that the system chose where 0 was given.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is done, then finishes what is under way, for five seconds at most.
    pub async fn serve(self, state: ApiState, shutdown: impl Future<Output = ()> + Send) {
        let router = routes::router(state);
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                stream = accept(&self.listener), if connections.len() < CONNECTIONS => {
                    connections.spawn(converse(stream, router.clone(), self.patience, &graceful));
                }
            }
        }
        drop(self.listener);
        if time::timeout(self.patience.end, graceful.shutdown()).await.is_err() {
            warn!(connections = connections.len(), "HTTP connections were cut: their clients took too long");
        }
    }
}

/// The next connection. An error is never the listener's end.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                warn!(%error, "no HTTP connection can be accepted for now");
                time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// The client went away before it was accepted.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers the requests of one connection.
fn converse(stream: TcpStream, router: Router, patience: Patience, graceful: &GracefulShutdown) -> impl Future<Output = ()> + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY could not be set");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_header_size(HEADER_OCTETS)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            debug!(%error, "an HTTP connection ended early");
        }
    }
}
