//! One way in: takes connections, no more at a time than there are places.

use std::{future::pending, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::server::graceful::GracefulShutdown;
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::JoinSet,
    time,
};
use tracing::warn;

use super::{connection::Server, seats::Seats};

/// How long accepting rests when the system is out of something, file descriptors for example.
const ACCEPT_REST: Duration = Duration::from_millis(500);

/// Connections that may be on their way out while others have their places already.
const LEAVING: usize = 64;

/// Where connections come from.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Who came.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// A listener, and the connections that came by it. They end with it.
pub(super) struct Door {
    listener: Option<Listener>,
    connections: JoinSet<()>,
    places: usize,
    seats: Seats,
}

impl Door {
    /// One with so many places. Without a listener nobody comes.
    pub(super) fn new(listener: Option<Listener>, places: usize) -> Door {
        Door { listener, connections: JoinSet::new(), places, seats: Seats::default() }
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Takes connections in; never done.
    pub(super) async fn take_in(&mut self, server: &Arc<Server>, graceful: &GracefulShutdown) {
        let Some(listener) = self.listener.take() else { return pending().await };
        loop {
            tokio::select! {
                Some(_) = self.connections.join_next() => {}
                accepted = next(&listener) => {
                    self.find_place().await;
                    self.connections.spawn(Arc::clone(server).receive(accepted, graceful.watcher(), self.seats.take()));
                }
            }
        }
    }

    /// Waits for a place, or has one made where somebody is waited for.
    async fn find_place(&mut self) {
        while self.connections.len() >= self.places && !self.seats.make_room() {
            tokio::select! {
                Some(_) = self.connections.join_next() => {}
                () = self.seats.some_waited_for() => {}
            }
        }
        while self.connections.len() >= self.places + LEAVING {
            self.connections.join_next().await;
        }
    }

    /// Takes nobody in any more.
    pub(super) fn close(&mut self) {
        self.listener = None;
    }
}

/// The next connection. An error is never the listener's end.
async fn next(listener: &Listener) -> Accepted {
    loop {
        let accepted = match listener {
            Listener::Tcp(listener) => listener.accept().await.map(|(stream, from)| Accepted::Tcp(stream, from)),
            Listener::Unix(listener) => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        };
        match accepted {
            Ok(accepted) => return accepted,
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
