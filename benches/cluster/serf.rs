//! Serf, asked over its RPC protocol: MessagePack over TCP. A change is one of a tag.
//!
//! Members are asked for, and not waited for in Serf's stream of events, which holds them back for up to three seconds to
//! put several into one.

use std::{
    collections::BTreeSet,
    io::{Cursor, ErrorKind},
    net::Ipv4Addr,
    path::Path,
    process::Command,
};

use rmpv::{Value, decode, encode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::system::{Client, Result, Standing, System};

const GOSSIP_PORT: u16 = 7946;
const RPC_PORT: u16 = 7373;
/// The tag that is changed.
const TAG: &str = "bench";

pub(crate) enum Serf {}

impl System for Serf {
    type Client = Rpc;

    const NAME: &'static str = "Serf";
    const NET: [u8; 2] = [127, 70];

    fn version() -> Option<String> {
        let output = Command::new("serf").arg("version").output().ok()?;
        let line = String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned();
        let package = Command::new("dpkg-query").args(["--show", "--showformat", " (Debian package ${Version})", "serf"]).output().ok();
        let package = package.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let name = if line.starts_with("Serf") { "" } else { "Serf " };
        Some(format!("{name}{line}{package}"))
    }

    fn command(name: &str, address: Ipv4Addr, seed: Option<Ipv4Addr>, _: &Path) -> Command {
        let mut command = Command::new("serf");
        command.args(["agent", "-profile", "lan", "-node", name]);
        command.args(["-bind", &format!("{address}:{GOSSIP_PORT}"), "-rpc-addr", &format!("{address}:{RPC_PORT}")]);
        if let Some(seed) = seed {
            command.args(["-join", &format!("{seed}:{GOSSIP_PORT}")]);
        }
        command
    }

    fn client(address: Ipv4Addr) -> Rpc {
        Rpc { address, connection: None }
    }
}

/// One connection, made when it is first needed.
pub(crate) struct Rpc {
    address: Ipv4Addr,
    connection: Option<Connection>,
}

struct Connection {
    stream: TcpStream,
    sequence: u64,
    /// What came and was not read yet.
    buffer: Vec<u8>,
}

impl Rpc {
    /// Sends a command; gives what follows the header of the answer, for the commands that have such.
    async fn call(&mut self, command: &str, body: Option<Value>, answers: bool) -> Result<Value> {
        // Taken out, so that a connection on which something went wrong is not used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let answer = connection.call(command, body, answers).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn members(&mut self, filter: Option<Value>) -> Result<Vec<Value>> {
        let command = if filter.is_some() { "members-filtered" } else { "members" };
        match field(&self.call(command, filter, true).await?, "Members") {
            Some(Value::Array(members)) => Ok(members.clone()),
            _ => Ok(Vec::new()),
        }
    }
}

impl Client for Rpc {
    async fn alive(&mut self) -> Result<BTreeSet<String>> {
        let members = self.members(None).await?;
        let alive = members.iter().filter(|member| text(member, "Status") == Some("alive"));
        Ok(alive.filter_map(|member| text(member, "Name")).map(str::to_owned).collect())
    }

    async fn standing(&mut self, member: &str) -> Result<Standing> {
        let members = self.members(Some(map([("Name", member.into())]))).await?;
        Ok(match members.first().and_then(|member| text(member, "Status")) {
            None => Standing::Unknown,
            Some("alive") => Standing::Alive,
            Some("failed") => Standing::Down,
            Some(_) => Standing::Between,
        })
    }

    async fn change(&mut self, value: &str) -> Result<()> {
        self.call("tags", Some(map([("Tags", map([(TAG, value.into())]))])), false).await.map(drop)
    }

    async fn shows(&mut self, member: &str, value: &str) -> Result<bool> {
        let filter = map([("Name", member.into()), ("Tags", map([(TAG, value.into())]))]);
        Ok(!self.members(Some(filter)).await?.is_empty())
    }
}

impl Connection {
    async fn open(address: Ipv4Addr) -> Result<Connection> {
        let stream = TcpStream::connect((address, RPC_PORT)).await?;
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream, sequence: 0, buffer: Vec::new() };
        connection.call("handshake", Some(map([("Version", 1.into())])), false).await?;
        Ok(connection)
    }

    async fn call(&mut self, command: &str, body: Option<Value>, answers: bool) -> Result<Value> {
        self.sequence += 1;
        let mut request = Vec::new();
        encode::write_value(&mut request, &map([("Command", command.into()), ("Seq", self.sequence.into())]))?;
        if let Some(body) = body {
            encode::write_value(&mut request, &body)?;
        }
        self.stream.write_all(&request).await?;
        let header = self.read().await?;
        match text(&header, "Error") {
            Some("") => {}
            error => return Err(format!("Serf refuses {command}: {}", error.unwrap_or("no reason given")).into()),
        }
        if answers { self.read().await } else { Ok(Value::Nil) }
    }

    /// The next whole value.
    async fn read(&mut self) -> Result<Value> {
        loop {
            let mut unread = Cursor::new(&self.buffer);
            match decode::read_value(&mut unread) {
                Ok(value) => {
                    let octets = unread.position() as usize;
                    self.buffer.drain(..octets);
                    return Ok(value);
                }
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error.into()),
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("Serf closed the connection".into());
            }
        }
    }
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map()?.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    field(value, name)?.as_str()
}
