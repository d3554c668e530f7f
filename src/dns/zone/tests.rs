use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    catalog::{
        Catalog,
        fixture::{at, catalog, instance, many, node, on, passing, tagged},
    },
    config::{Prefer, Ttls},
    model::{Change, Instance, MemberState, NodeId, ServiceName, Status},
};

#[test]
fn a_service_has_the_addresses_of_what_is_healthy() {
    let zone = Tester::new([
        passing(instance("web", "a", &["10.0.0.5", "fd00::5"], 80)),
        on(1, instance("web", "b", &["10.0.0.6"], 80), Status::Warning),
        on(1, instance("web", "c", &["10.0.0.7"], 80), Status::Critical),
        passing(instance("db", "d", &["10.0.0.8"], 80)),
    ]);
    zone.check("web.service", RecordType::A, &["10.0.0.5", "10.0.0.6"]);
    zone.check("web.service", RecordType::AAAA, &["fd00::5"]);
}

#[test]
fn an_instance_without_addresses_is_found_at_its_node() {
    let zone = Tester::new([passing(instance("web", "a", &[], 80))]);
    zone.check("web.service", RecordType::A, &["10.0.0.1"]);
    zone.check(
        "web.service",
        RecordType::SRV,
        &["1 10 80 0a000001.addr.tidings.internal.", "1 10 80 fd000000000000000000000000000001.addr.tidings.internal."],
    );
}

#[test]
fn two_instances_at_one_address_make_one_record() {
    let zone = Tester::new([("a", 80), ("b", 80), ("c", 81)].map(|(id, port)| passing(instance("web", id, &["10.0.0.5"], port))));
    zone.check("web.service", RecordType::A, &["10.0.0.5"]);
    zone.check("web.service", RecordType::SRV, &["1 10 80 0a000005.addr.tidings.internal.", "1 10 81 0a000005.addr.tidings.internal."]);
    assert_eq!(zone.ask("web.service", RecordType::SRV).additionals.len(), 1);
}

#[test]
fn srv_targets_come_with_their_addresses() {
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5", "fd00::5"], 80))]);
    let answer = zone.ask("web.service", RecordType::SRV);
    let mut additionals: Vec<_> = answer.additionals.iter().map(|r| (r.name.to_ascii(), r.data.to_string(), r.ttl)).collect();
    additionals.sort();
    let expected = [
        ("0a000005.addr.tidings.internal.".to_owned(), "10.0.0.5".to_owned(), 0),
        ("fd000000000000000000000000000005.addr.tidings.internal.".to_owned(), "fd00::5".to_owned(), 0),
    ];
    assert_eq!(additionals, expected);
    zone.check("0a000005.addr", RecordType::A, &["10.0.0.5"]);
    zone.check("fd000000000000000000000000000005.addr", RecordType::AAAA, &["fd00::5"]);
}

#[test]
fn a_warning_lowers_the_weight_but_never_to_nothing() {
    let light = Instance { weight: 1, ..instance("light", "b", &["10.0.0.6"], 80) };
    let zone = Tester::new([on(1, instance("web", "a", &["10.0.0.5"], 80), Status::Warning), on(1, light, Status::Warning)]);
    zone.check("web.service", RecordType::SRV, &["1 2 80 0a000005.addr.tidings.internal."]);
    zone.check("light.service", RecordType::SRV, &["1 1 80 0a000006.addr.tidings.internal."]);
}

#[test]
fn a_tag_selects_in_whatever_case() {
    let zone = Tester::new([
        passing(tagged(instance("web", "a", &["10.0.0.5"], 80), &["V1", "x.y"])),
        passing(tagged(instance("web", "b", &["10.0.0.6"], 80), &["v2"])),
        passing(tagged(instance("db", "c", &["10.0.0.7"], 80), &["v3"])),
    ]);
    zone.check("v1.web.service", RecordType::A, &["10.0.0.5"]);
    zone.check("_web._v1.service", RecordType::SRV, &["1 10 80 0a000005.addr.tidings.internal."]);
    for unknown in ["v3.web.service", "_web._v3.service", "x.y.web.service"] {
        zone.check_outcome(unknown, RecordType::A, Outcome::NoSuchName);
    }
}

