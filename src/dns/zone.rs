//! From a snapshot and a question to an answer. Pure: the snapshot and the randomness are handed in.
//!
//! Every answer is made anew from one snapshot, so what it says fits together. A name exists while anything bears
//! it, whatever its health: one with nothing to hand out is NODATA, not NXDOMAIN (RFC 2308). Until this agent knows
//! what the cluster knows ([`Snapshot::ready`]) it denies nothing that a peer may know better.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use hickory_proto::rr::{
    Name, RData, Record, RecordType,
    rdata::{A, AAAA, HINFO, NS, SOA, SRV},
};
use rand::{Rng, seq::SliceRandom};

use super::name::{ADDRESS, Meaning, NAME_SERVER, Selector, address_label};
use crate::{
    catalog::{
        Entry, Snapshot,
        select::{held_back, share},
    },
    model::Domain,
};

/// Seconds that what comes from the catalog may be cached: not at all, so that the next look-up sees a failure.
const LIVE_TTL: u32 = 0;
/// Seconds that the zone's own records and the absence of a name may be cached (the SOA's TTL and minimum, RFC 2308, 5).
const ZONE_TTL: u32 = 1;
/// Seconds that the refusal to list everything about a name may be cached: long, to keep askers from asking (RFC 8482, 4.2).
const ANY_TTL: u32 = 3_600;
/// Refresh, retry and expire of the SOA, in seconds. Nobody transfers this zone; the values are common ones.
const SOA_TIMERS: (i32, i32, i32) = (3_600, 600, 86_400);
/// The priority of every SRV record: the share of the load is left to the weights.
const PRIORITY: u16 = 1;
/// Octets of records in one message, counted without compression. A message has 65,535 at most (RFC 1035, 4.2.2); the
/// rest is for header, question and OPT.
const RECORD_OCTETS: usize = 65_535 - 512;

/// What is asked, and how much of it is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// The name as the client wrote it: answers repeat its case.
    pub(super) name: &'a Name,
    /// The type asked for.
    pub(super) kind: RecordType,
    /// Instances in the answer at most; which, is drawn anew for each.
    pub(super) instances: usize,
}

/// What an answer says about the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It exists, even where there is no record of the type asked for.
    Exists,
    /// It does not exist.
    NoSuchName,
    /// A peer may know better, and this agent has not heard from all yet.
    NotReady,
    /// It is not under the domain.
    Outside,
}

/// An answer, section by section.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) answers: Vec<Record>,
    pub(super) authorities: Vec<Record>,
    pub(super) additionals: Vec<Record>,
}

/// The domain's names, made once.
pub(super) struct Zone {
    domain: Domain,
    apex: Name,
    name_server: Name,
    hostmaster: Name,
    addresses: Name,
}

impl Zone {
    pub(super) fn new(domain: Domain) -> Self {
        const FITS: &str = "a domain leaves room for the labels below it";
        let apex = Name::from_labels(domain.labels().map(str::as_bytes)).expect(FITS);
        let below = |label: &str| apex.prepend_label(label).expect(FITS);
        Zone { name_server: below(NAME_SERVER), hostmaster: below("hostmaster"), addresses: below(ADDRESS), apex, domain }
    }

    /// What `snapshot` has to say to `question`.
    pub(super) fn answer(&self, snapshot: &Snapshot, question: Question<'_>, rng: &mut impl Rng) -> Answer {
        let found = match Meaning::of(question.name, &self.domain) {
            Meaning::Outside => return Answer::bare(Outcome::Outside),
            Meaning::Nothing => Found::Never,
            Meaning::Branch => Found::There(Records::default()),
            Meaning::Apex => Found::There(self.apex(snapshot, question)),
            Meaning::NameServer => Found::There(address_records(question, local_addresses(snapshot))),
            Meaning::Node(name) => node(snapshot, question, &name),
            Meaning::Address(address) if snapshot.has_address(address) => Found::There(address_records(question, &[address])),
            Meaning::Address(_) => Found::Unknown,
            Meaning::OfferBranch(selector) => offer_branch(snapshot, &selector),
            Meaning::Service { service, tag } => {
                let instances = matching(snapshot, &service, tag.map(Selector::Tag).as_ref());
                self.instances(snapshot, question, instances, &[RecordType::A, RecordType::AAAA, RecordType::SRV], rng)
            }
            Meaning::Offer { service, selector } => {
                let instances = matching(snapshot, &service, Some(&selector));
                self.instances(snapshot, question, instances, &[RecordType::SRV], rng)
            }
        };
        match found {
            Found::Unknown | Found::Withheld if !snapshot.ready => Answer::bare(Outcome::NotReady),
            Found::Never | Found::Unknown => self.negative(snapshot, Outcome::NoSuchName),
            Found::There(_) if question.kind == RecordType::ANY => minimal_any(question),
            Found::There(records) if !records.answers.is_empty() => records.into(),
            Found::There(_) | Found::Withheld => self.negative(snapshot, Outcome::Exists),
        }
    }

