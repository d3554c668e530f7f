//! From the octets of a message to those of its reply: the express way where it takes the query, else the full way, with what DNS demands of any
//! server before and after the zone: versions, operations, classes, flags and codes.
//!
//! hickory keeps these checks in its own zone catalog; a handler of one's own does them itself.

use std::net::SocketAddr;

use hickory_proto::{
    op::{Metadata, OpCode, ResponseCode},
    rr::{DNSClass, RecordType},
};
use hickory_server::{net::xfer::Protocol, server::Request, zone_handler::MessageResponseBuilder};
use rand::Rng;

use super::{
    express::{self, Plain},
    lookup::Wanted,
    reply::{self, ExtendedError, HEADER, UDP_PAYLOAD, count_at},
    tally::Asked,
    zone::{Answer, Outcome, Question, Zones},
};
use crate::{
    catalog::Catalog,
    config::Names,
    metrics::{DnsMetrics, Stopwatch},
};

/// Instances whose records one answer over UDP has at most, drawn anew for each answer. By design, and so without TC: as many serve
/// as well as all, and fit in most packets. Who wants all of them asks over TCP.
pub(super) const UDP_INSTANCES: usize = 32;

/// Answers from the newest snapshot. It waits for nothing and takes no lock.
pub(super) struct Handler {
    zones: Zones,
    catalog: Catalog,
    pub(super) metrics: DnsMetrics,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<T> {
    /// This is its reply.
    Reply(T),
    /// It gets none.
    Nothing,
    /// It is for others to answer.
    Elsewhere,
}

impl Handler {
    pub(super) fn new(names: Names, catalog: Catalog, metrics: DnsMetrics) -> Self {
        Handler { zones: Zones::new(names), catalog, metrics }
    }

    /// Replies a second that a client's network gets over UDP, where there is a limit.
    pub(super) fn reply_rate(&self) -> Option<u32> {
        Some(self.zones.names.reply_rate).filter(|rate| *rate > 0)
    }

    /// The reply to a message that came over UDP: its length.
    pub(super) fn packet(&self, message: &[u8], from: SocketAddr, reply: &mut [u8; UDP_PAYLOAD as usize]) -> Said<usize> {
        let begun = Stopwatch::start();
        if let Some(query) = Plain::read(message) {
            #[expect(clippy::disallowed_methods, reason = "the shell draws: who gets which instances is not to be foreseen")]
            let mut rng = rand::rng();
            if let Some(length) = express::answer(&self.zones, &self.catalog.load(), &query, UDP_INSTANCES, &mut rng, reply) {
                self.note(message, from, Asked::plain(query.kind), Some(&reply[..length]), begun);
                return Said::Reply(length);
            }
        }
        match self.message(message.to_vec(), from, Protocol::Udp) {
            Said::Reply(octets) => {
                reply[..octets.len()].copy_from_slice(&octets);
                Said::Reply(octets.len())
            }
            Said::Nothing => Said::Nothing,
            Said::Elsewhere => Said::Elsewhere,
        }
    }

    /// The reply to a message, by the full way. A response gets none, however malformed, nor does what has no whole header: so no two
    /// servers can be made to answer each other.
    pub(super) fn message(&self, message: Vec<u8>, from: SocketAddr, protocol: Protocol) -> Said<Vec<u8>> {
        let begun = Stopwatch::start();
        let mut asked = Asked::default();
        let shown = if query_log_is_on() { message.clone() } else { Vec::new() };
        #[expect(clippy::disallowed_methods, reason = "the shell draws: who gets which instances is not to be foreseen")]
        let mut rng = rand::rng();
        let reply = self.reply(message, from, protocol, &mut asked, &mut rng);
        self.note(&shown, from, asked, reply.as_deref(), begun);
        match reply {
            Some(octets) => Said::Reply(octets),
            None if asked.forwarded => Said::Elsewhere,
            None => Said::Nothing,
        }
    }

    /// The reply by the full way, as these draws have it.
    #[cfg(test)]
    pub(super) fn drawing(&self, message: Vec<u8>, protocol: Protocol, rng: &mut impl Rng) -> Option<Vec<u8>> {
        let from = SocketAddr::from(([127, 0, 0, 1], 5_353));
        self.reply(message, from, protocol, &mut Asked::default(), rng)
    }