#[test]
fn a_protocol_selects_and_a_tag_called_tcp_does_not_confuse_it() {
    let dns = Instance { protocol: Protocol::Udp, ..tagged(instance("dns", "a", &["10.0.0.5"], 53), &["tcp"]) };
    let zone = Tester::new([passing(dns)]);
    zone.check("_dns._udp.service", RecordType::SRV, &["1 10 53 0a000005.addr.tidings.internal."]);
    zone.check_outcome("_dns._tcp.service", RecordType::SRV, Outcome::NoSuchName);
    zone.check("tcp.dns.service", RecordType::A, &["10.0.0.5"]);
}

#[test]
fn a_name_for_srv_alone_has_no_addresses() {
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    zone.check_nodata("_web._tcp.service", RecordType::A);
}

#[test]
fn a_name_with_nothing_healthy_is_nodata() {
    let zone = Tester::new([
        node(2, "gone", &["10.0.0.2"], MemberState::Down),
        node(3, "left", &["10.0.0.3"], MemberState::Left),
        on(1, tagged(instance("web", "a", &["10.0.0.5"], 80), &["v1"]), Status::Critical),
        on(2, instance("web", "b", &["10.0.0.6"], 80), Status::Passing),
        on(3, instance("web", "c", &["10.0.0.7"], 80), Status::Passing),
    ]);
    for name in ["web.service", "v1.web.service", "_web._tcp.service", "_web._v1.service"] {
        for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV, RecordType::TXT] {
            zone.check_nodata(name, kind);
        }
    }
}

#[test]
fn a_name_that_nothing_bears_does_not_exist() {
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    for name in ["db.service", "v1.web.service", "db-2.node", "0a000009.addr", "x", "_udp.service", "_v1.service", "_db._tcp.service"] {
        let answer = zone.check_outcome(name, RecordType::A, Outcome::NoSuchName);
        assert_soa(&answer, name);
    }
}

#[test]
fn what_is_above_names_is_there_with_nothing_of_its_own() {
    let zone = Tester::new([passing(tagged(instance("web", "a", &["10.0.0.5"], 80), &["V1"]))]);
    for name in ["service", "node", "addr", "_tcp.service", "_v1.service", ""] {
        zone.check_nodata(name, RecordType::A);
    }
}

#[test]
fn a_node_has_its_addresses_while_it_is_up() {
    let zone = Tester::new([
        node(2, "slow", &["10.0.0.2"], MemberState::Suspect),
        node(3, "back-soon", &["10.0.0.3"], MemberState::Restarting),
        node(4, "gone", &["10.0.0.4"], MemberState::Down),
        node(5, "left", &["10.0.0.5"], MemberState::Left),
    ]);
    zone.check("db-1.node", RecordType::A, &["10.0.0.1"]);
    zone.check("DB-1.node", RecordType::AAAA, &["fd00::1"]);
    zone.check("slow.node", RecordType::A, &["10.0.0.2"]);
    zone.check("back-soon.node", RecordType::A, &["10.0.0.3"]);
    for (name, kind) in
        [("db-1.node", RecordType::TXT), ("slow.node", RecordType::AAAA), ("gone.node", RecordType::A), ("left.node", RecordType::A)]
    {
        zone.check_nodata(name, kind);
    }
}

#[test]
fn the_domain_names_its_server_and_the_server_is_this_node() {
    let zone = Tester::new([]);
    zone.check("", RecordType::SOA, &["ns.tidings.internal. hostmaster.tidings.internal. 1 3600 600 86400 1"]);
    zone.check("", RecordType::NS, &["ns.tidings.internal."]);
    assert_eq!(zone.ask("", RecordType::NS).additionals.len(), 2);
    zone.check("ns", RecordType::A, &["10.0.0.1"]);
    zone.check("ns", RecordType::AAAA, &["fd00::1"]);
    zone.check_nodata("ns", RecordType::SOA);
}

#[test]
fn an_address_answers_for_its_own_family() {
    let zone = Tester::new([]);
    zone.check("0A000001.addr", RecordType::A, &["10.0.0.1"]);
    zone.check_nodata("0a000001.addr", RecordType::AAAA);
    zone.check_nodata("fd000000000000000000000000000001.addr", RecordType::A);
}

