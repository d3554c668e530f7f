//! A plain HTTP client: one connection per request, so that nothing of a killed agent lingers.

use std::{fmt, io, time::Duration};

use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tower::service_fn;

use super::sockets;

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
    let request = request.body(Full::from(body)).map_err(|error| format!("{asked}: {error}"))?;
    let connector = service_fn(|uri: Uri| Box::pin(connect(uri)));
    let client: Client<_, Full<axum::body::Bytes>> = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    let exchange = async {
        let response = client.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes().to_vec();
        Ok::<_, String>(Answer { asked: asked.clone(), status: parts.status, headers: parts.headers, body })
    };
    match timeout(limit, exchange).await {
        Ok(answer) => answer.map_err(|error| format!("{asked}: {error}")),
        Err(_) => Err(format!("{asked}: no answer within {limit:?}")),
    }
}

async fn connect(uri: Uri) -> io::Result<TokioIo<TcpStream>> {
    let agent = uri.authority().and_then(|authority| authority.as_str().parse().ok());
    let agent = agent.ok_or_else(|| io::Error::other(format!("{uri} is not of an agent")))?;
    sockets::connect(agent).await.map(TokioIo::new)
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
