//! Connections: accepted, bounded in number and in bounds, and ended in order.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    pin::pin,
    time::Duration,
};

use axum::Router;
use hyper::{Request, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};
use tokio_io_timeout::TimeoutStream;
use tracing::{debug, warn};

use super::{ApiState, routes};
use crate::access::Origin;

/// Connections at the same time. More wait in the system's backlog until one ends, which the time limits see to.
///
/// Those that wait for a change or follow events take up to 1,088 of them ([`super::WAITING`], [`super::FOLLOWERS`]).
pub const CONNECTIONS: usize = 2_048;

/// Octets of a request's line and header fields; more are answered with 431.
const HEADER_OCTETS: usize = 16 * 1024;

/// Octets that the system takes for a client before it can send them. Without this bound they are megabytes, and a client
/// that reads slowly but steadily looks like one that takes nothing until a third of them is gone.
const UNSENT_OCTETS: u32 = 64 * 1024;

/// How long accepting rests when the system is out of something, file descriptors for example.
const ACCEPT_REST: Duration = Duration::from_millis(500);

/// The REST API on a socket that is bound already, so that an address in use is found before anything else starts.
pub struct HttpServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    bounds: Bounds,
}

/// What clients may take of this agent.
#[derive(Clone, Copy)]
struct Bounds {
    /// Connections at the same time.
    connections: usize,
    /// Time for the head of a request, and between two requests.
    head: Duration,
    /// Time for taking any part of an answer.
    write: Duration,
    /// Time for what is under way when the server ends.
    end: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { connections: CONNECTIONS, head: Duration::from_secs(10), write: Duration::from_secs(10), end: Duration::from_secs(5) }
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
        Ok(HttpServer { listener, local_addr, bounds: Bounds::default() })
    }

    /// The address that is bound, with the port that the system chose where 0 was given.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is done, then finishes what is under way, for five seconds at most.
    pub async fn serve(self, state: ApiState, shutdown: impl Future<Output = ()> + Send) {
        let router = routes::router(state.clone());
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                (stream, from) = accept(&self.listener), if connections.len() < self.bounds.connections => {
                    let origin = if from.ip().to_canonical().is_loopback() { Origin::Local } else { Origin::Elsewhere };
                    connections.spawn(converse(stream, origin, router.clone(), self.bounds, &graceful));
                }
            }
        }
        drop(self.listener);
        state.end();
        if time::timeout(self.bounds.end, graceful.shutdown()).await.is_err() {
            warn!(connections = connections.len(), "HTTP connections were cut: their clients took too long");
        }
    }
}

/// The next connection. An error is never the listener's end.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
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

/// Answers the requests of one connection.
fn converse(
    stream: TcpStream,
    origin: Origin,
    router: Router,
    bounds: Bounds,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY could not be set");
    }
    if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_OCTETS) {
        debug!(%error, "TCP_NOTSENT_LOWAT could not be set");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(bounds.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_header_size(HEADER_OCTETS)
        .serve_connection(TokioIo::new(Box::pin(stream)), From { origin, router: TowerToHyperService::new(router) });
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            debug!(%error, "an HTTP connection ended early");
        }
    }
}

/// A router that is told where requests come from.
struct From<S> {
    origin: Origin,
    router: S,
}

