//! Spoils what is on the wire: bits, lengths, order, and single fields of messages that are otherwise well formed.

use foca::{Codec as _, Header, Member};
use rand::{RngExt as _, rngs::StdRng};

use tidings::wire::{
    Identity,
    codec::{FocaCodec, state_from_wire},
    envelope::{self, Carrier, ClusterTag, Envelope},
    frame, limits,
    message::{
        DigestBeacon, GraveEntry, Graves, Have, Hello, Members, Message as _, Owners, Probe, ProbeAck, ProbeReport, Push, Refuse, Want,
        Watch, WireSlot, kind,
    },
};

use super::{
    messages::{self, number},
    pair::Carried,
    readers::{flipped, foca_message},
};

/// What arrives instead of what was sent.
pub(super) fn mangle(rng: &mut StdRng, sender: Identity, receiver: Identity, carried: Carried) -> Vec<Carried> {
    match rng.random_range(0..10) {
        0 => vec![],
        1 => vec![carried.clone(), carried],
        2 => vec![map(carried, |bytes| flipped(rng, bytes))],
        3 => vec![map(carried, |mut bytes| {
            bytes.truncate(rng.random_range(0..=bytes.len()));
            bytes
        })],
        4 => vec![map(carried, |bytes| [bytes, (0..rng.random_range(0..30)).map(|_| rng.random()).collect()].concat())],
        _ => vec![rewrite(rng, sender, receiver, carried)],
    }
}

