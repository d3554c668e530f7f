//! Somebody on the way who records what is said and says it again, then or later: datagrams, whole streams to whoever listens, single
//! frames slipped into streams of others. It has no key: it changes nothing, and makes nothing up but where it speaks from.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Group, HostId, Mark, Power, World,
    process::Waiting,
    tcp::{Said, Step},
    world::Happening,
};

/// Datagrams that are kept: of more, any that were said as likely as any other.
const DATAGRAMS: usize = 1_000;
/// Streams that are kept, and frames of each side of one.
const STREAMS: usize = 200;
const FRAMES: usize = 16;
/// Until something that is said again arrives, and between two frames of a stream.
const TAKES: Duration = Duration::from_millis(1);
/// How long a stream that is said again stays open behind its last frame.
const LINGERS: Duration = Duration::from_secs(4);

/// What it has recorded, and what for.
#[derive(Debug)]
pub(super) struct Intruder {
    /// From whom to whom it hears.
    ways: Vec<(Group, Group)>,
    datagrams: Vec<Datagram>,
    heard: u64,
    streams: BTreeMap<u64, Stream>,
    rng: StdRng,
}

#[derive(Debug, Clone)]
struct Datagram {
    from: SocketAddr,
    to: (HostId, SocketAddr),
    bytes: Vec<u8>,
    mark: Mark,
}

#[derive(Debug, Default)]
struct Stream {
    ends: Option<(SocketAddr, HostId)>,
    frames: [Vec<Said>; 2],
}

/// How much was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Datagrams.
    pub datagrams: usize,
    /// Streams.
    pub streams: usize,
}

impl World {
    /// Has somebody record from now on what some send to others, beside what is recorded already.
    pub fn record(&mut self, from: Group, to: Group) {
        let rng = StdRng::seed_from_u64(0);
        let new = || Intruder { ways: Vec::new(), datagrams: Vec::new(), heard: 0, streams: BTreeMap::new(), rng };
        self.intruder.get_or_insert_with(new).ways.push((from, to));
    }

    /// How much is recorded.
    pub fn recorded(&self) -> Recorded {
        let of = |intruder: &Intruder| Recorded { datagrams: intruder.datagrams.len(), streams: intruder.streams.len() };
        self.intruder.as_ref().map(of).unwrap_or_default()
    }

    /// How long ago a recorded datagram was said.
    pub fn recorded_for(&self, number: usize) -> Option<Duration> {
        let datagram = self.intruder.as_ref()?.datagrams.get(number)?;
        Some(self.now - datagram.mark.at)
    }

    /// Says a recorded datagram again after a while: to somebody else, from somewhere else, where that is said.
    pub fn datagram_again(&mut self, number: usize, after: Duration, to: Option<HostId>, from: Option<SocketAddr>) {
        let Some(Datagram { from: said_from, to: (peer, at), bytes, mark }) =
            self.intruder.as_ref().and_then(|intruder| intruder.datagrams.get(number)).cloned()
        else {
            return;
        };
        let (to, at) = to.map_or((peer, at), |host| (host, self.hosts[host.0].options.address));
        self.network.effects.said_again += 1;
        let mark = Mark { again: true, ..mark };
        self.plan(after + TAKES, Happening::Datagram { to, at, from: from.unwrap_or(said_from), bytes, mark });
    }

    /// Opens a stream to an agent after a while, and says there what one side of a recorded one said: 0 is the one that had opened it.
    pub fn stream_again(&mut self, number: usize, side: usize, after: Duration, to: Option<HostId>, from: Option<SocketAddr>) {
        let stream = self.intruder.as_ref().and_then(|intruder| intruder.streams.values().nth(number));
        let Some((frames, (said_from, peer))) = stream.and_then(|stream| Some((stream.frames[side].clone(), stream.ends?))) else { return };
        let (to, from) = (to.unwrap_or(peer), from.unwrap_or(said_from));
        if self.hosts[to.0].power == Power::On && self.hosts[to.0].process.is_some() {
            self.plan(after + TAKES, Happening::Intrusion { to, from, frames });
        }
    }

    pub(super) fn intrude(&mut self, to: HostId, from: SocketAddr, frames: Vec<Said>) {
        let Some((id, stream)) = self.open_by_nobody(to, from) else { return };
        let number = self.number_of(to);
        self.plan(Duration::ZERO, Happening::Input(to, number, Waiting::Accepted { stream, from }));
        let mut after = Duration::ZERO;
        for Said { bytes, mark, place } in frames {
            after += TAKES;
            self.network.effects.said_again += 1;
            let mark = Mark { again: true, ..mark };
            self.plan(after, Happening::Input(to, number, Waiting::Received { stream, bytes, mark, place }));
        }
        self.plan(after + LINGERS, Happening::Stream(id, Step::HungUp));
    }

    /// Slips a recorded frame into a stream that is open; which ones, `choose` says, given how many there are.
    pub fn slip_in(&mut self, mut choose: impl FnMut(usize) -> usize) {
        let Some(intruder) = &self.intruder else { return };
        let frames: Vec<&Said> = intruder.streams.values().flat_map(|stream| stream.frames.iter().flatten()).collect();
        let streams: Vec<(HostId, u64, crate::core::io::StreamId)> = self
            .hosts()
            .filter_map(|(id, host)| Some((id, host.process.as_ref()?)))
            .flat_map(|(id, process)| process.streams.keys().map(move |stream| (id, process.number, *stream)))
            .collect();
        if frames.is_empty() || streams.is_empty() {
            return;
        }
        let Said { bytes, mark, place } = frames[choose(frames.len())].clone();
        let (host, number, stream) = streams[choose(streams.len())];
        self.network.effects.said_again += 1;
        let mark = Mark { again: true, ..mark };
        self.plan(TAKES, Happening::Input(host, number, Waiting::Received { stream, bytes, mark, place }));
    }

    pub(super) fn overhear_datagram(&mut self, from: (HostId, SocketAddr), to: (HostId, SocketAddr), bytes: &[u8], mark: Mark) {
        let Some(intruder) = self.intruder.as_mut().filter(|intruder| intruder.hears(from.0, to.0)) else { return };
        intruder.heard += 1;
        let place = match intruder.datagrams.len() {
            few if few < DATAGRAMS => few,
            _ => intruder.rng.random_range(0..intruder.heard) as usize,
        };
        let datagram = || Datagram { from: from.1, to, bytes: bytes.to_vec(), mark };
        match intruder.datagrams.get_mut(place) {
            Some(kept) => *kept = datagram(),
            None if place < DATAGRAMS => intruder.datagrams.push(datagram()),
            None => {}
        }
    }

    pub(super) fn overhear_frame(&mut self, said: &Said) {
        let Some(intruder) = &mut self.intruder else { return };
        let Some(ends) = self.connections.get(&said.place.connection).map(|connection| connection.hosts()) else { return };
        let ((opener, address), accepter) = ends;
        let (from, to) = if said.place.side == 0 { (opener, accepter) } else { (accepter, opener) };
        let is_kept = intruder.streams.contains_key(&said.place.connection);
        if !intruder.hears(from, to) || (!is_kept && intruder.streams.len() >= STREAMS) {
            return;
        }
        let stream = intruder.streams.entry(said.place.connection).or_default();
        stream.ends = Some((address, accepter));
        let frames = &mut stream.frames[said.place.side];
        if frames.len() < FRAMES {
            frames.push(said.clone());
        }
    }
}

impl Intruder {
    fn hears(&self, from: HostId, to: HostId) -> bool {
        self.ways.iter().any(|(senders, receivers)| senders.has(from) && receivers.has(to))
    }
}
