//! A network of detectors, without foca, records and all else: so small that a thousand run in a unit test.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::super::*;
use super::identity;

const LATENCY: Duration = Duration::from_millis(1);

enum Happening {
    Told { from: SocketAddr, message: Told },
    Ack(ProbeAck),
    Connected(StreamId),
    Said { stream: StreamId, kind: u8, body: Vec<u8> },
    Watched { stream: StreamId, watch: Watch },
    Closed(StreamId, CloseCause),
    Timeout,
}

/// Everyone knows everyone from the start, and a verdict at once.
pub(super) struct Network {
    pub(super) now: Moment,
    /// The share of datagrams that is lost. Streams are not.
    pub(super) loss: f64,
    pub(super) lost: u64,
    /// Who was found to be gone, in order.
    pub(super) down: Vec<(Moment, Identity, Fault)>,
    detectors: Vec<Detector>,
    /// When each of them is to be called next.
    due: Vec<Option<Moment>>,
    killed: BTreeSet<usize>,
    dark: BTreeSet<usize>,
    /// The other end of each stream, from either end.
    streams: BTreeMap<(usize, StreamId), (usize, StreamId)>,
    queue: BTreeMap<(Moment, u64), (usize, Happening)>,
    count: u64,
    rng: StdRng,
}

impl Network {
    pub(super) fn new(size: usize, seed: u64) -> Network {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut detectors: Vec<Detector> = (0..size).map(|me| Detector::new(identity(me as u64), &mut rng)).collect();
        for (me, detector) in detectors.iter_mut().enumerate() {
            for other in (0..size).filter(|other| *other != me) {
                detector.see(Moment::default(), identity(other as u64), Standing::Up);
            }
        }
        let mut network = Network {
            now: Moment::default(),
            loss: 0.0,
            lost: 0,
            down: vec![],
            detectors,
            due: vec![None; size],
            killed: BTreeSet::new(),
            dark: BTreeSet::new(),
            streams: BTreeMap::new(),
            queue: BTreeMap::new(),
            count: 0,
            rng,
        };
        (0..size).for_each(|me| network.carry_out(me));
        network
    }

    pub(super) fn counters(&self) -> impl Iterator<Item = DetectorCounters> {
        self.detectors.iter().map(Detector::counters)
    }

    /// The process dies; its host ends its streams.
    pub(super) fn kill(&mut self, victim: usize) {
        self.killed.insert(victim);
        let ends: Vec<(StreamId, (usize, StreamId))> =
            self.streams.range((victim, StreamId(0))..(victim + 1, StreamId(0))).map(|((_, stream), peer)| (*stream, *peer)).collect();
        for (stream, (peer, theirs)) in ends {
            self.streams.remove(&(victim, stream));
            self.streams.remove(&(peer, theirs));
            self.at(LATENCY, peer, Happening::Closed(theirs, CloseCause::Ended));
        }
    }

