//! What there is at a name: from a snapshot and a meaning to what is to be said, before it is put into records. Pure: the snapshot and the
//! randomness are handed in. Plain queries find it without memory of their own.
//!
//! A name exists while anything bears it, whatever its health: one with nothing to hand out is NODATA, not NXDOMAIN (RFC 2308).

use std::{collections::BTreeMap, net::IpAddr};

use hickory_proto::rr::RecordType;
use rand::Rng;

use super::{
    distinct::Distinct,
    draw::{Draw, Rank},
    name::{Meaning, Selector},
};
use crate::{
    catalog::{NodeEntry, Row, Snapshot},
    config::{Prefer, Ttls},
    model::Protocol,
};

/// Seconds that what comes from the catalog may be cached, where nobody set it: not at all, so that the next look-up sees a failure.
const LIVE_TTL: u32 = 0;

/// Octets of a label (RFC 1035, 2.3.4).
const LABEL: usize = 63;

/// What is asked for, and how much of it is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The type asked for.
    pub(super) kind: RecordType,
    /// Instances in the answer at most; which, is drawn anew for each.
    pub(super) instances: usize,
    /// Octets that there are for the answer. Of many addresses as many are given as fit, by design and without a word: they serve as well as all.
    pub(super) octets: usize,
}

/// What there is at a name.
pub(super) enum Found<'a> {
    /// It can't exist, whatever peers know.
    Never,
    /// It is not in what this agent knows.
    Unknown,
    /// It exists, but nothing of what was asked for may be handed out.
    Withheld,
    /// It exists, and has nothing of the type asked for.
    Empty,
    /// These, at the name asked for.
    Addresses(Distinct<IpAddr>, u32),
    /// SRV records of these.
    Offers(Distinct<Offer>, u32),
    /// PTR records to these names.
    Pointers(Vec<Target<'a>>, u32),
    /// The metadata of a node: a TXT record for each pair.
    NodeText(&'a BTreeMap<String, String>),
    /// The metadata of an instance: one TXT record (RFC 6763, 6).
    InstanceText(&'a BTreeMap<String, String>, u32),
    /// The SOA of the domain.
    Authority,
    /// Its name server.
    NameServer,
    /// This is not the one to ask.
    Outside,
}

/// Where an instance is, and its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offer {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// The weight of its SRV record.
    pub(super) weight: u16,
}

/// A name that a PTR record leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// `_NAME._tcp`.
    Type(&'a str, Protocol),
    /// `LABEL._NAME._tcp`.
    Advertised(String, &'a str, Protocol),
    /// `NAME.node`.
    Node(&'a str),
    /// `HEX.addr`.
    Address(IpAddr),
}

/// What there is at a name of this meaning.
pub(super) fn find<'a>(
    snapshot: &'a Snapshot,
    meaning: Meaning<'a>,
    wanted: Wanted,
    ttls: &Ttls,
    prefer: Prefer,
    rng: &mut impl Rng,
) -> Found<'a> {
    let instances = |service, of: &dyn Fn(&Row) -> bool, types: &[RecordType], rng| {
        instances(snapshot, service, of, types, wanted, ttls.of(service), prefer, rng)
    };
    match meaning {
        Meaning::Outside => Found::Outside,
        Meaning::Nothing => Found::Never,
        Meaning::Branch => Found::Empty,
        Meaning::Apex if wanted.kind == RecordType::SOA => Found::Authority,
        Meaning::Apex if wanted.kind == RecordType::NS => Found::NameServer,
        Meaning::Apex => Found::Empty,
        Meaning::NameServer => addresses(local_addresses(snapshot), wanted.kind, LIVE_TTL),
        Meaning::Node(name) => node(snapshot, name, wanted.kind),
        Meaning::Address(address) if snapshot.has_address(address) => addresses(&[address], wanted.kind, LIVE_TTL),
        Meaning::Address(_) => Found::Unknown,
        Meaning::OfferBranch(Selector::Protocol(protocol)) => there_if(snapshot.has_protocol(protocol)),
        Meaning::OfferBranch(Selector::Tag(tag)) => there_if(snapshot.has_tag(tag)),
        Meaning::Service { service, tag: None } => instances(service, &|_| true, &HOST_TYPES, rng),
        Meaning::Service { service, tag: Some(tag) } => instances(service, &|row| has_tag(row, tag), &HOST_TYPES, rng),
        Meaning::Offer { service, selector: Selector::Protocol(protocol) } => {
            instances(service, &|row| row.protocol == protocol, &[RecordType::SRV], rng)
        }
        Meaning::Offer { service, selector: Selector::Tag(tag) } => instances(service, &|row| has_tag(row, tag), &[RecordType::SRV], rng),
        Meaning::Types => types(snapshot, wanted),
        Meaning::Type { service, protocol } => instances(service, &|row| row.protocol == protocol, &[RecordType::PTR], rng),
        Meaning::Advertised { label, service, protocol } => advertised(snapshot, label, service, protocol, wanted, ttls.of(service)),
        Meaning::Reverse(address) => reverse(snapshot, address, wanted.kind),
    }
}

/// The types that the name of a service has.
const HOST_TYPES: [RecordType; 3] = [RecordType::A, RecordType::AAAA, RecordType::SRV];

fn there_if(exists: bool) -> Found<'static> {
    if exists { Found::Empty } else { Found::Unknown }
}

