//! A run. Each opens a connection of its own: a target that takes no new ones is found out.

use std::{convert::Infallible, future::pending, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use super::Http;
use crate::{
    kinds::{Ask, Finding, Tools, finding::with_causes},
    model::{Status, limits::OUTPUT_OCTETS},
};

/// Octets of an answer's head. A longer one is refused, so that no target makes the agent hold more.
const HEAD_OCTETS: usize = 64 * 1024;
/// How long the body is waited for once the status is known: it is only shown.
const BODY_PATIENCE: Duration = Duration::from_secs(1);

/// An answer, read as far as is needed.
struct Answer {
    status: StatusCode,
    /// Where it redirects to.
    location: Option<String>,
    body: String,
}

impl Http {
    async fn follow(&self, tools: &Tools, patience: Duration) -> Result<Finding, String> {
        let deadline = Instant::now() + patience;
        let mut url = Url::parse(&self.url).map_err(|error| format!("the URL can't be read: {error}"))?;
        let origin = url.origin();
        let mut method = Method::from_bytes(self.method.as_bytes()).map_err(|_| format!("{:?} is no method", self.method))?;
        let mut followed = 0;
        loop {
            // Headers may hold secrets of the target that was named, so another is not sent them.
            let headers = if url.origin() == origin { self.header_map()? } else { HeaderMap::new() };
            let may_follow = followed < self.redirects;
            let answer = self.exchange(tools, &url, request(&method, &url, headers)?, may_follow, deadline).await?;
            let Some(location) = answer.location else { return Ok(self.judge(answer, followed)) };
            url = url.join(&location).map_err(|error| format!("redirected to what is no URL: {error}"))?;
            method = after_redirect(answer.status, method);
            followed += 1;
        }
    }

    fn header_map(&self) -> Result<HeaderMap, String> {
        let parse = |(name, value): (&String, &String)| {
            let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            parsed.ok_or_else(|| format!("the header {name:?} can't be sent: it takes visible ASCII characters"))
        };
        self.headers.iter().map(parse).collect()
    }

    async fn exchange(
        &self,
        tools: &Tools,
        url: &Url,
        request: Request<Empty<Bytes>>,
        may_follow: bool,
        deadline: Instant,
    ) -> Result<Answer, String> {
        let host = url.host_str().ok_or("the URL names no host")?.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().ok_or_else(|| format!("{} is neither http nor https", url.scheme()))?;
        let left = deadline.saturating_duration_since(Instant::now());
        let tls = match url.scheme() {
            "http" => None,
            "https" => Some(tools.trust.settings(self.ca_file.as_deref(), self.verify).await?),
            other => return Err(format!("{other} is neither http nor https")),
        };
        let stream = tools.resolver.connect(host, port, left).await?;
        let Some(tls) = tls else { return converse(stream, request, may_follow, deadline).await };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("{host}: {error}"))?;
        let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| format!("TLS: {}", with_causes(&error)))?;
        converse(stream, request, may_follow, deadline).await
    }

    fn judge(&self, answer: Answer, followed: u8) -> Finding {
        let code = answer.status.as_u16();
        let status = if self.statuses.iter().any(|good| good.contains(&code)) {
            Status::Passing
        } else if answer.status == StatusCode::TOO_MANY_REQUESTS {
            Status::Warning
        } else {
            Status::Critical
        };
        let mut reason = format!("{code} {}", answer.status.canonical_reason().unwrap_or_default());
        if followed > 0 {
            reason.push_str(&format!(" after {followed} redirection{}", if followed == 1 { "" } else { "s" }));
        }
        Finding { status, reason: reason.trim_end().to_owned(), detail: answer.body }
    }
}

#[async_trait]
impl Ask for Http {
    async fn ask(&self, tools: &Tools, patience: Duration) -> Finding {
        self.follow(tools, patience).await.unwrap_or_else(Finding::critical)
    }
}

fn request(method: &Method, url: &Url, mut headers: HeaderMap) -> Result<Request<Empty<Bytes>>, String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or a password: send a header Authorization instead".into());
    }
    let value = |text: &str| HeaderValue::try_from(text).map_err(|error| format!("the host of the URL can't be sent: {error}"));
    let defaults = [
        (header::HOST, &url[Position::BeforeHost..Position::AfterPort]),
        (header::USER_AGENT, concat!("tidings/", env!("CARGO_PKG_VERSION"))),
        (header::ACCEPT, "*/*"),
        (header::CONNECTION, "close"),
    ];
    for (name, default) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, value(default)?);
        }
    }
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method.clone();
    *request.uri_mut() =
        url[Position::BeforePath..Position::AfterQuery].parse().map_err(|error| format!("the URL can't be asked for: {error}"))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// One request and its answer. The connection lives in this future, so nothing is left of it when a run is given up.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    request: Request<Empty<Bytes>>,
    may_follow: bool,
    deadline: Instant,
) -> Result<Answer, String> {
    let told = |error: hyper::Error| with_causes(&error);
    let (mut sender, connection) = http1::Builder::new().max_buf_size(HEAD_OCTETS).handshake(TokioIo::new(stream)).await.map_err(told)?;
    let drive = async {
        // What ends the connection is found where the answer is waited for.
        let _ = connection.await;
        pending::<Infallible>().await
    };
    let talk = async {
        let response = sender.send_request(request).await.map_err(told)?;
        let status = response.status();
        let location = if may_follow && is_redirection(status) { response.headers().get(header::LOCATION) } else { None };
        if let Some(location) = location {
            let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
            return Ok(Answer { status, location: Some(location), body: String::new() });
        }
        let patience = BODY_PATIENCE.min(deadline.saturating_duration_since(Instant::now()) / 2);
        Ok(Answer { status, location: None, body: beginning(response.into_body(), patience).await })
    };
    tokio::select! {
        answer = talk => answer,
        never = drive => match never {},
    }
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// RFC 9110, 15.4: 303 asks for a GET, and what 301 and 302 make of a POST is one by custom.
fn after_redirect(status: StatusCode, method: Method) -> Method {
    match status.as_u16() {
        303 if method != Method::HEAD => Method::GET,
        301 | 302 if method == Method::POST => Method::GET,
        _ => method,
    }
}

/// As much of a body as is kept. That it breaks off or goes on for ever is no failure: the status has said how things are.
async fn beginning(mut body: Incoming, patience: Duration) -> String {
    let mut octets = Vec::new();
    let read = async {
        while octets.len() < OUTPUT_OCTETS
            && !body.is_end_stream()
            && let Some(Ok(frame)) = body.frame().await
        {
            if let Some(data) = frame.data_ref() {
                let room = OUTPUT_OCTETS - octets.len();
                octets.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
    };
    // A body that takes its time is cut where it is.
    let _ = timeout(patience, read).await;
    String::from_utf8_lossy(&octets).into_owned()
}
