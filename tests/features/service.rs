//! A service whose health a scenario decides: a small HTTP server in the harness.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// It takes connections and says nothing.
pub(crate) const HANGS: u16 = 0;

/// A service that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    answers: Arc<AtomicU16>,
    accepting: JoinHandle<()>,
}

impl Service {
    /// A service at an address, which answers every request with a status.
    pub(crate) async fn start(address: SocketAddr, status: u16) -> Service {
        let listener = TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
        let answers = Arc::new(AtomicU16::new(status));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&answers)));
        Service { answers, accepting }
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, status: u16) {
        self.answers.store(status, Relaxed);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, answers: Arc<AtomicU16>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, answers.load(Relaxed)));
    }
}

async fn answer(mut stream: TcpStream, status: u16) {
    let mut request = [0; 4_096];
    if stream.read(&mut request).await.is_err() {
        return;
    }
    if status == HANGS {
        // Until the other side gives up.
        let _ = stream.read(&mut request).await;
        return;
    }
    let body = format!("the answer is {status}");
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nlocation: /elsewhere\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