impl<B, S: Service<Request<B>>> Service<Request<B>> for From<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.origin);
        self.router.call(request)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::oneshot,
        task::JoinHandle,
    };

    use super::*;
    use crate::{
        http::testing::{Api, instance, registered},
        model::Status,
    };

    /// What a test waits at most for what must come.
    const DEADLINE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn requests_are_answered_over_tcp() {
        let server = Running::start(Bounds::default());
        let answer = server.exchange("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
        server.end().await;
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_answered_although_its_sender_writes_before_it_reads() {
        let server = Running::start(Bounds::default());
        let size = 512 * 1024;
        let head = "PUT /v1/agent/instances/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";
        let answer = server.exchange(&format!("{head}Content-Length: {size}\r\n\r\n{}", " ".repeat(size))).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("/problems/body-too-large"), "{answer}");
        server.end().await;
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let server = Running::start(Bounds::default());
        let answer = server.exchange(&format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "a".repeat(HEADER_OCTETS))).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        server.end().await;
    }

    #[tokio::test]
    async fn a_client_that_sends_no_whole_head_is_cut_off() {
        let server = Running::start(Bounds { head: Duration::from_millis(50), ..Bounds::default() });
        assert_eq!(server.exchange("").await, "", "before a request");
        let answer = server.exchange("GET /v1 HTTP/1.1\r\nHos").await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "within one: {answer}");
        let answer = server.exchange("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 1, "after one: {answer}");
        server.end().await;
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_hold_up_the_end() {
        let server = Running::start(Bounds { end: DEADLINE * 10, ..Bounds::default() });
        let mut idle = TcpStream::connect(server.addr).await.unwrap();
        idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut start = [0; 12];
        idle.read_exact(&mut start).await.unwrap();
        server.end().await;
    }

    #[tokio::test]
    async fn a_client_that_takes_no_answer_is_cut_off() {
        let api = Api::new();
        let many = (0..5_000).map(|n| registered(10, instance(&format!("web-{n}"), "web", &["v1"], &[("git", "a1b2c3")]), Status::Passing));
        api.publish(many);
        let server = Running::serve(api, Bounds { write: Duration::from_millis(50), end: DEADLINE * 10, ..Bounds::default() });
        let mut greedy = TcpStream::connect(server.addr).await.unwrap();
        // More than all buffers between the two hold.
        greedy.write_all("GET /v1/instances?limit=5000 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20).as_bytes()).await.unwrap();
        let cut = async {
            while greedy.write_all(b"\r\n").await.is_ok() {
                tokio::task::yield_now().await
            }
        };
        time::timeout(DEADLINE, cut).await.expect("the server must end the connection");
        server.end().await;
    }

    #[tokio::test]
    async fn beyond_the_limit_a_connection_waits_until_another_ends() {
        let server = Running::start(Bounds { connections: 1, head: DEADLINE * 10, ..Bounds::default() });
        let request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";
        let mut first = TcpStream::connect(server.addr).await.unwrap();
        first.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
        first.read_exact(&mut [0; 12]).await.unwrap();

        let closing = format!("{request}Connection: close\r\n\r\n");
        let mut second = Box::pin(server.exchange(&closing));
        let early = time::timeout(Duration::from_millis(50), &mut second).await;
        assert!(early.is_err(), "one connection is served at a time: {early:?}");
        drop(first);
        assert!(second.as_mut().await.starts_with("HTTP/1.1 200 OK"));
        drop(second);
        server.end().await;
    }

    #[tokio::test]
    async fn an_address_in_use_is_an_error() {
        let first = HttpServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = HttpServer::bind(first.local_addr()).err().expect("it is in use");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    struct Running {
        addr: SocketAddr,
        shutdown: oneshot::Sender<()>,
        task: JoinHandle<()>,
    }

    impl Running {
        fn start(bounds: Bounds) -> Running {
            Running::serve(Api::new(), bounds)
        }

        fn serve(api: Api, bounds: Bounds) -> Running {
            let server = HttpServer { bounds, ..HttpServer::bind("127.0.0.1:0".parse().unwrap()).unwrap() };
            let (shutdown, asked) = oneshot::channel();
            let addr = server.local_addr();
            let task = tokio::spawn(server.serve(api.state, async { drop(asked.await) }));
            Running { addr, shutdown, task }
        }

        /// Sends a text, then reads until the server ends the connection.
        async fn exchange(&self, request: &str) -> String {
            let talk = async {
                let mut stream = TcpStream::connect(self.addr).await.unwrap();
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                answer
            };
            time::timeout(DEADLINE, talk).await.expect("the server must end the connection")
        }

        async fn end(self) {
            self.shutdown.send(()).unwrap();
            time::timeout(DEADLINE, self.task).await.expect("the server must end").unwrap();
        }
    }
}
