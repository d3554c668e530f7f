//! From a snapshot and a question to an answer, as hickory's types. Pure: the snapshot and the randomness are handed in.
//!
//! Every answer is made anew from one snapshot, so what it says fits together. Until this agent knows
//! what the cluster knows ([`Snapshot::ready`]) it denies nothing that a peer may know better.

use hickory_proto::rr::{
    Name, RData, Record, RecordType,
    rdata::{HINFO, NS, SOA},
};
use rand::Rng;

use super::{
    labels::Labels,
    lookup::{self, Found, Target, Wanted, local_addresses},
    name::{ADDRESS, Meaning, NAME_SERVER, NODE},
    records::{self, Records},
};
use crate::{
    catalog::Snapshot,
    config::Names,
    model::{Domain, Protocol, domain::address_label},
};

/// Seconds that the refusal to list everything about a name may be cached: long, to keep askers from asking (RFC 8482, 4.2).
const ANY_TTL: u32 = 3_600;
/// Refresh, retry and expire of the SOA, in seconds. Nobody transfers this zone; the values are common ones.
pub(super) const SOA_TIMERS: [u32; 3] = [3_600, 600, 86_400];
/// The label of whom the SOA names as responsible.
pub(super) const HOSTMASTER: &str = "hostmaster";
const FITS: &str = "a domain leaves room for the labels below it";

/// What is asked, and how much of it is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// The name as the client wrote it: answers repeat its case.
    pub(super) name: &'a Name,
    pub(super) wanted: Wanted,
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

/// The domains that are answered for.
pub(super) struct Zones {
    pub(super) names: Names,
    main: Zone,
    alt: Option<Zone>,
}

impl Zones {
    pub(super) fn new(names: Names) -> Self {
        Zones { main: Zone::new(&names.domain), alt: names.alt_domain.as_ref().map(Zone::new), names }
    }

    /// Whether other names are passed on: then recursion is available (RFC 1035, 4.1.1).
    pub(super) fn forwards(&self) -> bool {
        !self.names.upstreams.is_empty()
    }

    /// What a name means, and in which domain. Of two domains of which one is below the other the lower one has its names.
    pub(super) fn meaning<'a>(&self, labels: &'a Labels) -> (&Zone, Meaning<'a>) {
        let count = |zone: &Zone| zone.domain.labels().count();
        let first = self.alt.as_ref().filter(|alt| count(alt) > count(&self.main));
        for zone in first.into_iter().chain([&self.main]).chain(&self.alt) {
            let meaning = Meaning::of(labels, &zone.domain);
            if meaning != Meaning::Outside {
                return (zone, meaning);
            }
        }
        (&self.main, Meaning::Outside)
    }

    /// What there is at a name of this meaning.
    pub(super) fn find<'a>(&self, snapshot: &'a Snapshot, meaning: Meaning<'a>, wanted: Wanted, rng: &mut impl Rng) -> Found<'a> {
        lookup::find(snapshot, meaning, wanted, &self.names.ttls, self.names.prefer, rng)
    }

    /// What `snapshot` has to say to `question`.
    pub(super) fn answer(&self, snapshot: &Snapshot, question: Question<'_>, rng: &mut impl Rng) -> Answer {
        let labels = Labels::of(question.name);
        let (zone, meaning) = self.meaning(&labels);
        let negative = self.names.ttls.negative;
        let found = match self.find(snapshot, meaning, question.wanted, rng) {
            Found::Outside => return Answer::bare(Outcome::Outside),
            Found::Unknown | Found::Withheld if !snapshot.ready => return Answer::bare(Outcome::NotReady),
            Found::Never | Found::Unknown => return zone.negative(snapshot, Outcome::NoSuchName, negative),
            _ if question.wanted.kind == RecordType::ANY => return minimal_any(question),
            found => found,
        };
        let owner = question.name;
        let records = match found {
            Found::Addresses(addresses, ttl) => records::addresses(owner, &addresses, ttl, question.wanted.octets),
            Found::Offers(offers, ttl) => records::srv(owner, &zone.addresses, &offers, ttl),
            Found::Pointers(targets, ttl) => records::pointers(owner, targets.iter().map(|target| zone.name(target)), ttl),
            Found::NodeText(pairs) => records::texts(owner, pairs, 0),
            Found::InstanceText(pairs, ttl) => records::attributes(owner, pairs, ttl),
            Found::Authority => Records::of(vec![zone.soa(snapshot, owner.clone(), negative)]),
            Found::NameServer => Records {
                answers: vec![Record::from_rdata(owner.clone(), negative, RData::NS(NS(zone.name_server.clone())))],
                additionals: local_addresses(snapshot).iter().map(|ip| records::address(&zone.name_server, *ip, 0)).collect(),
            },
            Found::Withheld | Found::Empty | Found::Never | Found::Unknown | Found::Outside => {
                return zone.negative(snapshot, Outcome::Exists, negative);
            }
        };
        Answer { answers: records.answers, additionals: records.additionals, ..Answer::bare(Outcome::Exists) }
    }
}

