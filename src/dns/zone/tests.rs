use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    catalog::{
        Catalog,
        fixture::{at, catalog, instance, many, node, on, passing, tagged},
    },
    model::{Change, Instance, MemberState, NodeId, Protocol, Status},
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
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5"], 80)), passing(instance("web", "b", &["10.0.0.5"], 81))]);
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
    assert!(octets(&answer.answers) + octets(&answer.additionals) <= RECORD_OCTETS);
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
fn answers_repeat_the_case_of_the_question() {
    let zone = Tester::new([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    assert_eq!(zone.ask("wEB.sErvice", RecordType::A).answers[0].name.to_ascii(), "wEB.sErvice.tidings.internal.");
}

#[test]
fn a_removed_service_is_gone_at_once() {
    let (mut publisher, catalog) = catalog([passing(instance("web", "a", &["10.0.0.5"], 80))]);
    publisher.publish([Change::InstanceGone { node: NodeId(1), id: instance("web", "a", &[], 1).id }], at(2));
    let zone = Tester { zone: Zone::new(Domain::default()), catalog };
    for name in ["web.service", "0a000005.addr", "_tcp.service"] {
        zone.check_outcome(name, RecordType::A, Outcome::NoSuchName);
    }
}

struct Tester {
    zone: Zone,
    catalog: Catalog,
}

impl Tester {
    fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        Tester { zone: Zone::new(Domain::default()), catalog: catalog(changes).1 }
    }

    fn ask(&self, name: &str, kind: RecordType) -> Answer {
        self.ask_for(name, kind, 32, 0)
    }

    fn ask_for(&self, name: &str, kind: RecordType, instances: usize, seed: u64) -> Answer {
        let full = if name.is_empty() { "tidings.internal.".to_owned() } else { format!("{name}.tidings.internal.") };
        let question = Question { name: &Name::from_ascii(full).unwrap(), kind, instances };
        self.zone.answer(&self.catalog.load(), question, &mut StdRng::seed_from_u64(seed))
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
