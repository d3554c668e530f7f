//! Lookups as any program makes them: a query over UDP.

use std::{net::SocketAddr, time::Duration};

use hickory_proto::{
    op::{Message, Query, ResponseCode},
    rr::{Name, RecordType},
};
use tokio::{net::UdpSocket, time::timeout};

use crate::config::keys;

/// How long one answer may take; it comes from memory, on this machine.
const ANSWER: Duration = Duration::from_secs(1);
/// Octets of an answer that are read.
const ANSWER_OCTETS: usize = 4096;

/// A question to one agent.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    server: SocketAddr,
    name: String,
    kind: RecordType,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The data of each record, in the order of text: the order of an answer is shuffled by design.
    pub(super) lines: Vec<String>,
    /// Whether the name exists.
    pub(super) code: ResponseCode,
}

impl Lookup {
    /// The addresses behind a name, given without its domain.
    pub(super) fn addresses(server: SocketAddr, name: &str) -> Self {
        let domain = keys::DOMAIN.default.expect("there is a domain where nobody set one");
        Lookup { server, name: format!("{name}.{domain}"), kind: RecordType::A }
    }

    /// The addresses and ports behind a name, given without its domain.
    pub(super) fn endpoints(server: SocketAddr, name: &str) -> Self {
        Lookup { kind: RecordType::SRV, ..Lookup::addresses(server, name) }
    }

    /// What to type to make this lookup by hand.
    pub(super) fn command(&self) -> String {
        let kind = if self.kind == RecordType::A { String::new() } else { format!(" {}", self.kind) };
        format!("dig +short @{} -p {} {}{kind}", self.server.ip(), self.server.port(), self.name)
    }

    /// Makes the lookup.
    ///
    /// # Errors
    /// When nothing, or nothing that makes sense, is answered in time.
    pub(super) async fn ask(&self) -> Result<Answer, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{} does not answer: {error}", self.server);
        let name = Name::from_ascii(format!("{}.", self.name)).map_err(|error| failed(&error))?;
        let mut message = Message::query();
        message.add_query(Query::query(name, self.kind));
        let id = message.metadata.id;
        let octets = message.to_vec().map_err(|error| failed(&error))?;
        let exchange = async {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.connect(self.server).await?;
            socket.send(&octets).await?;
            let mut buffer = [0; ANSWER_OCTETS];
            let length = socket.recv(&mut buffer).await?;
            Ok::<_, std::io::Error>(buffer[..length].to_vec())
        };
        let octets = match timeout(ANSWER, exchange).await {
            Ok(result) => result.map_err(|error| failed(&error))?,
            Err(_) => return Err(failed(&"it took too long")),
        };
        let answer = Message::from_vec(&octets).map_err(|error| failed(&error))?;
        if answer.metadata.id != id {
            return Err(failed(&"it answered another question"));
        }
        let mut lines: Vec<String> =
            answer.answers.iter().filter(|record| record.record_type() == self.kind).map(|record| record.data.to_string()).collect();
        lines.sort();
        Ok(Answer { lines, code: answer.metadata.response_code })
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        op::MessageType,
        rr::{
            RData, Record,
            rdata::{A, SRV},
        },
    };

    use super::*;

    #[test]
    fn a_lookup_is_shown_as_what_to_type() {
        let server = "127.77.0.1:8753".parse().unwrap();
        assert_eq!(Lookup::addresses(server, "web.service").command(), "dig +short @127.77.0.1 -p 8753 web.service.tidings.internal");
        assert_eq!(
            Lookup::endpoints(server, "_web._tcp.service").command(),
            "dig +short @127.77.0.1 -p 8753 _web._tcp.service.tidings.internal SRV"
        );
    }

    #[tokio::test]
    async fn what_is_answered_is_shown_as_dig_shows_it() {
        let target = Name::from_ascii("7f4d0001.addr.tidings.internal.").unwrap();
        let server =
            answering(vec![RData::A(A::new(10, 0, 0, 2)), RData::A(A::new(10, 0, 0, 1)), RData::SRV(SRV::new(1, 10, 8080, target))]).await;
        let addresses = Lookup::addresses(server, "web.service").ask().await.unwrap();
        assert_eq!(addresses, Answer { lines: vec!["10.0.0.1".into(), "10.0.0.2".into()], code: ResponseCode::NoError });
        let endpoints = Lookup::endpoints(server, "web.service").ask().await.unwrap();
        assert_eq!(endpoints.lines, ["1 10 8080 7f4d0001.addr.tidings.internal."]);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = socket.local_addr().unwrap();
        drop(socket);
        let error = Lookup::addresses(server, "web.service").ask().await.unwrap_err();
        assert!(error.starts_with(&format!("{server} does not answer")), "{error}");
    }

    /// A server that answers every question with the same records.
    async fn answering(data: Vec<RData>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let mut message = Message::from_vec(&buffer[..length]).unwrap();
                message.metadata.message_type = MessageType::Response;
                let name = message.queries[0].name.clone();
                message.add_answers(data.iter().map(|data| Record::from_rdata(name.clone(), 0, data.clone())));
                socket.send_to(&message.to_vec().unwrap(), peer).await.unwrap();
            }
        });
        address
    }
}
