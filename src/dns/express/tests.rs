use std::sync::Arc;

use hickory_proto::{
    op::{Edns, Message, Query},
    rr::{DNSClass, Name, RData},
    serialize::binary::BinEncodable,
};
use hickory_server::net::xfer::Protocol;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    catalog::fixture::{catalog, instance, many, node, on, passing, tagged},
    config::{Names, Prefer, Ttls},
    dns::handler::{Handler, UDP_INSTANCES},
    metrics::DnsMetrics,
    model::{Change, Domain, MemberState, ServiceName, Status},
};

#[test]
fn what_is_plain_is_read_and_nothing_else() {
    let plain = |change: fn(&mut Message)| {
        let mut message = query("web.service.tidings.internal.", RecordType::A, None);
        change(&mut message);
        let octets = message.to_bytes().unwrap();
        Plain::read(&octets).is_some()
    };
    for change in [
        (|_| {}) as fn(&mut Message),
        |m| m.metadata.recursion_desired = false,
        |m| m.metadata.checking_disabled = true,
        |m| m.metadata.authentic_data = true,
        |m| m.queries[0].query_type = RecordType::SRV,
        |m| m.queries[0].query_type = RecordType::AAAA,
        |m| m.edns = Some(Edns::new()),
    ] {
        assert!(plain(change));
    }
    for change in [
        (|m| m.metadata.authoritative = true) as fn(&mut Message),
        |m| m.metadata.truncation = true,
        |m| m.metadata.op_code = hickory_proto::op::OpCode::Notify,
        |m| m.metadata.message_type = hickory_proto::op::MessageType::Response,
        |m| m.queries[0].query_type = RecordType::ANY,
        |m| m.queries[0].query_class = DNSClass::CH,
        |m| m.queries.clear(),
        |m| m.queries.push(m.queries[0].clone()),
        |m| m.edns = Some(Edns::new().set_version(1).clone()),
        |m| {
            let mut edns = Edns::new();
            edns.options_mut().insert(hickory_proto::rr::rdata::opt::EdnsOption::Unknown(10, vec![1; 8]));
            m.edns = Some(edns);
        },
    ] {
        assert!(!plain(change));
    }
    let octets = query("web.service.tidings.internal.", RecordType::A, None).to_bytes().unwrap();
    assert!(Plain::read(&[&octets[..], &[0]].concat()).is_none(), "octets behind it");
    assert!((0..octets.len()).all(|length| Plain::read(&octets[..length]).is_none()), "cut");
}

