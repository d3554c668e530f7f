//! Datagrams, one after the other, to an agent that knows one peer.
//!
//! The first octet says how it goes on ([`SEALED`] and so on); then come datagrams, each behind its length of two octets.

use std::{net::SocketAddr, time::Duration};

use tidings::{
    core::io::Input,
    wire::{
        Versions,
        envelope::Carrier,
        limits,
        seal::{Nonce, Seal},
    },
};

use super::gossip::{HERE, LATER, PEER, World, address, comes_back, seal, stranger};

/// Encryption is required.
pub const SEALED: u8 = 1;
/// The datagrams are encrypted with the right key before they are sent.
pub const KNOWS_THE_KEY: u8 = 2;
/// They come from somebody who is no member.
pub const STRANGER: u8 = 4;
/// Octets of IP and UDP.
const HEADERS: usize = 28;
/// Of one run. More would only be slower.
const MOST: usize = 64;

/// Feeds datagrams. Holds: a stranger gets no more octets back than it sent, and none at all where it lacks the key.
pub fn gossip_datagram(octets: &[u8]) {
    let Some((&mode, mut rest)) = octets.split_first() else {
        return;
    };
    let sealed = mode & SEALED != 0;
    let knows_the_key = sealed && mode & KNOWS_THE_KEY != 0;
    let from = if mode & STRANGER != 0 { stranger() } else { address(PEER) };
    let mut world = World::new(if sealed { seal() } else { Seal::default() });
    let mut first = true;
    for _ in 0..MOST {
        let Some((length, behind)) = rest.split_first_chunk::<2>() else {
            break;
        };
        let (said, behind) = behind.split_at(behind.len().min(usize::from(u16::from_be_bytes(*length))));
        rest = behind;
        comes_back(Carrier::Datagram, said);
        let said = if knows_the_key { encrypted(said) } else { said.to_vec() };
        let is_sealed = seal().open(Versions::SPOKEN, Carrier::Datagram, &said, &[]).is_ok_and(|opened| opened.nonce.is_some());
        let answers = world.input(Input::Datagram { from, bytes: &said }).datagrams;
        if sealed {
            assert!(is_sealed || answers.is_empty(), "without a key there is no answer: {answers:?}");
        } else {
            is_no_larger(&said, &answers, first);
        }
        first = false;
        world.pass(Duration::from_millis(20));
    }
    world.pass(Duration::from_secs(15));
    assert!(world.core.replica(HERE).is_some());
}

/// Who is no member is sent no more than came, whoever it was that asked; a member one full datagram more. At first the peer is the only one.
fn is_no_larger(said: &[u8], answers: &[(SocketAddr, usize)], first: bool) {
    let with_headers = |octets: usize| octets + HEADERS;
    let all: usize = answers.iter().map(|(_, octets)| with_headers(*octets)).sum();
    let elsewhere: usize = answers.iter().filter(|(to, _)| *to != address(PEER)).map(|(_, octets)| with_headers(*octets)).sum();
    assert!(!first || elsewhere <= with_headers(said.len()), "{answers:?} for {} octets", said.len());
    assert!(all <= with_headers(said.len()).max(with_headers(limits::DATAGRAM_OCTETS)), "{answers:?} for {} octets", said.len());
}

/// As the peer would: what is no envelope stays as it is.
fn encrypted(clear: &[u8]) -> Vec<u8> {
    let fits = clear.len() >= limits::ENVELOPE_OCTETS && clear.len() + limits::SEAL_OCTETS <= limits::DATAGRAM_OCTETS;
    if fits { seal().close(Carrier::Datagram, clear.to_vec(), Nonce::new(LATER, [9; 8]), &[]) } else { clear.to_vec() }
}
