//! What comes by a stream to an agent that knows one peer.
//!
//! The first octet says how it goes on ([`SEALED`] and so on); all else is what the stream carries, frames behind their lengths where it makes sense.

use std::time::Duration;

use tidings::{
    core::io::{CloseCause, Input, StreamId},
    wire::{
        envelope::Carrier,
        frame::{self, FrameBuffer},
        limits,
        seal::{Nonce, Seal},
    },
};

use super::gossip::{HERE, LATER, PEER, Said, World, address, beacon, comes_back, seal};

/// Encryption is required.
pub const SEALED: u8 = 1;
/// Frames are encrypted with the right key, and bound to their place.
pub const KNOWS_THE_KEY: u8 = 2;
/// It comes in pieces of few octets.
pub const IN_PIECES: u8 = 4;
/// The agent opened the stream, since the peer said that it knows something else.
pub const OURS: u8 = 8;
/// What was said by the agent gets no further, as to a peer that reads nothing.
pub const UNREAD: u8 = 16;

const PIECE: usize = 7;
/// Longer than any patience.
const LONG: Duration = Duration::from_secs(40);

/// Feeds a stream. Holds: what this node owns stays, no more than the limit is in flight, and the stream is closed in the end.
pub fn gossip_stream(octets: &[u8]) {
    let Some((&mode, rest)) = octets.split_first() else {
        return;
    };
    let sealed = mode & SEALED != 0;
    let mut world = World::new(if sealed { seal() } else { Seal::default() });
    let Some((stream, greeting)) = open(&mut world, mode & OURS != 0, sealed) else {
        return;
    };
    let mut line = Line { stream, read: mode & UNREAD == 0, nonce: None, closed: false };
    line.hear(&mut world, greeting);
    let pieces: Vec<Vec<u8>> = match frames(rest) {
        Some(frames) if sealed && mode & KNOWS_THE_KEY != 0 => encrypted(&frames, mode & OURS != 0, line.nonce),
        frames => {
            frames.iter().flatten().for_each(|frame| comes_back(Carrier::Frame, frame));
            let size = if mode & IN_PIECES != 0 { PIECE } else { usize::MAX };
            rest.chunks(size.min(rest.len().max(1))).map(<[u8]>::to_vec).collect()
        }
    };
    for bytes in pieces {
        if line.closed {
            break;
        }
        let said = world.input(Input::Received { stream, bytes: &bytes });
        line.hear(&mut world, said);
        world.pass(Duration::from_millis(1));
    }
    // It may have become one that lies idle, as long as its peer is there.
    world.pass(LONG);
    world.input(Input::Closed { stream, cause: CloseCause::Ended, reason: "closed".into() });
    world.pass(Duration::from_secs(15));
    assert!(world.core.replica(HERE).is_some());
}

/// The agent's side of the stream, as the peer sees it.
struct Line {
    stream: StreamId,
    read: bool,
    /// The first nonce of the agent's, where it encrypts.
    nonce: Option<Nonce>,
    closed: bool,
}

impl Line {
    fn hear(&mut self, world: &mut World, said: Said) {
        self.closed |= said.closed.contains(&self.stream);
        for (_, bytes) in said.frames.iter().filter(|(stream, _)| *stream == self.stream) {
            if let Some(nonce) = bytes.last_chunk::<12>() {
                let (seconds, random): (&[u8; 4], &[u8; 8]) =
                    (nonce.first_chunk().expect("12 octets"), nonce.last_chunk().expect("12 octets"));
                self.nonce.get_or_insert(Nonce::new(u32::from_be_bytes(*seconds), *random));
            }
        }
        if self.read && !self.closed && !said.frames.is_empty() {
            world.sent(self.stream);
        }
    }
}

fn open(world: &mut World, ours: bool, sealed: bool) -> Option<(StreamId, Said)> {
    if !ours {
        let stream = StreamId::accepted(1);
        let said = world.input(Input::Accepted { stream, from: address(PEER) });
        return Some((stream, said));
    }
    let beacon = if sealed { seal().close(Carrier::Datagram, beacon(), Nonce::new(LATER, [4; 8]), &[]) } else { beacon() };
    let said = world.input(Input::Datagram { from: address(PEER), bytes: &beacon });
    let stream = *said.connects.first()?;
    Some((stream, world.input(Input::Connected(stream))))
}

/// The frames that the octets are; none where they are something else.
fn frames(octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut buffer = FrameBuffer::default();
    buffer.extend(octets);
    let mut frames = Vec::new();
    while let Some(frame) = buffer.next_frame().ok()? {
        frames.push(frame);
    }
    Some(frames)
}

/// Frames as the peer would encrypt them: the first of a side binds all that follow (`core/sealing.rs`).
fn encrypted(frames: &[Vec<u8>], ours: bool, heard: Option<Nonce>) -> Vec<Vec<u8>> {
    let first = Nonce::new(2 * LATER, [8; 8]);
    let mut sealed = Vec::new();
    for (number, clear) in (0_u64..).zip(frames) {
        if clear.len() < limits::ENVELOPE_OCTETS || clear.len() + limits::SEAL_OCTETS > limits::FRAME_OCTETS {
            continue;
        }
        let said = if number == 0 { Nonce::default() } else { first };
        // Of a stream that the agent opened its first words are known.
        let heard = if ours { heard.unwrap_or_default() } else { Nonce::default() };
        let place = [&[u8::from(!ours)][..], &number.to_be_bytes(), &said.octets(), &heard.octets()].concat();
        let nonce = Nonce::new(2 * LATER, [8 ^ number as u8; 8]);
        sealed.push(frame::encode(&seal().close(Carrier::Frame, clear.clone(), nonce, &place)));
    }
    sealed
}
