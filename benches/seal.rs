//! Measures what it costs to seal and to open a datagram, beside what other ciphers take for as many octets in the same run.
//!
//! ```sh
//! cargo bench --bench seal
//! ```
//!
//! The ciphers take turns, round by round, and of each the fastest round counts: on a machine that others use, too, only the ratios mean something.
//! Tidings' column is all that is done to a datagram at the edge of the core but drawing its nonce: the head is written and read, memory is
//! claimed, the cipher (AES-256-GCM-SIV, from RustCrypto) goes over it. Those of ring are the ciphers alone, in place.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

use std::{hint::black_box, time::Instant};

use ring::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce as RingNonce, UnboundKey};

use tidings::{
    keyring::{Key, Keyring},
    model::{
        ClusterName,
        encryption::{KeyId, Mode},
    },
    wire::{
        Versions,
        envelope::{Carrier, ClusterTag, Envelope},
        seal::{Nonce, Seal},
    },
};

/// Octets of what is sealed: a probe and its answer, a push, a datagram that is full.
const SIZES: [usize; 3] = [50, 200, 1_200];
const ROUNDS: usize = 200;
/// Messages of a round.
const MESSAGES: u32 = 500;
/// Octets before the body of a message in an envelope: the head of the envelope, and that of the message.
const HEADS: usize = 10;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        eprintln!("nothing is measured without --bench: use cargo bench --bench seal");
        return;
    }
    println!("{:<34}{:>22}{:>22}{:>26}", "nanoseconds a datagram", "Tidings (GCM-SIV)", "AES-256-GCM (ring)", "ChaCha20-Poly1305 (ring)");
    for size in SIZES {
        let mut candidates = [tidings(size), ring(&AES_256_GCM, size), ring(&CHACHA20_POLY1305, size)];
        let best = measure(&mut candidates);
        for (what, of) in [("sealed", 0), ("opened", 1)] {
            let [own, gcm, chacha] = best.map(|times| times[of]);
            println!("{:<34}{own:>22.0}{:>22}{:>26}", format!("{size} octets, {what}"), beside(gcm, own), beside(chacha, own));
        }
    }
}

/// A time, and how many times as long ours takes.
fn beside(time: f64, own: f64) -> String {
    format!("{time:.0} ({:.2})", own / time)
}

/// Something that seals, and something that opens what was sealed.
type Candidate = [Box<dyn FnMut()>; 2];

/// Of each the fastest round, in nanoseconds a message.
fn measure(candidates: &mut [Candidate; 3]) -> [[f64; 2]; 3] {
    let mut best = [[f64::INFINITY; 2]; 3];
    for _ in 0..ROUNDS {
        for (candidate, best) in candidates.iter_mut().zip(&mut best) {
            for (step, best) in candidate.iter_mut().zip(best) {
                #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
                let start = Instant::now();
                (0..MESSAGES).for_each(|_| step());
                *best = best.min(start.elapsed().as_nanos() as f64 / f64::from(MESSAGES));
            }
        }
    }
    best
}

fn tidings(size: usize) -> Candidate {
    let key = Key::new(KeyId::new(5).expect("it is not 0"), [7; 32]);
    let seal = Seal::new(Mode::Require, &Keyring::new(vec![key]).expect("it is one"));
    let tag = ClusterTag::of(&ClusterName::new("bench").expect("a name"));
    let mut envelope = Envelope::new(Carrier::Datagram, tag);
    assert!(envelope.push(3, &vec![0xa5; size.saturating_sub(HEADS)]) || size > 1_190, "it fits");
    if envelope.is_empty() {
        let room = envelope.room() - 3;
        assert!(envelope.push(3, &vec![0xa5; room]), "it fits");
    }
    let clear = envelope.into_bytes();
    let sealed = seal.close(Carrier::Datagram, clear.clone(), Nonce::new(1, [2; 8]), &[]);
    let (sealing, mut count) = (seal.clone(), 0_u64);
    [
        Box::new(move || {
            count += 1;
            let nonce = Nonce::new(1, count.to_be_bytes());
            black_box(sealing.close(Carrier::Datagram, black_box(clear.clone()), nonce, &[]));
        }),
        Box::new(move || {
            let opened = seal.open(Versions::SPOKEN, Carrier::Datagram, black_box(&sealed), &[]).expect("it is whole");
            black_box(opened.messages().expect("it is whole"));
        }),
    ]
}

fn ring(algorithm: &'static Algorithm, size: usize) -> Candidate {
    let key = || LessSafeKey::new(UnboundKey::new(algorithm, &[7; 32]).expect("as long as it takes"));
    let nonce = |count: u64| {
        let mut octets = [0; 12];
        octets[4..].copy_from_slice(&count.to_be_bytes());
        RingNonce::assume_unique_for_key(octets)
    };
    let mut sealed = vec![0xa5; size];
    key().seal_in_place_append_tag(nonce(0), Aad::from([0; 8]), &mut sealed).expect("it is short");
    let (sealing, opening, mut count) = (key(), key(), 0_u64);
    let (mut buffer, mut opened) = (vec![0xa5; size], sealed.clone());
    [
        Box::new(move || {
            count += 1;
            let tag = sealing.seal_in_place_separate_tag(nonce(count), Aad::from([0; 8]), black_box(&mut buffer)).expect("it is short");
            black_box(tag.as_ref());
        }),
        Box::new(move || {
            opened.copy_from_slice(&sealed);
            black_box(opening.open_in_place(nonce(0), Aad::from([0; 8]), black_box(&mut opened)).expect("it is whole"));
        }),
    ]
}
