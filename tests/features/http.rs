//! A plain HTTP client: one connection per request, so that nothing of a killed agent lingers.

use std::{fmt, io, net::SocketAddr, path::Path, pin::Pin, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, Uri, request, response},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{pki, sockets};

/// Longer than any answer takes, `POST /v1/agent/leave` included.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) asked: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("no JSON ({error}): {self}"))
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> {}", self.asked, self.status)?;
        self.headers.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {}", value.to_str().unwrap_or("?")))?;
        write!(f, "{}", String::from_utf8_lossy(&self.body))
    }
}

/// Asks and waits for the whole answer.
pub(crate) async fn ask(method: &str, url: &str, content_type: Option<&str>, body: Vec<u8>) -> Result<Answer, String> {
    let headers: Vec<_> = content_type.map(|it| ("content-type".to_owned(), it.to_owned())).into_iter().collect();
    ask_with(method, url, &headers, body, LIMIT).await
}

/// The same with any header fields, for an answer that may take its time.
pub(crate) async fn ask_with(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
    limit: Duration,
) -> Result<Answer, String> {
    let asked = format!("{method} {url}");
    let method = Method::from_bytes(method.as_bytes()).map_err(|error| format!("{asked}: {error}"))?;
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let uri = request.uri_ref().cloned().unwrap_or_default();
    let exchange = async {
        let stream = connect(&uri).await.map_err(|error| format!("{error:?}"))?;
        exchange(stream, request, &uri, body).await
    };
    let answer = timeout(limit, exchange).await.unwrap_or_else(|_| Err(format!("no answer within {limit:?}")));
    answer
        .map(|(head, body)| Answer { asked: asked.clone(), status: head.status, headers: head.headers, body })
        .map_err(|error| format!("{asked}: {error}"))
}

/// Asks by a Unix socket.
pub(crate) async fn ask_at_socket(method: &str, socket: &Path, path: &str) -> Result<Answer, String> {
    let asked = format!("{method} {path} at {}", socket.display());
    let uri: Uri = format!("http://localhost{path}").parse().map_err(|error| format!("{asked}: {error}"))?;
    let stream = UnixStream::connect(socket).await.map_err(|error| format!("{asked}: {error}"))?;
    let request = Request::builder().method(method);
    let answer = timeout(LIMIT, exchange(Box::pin(stream), request, &uri, Vec::new())).await.map_err(|_| format!("{asked}: no answer"))?;
    answer
        .map(|(head, body)| Answer { asked: asked.clone(), status: head.status, headers: head.headers, body })
        .map_err(|error| format!("{asked}: {error}"))
}

type Stream = Pin<Box<dyn ReadWrite>>;

trait ReadWrite: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> ReadWrite for T {}

async fn connect(uri: &Uri) -> io::Result<Stream> {
    let agent: Option<SocketAddr> = uri.authority().and_then(|authority| authority.as_str().parse().ok());
    let agent = agent.ok_or_else(|| io::Error::other(format!("{uri} is not of an agent")))?;
    let stream = sockets::connect(agent).await?;
    if uri.scheme_str() != Some("https") {
        return Ok(Box::pin(stream));
    }
    let settings = pki::known(agent).ok_or_else(|| io::Error::other("the scenario has no authority"))?;
    Ok(Box::pin(TlsConnector::from(settings).connect(pki::name(agent.ip()), stream).await?))
}

/// One request over a connection of its own.
async fn exchange(stream: Stream, request: request::Builder, uri: &Uri, body: Vec<u8>) -> Result<(response::Parts, Vec<u8>), String> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = request.uri(target).body(Full::<Bytes>::from(body)).map_err(|error| error.to_string())?;
    if let (Some(host), false) = (uri.authority(), request.headers().contains_key("host")) {
        request.headers_mut().insert("host", host.as_str().parse().expect("it was read before"));
    }
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| format!("{error:?}"))?;
    // It ends with what came, or with this request.
    let driver = AbortOnDrop(tokio::spawn(async move { drop(connection.await) }));
    let response = sender.send_request(request).await.map_err(|error| format!("{error:?}"))?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes().to_vec();
    drop(driver);
    Ok((head, body))
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads what came back over a connection that was written to by hand.
pub(crate) fn parse(asked: &str, octets: &[u8]) -> Result<Answer, String> {
    let wrong = || format!("{asked}: no HTTP: {}", String::from_utf8_lossy(octets));
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(wrong)?;
    let head = String::from_utf8_lossy(&octets[..end]);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        headers.insert(name, value.parse().map_err(|_| wrong())?);
    }
    Ok(Answer { asked: asked.to_owned(), status, headers, body: octets[end + 4..].to_vec() })
}
