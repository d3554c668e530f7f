//! The records of instances, nodes and addresses, each once, and no more than a message holds.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use hickory_proto::rr::{
    Name, RData, Record, RecordType,
    rdata::{A, AAAA, SRV},
};

use super::name::address_label;
use crate::catalog::{Entry, Snapshot, select::share};

/// Seconds that what comes from the catalog may be cached: not at all, so that the next look-up sees a failure.
const LIVE_TTL: u32 = 0;
/// The priority of every SRV record: the share of the load is left to the weights.
const PRIORITY: u16 = 1;
/// Octets of records in one message, counted without compression. A message has 65,535 at most (RFC 1035, 4.2.2); the
/// rest is for header, question and OPT.
pub(super) const RECORD_OCTETS: usize = 65_535 - 512;

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

/// One record of the type for each of the addresses that it can speak of, in their order.
pub(super) fn addresses<'a>(owner: &Name, kind: RecordType, addresses: impl IntoIterator<Item = &'a IpAddr>) -> Records {
    let (mut seen, mut room) = (BTreeSet::new(), Room(RECORD_OCTETS));
    let wanted = addresses.into_iter().filter(|ip| is_of(kind, **ip) && seen.insert(**ip));
    Records::of(wanted.map(|ip| address(owner, *ip)).take_while(|record| room.take(record)).collect())
}

/// The record of one address.
pub(super) fn address(owner: &Name, address: IpAddr) -> Record {
    let data = match address {
        IpAddr::V4(v4) => RData::A(A(v4)),
        IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
    };
    Record::from_rdata(owner.clone(), LIVE_TTL, data)
}

/// True when this type of record is the one for the address.
pub(super) fn is_of(kind: RecordType, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => kind == RecordType::A,
        IpAddr::V6(_) => kind == RecordType::AAAA,
    }
}

/// One SRV record for each instance and address (RFC 2782), and the addresses of their targets, which are names below
/// `branch`. Targets come last into a message that is nearly full: they can be asked for.
pub(super) fn srv(owner: &Name, branch: &Name, snapshot: &Snapshot, instances: &[&Arc<Entry>]) -> Records {
    let mut room = Room(RECORD_OCTETS);
    let (mut seen, mut answers) = (BTreeSet::new(), Vec::new());
    let (mut seen_targets, mut targets) = (BTreeSet::new(), Vec::new());
    for entry in instances {
        for ip in snapshot.addresses_of(entry) {
            let (weight, port) = (share(entry), entry.instance.port);
            // Two instances at one place would make one record twice, which no set of records has (RFC 2181, 5).
            if !seen.insert((*ip, port, weight)) {
                continue;
            }
            let target = branch.prepend_label(address_label(*ip)).expect("a domain leaves room for the labels below it");
            let record = Record::from_rdata(owner.clone(), LIVE_TTL, RData::SRV(SRV::new(PRIORITY, weight, port, target.clone())));
            if room.take(&record) {
                answers.push(record);
                if seen_targets.insert(*ip) {
                    targets.push(address(&target, *ip));
                }
            }
        }
    }
    let additionals = targets.into_iter().take_while(|record| room.take(record)).collect();
    Records { answers, additionals }
}

/// Octets left for records.
struct Room(usize);

impl Room {
    /// Takes what the record needs without compression; false, and nothing taken, where that is more than is left.
    fn take(&mut self, record: &Record) -> bool {
        // With its length octets and the root a name takes at most two octets more than its text (RFC 1035, 3.1).
        let name = |name: &Name| name.len() + 2;
        let data = match &record.data {
            RData::A(_) => 4,
            RData::SRV(srv) => 6 + name(&srv.target),
            _ => 16,
        };
        // Type, class, TTL and the length of the data take ten (RFC 1035, 4.1.3).
        match self.0.checked_sub(name(&record.name) + 10 + data) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}
