//! Connections: accepted, bounded in number and in bounds, and ended in order.

mod connection;
mod door;
mod handshake;
mod seats;
mod socket;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::{
    net::{TcpListener, TcpSocket, UnixListener},
    time,
};
use tracing::warn;

use super::{ApiState, routes};
use crate::tls;
pub(super) use connection::CertificateNames;
use connection::Server;
use door::{Door, Listener};
use handshake::Failures;
pub use socket::SocketError;
use socket::SocketFile;

/// Connections over TCP at the same time. One more takes the place of the one that was waited for the longest; where none is waited for, it waits.
///
/// Those that wait for a change or follow events take up to 1,088 of them ([`super::WAITING`], [`super::FOLLOWERS`]).
pub const CONNECTIONS: usize = 2_048;

/// Connections that may wait to be taken. A client that finds the queue full tries again a second later.
const BACKLOG: u32 = 1_024;

/// Connections by the Unix socket at the same time: places that nobody on the network can take.
pub const LOCAL_CONNECTIONS: usize = 512;

/// The REST API on sockets that are bound already, so that an address in use is found before anything else starts.
#[derive(Default)]
pub struct HttpServer {
    tcp: Option<(TcpListener, SocketAddr)>,
    unix: Option<(UnixListener, SocketFile)>,
    bounds: Bounds,
}

/// What clients may take of this agent.
#[derive(Clone, Copy)]
struct Bounds {
    /// Connections over TCP at the same time.
    connections: usize,
    /// Connections by the Unix socket at the same time.
    local_connections: usize,
    /// Time for the handshake of TLS.
    handshake: Duration,
    /// Time for the head of a request, and between two requests.
    head: Duration,
    /// Time for taking any part of an answer.
    write: Duration,
    /// Time for what is under way when the server ends.
    end: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            connections: CONNECTIONS,
            local_connections: LOCAL_CONNECTIONS,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            write: Duration::from_secs(10),
            end: Duration::from_secs(5),
        }
    }
}

impl HttpServer {
    /// Binds an address; connections wait until [`HttpServer::serve`]. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the address is in use or not this host's.
    pub fn bind(&mut self, addr: SocketAddr) -> io::Result<()> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restarted agent need not wait for connections of its last life to be over.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(BACKLOG)?;
        let local_addr = listener.local_addr()?;
        self.tcp = Some((listener, local_addr));
        Ok(())
    }

    /// Binds a Unix socket, in place of one that nobody serves any more. Nobody but who `mode` lets ever gets to it, and it is removed when
    /// the server is gone. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the path is something else, or some program serves it, or it can't be made.
    pub fn bind_socket(&mut self, path: &Path, mode: u32) -> Result<(), SocketError> {
        self.unix = Some(socket::bind(path, mode)?);
        Ok(())
    }

    /// The address that is bound, with the port that the system chose where 0 was given.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().map(|(_, addr)| *addr)
    }

    /// Serves until `shutdown` is done, then finishes what is under way, for five seconds at most. Over TCP it speaks TLS with whoever
    /// connects while `tls` holds settings for it.
    pub async fn serve(self, state: ApiState, tls: Arc<ArcSwapOption<tls::Server>>, shutdown: impl Future<Output = ()> + Send) {
        let HttpServer { tcp, unix, bounds } = self;
        let (socket, file) = unix.unzip();
        let server = Server { router: routes::router(state.clone()), state, tls, bounds, failures: Failures::default() };
        let (server, graceful) = (Arc::new(server), GracefulShutdown::new());
        let mut network = Door::new(tcp.map(|(listener, _)| Listener::Tcp(listener)), bounds.connections);
        let mut local = Door::new(socket.map(Listener::Unix), bounds.local_connections);
        tokio::select! {
            () = shutdown => {}
            () = network.take_in(&server, &graceful) => {}
            () = local.take_in(&server, &graceful) => {}
        }
        drop(file);
        network.close();
        local.close();
        server.state.end();
        if time::timeout(bounds.end, graceful.shutdown()).await.is_err() {
            warn!(connections = network.connections() + local.connections(), "HTTP connections were cut: their clients took too long");
        }
    }
}
