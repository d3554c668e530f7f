//! From an answer to octets that fit.
//!
//! hickory cuts a message that grows too large between two records: it leaves some in, drops the OPT record, and may
//! leave octets behind the end. So messages are encoded whole here, measured, and cut where RFC 2181, 9 has it.

use hickory_proto::{
    ProtoError,
    op::{Edns, Message, MessageType, Metadata, Query, ResponseCode},
    rr::{Record, rdata::opt::EdnsOption},
    serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder},
};
use hickory_server::{net::xfer::Protocol, server::Request, zone_handler::MessageResponse};

use super::labels::Labels;

/// The largest UDP payload that is sent and said to be received: no fragments on any usual path (RFC 9715).
pub(super) const UDP_PAYLOAD: u16 = 1_232;
/// The UDP payload that every client takes (RFC 1035, 4.2.1).
pub(super) const LEAST_PAYLOAD: u16 = 512;
/// Octets of a message's header (RFC 1035, 4.1.1).
pub(super) const HEADER: usize = 12;
/// Octets of an OPT record without options (RFC 6891, 6.1.2).
pub(super) const OPT: usize = 11;
/// The option that carries an extended error (RFC 8914, 2).
const EXTENDED_ERROR: u16 = 15;
/// In the third octet of a header.
pub(super) const TC: u8 = 0x02;
/// In the fourth.
pub(super) const RA: u8 = 0x80;

/// Why there is no answer, for people who look (RFC 8914).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtendedError {
    /// This agent does not know yet what the cluster knows.
    NotReady,
    /// The name is not under the domain.
    NotAuthoritative,
    /// It is not, and nobody who might know answers.
    NoUpstream,
}

impl ExtendedError {
    fn option(self) -> EdnsOption {
        let (code, text): (u16, &str) = match self {
            ExtendedError::NotReady => (14, "not heard from all of the cluster yet"),
            ExtendedError::NotAuthoritative => (20, ""),
            ExtendedError::NoUpstream => (22, "no upstream answers"),
        };
        EdnsOption::Unknown(EXTENDED_ERROR, [&code.to_be_bytes(), text.as_bytes()].concat())
    }
}

/// The OPT record of a reply (RFC 6891, 6.1.1) to a request with this one.
pub(super) fn edns(asked: &Edns, error: Option<ExtendedError>) -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD);
    // RFC 3225, 3: the bit is copied.
    edns.set_dnssec_ok(asked.flags().dnssec_ok);
    if let Some(error) = error {
        edns.options_mut().insert(error.option());
    }
    edns
}

/// The octets of a response to a request, whole or cut.
///
/// # Errors
/// When it can't be encoded.
pub(super) fn octets<'a>(
    request: &Request,
    response: MessageResponse<
        '_,
        'a,
        impl Iterator<Item = &'a Record> + Send + 'a,
        impl Iterator<Item = &'a Record> + Send + 'a,
        impl Iterator<Item = &'a Record> + Send + 'a,
        impl Iterator<Item = &'a Record> + Send + 'a,
    >,
) -> Result<Vec<u8>, ProtoError> {
    let limit = limit(request);
    let edns = response.edns().cloned();
    let mut octets = Vec::with_capacity(usize::from(LEAST_PAYLOAD));
    response.destructive_emit(&mut BinEncoder::new(&mut octets))?;
    if octets.len() > usize::from(limit) {
        cut(&mut octets, HEADER + request.queries.as_bytes().len(), limit.into(), edns.as_ref())?;
    }
    Ok(octets)
}

/// Octets that the client takes.
fn limit(request: &Request) -> u16 {
    match request.protocol() {
        Protocol::Udp => request.max_payload().clamp(LEAST_PAYLOAD, UDP_PAYLOAD),
        _ => u16::MAX,
    }
}

/// Octets of records that fit into the reply to a request.
pub(super) fn room(request: &Request) -> usize {
    let opt = request.edns.as_ref().map_or(0, |_| OPT);
    usize::from(limit(request)) - HEADER - request.queries.as_bytes().len() - opt
}

/// Name and type of a message's question, as text for people.
pub(super) fn question(message: &[u8]) -> Option<(String, String)> {
    let mut decoder = BinDecoder::new(message.get(HEADER..)?);
    let query = Query::read(&mut decoder).ok()?;
    Some((query.name().to_string(), query.query_type().to_string()))
}

