//! What becomes of a connection: who is there, in which protocol, and the requests that are answered.

use std::{convert::Infallible, pin::Pin, sync::Arc};

use arc_swap::ArcSwapOption;
use axum::{Router, body::Body};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::Watcher,
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_io_timeout::TimeoutStream;
use tracing::debug;

use super::{
    Bounds,
    door::Accepted,
    handshake::{self, Failures},
    seats::{self, Seat},
};
use crate::{access::Origin, http::ApiState, model::Domain, tls};

/// Octets of a request's line and header fields; more are answered with 431.
pub(super) const HEADER_OCTETS: usize = 16 * 1024;

/// Octets that the system takes for a client before it can send them. Without this bound they are megabytes, and a client
/// that reads slowly but steadily looks like one that takes nothing until a third of them is gone.
const UNSENT_OCTETS: u32 = 64 * 1024;

/// What all connections share.
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) state: ApiState,
    pub(super) tls: Arc<ArcSwapOption<tls::Server>>,
    pub(super) bounds: Bounds,
    pub(super) failures: Failures,
}

/// A connection of whatever kind. One type for all of them, so that the server's code is in the program once.
type Stream = Pin<Box<dyn ReadWrite>>;

trait ReadWrite: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> ReadWrite for T {}

/// The names in the certificate that a connection was served: whoever got through its handshake may ask by them.
#[derive(Debug, Clone)]
pub(in crate::http) struct CertificateNames(pub(in crate::http) Arc<[Domain]>);

/// Who is there.
struct Guest {
    origin: Origin,
    names: Option<CertificateNames>,
}

impl Server {
    /// Serves who came, until one of the two ends it, or its seat is given to somebody else.
    pub(super) async fn receive(self: Arc<Self>, accepted: Accepted, watcher: Watcher, seat: Arc<Seat>) {
        tokio::select! {
            () = seat.given_away() => self.state.metrics.http.connection_cut(),
            () = self.converse(accepted, watcher, &seat) => {}
        }
    }

    async fn converse(&self, accepted: Accepted, watcher: Watcher, seat: &Arc<Seat>) {
        let Some((stream, guest)) = self.greet(accepted).await else { return };
        let (router, seat) = (TowerToHyperService::new(self.router.clone()), Arc::clone(seat));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.bounds.head)
            .max_header_size(HEADER_OCTETS)
            .serve_connection(TokioIo::new(stream), ForGuest { guest, router, seat });
        if let Err(error) = watcher.watch(connection).await {
            debug!(%error, "an HTTP connection ended early");
        }
    }

    /// Agrees with who came on how to speak. None where they don't.
    async fn greet(&self, accepted: Accepted) -> Option<(Stream, Guest)> {
        let (stream, from) = match accepted {
            Accepted::Unix(stream) => return Some((patient(stream, self.bounds), Guest { origin: Origin::Local, names: None })),
            Accepted::Tcp(stream, from) => (stream, from),
        };
        set_options(&stream);
        let origin = if from.ip().to_canonical().is_loopback() { Origin::Local } else { Origin::Elsewhere };
        let Some(tls) = self.tls.load_full() else {
            return Some((patient(stream, self.bounds), Guest { origin, names: None }));
        };
        let greeted = tokio::select! {
            // When the server ends, nobody waits for a handshake.
            () = self.state.ending() => return None,
            greeted = Box::pin(handshake::greet(stream, &tls, self.bounds)) => greeted,
        };
        match greeted {
            Ok(stream) => Some((Box::pin(stream), Guest { origin, names: Some(CertificateNames(Arc::clone(tls.names()))) })),
            Err(failure) => {
                self.failures.tell(from, &failure);
                self.state.metrics.http.handshake_failed(failure.reason);
                None
            }
        }
    }
}

/// A stream that gives up on a client that takes nothing for long.
pub(super) fn patient<T: AsyncRead + AsyncWrite>(stream: T, bounds: Bounds) -> Pin<Box<TimeoutStream<T>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(bounds.write));
    Box::pin(stream)
}

fn set_options(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY could not be set");
    }
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_OCTETS) {
        debug!(%error, "TCP_NOTSENT_LOWAT could not be set");
    }
}

/// A router that is told who asks, and tells who waits for whom.
struct ForGuest {
    guest: Guest,
    router: TowerToHyperService<Router>,
    seat: Arc<Seat>,
}

impl Service<Request<Incoming>> for ForGuest {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let seat = Arc::clone(&self.seat);
        let mut request = request.map(|body| seats::arriving(body, &seat));
        request.extensions_mut().insert(self.guest.origin);
        if let Some(names) = &self.guest.names {
            request.extensions_mut().insert(names.clone());
        }
        let answer = self.router.call(request);
        Box::pin(async move { Ok(answer.await?.map(|body| seats::leaving(body, &seat))) })
    }
}
