//! The API of an agent, asked on its own host.

use std::{io, net::Ipv4Addr, time::Duration};

use axum::{
    body::Bytes,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::site::Host;

/// The port of the API.
pub(crate) const HTTP: u16 = 8780;

/// A connection to a port of an agent, from its own host.
pub(crate) async fn connect(host: &dyn Host, port: u16) -> io::Result<TcpStream> {
    host.socket()?.connect((Ipv4Addr::LOCALHOST, port).into()).await
}

/// A connection that is kept.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) body: Bytes,
}

impl Connection {
    /// Opens it.
    pub(crate) async fn open(host: &dyn Host) -> Result<Connection, String> {
        let stream = connect(host, HTTP).await.map_err(|error| error.to_string())?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        Ok(Connection { sender, driver: tokio::spawn(async move { drop(connection.await) }) })
    }

    /// Asks. With an ETag it waits until there is something else to be told.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, etag: Option<&str>, body: Option<&Value>) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, format!("127.0.0.1:{HTTP}"));
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag).header("prefer", "wait=60");
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let (head, body) = self.sender.send_request(request).await.map_err(|error| error.to_string())?.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let etag = head.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        Ok(Answer { status: head.status, etag, body })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Asks once, over a connection of its own. An agent that is starting is asked again.
pub(crate) async fn ask(host: &dyn Host, method: Method, path: &str, body: Option<&Value>, patience: Duration) -> Result<Answer, String> {
    let exchange = async {
        let mut connection = loop {
            match Connection::open(host).await {
                Ok(connection) => break connection,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        connection.ask(method, path, None, body).await
    };
    timeout(patience, exchange).await.unwrap_or_else(|_| Err(format!("no answer for {} s", patience.as_secs())))
}
