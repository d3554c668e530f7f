//! Floods of connections.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    flood::Sent,
    http::{Connection, put},
};

/// How long a connection may take, and how long who was refused rests.
const PATIENCE: Duration = Duration::from_secs(3);
const REST: Duration = Duration::from_millis(200);
/// Between two octets of who is slow.
const OCTET: Duration = Duration::from_millis(200);
const END: Duration = Duration::from_millis(50);

/// So many connections at once, each opened again when it is closed. They say this and then an octet now and then, or nothing at all.
pub(crate) fn open(to: SocketAddr, count: usize, begin: &'static [u8], sent: &Arc<Sent>) {
    run(sent, count, move |sent| async move {
        loop {
            if let Ok(Ok(mut stream)) = timeout(PATIENCE, TcpStream::connect(to)).await {
                sent.add(1);
                hold(&mut stream, begin).await;
            }
            sleep(REST).await;
        }
    });
}

/// Until the other side ends it.
async fn hold(stream: &mut TcpStream, begin: &[u8]) {
    if begin.is_empty() {
        let _ = stream.read(&mut [0]).await;
        return;
    }
    for octet in begin.iter().chain(std::iter::repeat(&b'x')) {
        sleep(OCTET).await;
        let mut said = [0];
        if stream.write_all(std::slice::from_ref(octet)).await.is_err() || matches!(stream.try_read(&mut said), Ok(0)) {
            return;
        }
    }
}

/// So many clients that register, each as fast as it is answered.
pub(crate) fn register(to: SocketAddr, count: usize, sent: &Arc<Sent>) {
    let number = std::sync::atomic::AtomicU64::default();
    run(sent, count, move |sent| {
        let id = format!("flood-{}", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        async move {
            loop {
                let Ok(mut connection) = Connection::open(to).await else {
                    sleep(REST).await;
                    continue;
                };
                let mut port = 0_u16;
                while connection.exchange(&put(&id, &json!({"service": "flood", "port": 1 + port % 60_000}))).await.is_ok() {
                    sent.add(1);
                    port = port.wrapping_add(1);
                }
            }
        }
    });
}

fn run<F: Future<Output = ()> + Send + 'static>(sent: &Arc<Sent>, count: usize, client: impl Fn(Arc<Sent>) -> F) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be had");
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..count {
            clients.spawn(client(Arc::clone(sent)));
        }
        while !sent.is_over() {
            sleep(END).await;
        }
        clients.shutdown().await;
    });
}