fn has_tag(row: &Row, tag: &str) -> bool {
    row.entry.instance.tags.iter().any(|known| known.matches(tag))
}

/// True when this type of record is the one for the address.
pub(super) fn is_of(kind: RecordType, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => kind == RecordType::A,
        IpAddr::V6(_) => kind == RecordType::AAAA,
    }
}

fn addresses<'i>(all: impl IntoIterator<Item = &'i IpAddr>, kind: RecordType, ttl: u32) -> Found<'static> {
    let of_kind: Distinct<IpAddr> = all.into_iter().copied().filter(|address| is_of(kind, *address)).collect();
    if of_kind.is_empty() { Found::Empty } else { Found::Addresses(of_kind, ttl) }
}

/// The addresses of this agent's node.
pub(super) fn local_addresses(snapshot: &Snapshot) -> &[IpAddr] {
    snapshot.node(snapshot.local).map_or(&[], |entry| &entry.node.info.addresses)
}

/// The instances of a service that `of` is true of, of one of the types that their name has.
#[expect(clippy::too_many_arguments, reason = "it is one sentence of find, which would have to be said four times")]
fn instances<'a>(
    snapshot: &'a Snapshot,
    service: &str,
    of: &dyn Fn(&Row) -> bool,
    types: &[RecordType],
    wanted: Wanted,
    ttl: u32,
    prefer: Prefer,
    rng: &mut impl Rng,
) -> Found<'a> {
    let mut all = rows(snapshot, service).iter().filter(|row| of(row));
    if !types.contains(&wanted.kind) {
        return there_if(all.next().is_some());
    }
    let (mut exists, mut healthy) = (false, false);
    let mut draw = Draw::new(wanted.instances, rng);
    for row in all {
        exists = true;
        let Some(owner) = snapshot.node(row.node).filter(|owner| row.is_handed_out(owner)) else { continue };
        healthy = true;
        // Before the draw: else a few instances of one family could lose it to many of the other.
        if matches!(wanted.kind, RecordType::A | RecordType::AAAA) && !row.addresses(owner).iter().any(|ip| is_of(wanted.kind, *ip)) {
            continue;
        }
        draw.add((owner, row), Rank::of(owner, snapshot, prefer));
    }
    match (exists, healthy) {
        (false, _) => return Found::Unknown,
        (true, false) => return Found::Withheld,
        (true, true) => {}
    }
    let drawn = draw.end();
    match wanted.kind {
        RecordType::SRV => Found::Offers(drawn.flat_map(offers).collect(), ttl),
        RecordType::PTR => Found::Pointers(drawn.map(|(owner, row)| pointer(owner, row)).collect(), ttl),
        kind => addresses(drawn.flat_map(|(owner, row)| row.addresses(owner)), kind, ttl),
    }
}

/// One for each address: two instances at one place make one record, as no set of records has one twice (RFC 2181, 5).
fn offers<'a>((owner, row): (&'a NodeEntry, &'a Row)) -> impl Iterator<Item = Offer> {
    row.addresses(owner).iter().map(|address| Offer { address: *address, port: row.port, weight: row.share })
}

