//! Random messages, with a liking for the ends of what a number can be.

use rand::{RngExt as _, rngs::StdRng};

use tidings::{
    model::{Life, NodeId},
    wire::{
        Identity,
        message::{
            Buckets, Digest, DigestBeacon, Found, GraveEntry, Graves, Have, Hello, MemberEntry, Members, Owners, Probe, ProbeAck,
            ProbeReport, ProbeRequest, Push, Refuse, RefuseCode, Standing, Want, WantPart, Watch, What, WireLife, WireLive, WireSlot,
        },
    },
};

/// Node ids that occur: so that messages speak of nodes that are there.
pub(super) const NODES: [u64; 4] = [1, 2, 3, u64::MAX];

pub(super) fn number(rng: &mut StdRng) -> u64 {
    match rng.random_range(0..8) {
        0 => u64::MAX - rng.random_range(0..3),
        1 => 1 << rng.random_range(0..64),
        2 => rng.random(),
        _ => rng.random_range(0..12),
    }
}

fn list<T>(rng: &mut StdRng, of: impl Fn(&mut StdRng) -> T) -> Vec<T> {
    (0..rng.random_range(0..6)).map(|_| of(rng)).collect()
}

fn bytes(rng: &mut StdRng) -> Vec<u8> {
    let length = if rng.random_bool(0.05) { rng.random_range(0..10_000) } else { rng.random_range(0..20) };
    (0..length).map(|_| rng.random()).collect()
}

pub(super) fn text(rng: &mut StdRng) -> String {
    match rng.random_range(0..6) {
        0 => String::new(),
        1 => "web-1".into(),
        2 => "x".repeat(rng.random_range(0..400)),
        _ => (0..rng.random_range(0..8)).map(|_| rng.random::<char>()).collect(),
    }
}

pub(super) fn node(rng: &mut StdRng) -> [u8; 8] {
    NODES[rng.random_range(0..NODES.len())].to_be_bytes()
}

pub(super) fn life(rng: &mut StdRng) -> WireLife {
    Life { generation: number(rng) as u32, nonce: number(rng) }.into()
}

pub(super) fn identity(rng: &mut StdRng) -> Identity {
    let ip: [u8; 16] = rng.random();
    let address = if rng.random_bool(0.5) { ([ip[0], ip[1], ip[2], ip[3]], 8746).into() } else { (ip, 1).into() };
    let node = NodeId(u64::from_be_bytes(node(rng)));
    Identity::new(address, node, Life::from(life(rng))).with_rejoin(number(rng) as u16)
}

pub(super) fn beacon(rng: &mut StdRng) -> DigestBeacon {
    DigestBeacon { from: identity(rng), digest: number(rng) }
}

pub(super) fn probe(rng: &mut StdRng) -> Probe {
    Probe { to: rng.random(), nonce: rng.random(), suspected: rng.random() }
}

pub(super) fn probe_ack(rng: &mut StdRng) -> ProbeAck {
    let instead = rng.random_bool(0.3).then(|| identity(rng));
    ProbeAck { nonce: rng.random(), digest: rng.random(), instead }
}

pub(super) fn probe_request(rng: &mut StdRng) -> ProbeRequest {
    ProbeRequest { node: node(rng), to: rng.random(), nonce: rng.random() }
}

pub(super) fn probe_report(rng: &mut StdRng) -> ProbeReport {
    ProbeReport { nonce: rng.random(), found: found(rng) }
}

pub(super) fn found(rng: &mut StdRng) -> Found {
    let all = [Found::Answered, Found::Silent, Found::Refused, Found::Stalled, Found::Excused];
    all[rng.random_range(0..all.len())]
}

pub(super) fn watch(rng: &mut StdRng) -> Watch {
    Watch { from: identity(rng), to: rng.random() }
}

pub(super) fn push(rng: &mut StdRng) -> Push {
    let what = match rng.random_range(0..3) {
        0 => What::Definition { definition: bytes(rng), status: bytes(rng) },
        1 => What::Status { of: number(rng), status: bytes(rng) },
        _ => What::Gone,
    };
    Push {
        age_ms: rng.random_range(0..100_000),
        node: node(rng),
        life: life(rng),
        base: number(rng),
        version: number(rng),
        kind: rng.random_range(0..4),
        id: text(rng),
        what,
    }
}

pub(super) fn hello(rng: &mut StdRng) -> Hello {
    Hello {
        cluster: text(rng),
        lowest: number(rng) as u16,
        highest: number(rng) as u16,
        from: identity(rng),
        name: text(rng),
        digest: Digest { members: number(rng), owners: number(rng), graves: number(rng) },
        standing: standing(rng),
    }
}

pub(super) fn standing(rng: &mut StdRng) -> Standing {
    let by = list(rng, |rng| identity(rng).address());
    [Standing::Newcomer, Standing::Member, Standing::KeptOut(by)][rng.random_range(0..3)].clone()
}

pub(super) fn refuse(rng: &mut StdRng) -> Refuse {
    let codes = [RefuseCode::Cluster, RefuseCode::Version, RefuseCode::NameTaken, RefuseCode::Busy, RefuseCode::Leaving, RefuseCode::Full];
    Refuse { code: codes[rng.random_range(0..codes.len())], detail: text(rng) }
}

pub(super) fn buckets(rng: &mut StdRng) -> Buckets {
    Buckets { owners: list(rng, |rng| (rng.random(), number(rng))) }
}

pub(super) fn member(rng: &mut StdRng) -> MemberEntry {
    MemberEntry { identity: identity(rng), incarnation: number(rng) as u16, state: rng.random_range(0..4), grace_ms: number(rng) as u32 }
}

pub(super) fn members(rng: &mut StdRng) -> Members {
    Members { members: list(rng, member) }
}

pub(super) fn graves(rng: &mut StdRng) -> Graves {
    Graves { graves: list(rng, |rng| GraveEntry { node: node(rng), generation: number(rng) as u32, seconds: number(rng) as u32 }) }
}

pub(super) fn owners(rng: &mut StdRng) -> Owners {
    Owners { owners: list(rng, |rng| (node(rng), rng.random())), more: rng.random_bool(0.3) }
}

fn want_part(rng: &mut StdRng) -> WantPart {
    WantPart { life: life(rng), complete: number(rng), definitions: rng.random() }
}

pub(super) fn want(rng: &mut StdRng) -> Want {
    let shown = rng.random_bool(0.7).then(|| want_part(rng));
    let next = rng.random_bool(0.3).then(|| want_part(rng));
    Want { request: rng.random(), node: node(rng), shown, next }
}

pub(super) fn slot(rng: &mut StdRng) -> WireSlot {
    if rng.random_bool(0.7) {
        WireSlot::Live { d: number(rng), s: number(rng), definition: bytes(rng), status: bytes(rng) }
    } else {
        WireSlot::Gone { r: number(rng) }
    }
}

pub(super) fn live(rng: &mut StdRng) -> WireLive {
    if rng.random_bool(0.5) { WireLive::Same(rng.random()) } else { WireLive::List(list(rng, number)) }
}

pub(super) fn have(rng: &mut StdRng) -> Have {
    Have {
        request: rng.random(),
        node: node(rng),
        life: life(rng),
        base: number(rng),
        from: number(rng),
        slots: list(rng, |rng| (rng.random_range(0..4), text(rng), slot(rng))),
        end: rng.random_bool(0.7).then(|| (number(rng), live(rng))),
        digest: rng.random(),
    }
}