#[test]
fn a_reply_has_the_octets_that_the_rfcs_say() {
    let (_, catalog) = catalog([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    let octets = query("wEb.service.tidings.internal.", RecordType::A, Some((1_232, true))).to_bytes().unwrap();
    let mut reply = [0; UDP_PAYLOAD as usize];
    let zones = Zones::new(Names::default());
    let length = answer(&zones, &catalog.load(), &Plain::read(&octets).unwrap(), 32, &mut StdRng::seed_from_u64(1), &mut reply).unwrap();
    let expected = [
        &b"\x12\x34\x85\x00\x00\x01\x00\x01\x00\x00\x00\x01"[..],
        b"\x03wEb\x07service\x07tidings\x08internal\x00\x00\x01\x00\x01",
        b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x0a\x00\x00\x05",
        b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00",
    ]
    .concat();
    assert_eq!(reply[..length], expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn both_ways_say_the_same(world in world(), asked in asked(), seed in any::<u64>()) {
        check_equal(&world, &asked, seed)?;
    }
}

#[test]
fn both_ways_say_the_same_of_many_instances() {
    for count in [1, 9, 22, 24, 33, 200] {
        let world = World { names: Names::default(), changes: many(count).collect() };
        for (kind, payload) in
            [(RecordType::A, None), (RecordType::SRV, None), (RecordType::SRV, Some((1_232, false))), (RecordType::A, Some((600, false)))]
        {
            let asked = Asked { name: "web.service.tidings.internal.".into(), kind, edns: payload };
            (0..20).for_each(|seed| check_equal(&world, &asked, seed).unwrap());
        }
    }
}

#[test]
fn a_plain_query_takes_no_memory() {
    let few = (0..3).map(|n| passing(tagged(instance("few", &format!("few-{n}"), &[&format!("10.1.0.{n}"), "fd00::5"], 80), &["v1"])));
    let sick = on(1, instance("sick", "a", &["10.0.0.5"], 80), Status::Critical);
    let (_publisher, catalog) = catalog(many(100).chain(few).chain([sick]));
    let handler = Handler::new(Names::default(), catalog, DnsMetrics::unread());
    let from = "127.0.0.1:5353".parse().unwrap();
    let mut room = [0; UDP_PAYLOAD as usize];
    let kinds = [RecordType::A, RecordType::AAAA, RecordType::SRV];
    let names = [
        "web.service",
        "few.service",
        "v1.few.service",
        "_few._tcp.service",
        "sick.service",
        "none.service",
        "db-1.node",
        "0a010001.addr",
        "x.y.z",
    ];
    for (name, kind) in names.into_iter().flat_map(|name| kinds.map(|kind| (name, kind))) {
        let octets = query(&format!("{name}.tidings.internal."), kind, Some((1_232, false))).to_bytes().unwrap();
        // What the thread has once, it has from the first time on.
        handler.packet(&octets, from, &mut room);
        let taken = allocation_counter::measure(|| {
            for _ in 0..100 {
                assert!(matches!(handler.packet(&octets, from, &mut room), crate::dns::handler::Said::Reply(_)));
            }
        });
        assert_eq!(taken.count_total, 0, "{name} {kind}");
    }
}

/// Holds the express way against the full one.
fn check_equal(world: &World, asked: &Asked, seed: u64) -> Result<(), TestCaseError> {
    let (_, catalog) = catalog(world.changes.iter().cloned());
    let labels = asked.name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
    let name = Name::from_labels(labels).expect("a name");
    let octets = query_for(name, asked.kind, asked.edns).to_bytes().unwrap();
    let plain = Plain::read(&octets).expect("it is plain");
    let mut room = [0; UDP_PAYLOAD as usize];
    let zones = Zones::new(world.names.clone());
    let express = answer(&zones, &catalog.load(), &plain, UDP_INSTANCES, &mut StdRng::seed_from_u64(seed), &mut room);
    let handler = Handler::new(world.names.clone(), catalog, DnsMetrics::unread());
    let Some(full) = handler.drawing(octets.clone(), Protocol::Udp, &mut StdRng::seed_from_u64(seed)) else {
        prop_assert!(express.is_none() && zones.forwards(), "the full way leaves {} to others", asked.name);
        return Ok(());
    };
    let full = Message::from_vec(&full).unwrap();
    let Some(length) = express else {
        let elsewhere = [ResponseCode::ServFail, ResponseCode::Refused];
        prop_assert!(elsewhere.contains(&full.metadata.response_code), "{} is answered by the full way: {full}", asked.name);
        return Ok(());
    };
    let limit = asked.edns.map_or(512, |(payload, _)| usize::from(payload.clamp(512, 1_232)));
    prop_assert!(length <= limit, "{length} octets where {limit} are taken");
    prop_assert_eq!(&room[HEADER..plain.head.len()], &octets[HEADER..plain.head.len()], "the question as it came");
    let express = Message::from_vec(&room[..length]).unwrap();
    prop_assert_eq!(&express.queries, &full.queries);
    prop_assert_eq!(express.edns.is_some(), full.edns.is_some());
    if let (Some(express), Some(full)) = (&express.edns, &full.edns) {
        prop_assert_eq!((express.max_payload(), express.flags().dnssec_ok), (full.max_payload(), full.flags().dnssec_ok));
    }
    // The express way writes shorter names, so that more may fit.
    if full.metadata.truncation && !express.metadata.truncation {
        return Ok(());
    }
    prop_assert_eq!(express.metadata, full.metadata);
    let (express_answers, full_answers) = (records(&express.answers), records(&full.answers));
    let many = matches!(asked.kind, RecordType::A | RecordType::AAAA) && express_answers.len() > 1;
    let fewer = many && limit - length < 2 * 28 && express_answers.len() - full_answers.len() <= 4;
    prop_assert_eq!(&express_answers[..full_answers.len()], &full_answers[..]);
    prop_assert!(fewer || express_answers.len() == full_answers.len(), "{} and {} records", express_answers.len(), full_answers.len());
    prop_assert_eq!(records(&express.authorities), records(&full.authorities));
    if !(full.additionals.is_empty() && limit < 2 * length) {
        prop_assert_eq!(records(&express.additionals), records(&full.additionals));
    }
    Ok(())
}

/// In lower case: a name may be a pointer to one that the client wrote in another way.
fn records(records: &[hickory_proto::rr::Record]) -> Vec<(String, u32, RData)> {
    records.iter().map(|record| (record.name.to_ascii().to_lowercase(), record.ttl, record.data.clone())).collect()
}

#[derive(Debug)]
struct World {
    names: Names,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Asked {
    name: String,
    kind: RecordType,
    edns: Option<(u16, bool)>,
}

const SERVICES: [&str; 3] = ["web", "db", "x"];
const TAGS: [&str; 2] = ["v1", "V2"];

fn world() -> impl Strategy<Value = World> {
    let state = prop_oneof![4 => Just(MemberState::Alive), 1 => Just(MemberState::Down), 1 => Just(MemberState::Left), 1 => Just(MemberState::Suspect)];
    let zone = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    let nodes = proptest::collection::vec((state, zone, any::<bool>()), 0..4);
    let place = prop_oneof![Just(vec![]), Just(vec!["10.0.9.1"]), Just(vec!["10.0.9.2", "fd00::9"]), Just(vec!["fd00::7"])];
    let status = prop_oneof![3 => Just(Status::Passing), 1 => Just(Status::Warning), 1 => Just(Status::Critical)];
    let placed = (1..6_u64, 0..SERVICES.len(), 0..30_usize, place, status, 0..3_usize, any::<bool>());
    let instances = proptest::collection::vec(placed, 0..40);
    let names = (any::<(bool, bool)>(), 0..40_u32, prop_oneof![Just(Prefer::None), Just(Prefer::Zone), Just(Prefer::Node)]);
    (nodes, instances, names, prop::bool::weighted(0.9)).prop_map(|(nodes, instances, ((alt, forwards), ttl, prefer), ready)| {
        let mut changes = vec![Change::Ready(ready)];
        for (n, (state, zone, two)) in (2..).zip(nodes) {
            let addresses = [format!("10.0.0.{n}"), format!("fd00::{n}")];
            let addresses: Vec<&str> = addresses.iter().take(1 + usize::from(two)).map(String::as_str).collect();
            let Change::Node(mut change) = node(n, &format!("n{n}"), &addresses, state) else { unreachable!() };
            Arc::make_mut(&mut change).info.zone = zone.map(|zone| zone.parse().unwrap());
            changes.push(Change::Node(change));
        }
        for (owner, service, id, addresses, status, tag, udp) in instances {
            let mut made = instance(SERVICES[service], &format!("i{id}"), &addresses, 80 + u16::try_from(id).unwrap());
            made = tagged(made, &TAGS[..tag]);
            made.protocol = if udp { crate::model::Protocol::Udp } else { crate::model::Protocol::Tcp };
            changes.push(on(owner, made, status));
        }
        let ttls = Ttls { services: ttl, service: [(ServiceName::new("db").unwrap(), 7)].into(), negative: 1 + ttl };
        let alt_domain = alt.then(|| Domain::new("alt.example").unwrap());
        let upstreams = if forwards { vec![crate::config::Upstream::OfHost] } else { vec![] };
        World { names: Names { alt_domain, ttls, prefer, upstreams, ..Names::default() }, changes }
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let name = prop_oneof![
        8 => prop::sample::select(vec![
            "web.service", "WEB.Service", "v1.web.service", "v2.db.service", "_web._tcp.service", "_db._udp.service", "_x._v2.service", "_tcp.service",
            "none.service", "service", "db-1.node", "n2.node", "n3.node", "n9.node", "0a000901.addr", "fd000000000000000000000000000007.addr", "0a0000ff.addr",
            "ns", "@", "_services._dns-sd._udp", "_web._tcp", "i1@db-1._web._tcp", "a.b.c.d.e",
        ])
        .prop_map(str::to_owned),
        1 => "[a-z0-9_.-]{1,40}",
    ];
    let domain =
        prop::sample::select(vec!["tidings.internal.", "Tidings.INTERNAL.", "alt.example.", "example.com.", "1.0.0.10.in-addr.arpa."]);
    let kind = prop::sample::select(vec![RecordType::A, RecordType::AAAA, RecordType::SRV]);
    let edns = prop_oneof![Just(None), (prop::sample::select(vec![0, 512, 700, 1_232, 4_096]), any::<bool>()).prop_map(Some)];
    (name, domain, kind, edns).prop_map(|(name, domain, kind, edns)| {
        let name = if name == "@" { domain.to_owned() } else { format!("{name}.{domain}") };
        Asked { name, kind, edns }
    })
}

fn query(name: &str, kind: RecordType, edns: Option<(u16, bool)>) -> Message {
    query_for(Name::from_ascii(name).unwrap(), kind, edns)
}

fn query_for(name: Name, kind: RecordType, edns: Option<(u16, bool)>) -> Message {
    let mut message = Message::query();
    message.metadata.id = 0x1234;
    message.metadata.recursion_desired = true;
    message.queries.push(Query::query(name, kind));
    message.edns = edns.map(|(payload, dnssec_ok)| {
        let mut edns = Edns::new();
        edns.set_max_payload(payload);
        edns.set_dnssec_ok(dnssec_ok);
        edns
    });
    message
}
