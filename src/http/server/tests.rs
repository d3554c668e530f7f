mod socket;
mod tls;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

use super::*;
use crate::tls::Server as Tls;
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
    let answer = server
        .exchange(&format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "a".repeat(super::connection::HEADER_OCTETS)))
        .await;
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
async fn beyond_the_limit_the_one_that_was_waited_for_the_longest_makes_room() {
    let server = Running::start(Bounds { connections: 2, head: DEADLINE * 10, ..Bounds::default() });
    let head = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";
    let put = "PUT /v1/agent/instances/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    // A head that does not end, a body that does not come, and one that asked before and asks no more.
    let mut silent = Vec::new();
    for said in [head, put, &format!("{head}\r\n"), "", "GET"] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        if said.ends_with("localhost\r\n\r\n") {
            stream.read_exact(&mut [0; 12]).await.unwrap();
        }
        silent.push(stream);
        let answer = server.exchange(&format!("{head}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "after {said:?}: {answer}");
    }
    let mut first = silent.swap_remove(0);
    let ended = time::timeout(DEADLINE, first.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "it is closed");
    server.end().await;
}

#[tokio::test]
async fn beyond_the_limit_nobody_who_waits_for_an_answer_makes_room() {
    let server = Running::start(Bounds { connections: 1, head: DEADLINE * 10, ..Bounds::default() });
    let mut first = TcpStream::connect(server.addr).await.unwrap();
    first.write_all(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    first.read_exact(&mut [0; 12]).await.unwrap();
    let closing = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut second = Box::pin(server.exchange(closing));
    let early = time::timeout(Duration::from_millis(50), &mut second).await;
    assert!(early.is_err(), "one connection is served at a time: {early:?}");
    drop(first);
    assert!(second.as_mut().await.starts_with("HTTP/1.1 200 OK"));
    drop(second);
    server.end().await;
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let mut first = HttpServer::default();
    first.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = HttpServer::default().bind(first.local_addr().unwrap()).expect_err("it is in use");
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
        let mut server = HttpServer { bounds, ..HttpServer::default() };
        server.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Running::run(server, api, Arc::default())
    }

    fn run(server: HttpServer, api: Api, tls: Arc<ArcSwapOption<Tls>>) -> Running {
        let (shutdown, asked) = oneshot::channel();
        let addr = server.local_addr().unwrap_or_else(|| "127.0.0.1:9".parse().unwrap());
        let task = tokio::spawn(server.serve(api.state, tls, async { drop(asked.await) }));
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