fn pointer<'a>(owner: &NodeEntry, row: &'a Row) -> Target<'a> {
    Target::Advertised(advertised_label(owner, row), row.entry.instance.service.as_str(), row.protocol)
}

/// The instances of a service, whose name is in lower case.
fn rows<'a>(snapshot: &'a Snapshot, service: &str) -> &'a [Row] {
    snapshot.service(service).map_or(&[], |service| service.rows())
}

/// The label of an instance where services are browsed: its id and its node, which together are unique. Where that is longer than a label,
/// what fits of it with a hash of it all.
pub(super) fn advertised_label(owner: &NodeEntry, row: &Row) -> String {
    let text = format!("{}@{}", row.entry.instance.id, owner.node.info.name);
    if text.len() <= LABEL {
        return text;
    }
    let mark = format!("~{:08x}", crc32fast::hash(text.as_bytes()));
    format!("{}{mark}", &text[..LABEL - mark.len()])
}

/// An instance at the label that it has where services are browsed.
fn advertised<'a>(snapshot: &'a Snapshot, label: &str, service: &str, protocol: Protocol, wanted: Wanted, ttl: u32) -> Found<'a> {
    let known = rows(snapshot, service).iter().filter_map(|row| Some((snapshot.node(row.node)?, row)));
    let named = known.filter(|(_, row)| row.protocol == protocol);
    let mut named = named.filter(|(owner, row)| advertised_label(owner, row).eq_ignore_ascii_case(label));
    let Some((owner, row)) = named.next() else { return Found::Unknown };
    match wanted.kind {
        RecordType::SRV | RecordType::TXT if !row.is_handed_out(owner) => Found::Withheld,
        RecordType::SRV => Found::Offers(offers((owner, row)).collect(), ttl),
        RecordType::TXT => Found::InstanceText(&row.entry.instance.meta, ttl),
        _ => Found::Empty,
    }
}

/// The types of services that have something to hand out.
fn types(snapshot: &Snapshot, wanted: Wanted) -> Found<'_> {
    if wanted.kind != RecordType::PTR {
        return Found::Empty;
    }
    let mut targets = Vec::new();
    // A name of 63 octets leaves no room for the underscore, and is not found this way.
    for (name, instances) in snapshot.services().filter(|(name, _)| name.as_str().len() < LABEL) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let healthy = |row: &Row| row.protocol == protocol && snapshot.node(row.node).is_some_and(|owner| row.is_handed_out(owner));
            if instances.rows().iter().any(healthy) {
                targets.push(Target::Type(name.as_str(), protocol));
            }
        }
    }
    if targets.is_empty() { Found::Withheld } else { Found::Pointers(targets, LIVE_TTL) }
}

/// The node that holds the name, while it is up: what a node that is gone had may be another's now.
fn node<'a>(snapshot: &'a Snapshot, name: &str, kind: RecordType) -> Found<'a> {
    match snapshot.holder(name) {
        None => Found::Unknown,
        Some(_) if !matches!(kind, RecordType::A | RecordType::AAAA | RecordType::TXT) => Found::Empty,
        Some(holder) if !holder.node.state.is_up() => Found::Withheld,
        Some(holder) if kind == RecordType::TXT && holder.node.info.meta.is_empty() => Found::Empty,
        Some(holder) if kind == RecordType::TXT => Found::NodeText(&holder.node.info.meta),
        Some(holder) => addresses(&holder.node.info.addresses, kind, LIVE_TTL),
    }
}

/// The names that lead to an address. What is not known here is somebody else's to deny: the reverse names of a network are many people's.
fn reverse(snapshot: &Snapshot, address: IpAddr, kind: RecordType) -> Found<'_> {
    if kind != RecordType::PTR || !snapshot.has_address(address) {
        return Found::Outside;
    }
    let up = snapshot.nodes().filter(|entry| entry.node.state.is_up() && entry.node.info.addresses.contains(&address));
    let held = up.filter(|entry| snapshot.holder(entry.node.info.name.as_str()).is_some_and(|holder| holder.node.id == entry.node.id));
    let mut targets: Vec<_> = held.map(|entry| Target::Node(entry.node.info.name.as_str())).collect();
    if targets.is_empty() {
        targets.push(Target::Address(address));
    }
    Found::Pointers(targets, LIVE_TTL)
}