/// A domain's names, made once.
pub(super) struct Zone {
    domain: Domain,
    apex: Name,
    name_server: Name,
    hostmaster: Name,
    nodes: Name,
    addresses: Name,
    /// The branch of addresses as it is on the wire.
    addresses_octets: Vec<u8>,
}

impl Zone {
    fn new(domain: &Domain) -> Self {
        let apex = Name::from_labels(domain.labels().map(str::as_bytes)).expect(FITS);
        let below = |label: &str| apex.prepend_label(label).expect(FITS);
        let wire = |labels: &mut dyn Iterator<Item = &str>| -> Vec<u8> {
            let labels = labels.flat_map(|label| [&[u8::try_from(label.len()).expect(FITS)][..], label.as_bytes()].concat());
            labels.chain([0]).collect()
        };
        Zone {
            name_server: below(NAME_SERVER),
            hostmaster: below(HOSTMASTER),
            nodes: below(NODE),
            addresses: below(ADDRESS),
            addresses_octets: wire(&mut [ADDRESS].into_iter().chain(domain.labels())),
            apex,
            domain: domain.clone(),
        }
    }

    /// The branch of addresses, as it is on the wire.
    pub(super) fn addresses_octets(&self) -> &[u8] {
        &self.addresses_octets
    }

    /// Labels of the domain.
    pub(super) fn depth(&self) -> usize {
        self.domain.labels().count()
    }

    fn name(&self, target: &Target<'_>) -> Name {
        let below = |branch: &Name, label: &str| branch.prepend_label(label.as_bytes()).expect(FITS);
        let kind = |service: &str, protocol: &Protocol| below(&below(&self.apex, &format!("_{protocol}")), &format!("_{service}"));
        match target {
            Target::Type(service, protocol) => kind(service, protocol),
            Target::Advertised(label, service, protocol) => below(&kind(service, protocol), label),
            Target::Node(name) => below(&self.nodes, name),
            Target::Address(address) => below(&self.addresses, &address_label(*address)),
        }
    }

    fn negative(&self, snapshot: &Snapshot, outcome: Outcome, ttl: u32) -> Answer {
        Answer { authorities: vec![self.soa(snapshot, self.apex.clone(), ttl)], ..Answer::bare(outcome) }
    }

    fn soa(&self, snapshot: &Snapshot, owner: Name, ttl: u32) -> Record {
        let [refresh, retry, expire] = SOA_TIMERS.map(u32::cast_signed);
        let soa = SOA::new(self.name_server.clone(), self.hostmaster.clone(), serial(snapshot), refresh, retry, expire, ttl);
        Record::from_rdata(owner, ttl, RData::SOA(soa))
    }
}

/// The SOA's serial. It is 32 bits wide and goes round (RFC 1982).
pub(super) fn serial(snapshot: &Snapshot) -> u32 {
    (snapshot.revision & u64::from(u32::MAX)) as u32
}

impl Answer {
    fn bare(outcome: Outcome) -> Self {
        Answer { outcome, answers: Vec::new(), authorities: Vec::new(), additionals: Vec::new() }
    }
}

/// Who asks for everything gets one small record that says so (RFC 8482, 4.2).
fn minimal_any(question: Question<'_>) -> Answer {
    let hinfo = HINFO::new("RFC8482".to_owned(), String::new());
    Answer { answers: vec![Record::from_rdata(question.name.clone(), ANY_TTL, RData::HINFO(hinfo))], ..Answer::bare(Outcome::Exists) }
}

#[cfg(test)]
mod tests;
