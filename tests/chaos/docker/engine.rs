//! The API of the Docker Engine.

use axum::{
    body::Bytes,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

const SOCKET: &str = "/var/run/docker.sock";

/// Asks, over a connection of its own, and waits for as long as it takes. What answers nothing gives null.
///
/// # Errors
/// As the engine says; for people.
pub(super) async fn ask(method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
    let asked = format!("{method} {path}");
    exchange(method, path, body).await.map_err(|why| format!("the Docker Engine at {SOCKET}, {asked}: {why}"))
}

async fn exchange(method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
    let stream = UnixStream::connect(SOCKET).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let request =
        Request::builder().method(method).uri(path).header(header::HOST, "docker").header(header::CONTENT_TYPE, "application/json");
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    let (head, body) = sender.send_request(request).await.map_err(|error| error.to_string())?.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    driver.abort();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    // It was so already.
    if head.status.is_success() || head.status == StatusCode::NOT_MODIFIED {
        return Ok(answer);
    }
    Err(format!("{}: {}", head.status, answer["message"].as_str().unwrap_or_default()))
}