fn map(carried: Carried, f: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Carried {
    match carried {
        Carried::Datagram(bytes) => Carried::Datagram(f(bytes)),
        Carried::Frame(bytes) => Carried::Frame(f(bytes)),
    }
}

/// The same envelope, with one message in it rewritten, and now and then one more.
fn rewrite(rng: &mut StdRng, sender: Identity, receiver: Identity, carried: Carried) -> Carried {
    let (carrier, envelope) = match &carried {
        Carried::Datagram(bytes) => (Carrier::Datagram, &bytes[..]),
        Carried::Frame(bytes) => (Carrier::Frame, &bytes[4..]),
    };
    let Ok((cluster, messages)) = envelope::open(carrier, envelope) else {
        return carried;
    };
    let mut rewritten = Envelope::new(carrier, cluster);
    let at = rng.random_range(0..messages.len().max(1));
    for (n, (kind, body)) in messages.iter().enumerate() {
        let body = if n == at { spoil(rng, sender, receiver, *kind, body) } else { body.to_vec() };
        rewritten.push(*kind, &body);
    }
    if rng.random_bool(0.2) {
        let (kind, body) = stray(rng, sender, receiver);
        rewritten.push(kind, &body);
    }
    match carrier {
        Carrier::Datagram => Carried::Datagram(rewritten.into_bytes()),
        Carrier::Frame => Carried::Frame(frame::encode(&rewritten.into_bytes())),
    }
}

/// Another body for a message: one field of it changed where it can be read, else anything.
fn spoil(rng: &mut StdRng, sender: Identity, receiver: Identity, kind: u8, body: &[u8]) -> Vec<u8> {
    let spoilt = match kind {
        kind::FOCA => Some(foca_packet(rng, sender, receiver)),
        kind::DIGEST => DigestBeacon::from_bytes(body).ok().map(|mut beacon| {
            beacon.digest = number(rng);
            beacon.to_bytes()
        }),
        kind::PUSH => Push::from_bytes(body).ok().map(|push| spoil_push(rng, push).to_bytes()),
        kind::HELLO => Hello::from_bytes(body).ok().map(|mut hello| {
            match rng.random_range(0..5) {
                0 => hello.from = messages::identity(rng),
                1 => hello.name = "n0".into(),
                2 => hello.standing = messages::standing(rng),
                3 => hello.digest.owners = number(rng),
                _ => hello.highest = number(rng) as u16,
            }
            hello.to_bytes()
        }),
        kind::MEMBERS => Members::from_bytes(body).ok().map(|mut members| {
            members.members.push(messages::member(rng));
            members.to_bytes()
        }),
        kind::OWNERS => Owners::from_bytes(body).ok().map(|mut owners| {
            owners.owners.push((messages::node(rng), rng.random()));
            owners.more = rng.random_bool(0.2);
            owners.to_bytes()
        }),
        kind::WANT => Want::from_bytes(body).ok().map(|mut want| {
            match rng.random_range(0..4) {
                0 => want.node = messages::node(rng),
                1 => (want.shown, want.next) = (want.next, want.shown),
                2 => want.shown = None,
                _ => want.shown.iter_mut().for_each(|part| part.complete = number(rng)),
            }
            want.to_bytes()
        }),
        kind::HAVE => Have::from_bytes(body).ok().map(|have| spoil_have(rng, have).to_bytes()),
        kind::PROBE => Probe::from_bytes(body).ok().map(|probe| Probe { to: rng.random(), ..probe }.to_bytes()),
        kind::PROBE_ACK => ProbeAck::from_bytes(body).ok().map(|ack| {
            let instead = if rng.random() { messages::identity(rng) } else { sender };
            ProbeAck { instead: Some(instead), digest: rng.random(), ..ack }.to_bytes()
        }),
        kind::PROBE_REPORT => {
            ProbeReport::from_bytes(body).ok().map(|report| ProbeReport { found: messages::found(rng), ..report }.to_bytes())
        }
        kind::WATCH => Watch::from_bytes(body).ok().map(|watch| Watch { from: messages::identity(rng), ..watch }.to_bytes()),
        _ => None,
    };
    spoilt.unwrap_or_else(|| stray(rng, sender, receiver).1)
}

fn spoil_push(rng: &mut StdRng, mut push: Push) -> Push {
    match rng.random_range(0..7) {
        0 => push.node = messages::node(rng),
        1 => push.life = messages::life(rng),
        2 => push.base = number(rng),
        3 => push.version = number(rng),
        4 => push.kind = rng.random_range(0..4),
        5 => push.id = messages::text(rng),
        _ => push.what = messages::push(rng).what,
    }
    push
}

fn spoil_have(rng: &mut StdRng, mut have: Have) -> Have {
    match rng.random_range(0..9) {
        0 => have.life = messages::life(rng),
        1 => have.base = number(rng),
        2 => have.from = number(rng),
        3 => have.end = Some((number(rng), messages::live(rng))),
        7 => have.digest = rng.random(),
        4 => have.end = None,
        5 => have.slots.push((rng.random_range(0..4), messages::text(rng), messages::slot(rng))),
        6 => have.slots.truncate(1),
        _ => {
            for (_, _, slot) in &mut have.slots {
                match slot {
                    WireSlot::Live { d, .. } => *d = number(rng),
                    WireSlot::Gone { r } => *r = number(rng),
                }
            }
        }
    }
    have
}

/// A message that has no place here.
fn stray(rng: &mut StdRng, sender: Identity, receiver: Identity) -> (u8, Vec<u8>) {
    match rng.random_range(0..20) {
        0 => (kind::FOCA, foca_packet(rng, sender, receiver)),
        1 => (kind::DIGEST, messages::beacon(rng).to_bytes()),
        2 => (kind::PUSH, messages::push(rng).to_bytes()),
        3 => (kind::HELLO, messages::hello(rng).to_bytes()),
        4 => (kind::REFUSE, messages::refuse(rng).to_bytes()),
        5 => (kind::BUCKETS, messages::buckets(rng).to_bytes()),
        6 => (kind::MEMBERS, messages::members(rng).to_bytes()),
        7 => (kind::GRAVES, messages::graves(rng).to_bytes()),
        8 => (kind::OWNERS, messages::owners(rng).to_bytes()),
        9 => (kind::WANT, messages::want(rng).to_bytes()),
        10 => (kind::HAVE, messages::have(rng).to_bytes()),
        11 => (kind::WANTS_END, vec![]),
        12 => (kind::HAVES_END, vec![]),
        13 => (kind::PROBE, messages::probe(rng).to_bytes()),
        14 => (kind::PROBE_ACK, messages::probe_ack(rng).to_bytes()),
        15 => (kind::PROBE_REQUEST, messages::probe_request(rng).to_bytes()),
        16 => (kind::PROBE_REPORT, messages::probe_report(rng).to_bytes()),
        17 => (kind::WATCH, messages::watch(rng).to_bytes()),
        18 => (kind::WATCH_END, vec![]),
        _ => (rng.random(), (0..rng.random_range(0..60)).map(|_| rng.random()).collect()),
    }
}

/// A packet of foca's to somebody who reads it, with updates about anybody: the receiver, the sender, strangers.
fn foca_packet(rng: &mut StdRng, sender: Identity, receiver: Identity) -> Vec<u8> {
    let one_of = |rng: &mut StdRng| match rng.random_range(0..4) {
        0 => sender,
        1 => receiver,
        2 => {
            let identity = if rng.random() { sender } else { receiver };
            identity.with_rejoin(number(rng) as u16)
        }
        _ => messages::identity(rng),
    };
    let src = if rng.random_bool(0.8) { sender } else { one_of(rng) };
    let mut message = foca_message(rng);
    if let foca::Message::PingReq { target, .. } | foca::Message::ForwardedAck { origin: target, .. } = &mut message
        && rng.random()
    {
        *target = one_of(rng);
    }
    let header = Header { src, src_incarnation: number(rng) as u16, dst: receiver, message };
    let updates = (0..rng.random_range(0..5)).map(|_| {
        let state = state_from_wire(rng.random_range(0..3)).expect("a state");
        Member::new(one_of(rng), number(rng) as u16, state)
    });
    packet(header, &updates.collect::<Vec<_>>())
}

/// A packet of foca's, with updates.
pub(super) fn packet(header: Header<Identity>, updates: &[Member<Identity>]) -> Vec<u8> {
    let mut codec = FocaCodec::new(header.src).0;
    let mut bytes = vec![];
    codec.encode_header(&header, &mut bytes).expect("memory takes it");
    bytes.extend((updates.len() as u16).to_be_bytes());
    for member in updates {
        codec.encode_member(member, &mut bytes).expect("memory takes it");
    }
    bytes
}

/// A datagram with a message that has no place there.
pub(super) fn stray_datagram(rng: &mut StdRng, cluster: ClusterTag, sender: Identity, receiver: Identity) -> Vec<u8> {
    let mut envelope = Envelope::new(Carrier::Datagram, cluster);
    let (kind, body) = stray(rng, sender, receiver);
    envelope.push(kind, &body);
    envelope.into_bytes()
}

/// A grave for somebody, as deep as can be.
pub(super) fn grave(of: u64) -> Vec<u8> {
    let graves = Graves { graves: vec![GraveEntry { node: of.to_be_bytes(), generation: u32::MAX, seconds: u32::MAX }] };
    framed(kind::GRAVES, &graves.to_bytes())
}

/// One message in a frame of cluster `test`.
pub(super) fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut envelope = Envelope::new(Carrier::Frame, test_cluster());
    assert!(envelope.push(kind, body) && envelope.len() <= limits::FRAME_OCTETS);
    frame::encode(&envelope.into_bytes())
}

pub(super) fn test_cluster() -> ClusterTag {
    ClusterTag::of(&tidings::model::ClusterName::new("test").expect("a name"))
}

/// The messages in a frame.
pub(super) fn unframed(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (_, messages) = envelope::open(Carrier::Frame, &bytes[4..]).expect("a frame of ours");
    messages.into_iter().map(|(kind, body)| (kind, body.to_vec())).collect()
}

/// Refused, as text.
pub(super) fn refusal(said: &[Vec<u8>]) -> Option<Refuse> {
    said.iter()
        .flat_map(|bytes| unframed(bytes))
        .find(|(kind, _)| *kind == kind::REFUSE)
        .and_then(|(_, body)| Refuse::from_bytes(&body).ok())
}
