//! What a datagram that anybody may have forged can have an agent send: no more than it was itself, so that nobody's traffic grows by an agent.

use std::net::SocketAddr;

use foca::{Header, Message as FocaMessage};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use tidings::{
    core::io::{Event, Input, Output},
    keyring::{Key, Keyring},
    model::{Life, NodeId, encryption::Mode},
    wire::{
        Identity,
        envelope::{Carrier, Envelope},
        limits,
        message::{Message as _, Probe, ProbeRequest, kind},
        seal::Seal,
    },
};

use super::{
    mangler::{packet, stray_datagram, test_cluster},
    messages,
    pair::{Pair, address},
    readers::foca_message,
};

/// Octets of IP and UDP before each payload.
const HEADERS: usize = 28;

#[test]
fn a_stranger_gets_no_more_than_it_sent_and_a_member_one_full_datagram() {
    let mut answered = 0;
    for seed in 0..200 {
        let rng = &mut StdRng::seed_from_u64(seed);
        // One datagram each: whom foca was told of is a member from then on.
        let mut pair = Pair::new(seed);
        let forged = forged(rng, &pair);
        let answers = answers(&mut pair, &forged);
        let to_strangers: usize = answers.iter().filter(|(to, _)| *to != address(1)).map(|(_, octets)| octets).sum();
        let all: usize = answers.iter().map(|(_, octets)| octets).sum();
        answered += usize::from(to_strangers > 0);
        assert!(to_strangers <= forged.len() + HEADERS, "seed {seed}: {answers:?} for {} octets", forged.len());
        assert!(all <= (limits::DATAGRAM_OCTETS + HEADERS).max(forged.len() + HEADERS), "seed {seed}: {answers:?}");
    }
    assert!(answered > 20, "strangers are answered now and then: {answered}");
}

#[test]
fn a_probe_is_answered_octet_for_octet_and_many_in_one_datagram_are_not_all_answered() {
    let mut pair = Pair::new(1);
    let probe = |nonce: u8| Probe { to: pair.identity(0).short().to_be_bytes(), nonce: [nonce; 4], suspected: false };
    let one = datagram(&[(kind::PROBE, probe(1).to_bytes())]);
    let many = datagram(&(0..100).map(|nonce| (kind::PROBE, probe(nonce).to_bytes())).collect::<Vec<_>>());
    assert_eq!(answers(&mut pair, &one), [(stranger(), one.len() + HEADERS)]);
    let answered = answers(&mut pair, &many);
    assert!(answered.len() > 10 && answered.iter().map(|(_, octets)| octets).sum::<usize>() <= many.len() + HEADERS, "{}", answered.len());
    assert!(pair.events[0].iter().any(|event| matches!(event, Event::Dropped { reason: "more_than_asked", .. })), "and that is counted");
}

#[test]
fn with_encryption_required_what_is_not_encrypted_gets_no_answer_at_all() {
    let key = Key::new("5".parse().unwrap(), [7; 32]);
    let seal = Seal::new(Mode::Require, &Keyring::new(vec![key]).unwrap());
    let rng = &mut StdRng::seed_from_u64(1);
    let mut pair = Pair::new(1);
    pair.cores[0].handle(pair.now, Input::Seal { seal, shown: Default::default() });
    answers(&mut pair, b"");
    for _ in 0..2_000 {
        let forged = forged(rng, &pair);
        assert_eq!(answers(&mut pair, &forged), []);
    }
}

fn stranger() -> SocketAddr {
    ([192, 0, 2, 9], 4_000).into()
}

/// A datagram that makes sense, from a member, or from somebody who says that it is one, or wants to be.
fn forged(rng: &mut StdRng, pair: &Pair) -> Vec<u8> {
    let to = pair.identity(0);
    let nobody = Identity::new((rng.random::<[u8; 4]>(), 4_000).into(), NodeId(rng.random()), Life { generation: 1, nonce: 1 });
    let from = if rng.random() { pair.identity(1) } else { nobody };
    match rng.random_range(0..4) {
        0 => stray_datagram(rng, test_cluster(), from, to),
        1 => {
            let request = ProbeRequest { node: from.node().0.to_be_bytes(), to: from.short().to_be_bytes(), nonce: rng.random() };
            datagram(&vec![(kind::PROBE_REQUEST, request.to_bytes()); rng.random_range(1..50)])
        }
        2 => datagram(&(0..rng.random_range(1..100)).map(|_| (kind::PROBE, messages::probe(rng).to_bytes())).collect::<Vec<_>>()),
        _ => {
            let mut message = foca_message(rng);
            if let FocaMessage::PingReq { target, .. } = &mut message {
                *target = nobody;
            }
            datagram(&[(kind::FOCA, packet(Header { src: from, src_incarnation: rng.random_range(0..2), dst: to, message }, &[]))])
        }
    }
}

fn datagram(messages: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut envelope = Envelope::new(Carrier::Datagram, test_cluster());
    for (kind, body) in messages {
        envelope.push(*kind, body);
    }
    envelope.into_bytes()
}

/// What is sent at once for a datagram, headers counted, and to whom.
fn answers(pair: &mut Pair, bytes: &[u8]) -> Vec<(SocketAddr, usize)> {
    let core = &mut pair.cores[0];
    core.handle(pair.now, Input::Datagram { from: stranger(), bytes });
    let mut answers = Vec::new();
    while let Some(output) = core.poll_output() {
        match output {
            Output::Datagram { to, bytes } => answers.push((to, bytes.len() + HEADERS)),
            Output::Event(event) => pair.events[0].push(event),
            _ => {}
        }
    }
    answers
}