    /// Nothing is heard of the host any more.
    pub(super) fn darken(&mut self, victim: usize) {
        self.dark.insert(victim);
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            self.now = entry.key().0;
            let (to, happening) = entry.remove();
            if !self.killed.contains(&to) {
                self.happen(to, happening);
                self.carry_out(to);
            }
        }
        self.now = end;
    }

    fn happen(&mut self, to: usize, happening: Happening) {
        let now = self.now;
        match happening {
            Happening::Told { from, message: Told::Probe(probe) } => {
                let is_meant = probe.to == identity(to as u64).short().to_be_bytes();
                assert!(is_meant, "nobody has another identity here");
                let ack = ProbeAck { nonce: probe.nonce, digest: [0; 4], instead: None };
                self.send(to, from, Happening::Ack(ack));
            }
            Happening::Told { from, message: Told::Request(request) } => self.detectors[to].on_request(now, from, &request),
            Happening::Told { message: Told::Report(report), .. } => self.detectors[to].on_report(now, &report),
            Happening::Told { message, .. } => panic!("{message:?} is said in streams"),
            Happening::Ack(ack) => drop(self.detectors[to].on_ack(now, &ack, true)),
            Happening::Connected(stream) => self.detectors[to].on_connected(now, stream),
            Happening::Said { stream, kind, body } => drop(self.detectors[to].on_message(now, stream, kind, &body)),
            Happening::Watched { stream, watch } => self.detectors[to].on_watcher(stream, &watch, true, 1, FrameBuffer::default()),
            Happening::Closed(stream, cause) => self.detectors[to].on_closed(now, stream, cause),
            Happening::Timeout => {
                if self.due[to].take_if(|due| *due <= now).is_some() {
                    self.detectors[to].handle_timeout(now);
                }
            }
        }
    }

    fn carry_out(&mut self, me: usize) {
        while let Some(action) = self.detectors[me].poll_action() {
            match action {
                Action::Tell { to, message } => {
                    let from = identity(me as u64).address();
                    self.send(me, to, Happening::Told { from, message });
                }
                Action::Connect { stream, to } => self.connect(me, stream, at_address(to)),
                Action::Say { stream, message, .. } => self.say(me, stream, message),
                Action::Close(stream) => {
                    if let Some((peer, theirs)) = self.streams.remove(&(me, stream)) {
                        self.streams.remove(&(peer, theirs));
                        self.at(LATENCY, peer, Happening::Closed(theirs, CloseCause::Ended));
                    }
                }
                Action::Down { identity, fault } => {
                    if !self.dark.contains(&me) {
                        self.down.push((self.now, identity, fault));
                        let now = self.now;
                        self.detectors.iter_mut().for_each(|detector| detector.see(now, identity, Standing::Gone));
                    }
                }
                Action::Suspects(_) | Action::Meet(_) => {}
            }
        }
        if let Some(due) = self.detectors[me].poll_timeout().filter(|due| self.due[me].is_none_or(|set| *due < set)) {
            self.due[me] = Some(due);
            self.at(due - self.now, me, Happening::Timeout);
        }
    }

    fn connect(&mut self, me: usize, stream: StreamId, peer: usize) {
        if self.is_cut(me, peer) {
            self.at(Duration::from_secs(3), me, Happening::Closed(stream, CloseCause::TimedOut));
        } else if self.killed.contains(&peer) {
            self.at(2 * LATENCY, me, Happening::Closed(stream, CloseCause::Refused));
        } else {
            self.count += 1;
            let theirs = StreamId::accepted(self.count);
            self.streams.insert((me, stream), (peer, theirs));
            self.streams.insert((peer, theirs), (me, stream));
            self.at(2 * LATENCY, me, Happening::Connected(stream));
        }
    }

    fn say(&mut self, me: usize, stream: StreamId, message: Told) {
        let Some((peer, theirs)) = self.streams.get(&(me, stream)).copied().filter(|(peer, _)| !self.is_cut(me, *peer)) else {
            return;
        };
        let happening = match message {
            Told::Probe(probe) => {
                let ack = ProbeAck { nonce: probe.nonce, digest: [0; 4], instead: None };
                let happening = Happening::Said { stream, kind: kind::PROBE_ACK, body: ack.to_bytes() };
                return self.at(2 * LATENCY, me, happening);
            }
            Told::Watch(watch) if stream.0 >> 63 == 0 => Happening::Watched { stream: theirs, watch },
            message => {
                let (kind, body) = message.encode();
                Happening::Said { stream: theirs, kind, body }
            }
        };
        self.at(LATENCY, peer, happening);
    }

    fn send(&mut self, me: usize, to: SocketAddr, happening: Happening) {
        let to = at_address(to);
        if self.is_cut(me, to) || self.rng.random_bool(self.loss) {
            self.lost += 1;
        } else {
            let jitter = Duration::from_micros(self.rng.random_range(0..500));
            self.at(LATENCY + jitter, to, happening);
        }
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        self.dark.contains(&a) || self.dark.contains(&b)
    }

    fn at(&mut self, after: Duration, to: usize, happening: Happening) {
        self.count += 1;
        self.queue.insert((self.now + after, self.count), (to, happening));
    }
}

fn at_address(address: SocketAddr) -> usize {
    let SocketAddr::V4(address) = address else { panic!("not of this network") };
    let [_, _, high, low] = address.ip().octets();
    usize::from(high) << 8 | usize::from(low)
}
