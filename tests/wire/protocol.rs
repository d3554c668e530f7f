//! Single claims about what a core says to a peer, of which some are strangers to the protocol.

use std::time::Duration;

use tidings::{
    core::io::Event,
    model::{Change, Command, InstanceId, Life, NodeId, Registration},
    wire::{
        Identity,
        envelope::{Carrier, Envelope},
        message::{
            Buckets, Digest, DigestBeacon, GraveEntry, Graves, Have, Hello, Message as _, Owners, Push, Standing, Want, What, WireLive,
            kind,
        },
    },
};

use super::{
    mangler::{framed, grave, packet, refusal, test_cluster, unframed},
    pair::{Carried, Pair, address, instance, node},
};

#[test]
fn what_could_not_be_applied_is_asked_for() {
    let life = Life { generation: 1, nonce: 2 };
    let status_of_something_unknown = push(life, 90, What::Status { of: 89, status: vec![0] });
    let of_a_life_above_the_members = push(Life { generation: 2, nonce: 2 }, 1, What::Gone);
    for push in [status_of_something_unknown, of_a_life_above_the_members] {
        let mut pair = Pair::new(1);
        pair.connects = Default::default();
        pair.inject(0, &datagram(kind::PUSH, &push.to_bytes()));
        pair.run(Duration::from_millis(250));
        assert_eq!(pair.connects[0], [address(1)], "{push:?}");
    }
}

#[test]
fn a_push_with_a_base_or_an_id_that_nobody_may_have_is_dropped() {
    let life = Life { generation: 1, nonce: 2 };
    let mut pair = Pair::new(2);
    let digest = pair.cores[0].digest();
    for base in [0, 3_000, u64::MAX] {
        let push = Push { base, ..push(life, 50, What::Definition { definition: vec![1], status: vec![1] }) };
        pair.inject(0, &datagram(kind::PUSH, &push.to_bytes()));
    }
    let push = Push { id: "x".repeat(300), ..push(life, 50, What::Definition { definition: vec![1], status: vec![1] }) };
    pair.inject(0, &datagram(kind::PUSH, &push.to_bytes()));
    assert_eq!(pair.cores[0].digest(), digest);
}

#[test]
fn each_step_of_a_conversation_is_gone_through_once() {
    let mut pair = Pair::new(3);
    let hello = hello(&pair, 1);
    let buckets = framed(kind::BUCKETS, &Buckets { owners: vec![(9, 9)] }.to_bytes());
    let owners = framed(kind::OWNERS, &Owners { owners: vec![([8; 8], [1; 16])], more: false }.to_bytes());
    let once = pair.converse(0, &[hello.clone(), buckets.clone(), owners.clone()]);
    assert!(kinds(&once).contains(&kind::MEMBERS) && kinds(&once).contains(&kind::WANT), "{:?}", kinds(&once));
    for again in [&hello, &buckets, &owners] {
        let steps = [hello.clone(), buckets.clone(), owners.clone(), again.clone(), framed(kind::WANTS_END, &[])];
        assert_eq!(kinds(&pair.converse(0, &steps)), kinds(&once), "the conversation is over");
    }
}

#[test]
fn agents_that_differ_in_graves_alone_tell_each_other() {
    let mut pair = Pair::new(9);
    let hello = hello(&pair, 1);
    pair.converse(0, &[hello, grave(77)]);
    assert!(!pair.are_equal());
    pair.run(Duration::from_secs(5));
    assert!(pair.are_equal() && pair.cores[1].digest().graves != 0);
}

#[test]
fn an_answer_to_what_nobody_asked_changes_nothing() {
    let mut pair = Pair::new(4);
    let before = pair.cores[0].digest();
    let end = Some((1_000, WireLive::List(vec![])));
    let life = Life { generation: 1, nonce: 2 }.into();
    let have = Have { request: 7, node: node(1).0.to_be_bytes(), life, base: 1, from: 0, slots: vec![], end, digest: [0; 16] };
    let hello = hello(&pair, 1);
    pair.converse(0, &[hello, framed(kind::HAVE, &have.to_bytes())]);
    assert_eq!(pair.cores[0].digest(), before);
}

#[test]
fn an_answer_comes_in_parts_that_fit_a_frame_and_ends_with_what_lives() {
    let mut pair = Pair::new(5);
    let mut large = instance("large");
    for n in 0..12 {
        large.meta.insert(format!("key-{n}"), "x".repeat(500));
    }
    for n in 0..40 {
        large.id = InstanceId::new(&format!("large-{n}")).unwrap();
        pair.command(0, Command::Register(Registration::plain(large.clone()))).expect("is taken");
    }
    let want = Want { request: 7, node: node(0).0.to_be_bytes(), shown: None, next: None };
    let hello = hello(&pair, 1);
    let said = pair.converse(0, &[hello, framed(kind::WANT, &want.to_bytes())]);
    let haves: Vec<Have> = said
        .iter()
        .flat_map(|bytes| unframed(bytes))
        .filter(|(kind, _)| *kind == kind::HAVE)
        .map(|(_, body)| Have::from_bytes(&body).unwrap())
        .collect();
    assert!(haves.len() > 4, "{}", haves.len());
    assert!(haves[..haves.len() - 1].iter().all(|have| have.end.is_none()) && haves.last().unwrap().end.is_some());
    assert_eq!(haves.iter().map(|have| have.slots.len()).sum::<usize>(), 42);
    pair.run(Duration::from_secs(3));
    assert!(pair.are_equal());
}