    fn negative(&self, snapshot: &Snapshot, outcome: Outcome) -> Answer {
        Answer { authorities: vec![self.soa(snapshot, self.apex.clone())], ..Answer::bare(outcome) }
    }

    fn apex(&self, snapshot: &Snapshot, question: Question<'_>) -> Records {
        match question.kind {
            RecordType::SOA => Records::of(vec![self.soa(snapshot, question.name.clone())]),
            RecordType::NS => Records {
                answers: vec![Record::from_rdata(question.name.clone(), ZONE_TTL, RData::NS(NS(self.name_server.clone())))],
                additionals: local_addresses(snapshot).iter().map(|ip| address_record(&self.name_server, *ip)).collect(),
            },
            _ => Records::default(),
        }
    }

    fn soa(&self, snapshot: &Snapshot, owner: Name) -> Record {
        // A serial is 32 bits wide and goes round (RFC 1982).
        let serial = (snapshot.revision & u64::from(u32::MAX)) as u32;
        let (refresh, retry, expire) = SOA_TIMERS;
        let soa = SOA::new(self.name_server.clone(), self.hostmaster.clone(), serial, refresh, retry, expire, ZONE_TTL);
        Record::from_rdata(owner, ZONE_TTL, RData::SOA(soa))
    }

    /// The records of the instances that a name stands for, of one of the types that it has.
    fn instances(
        &self,
        snapshot: &Snapshot,
        question: Question<'_>,
        mut instances: Vec<&Arc<Entry>>,
        types: &[RecordType],
        rng: &mut impl Rng,
    ) -> Found {
        if instances.is_empty() {
            return Found::Unknown;
        }
        if !types.contains(&question.kind) {
            return Found::There(Records::default());
        }
        instances.retain(|entry| held_back(snapshot, entry).is_none());
        if instances.is_empty() {
            return Found::Withheld;
        }
        if question.kind == RecordType::SRV {
            let (chosen, _) = instances.partial_shuffle(rng, question.instances);
            return Found::There(self.srv_records(snapshot, question.name, chosen));
        }
        // Before the draw: else a few instances of one family could lose it to many of the other.
        instances.retain(|entry| snapshot.addresses_of(entry).iter().any(|ip| is_of(question.kind, *ip)));
        let (chosen, _) = instances.partial_shuffle(rng, question.instances);
        let addresses: Vec<IpAddr> = chosen.iter().flat_map(|entry| snapshot.addresses_of(entry)).copied().collect();
        Found::There(address_records(question, &addresses))
    }

    /// One SRV record for each instance and address (RFC 2782), and the addresses of their targets. The targets come
    /// last into a message that is nearly full: they can be asked for.
    fn srv_records(&self, snapshot: &Snapshot, owner: &Name, chosen: &[&Arc<Entry>]) -> Records {
        let mut room = Room(RECORD_OCTETS);
        let (mut seen, mut answers) = (BTreeSet::new(), Vec::new());
        let (mut seen_targets, mut targets) = (BTreeSet::new(), Vec::new());
        for entry in chosen {
            for address in snapshot.addresses_of(entry) {
                let (weight, port) = (share(entry), entry.instance.port);
                // Two instances at one place would make one record twice, which no set of records has (RFC 2181, 5).
                if seen.insert((*address, port, weight)) {
                    let target = self.target(*address);
                    let srv = SRV::new(PRIORITY, weight, port, target.clone());
                    let record = Record::from_rdata(owner.clone(), LIVE_TTL, RData::SRV(srv));
                    if !room.take(&record) {
                        continue;
                    }
                    answers.push(record);
                    if seen_targets.insert(*address) {
                        targets.push(address_record(&target, *address));
                    }
                }
            }
        }
        let additionals = targets.into_iter().take_while(|record| room.take(record)).collect();
        Records { answers, additionals }
    }

    fn target(&self, address: IpAddr) -> Name {
        self.addresses.prepend_label(address_label(address)).expect("a domain leaves room for the labels below it")
    }
}

impl Answer {
    fn bare(outcome: Outcome) -> Self {
        Answer { outcome, answers: Vec::new(), authorities: Vec::new(), additionals: Vec::new() }
    }
}

