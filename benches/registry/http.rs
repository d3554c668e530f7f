//! HTTP/1.1 over one connection that is kept, with next to no work on this side.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// A connection to an agent.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// What was answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) tag: Option<String>,
    pub(crate) body: Vec<u8>,
    /// All octets of it, the head among them.
    pub(crate) octets: usize,
}

impl Connection {
    pub(crate) async fn open(agent: SocketAddr) -> Result<Connection, String> {
        let stream = TcpStream::connect(agent).await.map_err(|error| format!("{agent} does not answer: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        self.exchange(&get(path, headers)).await
    }

    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer, String> {
        self.send(request).await?;
        self.receive().await.map_err(|error| format!("no answer: {error}"))
    }

    /// Only sends it.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<(), String> {
        self.stream.get_mut().write_all(request).await.map_err(|error| format!("can't send: {error}"))
    }

    async fn receive(&mut self) -> std::io::Result<Answer> {
        let (mut answer, mut length, mut line) = (Answer::default(), 0, String::new());
        loop {
            line.clear();
            answer.octets += self.stream.read_line(&mut line).await?;
            let text = line.trim_end();
            match text.split_once(':') {
                _ if text.is_empty() => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().unwrap_or(0),
                Some((name, value)) if name.eq_ignore_ascii_case("etag") => answer.tag = Some(value.trim().to_owned()),
                _ if answer.status == 0 => answer.status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0),
                _ => {}
            }
        }
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body).await?;
        answer.octets += length;
        Ok(answer)
    }
}

/// A read.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A registration.
pub(crate) fn put(id: &str, definition: &Value) -> Vec<u8> {
    let body = definition.to_string();
    let head = format!("PUT /v1/agent/instances/{id} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
