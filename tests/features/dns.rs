//! A plain stub resolver: real queries over the wire, and answers as lines of text.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{
        Name, RData, Record, RecordType,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::sockets;

/// One attempt over UDP; a busy machine may lose a datagram even on loopback.
const ATTEMPT: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 5;

/// How a question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Udp,
    /// UDP with EDNS (RFC 6891) and this payload size.
    UdpEdns(u16),
    Tcp,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) message: Message,
    pub(crate) octets: Vec<u8>,
}

/// A question in wire format.
pub(crate) fn question(name: &str, kind: &str, way: Way) -> Result<Vec<u8>, String> {
    // Label by label: those of instances have octets in them that no host's name has.
    let labels = name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
    let fqdn = Name::from_labels(labels).map_err(|error| format!("{name}: {error}"))?;
    let kind: RecordType = kind.parse().map_err(|_| format!("{kind} is no record type"))?;
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(fqdn, kind));
    if let Way::UdpEdns(size) = way {
        let mut edns = Edns::new();
        edns.set_max_payload(size).set_version(0);
        message.set_edns(edns);
    }
    message.to_vec().map_err(|error| error.to_string())
}

/// Asks a server.
pub(crate) async fn look_up(server: SocketAddr, name: &str, kind: &str, way: Way) -> Result<Reply, String> {
    look_up_from(server.ip(), server, name, kind, way).await
}

/// The same from the host that has an address.
pub(crate) async fn look_up_from(from: IpAddr, server: SocketAddr, name: &str, kind: &str, way: Way) -> Result<Reply, String> {
    let query = question(name, kind, way)?;
    let octets = match way {
        Way::Tcp => over_tcp(server, &query).await?,
        Way::Udp | Way::UdpEdns(_) => over_udp(from, server, &query).await?,
    };
    let message = Message::from_vec(&octets).map_err(|error| format!("{name} {kind}: the answer can't be read: {error}: {octets:02x?}"))?;
    if message.metadata.message_type != MessageType::Response || octets[..2] != query[..2] {
        return Err(format!("{name} {kind}: this answers another question: {message}"));
    }
    Ok(Reply { message, octets })
}

/// One datagram, and one back, from the address that was asked.
async fn over_udp(from: IpAddr, server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, String> {
    let socket = sockets::datagrams(from, server).map_err(|error| error.to_string())?;
    let mut buffer = vec![0; 65_535];
    for _ in 0..ATTEMPTS {
        socket.send(query).await.map_err(|error| format!("{server} over UDP: {error}"))?;
        match timeout(ATTEMPT, socket.recv(&mut buffer)).await {
            Ok(Ok(length)) => return Ok(buffer[..length].to_vec()),
            Ok(Err(error)) => return Err(format!("{server} over UDP: {error}")),
            Err(_) => {}
        }
    }
    Err(format!("{server} over UDP: no answer to {ATTEMPTS} questions"))
}

/// One message over a connection of its own (RFC 1035, 4.2.2).
async fn over_tcp(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, String> {
    let exchange = async {
        let mut stream = sockets::connect(server).await?;
        stream.write_u16(u16::try_from(query.len()).expect("a question is short")).await?;
        stream.write_all(query).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match timeout(ATTEMPT * 5, exchange).await {
        Ok(answer) => answer.map_err(|error| format!("{server} over TCP: {error}")),
        Err(_) => Err(format!("{server} over TCP: no answer")),
    }
}

impl Reply {
    /// NOERROR, NODATA (NOERROR that answers nothing; RFC 2308, 2.2), NXDOMAIN, SERVFAIL and so on.
    pub(crate) fn outcome(&self) -> String {
        let code = u16::from(self.message.metadata.response_code);
        let name = match code {
            0 if self.message.answers.is_empty() => "NODATA",
            0 => "NOERROR",
            1 => "FORMERR",
            2 => "SERVFAIL",
            3 => "NXDOMAIN",
            4 => "NOTIMP",
            5 => "REFUSED",
            16 => "BADVERS",
            _ => return format!("RCODE {code}"),
        };
        name.to_owned()
    }

    /// The extended error (RFC 8914) that came along.
    pub(crate) fn extended_error(&self) -> Option<u16> {
        match self.message.edns.as_ref()?.option(EdnsCode::Unknown(15))? {
            EdnsOption::Unknown(_, octets) => Some(u16::from_be_bytes([*octets.first()?, *octets.get(1)?])),
            _ => None,
        }
    }

    /// A section as sorted lines of name, type and data.
    pub(crate) fn section(&self, name: &str) -> Vec<[String; 3]> {
        let records = match name {
            "answer" => &self.message.answers,
            "authority" => &self.message.authorities,
            "additional" => &self.message.additionals,
            _ => panic!("a DNS message has no {name} section"),
        };
        let mut lines: Vec<_> = records.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The data of the answers in the order in which they came.
    pub(crate) fn data(&self) -> Vec<String> {
        self.message.answers.iter().map(|record| line(record)[2].clone()).collect()
    }
}

fn line(record: &Record) -> [String; 3] {
    [plain(&record.name), record.record_type().to_string(), data(&record.data)]
}

fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').replace('\\', "")
}

fn data(data: &RData) -> String {
    match data {
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, plain(&srv.target)),
        RData::NS(ns) => plain(&ns.0),
        RData::PTR(target) => plain(&target.0),
        RData::SOA(soa) => format!("{} minimum {}", plain(&soa.mname), soa.minimum),
        RData::TXT(txt) => txt.txt_data.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = &self.message.metadata;
        writeln!(f, "{} ({} octets, aa={} tc={})", self.outcome(), self.octets.len(), flags.authoritative, flags.truncation)?;
        for section in ["answer", "authority", "additional"] {
            for [name, kind, data] in self.section(section) {
                writeln!(f, "  {section}: {name} {kind} {data}")?;
            }
        }
        self.extended_error().map_or(Ok(()), |code| writeln!(f, "  extended error {code}"))
    }
}

/// A header with this operation code and these many questions, and nothing else.
pub(crate) fn odd_query(opcode: OpCode, response: bool, name: &str) -> Vec<u8> {
    let kind = if response { MessageType::Response } else { MessageType::Query };
    let mut message = Message::new(4711, kind, opcode);
    let mut fqdn = Name::from_ascii(name).expect("the scenario names a name");
    fqdn.set_fqdn(true);
    message.add_query(Query::query(fqdn, RecordType::A));
    message.to_vec().expect("one question fits")
}