impl From<Records> for Answer {
    fn from(Records { answers, additionals }: Records) -> Self {
        Answer { answers, additionals, ..Answer::bare(Outcome::Exists) }
    }
}

impl Selector {
    fn selects(&self, entry: &Entry) -> bool {
        match self {
            Selector::Protocol(protocol) => entry.instance.protocol == *protocol,
            Selector::Tag(text) => entry.instance.tags.iter().any(|tag| tag.matches(text)),
        }
    }
}

/// What there is at a name.
enum Found {
    /// It can't exist, whatever peers know.
    Never,
    /// It is not in what this agent knows.
    Unknown,
    /// It exists, but nothing of what was asked for may be handed out.
    Withheld,
    /// It exists, with these records of the type asked for.
    There(Records),
}

#[derive(Default)]
struct Records {
    answers: Vec<Record>,
    additionals: Vec<Record>,
}

impl Records {
    fn of(answers: Vec<Record>) -> Self {
        Records { answers, additionals: Vec::new() }
    }
}

/// Octets left for records.
struct Room(usize);

impl Room {
    /// Takes what the record needs without compression; false where that is more than is left.
    fn take(&mut self, record: &Record) -> bool {
        // Length octets and the root are within one octet of a name's text with a final dot (RFC 1035, 3.1).
        let name = |name: &Name| name.len() + 2;
        let data = match &record.data {
            RData::A(_) => 4,
            RData::SRV(srv) => 6 + name(&srv.target),
            _ => 16,
        };
        let needed = name(&record.name) + 10 + data;
        let fits = needed <= self.0;
        self.0 = self.0.saturating_sub(if fits { needed } else { 0 });
        fits
    }
}

/// The instances of a service that a selector selects, whatever their status.
fn matching<'a>(snapshot: &'a Snapshot, service: &str, selector: Option<&Selector>) -> Vec<&'a Arc<Entry>> {
    let all = snapshot.service(service).into_iter().flat_map(|instances| instances.values());
    all.filter(|entry| selector.is_none_or(|selector| selector.selects(entry))).collect()
}

/// The addresses of the node that holds the name, while it is up: what a node that is gone had may be another's now.
fn node(snapshot: &Snapshot, question: Question<'_>, name: &str) -> Found {
    match snapshot.holder(name) {
        None => Found::Unknown,
        Some(_) if !matches!(question.kind, RecordType::A | RecordType::AAAA) => Found::There(Records::default()),
        Some(holder) if !holder.node.state.is_up() => Found::Withheld,
        Some(holder) => Found::There(address_records(question, &holder.node.info.addresses)),
    }
}

fn offer_branch(snapshot: &Snapshot, selector: &Selector) -> Found {
    let exists = match selector {
        Selector::Protocol(protocol) => snapshot.has_protocol(*protocol),
        Selector::Tag(tag) => snapshot.has_tag(tag),
    };
    if exists { Found::There(Records::default()) } else { Found::Unknown }
}

fn local_addresses(snapshot: &Snapshot) -> &[IpAddr] {
    snapshot.node(snapshot.local).map_or(&[], |entry| &entry.node.info.addresses)
}

/// A record, at the name asked for, of each of the addresses that is of the type asked for; each once, in their order.
fn address_records(question: Question<'_>, addresses: &[IpAddr]) -> Records {
    let (mut seen, mut room) = (BTreeSet::new(), Room(RECORD_OCTETS));
    let wanted = addresses.iter().filter(|ip| is_of(question.kind, **ip) && seen.insert(**ip));
    Records::of(wanted.map(|ip| address_record(question.name, *ip)).take_while(|record| room.take(record)).collect())
}

/// True when this type of record is the one for the address.
fn is_of(kind: RecordType, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => kind == RecordType::A,
        IpAddr::V6(_) => kind == RecordType::AAAA,
    }
}

fn address_record(owner: &Name, address: IpAddr) -> Record {
    let data = match address {
        IpAddr::V4(v4) => RData::A(A(v4)),
        IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
    };
    Record::from_rdata(owner.clone(), LIVE_TTL, data)
}

/// Who asks for everything gets one small record that says so (RFC 8482, 4.2).
fn minimal_any(question: Question<'_>) -> Answer {
    let hinfo = HINFO::new("RFC8482".to_owned(), String::new());
    Records::of(vec![Record::from_rdata(question.name.clone(), ANY_TTL, RData::HINFO(hinfo))]).into()
}

#[cfg(test)]
mod tests;