#[test]
fn until_it_is_ready_an_agent_denies_nothing_that_others_may_know() {
    let zone = Tester::new([
        Change::Ready(false),
        node(2, "gone", &["10.0.0.2"], MemberState::Down),
        passing(instance("web", "a", &["10.0.0.5"], 80)),
        on(1, instance("sick", "b", &["10.0.0.6"], 80), Status::Critical),
    ]);
    for unknown in
        ["db.service", "v1.web.service", "db-2.node", "0a000009.addr", "_v1.service", "_web._udp.service", "sick.service", "gone.node"]
    {
        let answer = zone.check_outcome(unknown, RecordType::A, Outcome::NotReady);
        assert!(answer.answers.is_empty() && answer.authorities.is_empty());
    }
    zone.check("web.service", RecordType::A, &["10.0.0.5"]);
    zone.check("db-1.node", RecordType::A, &["10.0.0.1"]);
    // Some resolvers fail a look-up of both families when one of them fails.
    zone.check_nodata("web.service", RecordType::AAAA);
    zone.check_outcome("no.such.place", RecordType::A, Outcome::NoSuchName);
}

#[test]
fn at_most_so_many_instances_are_drawn_anew_for_each_answer() {
    let zone = Tester::new(many(100));
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        let records = texts(&zone.ask_for("web.service", RecordType::A, 32, seed).answers);
        assert_eq!(records.len(), 32);
        seen.extend(records);
    }
    assert_eq!(seen.len(), 100, "over many answers each instance has its turn");
    zone.check_count("web.service", RecordType::A, usize::MAX, 100);
    zone.check_count("web.service", RecordType::SRV, 32, 32);
}

#[test]
fn the_draw_is_among_those_that_have_the_family_asked_for() {
    let zone = Tester::new(many(100).chain([passing(instance("web", "six", &["fd00::6"], 80))]));
    for seed in 0..20 {
        assert_eq!(texts(&zone.ask_for("web.service", RecordType::AAAA, 1, seed).answers), ["fd00::6"]);
    }
}

#[test]
fn the_order_is_shuffled() {
    let zone = Tester::new(many(8));
    let orders: BTreeSet<_> = (0..50).map(|seed| texts(&zone.ask_for("web.service", RecordType::A, 32, seed).answers)).collect();
    assert!(orders.len() > 25, "{} orders in 50 answers", orders.len());
}

#[test]
fn an_answer_never_outgrows_a_message() {
    let zone = Tester::new(many(5_000));
    let answer = zone.ask_for("web.service", RecordType::SRV, usize::MAX, 1);
    assert!(answer.answers.len() > 700, "{}", answer.answers.len());
    let octets = |records: &[Record]| {
        records.iter().map(|r| hickory_proto::serialize::binary::BinEncodable::to_bytes(r).unwrap().len()).sum::<usize>()
    };
    assert!(octets(&answer.answers) + octets(&answer.additionals) <= records::RECORD_OCTETS);
    assert!(zone.ask_for("web.service", RecordType::A, usize::MAX, 1).answers.len() > 1_200);
}

#[test]
fn what_comes_from_the_catalog_is_never_cached() {
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    for (name, kind) in
        [("web.service", RecordType::A), ("web.service", RecordType::SRV), ("db-1.node", RecordType::A), ("0a000005.addr", RecordType::A)]
    {
        assert!(zone.ask(name, kind).answers.iter().all(|record| record.ttl == 0), "{name}");
    }
}

#[test]
fn who_asks_for_everything_gets_one_small_record() {
    let zone = Tester::new([on(1, instance("web", "a", &["10.0.0.5"], 80), Status::Critical)]);
    for name in ["web.service", "db-1.node", "service", ""] {
        let answer = zone.check_outcome(name, RecordType::ANY, Outcome::Exists);
        assert!(matches!(&answer.answers[..], [Record { data: RData::HINFO(_), .. }]), "{answer:?}");
    }
    zone.check_outcome("db.service", RecordType::ANY, Outcome::NoSuchName);
}

