//! The express way: what clients ask mostly, answered from a snapshot straight into octets, without memory of its own.
//!
//! It takes plain queries alone: one question of class IN and for A, AAAA or SRV, with no record but an OPT without options, and octet by
//! octet what such a query has to be. Everything else, and what needs more than addresses, goes the full way; a property test holds
//! the two equal in meaning. Both find by the same [`Zones`] what there is, so they can differ in how it is written alone.

use std::net::IpAddr;

use hickory_proto::{op::ResponseCode, rr::RecordType};
use rand::Rng;

use super::{
    distinct::Distinct,
    labels::Labels,
    lookup::{Found, Offer, Wanted},
    name::NAME_SERVER,
    records::PRIORITY,
    reply::{HEADER, LEAST_PAYLOAD, OPT, RA, TC, UDP_PAYLOAD},
    zone::{HOSTMASTER, SOA_TIMERS, Zone, Zones, serial},
};
use crate::catalog::Snapshot;

/// Type and class, behind the name of a question (RFC 1035, 4.1.2).
const QUESTION_TAIL: usize = 4;
/// A pointer to the name of the question (RFC 1035, 4.1.4).
const QUESTION_NAME: [u8; 2] = pointer(HEADER);
const CLASS_IN: u16 = 1;
const TYPE_SOA: u16 = 6;
const TYPE_OPT: u16 = 41;

/// A query that the express way takes.
pub(super) struct Plain<'m> {
    /// Header and question.
    head: &'m [u8],
    labels: Labels,
    pub(super) kind: RecordType,
    edns: Option<Edns>,
}

#[derive(Clone, Copy)]
struct Edns {
    payload: u16,
    dnssec_ok: bool,
}

impl<'m> Plain<'m> {
    /// Reads a query; none where it is not a plain one.
    pub(super) fn read(message: &'m [u8]) -> Option<Self> {
        let header = message.first_chunk::<HEADER>()?;
        // A standard query; RD, AD and CD are all that may be set, the rest has to be 0 (RFC 1035, 4.1.1).
        if header[2] & !0x01 != 0 || header[3] & !0x30 != 0 {
            return None;
        }
        let with_edns = match header[4..] {
            [0, 1, 0, 0, 0, 0, 0, additionals @ (0 | 1)] => additionals == 1,
            _ => return None,
        };
        let (labels, end) = Labels::read(message, HEADER)?;
        let [kind_high, kind_low, class_high, class_low] = *message.get(end..)?.first_chunk::<QUESTION_TAIL>()?;
        let kind = match u16::from_be_bytes([kind_high, kind_low]) {
            1 => RecordType::A,
            28 => RecordType::AAAA,
            33 => RecordType::SRV,
            _ => return None,
        };
        let (head, rest) = message.split_at(end + QUESTION_TAIL);
        let edns = match (with_edns, rest) {
            (false, []) => None,
            (true, [0, 0, 41, payload_high, payload_low, 0, 0, flags @ (0 | 0x80), 0, 0, 0]) => {
                Some(Edns { payload: u16::from_be_bytes([*payload_high, *payload_low]), dnssec_ok: *flags != 0 })
            }
            _ => return None,
        };
        (u16::from_be_bytes([class_high, class_low]) == CLASS_IN).then_some(Plain { head, labels, kind, edns })
    }
}