#[test]
fn a_newcomer_with_a_taken_name_and_one_of_another_version_are_told_why() {
    let mut pair = Pair::new(6);
    let stranger = Identity::new(([10, 9, 9, 9], 1).into(), NodeId(77), Life { generation: 1, nonce: 1 });
    let newcomer = |name: &str, lowest| Hello {
        cluster: "test".into(),
        lowest,
        highest: lowest,
        from: stranger,
        name: name.into(),
        digest: Digest::default(),
        standing: Standing::Newcomer,
    };
    for (hello, told) in [(newcomer("n1", 1), "10.0.0.2:8746"), (newcomer("new", 9), "9 to 9")] {
        let said = pair.converse(0, &[framed(kind::HELLO, &hello.to_bytes())]);
        let refusal = refusal(&said).expect("is refused");
        assert!(refusal.detail.contains(told), "{refusal:?}");
    }
    assert!(pair.changes[0].iter().all(|change| !matches!(change, Change::Node(node) if node.id == NodeId(77))));
}

#[test]
fn the_buried_are_not_answered_by_datagram_but_told_by_stream() {
    let mut pair = Pair::new(9);
    (pair.events, pair.connects) = Default::default();
    let before = pair.identity(1);
    let graves = Graves { graves: vec![GraveEntry { node: node(1).0.to_be_bytes(), generation: 1, seconds: 60 }] };
    let hello = hello(&pair, 1);
    pair.converse(0, &[hello, framed(kind::GRAVES, &graves.to_bytes())]);
    assert!(pair.changes[0].iter().any(|change| matches!(change, Change::NodeGone(gone) if *gone == node(1))), "it was up");
    (pair.events, pair.connects) = Default::default();
    let header = foca::Header { src: before, src_incarnation: 0, dst: pair.identity(0), message: foca::Message::Ping(1) };
    pair.inject(0, &datagram(kind::FOCA, &packet(header, &[])));
    assert!(matches!(pair.events[0][..], [Event::Dropped { reason: "buried", .. }]), "{:?}", pair.events[0]);
    assert_eq!(pair.connects[0], [address(1)]);
    let mut datagrams = 0;
    pair.run_through(Duration::from_millis(2), &mut |from, carried| {
        datagrams += usize::from(from == 0 && matches!(carried, Carried::Datagram(_)));
        vec![carried]
    });
    assert_eq!(datagrams, 0);
    pair.run(Duration::from_secs(5));
    assert!(pair.are_equal() && pair.identity(1).life().generation == 2 && pair.identity(0).life().generation == 1);
    let climbs = |end: usize| pair.events[end].iter().filter(|event| matches!(event, Event::Climbed { .. })).count();
    assert_eq!([climbs(0), climbs(1)], [0, 1]);
}

#[test]
fn two_under_one_id_do_not_tell_each_other_so_as_fast_as_the_network_goes() {
    let mut pair = Pair::new(8);
    let later = Identity::new(([10, 9, 9, 9], 1).into(), node(1), Life { generation: 9, nonce: 1 });
    let header = foca::Header { src: later, src_incarnation: 0, dst: pair.identity(0), message: foca::Message::Gossip };
    pair.inject(0, &datagram(kind::FOCA, &packet(header, &[])));
    let mut datagrams = 0;
    pair.run_through(Duration::from_secs(20), &mut |_, carried| {
        datagrams += 1;
        vec![carried]
    });
    // It climbs above the other, or renews its identity, whichever it hears of first.
    let returns = pair.events[1].iter().filter(|event| matches!(event, Event::Rejoined | Event::Climbed { .. })).count();
    assert!((1..=5).contains(&returns) && datagrams < 500, "{returns} returns, {datagrams} datagrams and frames");
}

#[test]
fn a_digest_of_somebody_unknown_is_no_reason_to_sync() {
    let mut pair = Pair::new(7);
    let stranger = Identity::new(([10, 9, 9, 9], 1).into(), NodeId(77), Life { generation: 1, nonce: 1 });
    (pair.connects, pair.events) = Default::default();
    pair.run(Duration::from_secs(1));
    pair.inject(0, &datagram(kind::DIGEST, &DigestBeacon { from: stranger, digest: 1 }.to_bytes()));
    assert!(pair.connects[0].is_empty() && !pair.events[0].iter().any(|event| matches!(event, Event::Internal(_))));
}

fn push(life: Life, version: u64, what: What) -> Push {
    Push { age_ms: 7, node: node(1).0.to_be_bytes(), life: life.into(), base: 1, version, kind: 1, id: "unknown".into(), what }
}

fn datagram(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut envelope = Envelope::new(Carrier::Datagram, test_cluster());
    assert!(envelope.push(kind, body));
    envelope.into_bytes()
}

/// What `from` would say, of a digest that differs.
fn hello(pair: &Pair, from: usize) -> Vec<u8> {
    let hello = Hello {
        cluster: "test".into(),
        lowest: 1,
        highest: 1,
        from: pair.identity(from),
        name: format!("n{from}"),
        digest: Digest { members: 1, owners: 1, graves: 1 },
        standing: Standing::Member,
    };
    framed(kind::HELLO, &hello.to_bytes())
}

fn kinds(said: &[Vec<u8>]) -> Vec<u8> {
    said.iter().flat_map(|bytes| unframed(bytes)).map(|(kind, _)| kind).collect()
}