#[test]
fn services_are_browsed_from_their_types_to_their_places() {
    let attributes = [("git", "abc"), ("path", "/x"), ("a=b", "left out")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let web = Instance { meta: attributes.into(), ..instance("web", "Web-1", &["10.0.0.5"], 80) };
    let dns = Instance { protocol: Protocol::Udp, ..instance("names", "n", &["10.0.0.6"], 53) };
    let zone = Tester::new([passing(web), passing(dns), on(1, instance("sick", "s", &[], 80), Status::Critical)]);
    zone.check("_services._dns-sd._udp", RecordType::PTR, &["_names._udp.tidings.internal.", "_web._tcp.tidings.internal."]);
    zone.check("_web._tcp", RecordType::PTR, &["Web-1\\@db-1._web._tcp.tidings.internal."]);
    zone.check("web-1@DB-1._web._tcp", RecordType::SRV, &["1 10 80 0a000005.addr.tidings.internal."]);
    zone.check("web-1@db-1._web._tcp", RecordType::TXT, &["git=abcpath=/x"]);
    // There has to be a string, if an empty one (RFC 6763, 6.1).
    zone.check("n@db-1._names._udp", RecordType::TXT, &[""]);
    for name in ["_dns-sd._udp", "_udp", "_tcp", "_web._tcp", "web-1@db-1._web._tcp"] {
        zone.check_nodata(name, RecordType::A);
    }
    for (name, kind) in [("_sick._tcp", RecordType::PTR), ("s@db-1._sick._tcp", RecordType::SRV), ("s@db-1._sick._tcp", RecordType::TXT)] {
        zone.check_nodata(name, kind);
    }
    for name in ["_web._udp", "_none._tcp", "web-2@db-1._web._tcp", "web-1@db-2._web._tcp", "x._services._dns-sd._udp"] {
        zone.check_outcome(name, RecordType::PTR, Outcome::NoSuchName);
    }
}

#[test]
fn an_instance_whose_names_are_too_long_for_a_label_is_found_by_a_short_one() {
    let long = "a".repeat(63);
    let zone =
        Tester::new([passing(instance("web", &long, &["10.0.0.5"], 80)), passing(instance(&"s".repeat(63), "b", &["10.0.0.6"], 80))]);
    let answer = zone.ask("_web._tcp", RecordType::PTR);
    let [Record { data: RData::PTR(target), .. }] = &answer.answers[..] else { panic!("{answer:?}") };
    assert_eq!(target.0.iter().next().unwrap().len(), 63);
    let name = target.0.to_ascii().replace('\\', "");
    let answer = zone.ask_whole(&name, RecordType::SRV, 1, 1);
    assert_eq!(texts(&answer.answers), ["1 10 80 0a000005.addr.tidings.internal."]);
    // A service of 63 octets has no name with an underscore before it.
    zone.check("_services._dns-sd._udp", RecordType::PTR, &["_web._tcp.tidings.internal."]);
}

#[test]
fn the_metadata_of_a_node_is_text() {
    let Change::Node(mut other) = node(2, "b", &["10.0.0.2"], MemberState::Alive) else { unreachable!() };
    let long = "x".repeat(300);
    Arc::make_mut(&mut other).info.meta = [("rack".to_owned(), "7".to_owned()), ("long".to_owned(), long.clone())].into();
    let zone = Tester::new([Change::Node(other)]);
    let answer = zone.ask("b.node", RecordType::TXT);
    let strings: Vec<Vec<usize>> = answer
        .answers
        .iter()
        .map(|record| match &record.data {
            RData::TXT(text) => text.txt_data.iter().map(|string| string.len()).collect(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(strings, [vec![255, 50], vec!["rack=7".len()]]);
    zone.check_nodata("db-1.node", RecordType::TXT);
}

#[test]
fn a_reverse_name_leads_to_the_node_or_to_the_name_of_the_address_and_others_are_not_denied() {
    let zone = Tester::new([
        node(2, "b", &["10.0.0.2"], MemberState::Alive),
        node(3, "gone", &["10.0.0.3"], MemberState::Down),
        passing(instance("web", "a", &["10.0.0.5"], 80)),
    ]);
    let ask = |name: &str, kind| zone.ask_whole(name, kind, 32, 0);
    for (name, target) in [
        ("2.0.0.10.in-addr.arpa.", "b.node.tidings.internal."),
        ("1.0.0.10.IN-ADDR.arpa.", "db-1.node.tidings.internal."),
        ("5.0.0.10.in-addr.arpa.", "0a000005.addr.tidings.internal."),
    ] {
        let answer = ask(name, RecordType::PTR);
        assert_eq!((answer.outcome, texts(&answer.answers)), (Outcome::Exists, vec![target.to_owned()]), "{name}");
        assert_eq!(ask(name, RecordType::A).outcome, Outcome::Outside);
    }
    for name in ["9.0.0.10.in-addr.arpa.", "10.in-addr.arpa.", "x.2.0.0.10.in-addr.arpa."] {
        assert_eq!(ask(name, RecordType::PTR).outcome, Outcome::Outside, "{name}");
    }
}

#[test]
fn a_second_domain_has_the_same_names_and_leads_to_its_own() {
    let alt_domain = Some(Domain::new("consul").unwrap());
    let zone = Tester::with(Names { alt_domain, ..Names::default() }, [passing(instance("web", "a", &["10.0.0.5"], 80))]);
    let answer = zone.ask_whole("web.service.consul.", RecordType::SRV, 32, 0);
    assert_eq!(texts(&answer.answers), ["1 10 80 0a000005.addr.consul."]);
    let answer = zone.ask_whole("no.service.consul.", RecordType::A, 32, 0);
    assert_eq!((answer.outcome, answer.authorities[0].name.to_ascii().as_str()), (Outcome::NoSuchName, "consul."));
    zone.check("web.service", RecordType::A, &["10.0.0.5"]);
    assert_eq!(zone.ask_whole("web.service.example.", RecordType::A, 32, 0).outcome, Outcome::Outside);
    // Below the other one: a name is in the domain that is nearest.
    let alt_domain = Some(Domain::new("old.tidings.internal").unwrap());
    let zone = Tester::with(Names { alt_domain, ..Names::default() }, [passing(instance("web", "a", &["10.0.0.5"], 80))]);
    assert_eq!(texts(&zone.ask_whole("web.service.old.tidings.internal.", RecordType::A, 32, 0).answers), ["10.0.0.5"]);
}

#[test]
fn a_ttl_is_that_of_the_service_else_that_of_all() {
    let ttls = Ttls { services: 5, service: [(ServiceName::new("web").unwrap(), 30)].into(), negative: 7 };
    let services = ["web", "db"].map(|service| passing(instance(service, service, &["10.0.0.5"], 80)));
    let zone = Tester::with(Names { ttls, ..Names::default() }, services);
    for (name, kind, ttl) in [
        ("web.service", RecordType::A, 30),
        ("_web._tcp.service", RecordType::SRV, 30),
        ("_web._tcp", RecordType::PTR, 30),
        ("db.service", RecordType::A, 5),
        ("db-1.node", RecordType::A, 0),
        ("0a000005.addr", RecordType::A, 0),
        ("", RecordType::NS, 7),
    ] {
        assert!(zone.ask(name, kind).answers.iter().all(|record| record.ttl == ttl), "{name} {kind}");
    }
    let answer = zone.ask("no.service", RecordType::A);
    assert!(matches!(&answer.authorities[..], [Record { ttl: 7, data: RData::SOA(soa), .. }] if soa.minimum == 7), "{answer:?}");
}

#[test]
fn those_that_are_near_come_first_where_that_is_wanted() {
    let here = |id: u64, name: &str, zone: &str| {
        let Change::Node(mut node) = node(id, name, &[&format!("10.0.0.{id}")], MemberState::Alive) else { unreachable!() };
        Arc::make_mut(&mut node).info.zone = Some(zone.parse().unwrap());
        Change::Node(node)
    };
    let nodes = [here(1, "db-1", "a"), here(2, "b", "a"), here(3, "c", "b")];
    let instances = (1..=3).flat_map(|owner| {
        (0..4).map(move |n| on(owner, instance("web", &format!("web-{n}"), &[&format!("10.{owner}.0.{n}")], 80), Status::Passing))
    });
    let changes: Vec<Change> = nodes.into_iter().chain(instances).collect();
    for (prefer, ranks) in [(Prefer::Node, [1, 2, 3]), (Prefer::Zone, [0, 0, 3]), (Prefer::None, [0, 0, 0])] {
        let zone = Tester::with(Names { prefer, ..Names::default() }, changes.iter().cloned());
        let mut orders = BTreeSet::new();
        for seed in 0..20 {
            let answers = texts(&zone.ask_for("web.service", RecordType::A, 12, seed).answers);
            let owners: Vec<usize> = answers.iter().map(|text| text.as_bytes()[3] as usize - usize::from(b'0')).collect();
            let by_rank: Vec<usize> = owners.iter().map(|owner| ranks[owner - 1]).collect();
            assert!(by_rank.is_sorted(), "{prefer}: {owners:?}");
            orders.insert(answers);
            let fewer = zone.ask_for("web.service", RecordType::A, 3, seed).answers.len();
            assert_eq!(fewer, 3);
        }
        assert!(orders.len() > 15, "shuffled within");
    }
}

/// Pearson's test that 10,000 look-ups, of which each client takes the first record, spread evenly over the instances.
#[test]
fn clients_spread_evenly_over_instances() {
    const LOOKUPS: u64 = 10_000;
    // More than one answer over UDP has, so that the draw counts, too.
    for (count, degrees_999) in [(3, 13.8), (10, 27.9), (50, 85.4)] {
        let zone = Tester::new(many(count));
        let mut times: BTreeMap<String, f64> = BTreeMap::new();
        for seed in 0..LOOKUPS {
            let first = texts(&zone.ask_for("web.service", RecordType::A, 32, seed).answers).swap_remove(0);
            *times.entry(first).or_default() += 1.0;
        }
        assert_eq!(times.len(), usize::from(count));
        let expected = LOOKUPS as f64 / f64::from(count);
        let square: f64 = times.values().map(|seen| (seen - expected).powi(2) / expected).sum();
        // The 99.9th percentile of chi-square with a degree of freedom less than there are instances.
        assert!(square < degrees_999, "{count}: {square} of {degrees_999}");
    }
}

#[test]
fn answers_repeat_the_case_of_the_question() {
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    assert_eq!(zone.ask("wEB.sErvice", RecordType::A).answers[0].name.to_ascii(), "wEB.sErvice.tidings.internal.");
}

#[test]
fn a_removed_service_is_gone_at_once() {
    let (mut publisher, catalog) = catalog([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    publisher.publish([Change::InstanceGone { node: NodeId(1), id: instance("web", "a", &[], 1).id }], at(2));
    let zone = Tester { zones: Zones::new(Names::default()), catalog };
    for name in ["web.service", "0a000005.addr", "_tcp.service"] {
        zone.check_outcome(name, RecordType::A, Outcome::NoSuchName);
    }
}

struct Tester {
    zones: Zones,
    catalog: Catalog,
}

impl Tester {
    fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        Tester::with(Names::default(), changes)
    }

    fn with(names: Names, changes: impl IntoIterator<Item = Change>) -> Self {
        Tester { zones: Zones::new(names), catalog: catalog(changes).1 }
    }

    fn ask(&self, name: &str, kind: RecordType) -> Answer {
        self.ask_for(name, kind, 32, 0)
    }

    fn ask_for(&self, name: &str, kind: RecordType, instances: usize, seed: u64) -> Answer {
        let full = if name.is_empty() { "tidings.internal.".to_owned() } else { format!("{name}.tidings.internal.") };
        self.ask_whole(&full, kind, instances, seed)
    }

    fn ask_whole(&self, name: &str, kind: RecordType, instances: usize, seed: u64) -> Answer {
        let labels = name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
        let question = Question { name: &Name::from_labels(labels).unwrap(), wanted: Wanted { kind, instances, octets: usize::MAX } };
        self.zones.answer(&self.catalog.load(), question, &mut StdRng::seed_from_u64(seed))
    }

    /// The answer has these records, in whatever order.
    fn check(&self, name: &str, kind: RecordType, data: &[&str]) {
        let answer = self.check_outcome(name, kind, Outcome::Exists);
        let mut texts = texts(&answer.answers);
        texts.sort();
        assert_eq!(texts, data, "{name} {kind}");
        assert!(answer.answers.iter().all(|record| record.record_type() == kind));
        assert!(answer.authorities.is_empty());
    }

    fn check_count(&self, name: &str, kind: RecordType, instances: usize, count: usize) {
        assert_eq!(self.ask_for(name, kind, instances, 0).answers.len(), count, "{name} {kind}");
    }

    fn check_nodata(&self, name: &str, kind: RecordType) {
        let answer = self.check_outcome(name, kind, Outcome::Exists);
        assert!(answer.answers.is_empty(), "{name} {kind}: {answer:?}");
        assert_soa(&answer, name);
    }

    fn check_outcome(&self, name: &str, kind: RecordType, outcome: Outcome) -> Answer {
        let answer = self.ask(name, kind);
        assert_eq!(answer.outcome, outcome, "{name} {kind}");
        answer
    }
}

fn assert_soa(answer: &Answer, name: &str) {
    let [Record { name: owner, ttl: 1, data: RData::SOA(soa), .. }] = &answer.authorities[..] else {
        panic!("{name}: no SOA in {answer:?}");
    };
    assert_eq!((owner.to_ascii().as_str(), soa.minimum), ("tidings.internal.", 1));
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.data.to_string()).collect()
}