/// Writes the answer over UDP, and says how long it is; none where the query has to go the full way.
pub(super) fn answer(
    zones: &Zones,
    snapshot: &Snapshot,
    query: &Plain<'_>,
    instances: usize,
    rng: &mut impl Rng,
    reply: &mut [u8; UDP_PAYLOAD as usize],
) -> Option<usize> {
    let (zone, meaning) = zones.meaning(&query.labels);
    let found = zones.find(snapshot, meaning, Wanted { kind: query.kind, instances, octets: usize::MAX }, rng);
    let mut writer = Writer::begin(query, zones.forwards(), reply);
    let fits = match found {
        Found::Addresses(addresses, ttl) => writer.addresses(&addresses, ttl),
        Found::Offers(offers, ttl) => writer.offers(zone, &offers, ttl),
        Found::Unknown | Found::Withheld if !snapshot.ready => return None,
        Found::Unknown | Found::Never => writer.negative(zone, snapshot, query, ResponseCode::NXDomain, zones.names.ttls.negative),
        Found::Withheld | Found::Empty => writer.negative(zone, snapshot, query, ResponseCode::NoError, zones.names.ttls.negative),
        Found::Pointers(..) | Found::NodeText(_) | Found::InstanceText(..) | Found::Authority | Found::NameServer | Found::Outside => {
            return None;
        }
    };
    Some(writer.end(query, fits.is_some()))
}

const fn pointer(offset: usize) -> [u8; 2] {
    (0xC000 | offset as u16).to_be_bytes()
}

/// A reply that grows up to what the client takes.
struct Writer<'r> {
    octets: &'r mut [u8; UDP_PAYLOAD as usize],
    length: usize,
    limit: usize,
}

impl<'r> Writer<'r> {
    /// Header and question, which come back as they came (RFC 1035, 7.3).
    fn begin(query: &Plain<'_>, recursion: bool, octets: &'r mut [u8; UDP_PAYLOAD as usize]) -> Self {
        let payload = query.edns.map_or(LEAST_PAYLOAD, |edns| edns.payload.clamp(LEAST_PAYLOAD, UDP_PAYLOAD));
        let opt = query.edns.map_or(0, |_| OPT);
        let length = query.head.len();
        octets[..length].copy_from_slice(query.head);
        // A response, authoritative; RD and CD are the client's.
        octets[2] = 0x84 | (query.head[2] & 0x01);
        octets[3] = query.head[3] & 0x10 | if recursion { RA } else { 0 };
        octets[6..HEADER].fill(0);
        Writer { octets, length, limit: usize::from(payload) - opt }
    }

    fn put(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.length + octets.len();
        if end > self.limit {
            return None;
        }
        self.octets[self.length..end].copy_from_slice(octets);
        self.length = end;
        Some(())
    }

    /// What stands before the data of a record.
    fn record(&mut self, owner: [u8; 2], kind: u16, ttl: u32, data: usize) -> Option<()> {
        let [t0, t1] = kind.to_be_bytes();
        let [c0, c1] = CLASS_IN.to_be_bytes();
        let [s0, s1, s2, s3] = ttl.to_be_bytes();
        let [d0, d1] = u16::try_from(data).ok()?.to_be_bytes();
        self.put(&[owner[0], owner[1], t0, t1, c0, c1, s0, s1, s2, s3, d0, d1])
    }

