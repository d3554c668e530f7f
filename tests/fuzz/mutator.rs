//! Spoils inputs as fuzzers do. Without their eye for what is new, but the same in each run.

use rand::{RngExt as _, rngs::StdRng};

/// Octets of the largest that is made.
const MOST: usize = 8 * 1024;
/// What numbers go wrong at.
const NUMBERS: [u8; 8] = [0, 1, 0x7f, 0x80, 0xc0, 0xfb, 0xfe, 0xff];

/// One of the inputs, spoilt in a place or a few.
pub(crate) fn mutated(rng: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = one(rng, corpus).to_vec();
    for _ in 0..1 << rng.random_range(0..4) {
        let at = rng.random_range(0..=octets.len());
        match rng.random_range(0..8) {
            0 => flip(rng, &mut octets),
            1 => set(rng, &mut octets),
            2 => octets.truncate(at),
            3 => octets.insert(at, rng.random()),
            4 => drop(octets.drain(at..(at + rng.random_range(0..9)).min(octets.len()))),
            5 => repeat(rng, &mut octets, at),
            // The beginning of one and the end of another.
            6 => {
                let other = one(rng, corpus);
                let from = rng.random_range(0..=other.len());
                octets.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let other = one(rng, corpus);
                let from = rng.random_range(0..=other.len());
                let to = (from + rng.random_range(0..40)).min(other.len());
                octets.splice(at..at, other[from..to].iter().copied());
            }
        }
        octets.truncate(MOST);
    }
    octets
}

fn one<'a>(rng: &mut StdRng, corpus: &'a [Vec<u8>]) -> &'a [u8] {
    &corpus[rng.random_range(0..corpus.len())]
}

fn flip(rng: &mut StdRng, octets: &mut [u8]) {
    if !octets.is_empty() {
        octets[rng.random_range(0..octets.len())] ^= 1 << rng.random_range(0..8);
    }
}

fn set(rng: &mut StdRng, octets: &mut [u8]) {
    if !octets.is_empty() {
        octets[rng.random_range(0..octets.len())] = if rng.random() { NUMBERS[rng.random_range(0..NUMBERS.len())] } else { rng.random() };
    }
}

fn repeat(rng: &mut StdRng, octets: &mut Vec<u8>, at: usize) {
    let piece = octets[at..(at + rng.random_range(1..60)).min(octets.len())].to_vec();
    for _ in 0..rng.random_range(1..20) {
        octets.splice(at..at, piece.iter().copied());
    }
}
