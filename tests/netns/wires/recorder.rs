//! Somebody on the way who keeps what is said: as the simulator's intruder does, datagrams and what those said who had opened streams.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddrV4},
};

use rand::{RngExt as _, rngs::StdRng};
use tidings::sim::{Group, HostId};

use super::frame::{Content, Segment};

/// Datagrams that are kept: of more, any that were said as likely as any other.
const DATAGRAMS: usize = 1_000;
/// Streams that are kept, and octets of one.
const STREAMS: usize = 200;
const OCTETS: usize = 256 * 1024;

/// What was recorded, and what for.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// From whom to whom it hears.
    ways: Vec<(Group, Group)>,
    heard: u64,
    datagrams: Vec<(SocketAddrV4, Vec<u8>)>,
    streams: BTreeMap<((HostId, HostId), [u16; 2]), Stream>,
    rng: StdRng,
}

#[derive(Debug)]
struct Stream {
    from: Ipv4Addr,
    /// The number of the first octet.
    first: u32,
    said: Vec<u8>,
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        Recorder { ways: Vec::new(), heard: 0, datagrams: Vec::new(), streams: BTreeMap::new(), rng: rand::make_rng() }
    }

    /// Has it hear from now on what some send to others, beside what it hears already.
    pub(crate) fn hear_from(&mut self, from: Group, to: Group) {
        self.ways.push((from, to));
    }

    /// Datagrams, and where each came from.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (SocketAddrV4, &[u8])> {
        self.datagrams.iter().map(|(from, said)| (*from, said.as_slice()))
    }

    /// What those said in streams who had opened them, and where they are.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (Ipv4Addr, &[u8])> {
        self.streams.values().map(|stream| (stream.from, stream.said.as_slice())).filter(|(_, said)| !said.is_empty())
    }

    /// Whether there is anything to hear.
    pub(super) fn is_on(&self) -> bool {
        !self.ways.is_empty()
    }

    pub(super) fn hear(&mut self, ends: (HostId, HostId), content: &Content<'_>) {
        if !self.ways.iter().any(|(from, to)| from.has(ends.0) && to.has(ends.1)) {
            return;
        }
        match content {
            Content::Datagram(datagram) => {
                self.heard += 1;
                let kept = (datagram.from, datagram.said.to_vec());
                if self.datagrams.len() < DATAGRAMS {
                    self.datagrams.push(kept);
                } else if let Some(place) = self.datagrams.get_mut(self.rng.random_range(0..self.heard) as usize) {
                    *place = kept;
                }
            }
            Content::Segment(segment) => self.hear_segment(ends, segment),
            Content::Other => {}
        }
    }

    fn hear_segment(&mut self, ends: (HostId, HostId), segment: &Segment<'_>) {
        let ports = [segment.from.port(), segment.to_port];
        if segment.opens && self.streams.len() < STREAMS {
            let new = || Stream { from: *segment.from.ip(), first: segment.number.wrapping_add(1), said: Vec::new() };
            self.streams.entry((ends, ports)).or_insert_with(new);
        }
        if let Some(stream) = self.streams.get_mut(&(ends, ports)).filter(|stream| stream.said.len() < OCTETS) {
            stream.take(segment);
        }
    }
}

impl Stream {
    /// What is sent again has been heard already, or it is another stream.
    fn take(&mut self, segment: &Segment<'_>) {
        let at = segment.number.wrapping_sub(self.first) as usize;
        let new = self.said.len().checked_sub(at).and_then(|known| segment.said.get(known..));
        self.said.extend_from_slice(new.unwrap_or_default());
    }
}