/// Makes a whole message fit. What is additional may be left out without a word; where that is not enough nothing
/// stays but header, question and OPT, and TC tells the client to come back over TCP (RFC 2181, 9).
fn cut(octets: &mut Vec<u8>, head: usize, limit: usize, edns: Option<&Edns>) -> Result<(), ProtoError> {
    let opt = match edns {
        Some(edns) => edns.to_bytes()?,
        None => Vec::new(),
    };
    let records = usize::from(count_at(octets, 6)) + usize::from(count_at(octets, 8));
    match end_of(octets, head, records) {
        Some(end) if end + opt.len() <= limit => octets.truncate(end),
        _ => {
            octets.truncate(head);
            octets[2] |= TC;
            octets[6..10].fill(0);
        }
    }
    octets[10..12].copy_from_slice(&u16::from(edns.is_some()).to_be_bytes());
    octets.extend_from_slice(&opt);
    Ok(())
}

/// Where the records that start at an offset end; `None` where the message ends before them.
fn end_of(octets: &[u8], start: usize, records: usize) -> Option<usize> {
    let mut at = start;
    for _ in 0..records {
        loop {
            match *octets.get(at)? {
                0 => break at += 1,
                pointer if pointer >= 0xC0 => break at += 2,
                label => at += 1 + usize::from(label),
            }
        }
        // Type, class and TTL, then the length of the data and the data (RFC 1035, 4.1.3).
        let data = octets.get(at + 8..at + 10)?;
        at += 10 + usize::from(u16::from_be_bytes([data[0], data[1]]));
    }
    (at <= octets.len()).then_some(at)
}

/// The reply to a message that can't be read, made from its header alone.
pub(super) fn refusal(message: &[u8], code: ResponseCode) -> Option<Vec<u8>> {
    let header = message.get(..HEADER)?;
    let mut octets = vec![0; HEADER];
    octets[..2].copy_from_slice(&header[..2]);
    // The operation, RD and CD are the asker's; QR makes it a response.
    octets[2] = 0x80 | (header[2] & 0x79);
    octets[3] = (header[3] & 0x10) | code.low();
    Some(octets)
}

/// Where the only question of a message ends.
pub(super) fn end_of_question(message: &[u8]) -> Option<usize> {
    if message.get(4..6)? != [0, 1] {
        return None;
    }
    let (_, end) = Labels::read(message, HEADER)?;
    // Type and class (RFC 1035, 4.1.2).
    Some(end + 4).filter(|end| *end <= message.len())
}

/// A short reply to a query that sends its client to TCP, if there is one question to repeat.
pub(super) fn sent_to_tcp(query: &[u8], room: &mut [u8]) -> Option<usize> {
    let head = &query[..end_of_question(query)?];
    if head[2] & 0xf8 != 0 {
        return None;
    }
    let reply = room.get_mut(..head.len())?;
    reply.copy_from_slice(head);
    (reply[2], reply[3]) = (0x80 | TC | (query[2] & 0x01), query[3] & 0x10);
    reply[6..HEADER].fill(0);
    Some(head.len())
}

/// Octets that a query says its client takes over UDP, as far as it can be read.
pub(super) fn payload(query: &[u8]) -> u16 {
    Message::from_vec(query).ok().and_then(|query| Some(query.edns?.max_payload())).unwrap_or(LEAST_PAYLOAD)
}

/// What an OPT record says of its sender is about one hop alone (RFC 6891, 6.1.1): an answer that is passed on says what is taken here.
pub(super) fn say_own_payload(answer: &mut [u8]) {
    let before = |answer: &[u8]| usize::from(count_at(answer, 6)) + usize::from(count_at(answer, 8));
    let mut next = end_of_question(answer).and_then(|end| end_of(answer, end, before(answer)));
    while let Some(at) = next.filter(|at| *at < answer.len()) {
        // The root as its owner, then its type (RFC 6891, 6.1.2).
        if answer[at..].starts_with(&[0, 0, 41])
            && let Some(payload) = answer.get_mut(at + 3..at + 5)
        {
            payload.copy_from_slice(&UDP_PAYLOAD.to_be_bytes());
        }
        next = end_of(answer, at, 1);
    }
}

/// The reply to a query that can be read, and that nobody could answer.
pub(super) fn failure(query: &[u8], error: ExtendedError) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let mut reply = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
    reply.metadata = Metadata::response_from_request(&query.metadata);
    reply.metadata.response_code = ResponseCode::ServFail;
    reply.queries = query.queries;
    reply.edns = query.edns.map(|asked| edns(&asked, Some(error)));
    reply.to_vec().ok()
}

/// One of the counts in a message's header.
pub(super) fn count_at(message: &[u8], offset: usize) -> u16 {
    u16::from_be_bytes([message[offset], message[offset + 1]])
}
