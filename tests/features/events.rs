//! Following server-sent events, a line at a time, over a connection of its own.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::wait::DEADLINE;

/// Small, so that what a client does not take is soon not sent any more.
const RECEIVE_BUFFER: u32 = 4 * 1024;

/// One event, or a block without one: its name is empty then.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) comment: String,
    data: Vec<String>,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data.join("\n")).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

/// A client that follows.
#[derive(Debug)]
pub(crate) struct Follower {
    stream: BufReader<TcpStream>,
    pub(crate) last: Seen,
}

impl Follower {
    /// Begins to follow.
    pub(crate) async fn new(agent: SocketAddr, path: &str, headers: &[(String, String)]) -> Follower {
        Follower::try_new(agent, path, headers).await.unwrap_or_else(|status| panic!("{path}: {status}"))
    }

    /// The same where it may be refused; gives the line with the status then. HTTP/1.0 has no chunks, so the lines of the body are those of the connection.
    pub(crate) async fn try_new(agent: SocketAddr, path: &str, headers: &[(String, String)]) -> Result<Follower, String> {
        let socket = TcpSocket::new_v4().expect("the system has sockets");
        socket.set_recv_buffer_size(RECEIVE_BUFFER).expect("a buffer can be small");
        let mut stream = socket.connect(agent).await.expect("the agent accepts");
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n{headers}\r\n").as_bytes()).await.expect("the agent reads");
        let mut follower = Follower { stream: BufReader::with_capacity(1024, stream), last: Seen::default() };
        let status = follower.line().await.expect("the agent answers");
        if !status.contains(" 200 ") {
            return Err(status);
        }
        while !follower.line().await.expect("a head has an end").is_empty() {}
        Ok(follower)
    }

    /// Takes a few octets, as one does who has much else to do; gives how many.
    pub(crate) async fn sip(&mut self, into: &mut Vec<u8>) -> usize {
        let mut few = [0; 512];
        let count = self.stream.read(&mut few).await.expect("the stream ends in order");
        into.extend(&few[..count]);
        count
    }

    /// The next block; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<&Seen> {
        let mut seen = Seen::default();
        loop {
            let line = self.line().await?;
            let (field, value) = line.split_once(": ").unwrap_or((&line, ""));
            match field {
                "event" => value.clone_into(&mut seen.name),
                "id" => value.clone_into(&mut seen.id),
                "data" => seen.data.push(value.to_owned()),
                "" if line.is_empty() => break,
                "" => value.clone_into(&mut seen.comment),
                _ => panic!("no line of an event: {line:?}"),
            }
        }
        self.last = seen;
        Some(&self.last)
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = timeout(DEADLINE, self.stream.read_line(&mut line)).await.expect("the stream goes on").expect("it ends in order");
        (count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
