//! A plain HTTP client: one connection per request, so that nothing of a killed agent lingers.

use std::{fmt, net::SocketAddr, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than any answer takes, `POST /v1/agent/leave` included.
const LIMIT: Duration = Duration::from_secs(20);
/// Characters of a body that are shown where something is wrong.
const SHOWN: usize = 4_000;

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
        let text = String::from_utf8_lossy(&self.body);
        let shown: String = text.chars().take(SHOWN).collect();
        write!(f, "{shown}{}", if shown.len() < text.len() { " ..." } else { "" })
    }
}

/// Asks and waits for the whole answer.
pub(crate) async fn ask(method: &str, url: &str, content_type: Option<&str>, body: Vec<u8>) -> Result<Answer, String> {
    let asked = format!("{method} {url}");
    let method = Method::from_bytes(method.as_bytes()).map_err(|error| format!("{asked}: {error}"))?;
    let mut request = Request::builder().method(method).uri(url);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let request = request.body(Full::from(body)).map_err(|error| format!("{asked}: {error}"))?;
    let client: Client<_, Full<axum::body::Bytes>> = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let exchange = async {
        let response = client.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes().to_vec();
        Ok::<_, String>(Answer { asked: asked.clone(), status: parts.status, headers: parts.headers, body })
    };
    match timeout(LIMIT, exchange).await {
        Ok(answer) => answer.map_err(|error| format!("{asked}: {error}")),
        Err(_) => Err(format!("{asked}: no answer within {LIMIT:?}")),
    }
}

/// Sends a `PUT` whose body never comes to its end, and waits for the answer and the end of the connection.
pub(crate) async fn begin(server: SocketAddr, path: &str) -> Result<Answer, String> {
    let asked = format!("PUT http://{server}{path}");
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let head = format!("PUT {path} HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(b"{").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    let text = match timeout(LIMIT * 2, exchange).await {
        Ok(text) => text.map_err(|error| format!("{asked}: {error}"))?,
        Err(_) => return Err(format!("{asked}: the connection is still open")),
    };
    parse(asked, &text).ok_or_else(|| format!("no HTTP: {text}"))
}

fn parse(asked: String, text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = StatusCode::from_bytes(lines.next()?.split(' ').nth(1)?.as_bytes()).ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?))
    };
    Some(Answer { asked, status, headers: lines.filter_map(header).collect(), body: body.as_bytes().to_vec() })
}