    fn reply(&self, message: Vec<u8>, from: SocketAddr, protocol: Protocol, asked: &mut Asked, rng: &mut impl Rng) -> Option<Vec<u8>> {
        let header: [u8; HEADER] = message.get(..HEADER)?.try_into().ok()?;
        if header[2] & 0x80 != 0 {
            return None;
        }
        // One question is all that is answered; more are not even read, as each takes memory. Nothing stands before its name that a pointer in it could mean: the header is
        // another one in the reply, which repeats the question as it came.
        if (count_at(&header, 4) == 0 || reply::end_of_question(&message).is_some())
            && let Ok(request) = Request::from_bytes(message, from, protocol)
        {
            *asked = Asked::of(&request);
            return self.respond(&request, asked, rng);
        }
        let query = header[2] & 0x78 == 0;
        reply::refusal(&header, if query { ResponseCode::FormErr } else { ResponseCode::NotImp })
    }

    /// The zone's answer to the request's question, or the code with which the request is refused.
    fn answer(&self, request: &Request, rng: &mut impl Rng) -> Result<Answer, ResponseCode> {
        if request.version() > 0 {
            return Err(ResponseCode::BADVERS);
        }
        if request.metadata.op_code != OpCode::Query {
            return Err(ResponseCode::NotImp);
        }
        let [query] = request.queries.queries() else {
            return Err(ResponseCode::FormErr);
        };
        if query.query_class() != DNSClass::IN || matches!(query.query_type(), RecordType::AXFR | RecordType::IXFR) {
            return Err(ResponseCode::Refused);
        }
        match u16::from(query.query_type()) {
            // What stands in the additional section, or nowhere, is nothing to ask for (RFC 6895, 3.1).
            0 | 41 | 249 | 250 => return Err(ResponseCode::FormErr),
            // MAILB and MAILA (RFC 8482, 7).
            253 | 254 => return Err(ResponseCode::NotImp),
            _ => {}
        }
        let (instances, octets) = match request.protocol() {
            Protocol::Udp => (UDP_INSTANCES, reply::room(request)),
            _ => (usize::MAX, usize::MAX),
        };
        let question = Question { name: query.original().name(), wanted: Wanted { kind: query.query_type(), instances, octets } };
        Ok(self.zones.answer(&self.catalog.load(), question, rng))
    }

    /// None where others are to answer.
    fn respond(&self, request: &Request, asked: &mut Asked, rng: &mut impl Rng) -> Option<Vec<u8>> {
        let answer = self.answer(request, rng);
        if self.zones.forwards() && answer.as_ref().is_ok_and(|answer| answer.outcome == Outcome::Outside) {
            asked.forwarded = true;
            return None;
        }
        let (mut metadata, error) = said(request, &answer);
        metadata.recursion_available = self.zones.forwards();
        let edns = request.edns.as_ref().map(|asked| reply::edns(asked, error));
        let none = Vec::new();
        let (answers, authorities, additionals) = match &answer {
            Ok(answer) => (&answer.answers, &answer.authorities, &answer.additionals),
            Err(_) => (&none, &none, &none),
        };
        let response = MessageResponseBuilder::new(&request.queries, edns.as_ref()).build(metadata, answers, authorities, [], additionals);
        match reply::octets(request, response) {
            Ok(octets) => Some(octets),
            Err(error) => {
                tracing::debug!(%error, "no reply was made to a DNS query");
                None
            }
        }
    }

    fn note(&self, message: &[u8], from: SocketAddr, asked: Asked, reply: Option<&[u8]>, begun: Stopwatch) {
        let (result, elapsed) = (asked.result(reply), begun.elapsed());
        self.metrics.query(asked.kind, result, elapsed);
        if query_log_is_on() {
            let (name, kind) = reply::question(message).unwrap_or_default();
            tracing::debug!(%from, name, kind, result = result.as_str(), octets = reply.map_or(0, <[u8]>::len), micros = elapsed.as_micros(), "query");
        }
    }
}

fn query_log_is_on() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// What the header of a response says, and the reason for people.
fn said(request: &Request, answer: &Result<Answer, ResponseCode>) -> (Metadata, Option<ExtendedError>) {
    let mut metadata = Metadata::response_from_request(&request.metadata);
    let mut error = None;
    match answer.as_ref().map(|answer| answer.outcome) {
        Err(code) => metadata.response_code = *code,
        Ok(Outcome::Exists) => metadata.authoritative = true,
        Ok(Outcome::NoSuchName) => {
            metadata.authoritative = true;
            metadata.response_code = ResponseCode::NXDomain;
        }
        Ok(Outcome::NotReady) => {
            metadata.response_code = ResponseCode::ServFail;
            error = Some(ExtendedError::NotReady);
        }
        Ok(Outcome::Outside) => {
            metadata.response_code = ResponseCode::Refused;
            error = Some(ExtendedError::NotAuthoritative);
        }
    }
    (metadata, error)
}
