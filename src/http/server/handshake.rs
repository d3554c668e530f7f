//! The handshake of TLS: in good time, and where it fails, cheaply and with a word in the log.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{self, Instant},
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{debug, warn};

use super::{Bounds, connection::patient};
use crate::{
    http::problem::{Problem, ProblemType},
    metrics::NoHandshake,
    tls,
};

/// Between two lines of the log about failures.
const PAUSE: Duration = Duration::from_secs(10);

/// Octets of a request that are taken in and thrown away, so that its sender sees the answer instead of a broken connection.
const DISCARDED_OCTETS: u64 = 64 * 1024;

/// A handshake that failed.
pub(super) struct Failure {
    pub(super) reason: NoHandshake,
    detail: String,
}

/// Agrees with a client on keys, within the time that there is for it.
pub(super) async fn greet(
    stream: TcpStream,
    tls: &tls::Server,
    bounds: Bounds,
) -> Result<TlsStream<Pin<Box<TimeoutStream<TcpStream>>>>, Failure> {
    let greeting = async {
        if speaks_http(&stream).await.map_err(|error| failure(&error))? {
            answer_plainly(stream).await;
            return Err(Failure { reason: NoHandshake::Plain, detail: "it speaks plain HTTP, and https is served".into() });
        }
        TlsAcceptor::from(tls.settings()).accept(patient(stream, bounds)).await.map_err(|error| failure(&error))
    };
    time::timeout(bounds.handshake, greeting).await.unwrap_or_else(|_| {
        let detail = format!("it took longer than {} s", bounds.handshake.as_secs());
        Err(Failure { reason: NoHandshake::Timeout, detail })
    })
}

/// A method begins with a letter, a record of TLS never does.
async fn speaks_http(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0].is_ascii_alphabetic()),
    }
}

/// Tells a client that speaks no TLS so, in the protocol that it speaks.
async fn answer_plainly(mut stream: TcpStream) {
    let problem = Problem::new(ProblemType::HttpsNeeded, "ask again with https:// in place of http://");
    let (status, body) = (ProblemType::HttpsNeeded.status(), problem.text());
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Who does not take it, or goes on sending, has had the chance to.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
    let _ = tokio::io::copy(&mut stream.take(DISCARDED_OCTETS), &mut tokio::io::sink()).await;
}

fn failure(error: &io::Error) -> Failure {
    use rustls::Error as Tls;
    let reason = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Tls::NoCertificatesPresented | Tls::InvalidCertificate(_)) => NoHandshake::ClientCertificate,
        Some(Tls::AlertReceived(_)) => NoHandshake::Refused,
        Some(_) => NoHandshake::Protocol,
        None => NoHandshake::Gone,
    };
    Failure { reason, detail: error.to_string() }
}

/// What the log says of failures: the first at once, then a line every ten seconds at most.
#[derive(Default)]
pub(super) struct Failures(Mutex<Told>);

#[derive(Default)]
struct Told {
    last: Option<Instant>,
    untold: u64,
}

impl Failures {
    /// Logs a failure, now or with later ones.
    pub(super) fn tell(&self, from: SocketAddr, Failure { reason, detail }: &Failure) {
        // Load balancers and scanners connect only to see whether somebody is there.
        if *reason == NoHandshake::Gone {
            return debug!(%from, "no TLS with a client: {detail}");
        }
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.last.is_some_and(|last| last.elapsed() < PAUSE) {
            told.untold += 1;
            return;
        }
        let count = std::mem::take(&mut told.untold) + 1;
        told.last = Some(Instant::now());
        drop(told);
        warn!(%from, reason = reason.word(), count, "no TLS with a client: {detail}");
    }
}
