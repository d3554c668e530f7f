//! Records, each once, and no more than a message holds.

use std::{collections::BTreeMap, net::IpAddr};

use hickory_proto::rr::{
    Name, RData, Record,
    rdata::{A, AAAA, PTR, SRV, TXT},
};

use super::{distinct::Distinct, lookup::Offer};
use crate::model::domain::address_label;

/// The priority of every SRV record: the share of the load is left to the weights.
pub(super) const PRIORITY: u16 = 1;
/// Octets of records in one message, counted without compression. A message has 65,535 at most (RFC 1035, 4.2.2); the
/// rest is for header, question and OPT.
pub(super) const RECORD_OCTETS: usize = 65_535 - 512;
/// Octets of a string in a TXT record (RFC 1035, 3.3).
const STRING_OCTETS: usize = 255;

/// The records for a name, and those that are helpful with them.
#[derive(Default)]
pub(super) struct Records {
    pub(super) answers: Vec<Record>,
    pub(super) additionals: Vec<Record>,
}

impl Records {
    pub(super) fn of(answers: Vec<Record>) -> Self {
        Records { answers, additionals: Vec::new() }
    }
}

/// One for each of the addresses, which are of one family, up to so many octets.
pub(super) fn addresses(owner: &Name, addresses: &[IpAddr], ttl: u32, octets: usize) -> Records {
    let data = addresses.first().map_or(0, |ip| if ip.is_ipv4() { 4 } else { 16 });
    // The owner's name is written once, as hickory does, and then pointed to. Type, class, TTL and length take ten (RFC 1035, 4.1.3).
    let first = name_octets(owner) + 10 + data;
    let fit = octets.checked_sub(first).map_or(0, |left| 1 + left / (2 + 10 + data));
    fitting(addresses.iter().take(fit).map(|ip| address(owner, *ip, ttl)))
}

/// The record of one address.
pub(super) fn address(owner: &Name, address: IpAddr, ttl: u32) -> Record {
    let data = match address {
        IpAddr::V4(v4) => RData::A(A(v4)),
        IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
    };
    Record::from_rdata(owner.clone(), ttl, data)
}

/// One SRV record for each offer (RFC 2782), and the addresses of their targets, which are names below
/// `branch`. Targets come last into a message that is nearly full: they can be asked for.
pub(super) fn srv(owner: &Name, branch: &Name, offers: &[Offer], ttl: u32) -> Records {
    let mut room = Room(RECORD_OCTETS);
    let target = |ip: IpAddr| branch.prepend_label(address_label(ip)).expect("a domain leaves room for the labels below it");
    let all = offers.iter().map(|Offer { address, port, weight }| {
        Record::from_rdata(owner.clone(), ttl, RData::SRV(SRV::new(PRIORITY, *weight, *port, target(*address))))
    });
    let answers: Vec<Record> = all.take_while(|record| room.take(record)).collect();
    let targets: Distinct<IpAddr> = offers[..answers.len()].iter().map(|offer| offer.address).collect();
    let additionals = targets.iter().map(|ip| address(&target(*ip), *ip, ttl)).take_while(|record| room.take(record)).collect();
    Records { answers, additionals }
}

/// One PTR record for each name.
pub(super) fn pointers(owner: &Name, targets: impl Iterator<Item = Name>, ttl: u32) -> Records {
    fitting(targets.map(|target| Record::from_rdata(owner.clone(), ttl, RData::PTR(PTR(target)))))
}

/// One TXT record for each pair, as `key=value`. What is longer than a string goes on in the next one of the record.
pub(super) fn texts(owner: &Name, pairs: &BTreeMap<String, String>, ttl: u32) -> Records {
    fitting(pairs.iter().map(|(key, value)| {
        let pair = format!("{key}={value}");
        let strings = pair.as_bytes().chunks(STRING_OCTETS).collect();
        Record::from_rdata(owner.clone(), ttl, RData::TXT(TXT::from_bytes(strings)))
    }))
}

/// One TXT record with a string for each pair (RFC 6763, 6), an empty one where there is none. A key with `=` in it, and what is longer than a string,
/// has no place there.
pub(super) fn attributes(owner: &Name, pairs: &BTreeMap<String, String>, ttl: u32) -> Records {
    let pairs = pairs.iter().filter(|(key, _)| !key.contains('=')).map(|(key, value)| format!("{key}={value}"));
    let mut strings: Vec<String> = pairs.filter(|pair| pair.len() <= STRING_OCTETS).collect();
    if strings.is_empty() {
        strings.push(String::new());
    }
    Records::of(vec![Record::from_rdata(owner.clone(), ttl, RData::TXT(TXT::new(strings)))])
}

fn fitting(records: impl Iterator<Item = Record>) -> Records {
    let mut room = Room(RECORD_OCTETS);
    Records::of(records.take_while(|record| room.take(record)).collect())
}

/// Octets that a name takes at most: with its length octets and the root two more than its text (RFC 1035, 3.1).
fn name_octets(name: &Name) -> usize {
    name.len() + 2
}

/// Octets left for records.
struct Room(usize);

impl Room {
    /// Takes what the record needs without compression; false, and nothing taken, where that is more than is left.
    fn take(&mut self, record: &Record) -> bool {
        let data = match &record.data {
            RData::A(_) => 4,
            RData::SRV(srv) => 6 + name_octets(&srv.target),
            RData::PTR(target) => name_octets(&target.0),
            RData::TXT(text) => text.txt_data.iter().map(|string| 1 + string.len()).sum(),
            _ => 16,
        };
        // Type, class, TTL and the length of the data take ten (RFC 1035, 4.1.3).
        match self.0.checked_sub(name_octets(&record.name) + 10 + data) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}
