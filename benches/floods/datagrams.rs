//! Floods of datagrams.

use std::{
    net::{SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tidings::{
    model::ClusterName,
    wire::{
        envelope::{Carrier, ClusterTag, Envelope},
        message::{Message as _, Probe, kind},
    },
};

use super::flood::Sent;

/// That are sent in a second, if the machine can.
const RATE: u64 = 100_000;
/// After so long it is looked whether as many were sent.
const STEP: Duration = Duration::from_millis(1);
/// Different ones that are sent in turn.
const DIFFERENT: usize = 256;

/// Sends these, over and over.
#[expect(clippy::disallowed_methods, reason = "a flood has a rate and goes by the clock")]
pub(crate) fn send(to: SocketAddr, datagrams: &[Vec<u8>], sent: &Sent) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.connect(to).expect("UDP connects to anything");
    let begun = Instant::now();
    let (mut count, mut next) = (0, datagrams.iter().cycle());
    while !sent.is_over() {
        let due = begun.elapsed().as_micros() as u64 * RATE / 1_000_000;
        let now = due.saturating_sub(count).min(RATE / 100);
        for datagram in next.by_ref().take(now as usize) {
            // What the kernel does not take is as good as lost.
            let _ = socket.send(datagram);
        }
        // What could not be sent in time is not made up for.
        count = due;
        sent.add(now);
        thread::sleep(STEP);
    }
}

fn different(make: impl Fn(&mut StdRng) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut rng = StdRng::seed_from_u64(1);
    (0..DIFFERENT).map(|_| make(&mut rng)).collect()
}

fn octets(rng: &mut StdRng, most: usize) -> Vec<u8> {
    (0..rng.random_range(0..most)).map(|_| rng.random()).collect()
}

pub(crate) fn noise() -> Vec<Vec<u8>> {
    different(|rng| octets(rng, 1_200))
}

fn head() -> Envelope {
    Envelope::new(Carrier::Datagram, ClusterTag::of(&ClusterName::new("bench").expect("a name")))
}

pub(crate) fn wrong_bodies() -> Vec<Vec<u8>> {
    different(|rng| [head().into_bytes(), octets(rng, 1_200)].concat())
}

pub(crate) fn probes() -> Vec<Vec<u8>> {
    different(|rng| {
        let mut envelope = head();
        let probe = Probe { to: rng.random(), nonce: rng.random(), suspected: true };
        assert!(envelope.push(kind::PROBE, &probe.to_bytes()));
        envelope.into_bytes()
    })
}

/// A question for a name that is there, with the bit that makes it an answer.
pub(crate) fn answers() -> Vec<Vec<u8>> {
    let answer = b"\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x07service\x07tidings\x08internal\x00\x00\x01\x00\x01";
    vec![answer.to_vec()]
}