    fn count(&mut self, at: usize) {
        let count = u16::from_be_bytes([self.octets[at], self.octets[at + 1]]) + 1;
        self.octets[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    fn answers(&mut self) {
        self.count(6);
    }

    fn address(&mut self, owner: [u8; 2], address: IpAddr, ttl: u32) -> Option<()> {
        let data = if address.is_ipv4() { 4 } else { 16 };
        if self.length + 12 + data > self.limit {
            return None;
        }
        match address {
            IpAddr::V4(v4) => {
                self.record(owner, RecordType::A.into(), ttl, 4)?;
                self.put(&v4.octets())
            }
            IpAddr::V6(v6) => {
                self.record(owner, RecordType::AAAA.into(), ttl, 16)?;
                self.put(&v6.octets())
            }
        }
    }

    fn addresses(&mut self, addresses: &[IpAddr], ttl: u32) -> Option<()> {
        let fit = addresses.iter().take_while(|address| self.address(QUESTION_NAME, **address, ttl).is_some()).count();
        (0..fit).for_each(|_| self.answers());
        (fit > 0).then_some(())
    }

    fn offers(&mut self, zone: &Zone, offers: &[Offer], ttl: u32) -> Option<()> {
        // The address of each target, and where its name stands.
        let mut targets: Distinct<IpAddr> = Distinct::default();
        let mut names = [0_usize; 32];
        for offer in offers {
            let (before, name) = (targets.len(), self.length + 12 + 6);
            self.offer(zone, offer, ttl)?;
            self.answers();
            targets.push(offer.address);
            if let Some(place) = names.get_mut(before).filter(|_| targets.len() > before) {
                *place = name;
            }
        }
        // All of the targets' addresses or none, as the full way has it; TC speaks of answers alone (RFC 2181, 9).
        let (length, mut all) = (self.length, targets.len() <= names.len());
        for (address, name) in targets.iter().zip(names) {
            all = all && self.address(pointer(name), *address, ttl).is_some();
        }
        match all {
            true => (0..targets.len()).for_each(|_| self.count(10)),
            false => self.length = length,
        }
        Some(())
    }

    /// The names of targets are never compressed (RFC 2782).
    fn offer(&mut self, zone: &Zone, offer: &Offer, ttl: u32) -> Option<()> {
        let mut label = [0; 33];
        let digits = match offer.address {
            IpAddr::V4(v4) => hexadecimal(&v4.octets(), &mut label),
            IpAddr::V6(v6) => hexadecimal(&v6.octets(), &mut label),
        };
        self.record(QUESTION_NAME, RecordType::SRV.into(), ttl, 6 + digits + zone.addresses_octets().len())?;
        let [p0, p1] = PRIORITY.to_be_bytes();
        let [w0, w1] = offer.weight.to_be_bytes();
        let [n0, n1] = offer.port.to_be_bytes();
        self.put(&[p0, p1, w0, w1, n0, n1])?;
        self.put(&label[..digits])?;
        self.put(zone.addresses_octets())
    }

    /// The SOA, which says for how long (RFC 2308, 3).
    fn negative(&mut self, zone: &Zone, snapshot: &Snapshot, query: &Plain<'_>, code: ResponseCode, ttl: u32) -> Option<()> {
        self.octets[3] |= code.low();
        let apex = pointer(HEADER + query.labels.offset(query.labels.len() - zone.depth()));
        let label = |text: &str| 1 + text.len();
        self.record(apex, TYPE_SOA, ttl, label(NAME_SERVER) + 2 + label(HOSTMASTER) + 2 + 5 * 4)?;
        for text in [NAME_SERVER, HOSTMASTER] {
            self.put(&[u8::try_from(text.len()).ok()?])?;
            self.put(text.as_bytes())?;
            self.put(&apex)?;
        }
        self.put(&serial(snapshot).to_be_bytes())?;
        for seconds in SOA_TIMERS {
            self.put(&seconds.to_be_bytes())?;
        }
        self.put(&ttl.to_be_bytes())?;
        self.count(8);
        Some(())
    }

    /// The OPT record, and the length of all. What does not fit goes as a whole, and TC sends the client to TCP.
    fn end(mut self, query: &Plain<'_>, fits: bool) -> usize {
        if !fits {
            self.length = query.head.len();
            self.octets[2] |= TC;
            self.octets[6..HEADER].fill(0);
        }
        if let Some(edns) = query.edns {
            let [t0, t1] = TYPE_OPT.to_be_bytes();
            let [p0, p1] = UDP_PAYLOAD.to_be_bytes();
            // RFC 3225, 3: the bit is copied.
            let flags = if edns.dnssec_ok { 0x80 } else { 0 };
            self.limit += OPT;
            self.put(&[0, t0, t1, p0, p1, 0, 0, flags, 0, 0, 0]).expect("its room was kept free");
            self.count(10);
        }
        self.length
    }
}

/// A label of octets in hexadecimal, and its length with that of the label.
fn hexadecimal(octets: &[u8], label: &mut [u8; 33]) -> usize {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    label[0] = (2 * octets.len()) as u8;
    for (pair, octet) in label[1..].chunks_exact_mut(2).zip(octets) {
        pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
    1 + 2 * octets.len()
}

#[cfg(test)]
mod tests;
