//! Streams, as far as their ends can tell them from TCP: in order, sent again until they arrive, refused where nobody listens, silent where
//! nobody is.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use super::{HostId, Mark, Place, Power, Seen, World, network::SEGMENT_HEAD, process::Waiting, world::Happening};
use crate::{
    core::{
        io::{CloseCause, StreamId},
        time::Moment,
    },
    wire::limits::ENVELOPE_OCTETS,
};

/// Between a segment and its first retransmission; doubles (RFC 6298, and Linux's minimum).
const RETRANSMIT_AFTER: Duration = Duration::from_millis(200);
/// Between a SYN and its retransmission (RFC 6298, 2.1).
const SYN_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long the shell lets a connection open.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// How long a kernel retransmits before it gives up: Linux's `tcp_retries2`.
const GIVE_UP_AFTER: Duration = Duration::from_secs(924);
/// Octets of the length before each frame.
const LENGTH_OCTETS: usize = 4;
/// Octets that a kernel takes before the reader has read them.
const BUFFER: usize = 256 * 1024;

/// What one end sends to the other.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    Data(Said),
    Fin,
    Reset,
}

/// A frame, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) bytes: Vec<u8>,
    pub(super) mark: Mark,
    pub(super) place: Place,
}

impl Segment {
    fn octets(&self) -> usize {
        match self {
            // A large write is several segments.
            Segment::Data(Said { bytes, .. }) => bytes.len() + SEGMENT_HEAD * (1 + bytes.len() / 1_448),
            Segment::Fin | Segment::Reset => SEGMENT_HEAD,
        }
    }
}

/// Something that happens to a connection.
#[derive(Debug)]
pub(super) enum Step {
    /// A request to connect is sent, for the so manyth time.
    Syn(u32),
    /// It arrives.
    SynArrives(u32),
    /// The answer arrives: whether somebody listens.
    Answered(bool),
    /// The shell gives up connecting.
    Impatient,
    /// A segment of a side, with its number, arrives at the other.
    Arrives(usize, u64, Segment),
    /// A side sends again what was not acknowledged.
    Again(usize),
    /// An intruder hangs up.
    HungUp,
}

/// Two ends.
#[derive(Debug)]
pub(super) struct Connection {
    ends: [End; 2],
    open: bool,
}

#[derive(Debug)]
struct End {
    host: HostId,
    process: u64,
    address: SocketAddr,
    stream: StreamId,
    /// The process is done with it, or is gone.
    closed: bool,
    /// Segments that the process has given to its kernel.
    sent: u64,
    /// Frames of its process that were sealed, and those of the other side that it has taken.
    sealed: u64,
    taken: u64,
    /// Of these, by their number, the ones that were lost or wait behind one that was: sent again in order.
    lost: BTreeMap<u64, Segment>,
    stalled: Option<Moment>,
    attempts: u32,
    last_arrival: Moment,
    /// Octets that the peer's process has not read.
    outstanding: usize,
    /// What the process is told of when there is room again.
    untold: VecDeque<usize>,
}

impl Connection {
    /// Who opened it and from where, and who took it.
    pub(super) fn hosts(&self) -> ((HostId, SocketAddr), HostId) {
        ((self.ends[0].host, self.ends[0].address), self.ends[1].host)
    }
}

impl End {
    fn new(host: HostId, process: u64, address: SocketAddr, stream: StreamId) -> End {
        End {
            host,
            process,
            address,
            stream,
            closed: false,
            sent: 0,
            sealed: 0,
            taken: 0,
            lost: BTreeMap::new(),
            stalled: None,
            attempts: 0,
            last_arrival: Moment::default(),
            outstanding: 0,
            untold: VecDeque::new(),
        }
    }
}

impl World {
    /// A process opens a stream.
    pub(super) fn connect(&mut self, host: HostId, stream: StreamId, to: SocketAddr) {
        self.connections_made += 1;
        let id = self.connections_made;
        let (from, process) = (self.hosts[host.0].options.address, self.hosts[host.0].process.as_ref().map_or(0, |p| p.number));
        let target = self.at_address(to).unwrap_or(NOWHERE);
        let ours = End::new(host, process, from, stream);
        let theirs = End::new(target, 0, to, StreamId(0));
        self.connections.insert(id, Connection { ends: [ours, theirs], open: false });
        if let Some(process) = &mut self.hosts[host.0].process {
            process.streams.insert(stream, (id, 0));
        }
        self.plan(CONNECT_PATIENCE, Happening::Stream(id, Step::Impatient));
        self.plan(Duration::ZERO, Happening::Stream(id, Step::Syn(0)));
    }

    /// Nobody of this world opens a stream to a process. What the process says there is taken, and leads nowhere.
    pub(super) fn open_by_nobody(&mut self, to: HostId, from: SocketAddr) -> Option<(u64, StreamId)> {
        let host = &mut self.hosts[to.0];
        let process = host.process.as_mut().filter(|_| host.power == Power::On)?;
        process.accepted += 1;
        self.connections_made += 1;
        let (id, stream) = (self.connections_made, StreamId::accepted(process.accepted));
        process.streams.insert(stream, (id, 1));
        let nobody = End { closed: true, ..End::new(NOWHERE, 0, from, StreamId(0)) };
        let theirs = End::new(to, process.number, host.options.address, stream);
        self.connections.insert(id, Connection { ends: [nobody, theirs], open: true });
        Some((id, stream))
    }

    /// A process took a frame for what it says, at a side of a connection.
    pub(super) fn take_frame(&mut self, host: HostId, at: Option<(u64, usize)>, mark: &Mark, said: Place) {
        let came = at.and_then(|(connection, side)| {
            let ends = &mut self.connections.get_mut(&connection)?.ends;
            let before = ends[side].taken;
            ends[side].taken += u64::from(mark.key.is_some());
            Some(Place { connection, side: 1 - side, before, has_heard: ends[1 - side].taken > 0 })
        });
        match came {
            Some(came) => self.note_taken(host, mark, Some((said, came))),
            // It is one that an image remembers, and there is no more.
            None => self.network.effects.taken_again += u64::from(mark.again),
        }
    }

    /// A process took something for what it says.
    pub(super) fn note_taken(&mut self, host: HostId, mark: &Mark, places: Option<(Place, Place)>) {
        self.network.effects.taken_again += u64::from(mark.again);
        self.show(host, &Seen::Took { mark, places });
    }

    /// A process sends by a stream.
    pub(super) fn send(&mut self, host: HostId, stream: StreamId, bytes: Vec<u8>) {
        let Some((id, side)) = self.stream_of(host, stream) else { return };
        let mark = self.mark(host);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        let octets = bytes.len();
        let place = Place { connection: id, side, before: end.sealed, has_heard: end.taken > 0 };
        self.network.count(&bytes, LENGTH_OCTETS + ENVELOPE_OCTETS, octets);
        end.sealed += u64::from(mark.key.is_some());
        if connection.ends[1 - side].host == NOWHERE && connection.open {
            // An intruder's kernel takes what comes.
            return self.plan(Duration::ZERO, Happening::Input(host, self.number_of(host), Waiting::Sent { stream, octets }));
        }
        let end = &mut connection.ends[side];
        end.outstanding += octets;
        if end.outstanding <= BUFFER && end.untold.is_empty() {
            self.plan(Duration::ZERO, Happening::Input(host, self.number_of(host), Waiting::Sent { stream, octets }));
        } else {
            end.untold.push_back(octets);
        }
        let said = Said { bytes, mark, place };
        self.overhear_frame(&said);
        self.transmit(id, side, Segment::Data(said));
    }

    /// A process is done with a stream.
    pub(super) fn close(&mut self, host: HostId, stream: StreamId) {
        if let Some(process) = &mut self.hosts[host.0].process
            && let Some((id, side)) = process.streams.remove(&stream)
        {
            self.end_side(id, side);
        }
    }

    /// A side of a connection is closed by its process or, when that is gone, by its kernel.
    pub(super) fn end_side(&mut self, id: u64, side: usize) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.ends[side].closed = true;
        if !connection.open {
            self.connections.remove(&id);
            return;
        }
        let other = &connection.ends[1 - side];
        if other.host == NOWHERE || (other.closed && connection.ends[side].lost.is_empty()) {
            self.connections.remove(&id);
            return;
        }
        self.transmit(id, side, Segment::Fin);
    }

    /// The kernel is gone: nothing is said any more.
    pub(super) fn drop_side(&mut self, id: u64, side: usize) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ends[side].closed = true;
            connection.ends[side].lost.clear();
            if connection.ends[1 - side].closed || !connection.open {
                self.connections.remove(&id);
            }
        }
    }

    fn stream_of(&self, host: HostId, stream: StreamId) -> Option<(u64, usize)> {
        self.hosts[host.0].process.as_ref()?.streams.get(&stream).copied()
    }

    fn transmit(&mut self, id: u64, side: usize, segment: Segment) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        end.sent += 1;
        let number = end.sent;
        self.put_on_the_wire(id, side, number, segment);
    }

    fn put_on_the_wire(&mut self, id: u64, side: usize, number: u64, segment: Segment) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.open || connection.ends[side].stalled.is_some() {
            connection.ends[side].lost.insert(number, segment);
            return;
        }
        let arrival = self.carry_segment(id, side, segment.octets());
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        match arrival {
            Some(delay) => {
                end.last_arrival = end.last_arrival.max(now + delay);
                let at = end.last_arrival;
                self.queue.plan(at, Happening::Stream(id, Step::Arrives(side, number, segment)));
            }
            None => {
                end.lost.insert(number, segment);
                self.stall(id, side);
            }
        }
    }

    fn stall(&mut self, id: u64, side: usize) {
        let now = self.now;
        let Some(end) = self.connections.get_mut(&id).map(|connection| &mut connection.ends[side]) else { return };
        if end.stalled.is_none() {
            end.stalled = Some(now);
            end.attempts = 0;
            self.plan(RETRANSMIT_AFTER, Happening::Stream(id, Step::Again(side)));
        }
    }

    /// How long a segment takes from one end to the other, its acknowledgement counted as traffic.
    fn carry_segment(&mut self, id: u64, side: usize, octets: usize) -> Option<Duration> {
        let connection = self.connections.get(&id)?;
        let (from, to) = (&connection.ends[side], &connection.ends[1 - side]);
        let (from_host, to_host) = (from.host, to.host);
        let from_is_there = from_host != NOWHERE && {
            let host = &self.hosts[from_host.0];
            host.power == Power::On && host.options.address == from.address
        };
        let to_is_there = to_host != NOWHERE && self.hosts[to_host.0].options.address == to.address;
        if from_is_there {
            let traffic = &mut self.hosts[from_host.0].traffic;
            traffic.segments += 1;
            traffic.segment_octets += octets as u64;
        }
        if !from_is_there || !to_is_there || self.hosts[to_host.0].power != Power::On {
            return None;
        }
        let delay = self.network.segment(self.now, &mut self.rng, (from_host, to_host), octets)?;
        let back = &mut self.hosts[to_host.0].traffic;
        back.segments += 1;
        back.segment_octets += SEGMENT_HEAD as u64;
        Some(delay)
    }

    pub(super) fn on_step(&mut self, id: u64, step: Step) {
        match step {
            Step::Syn(attempt) => self.on_syn(id, attempt),
            Step::SynArrives(attempt) => self.on_syn_arrives(id, attempt),
            Step::Answered(listens) => self.on_syn_answered(id, listens),
            Step::Impatient => {
                if self.connections.get(&id).is_some_and(|connection| !connection.open) {
                    self.fail_side(id, 0, CloseCause::TimedOut, "connecting took too long");
                }
            }
            Step::Arrives(side, number, segment) => self.on_arrival(id, side, number, segment),
            Step::Again(side) => self.on_again(id, side),
            Step::HungUp => self.fail_side(id, 1, CloseCause::Ended, "the peer closed the stream"),
        }
    }

    fn on_syn(&mut self, id: u64, attempt: u32) {
        if self.connections.get(&id).is_none_or(|connection| connection.open || connection.ends[0].closed) {
            return;
        }
        self.plan(SYN_AGAIN_AFTER * 2_u32.pow(attempt), Happening::Stream(id, Step::Syn(attempt + 1)));
        if let Some(delay) = self.carry_segment(id, 0, SEGMENT_HEAD) {
            self.plan(delay, Happening::Stream(id, Step::SynArrives(attempt)));
        }
    }

    fn on_syn_arrives(&mut self, id: u64, _attempt: u32) {
        let Some(connection) = self.connections.get(&id) else { return };
        let target = connection.ends[1].host;
        if connection.open || self.hosts[target.0].power != Power::On {
            return;
        }
        let listens = self.hosts[target.0].process.is_some();
        if let Some(delay) = self.carry_segment(id, 1, SEGMENT_HEAD) {
            self.plan(delay, Happening::Stream(id, Step::Answered(listens)));
        }
    }

    fn on_syn_answered(&mut self, id: u64, listens: bool) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.open || connection.ends[0].closed {
            return;
        }
        if !listens {
            return self.fail_side(id, 0, CloseCause::Refused, "connection refused");
        }
        let (from, target) = (connection.ends[0].address, connection.ends[1].host);
        let Some(process) = &mut self.hosts[target.0].process else {
            return self.fail_side(id, 0, CloseCause::Refused, "connection refused");
        };
        connection.open = true;
        process.accepted += 1;
        let stream = StreamId::accepted(process.accepted);
        process.streams.insert(stream, (id, 1));
        let number = process.number;
        connection.ends[1].stream = stream;
        connection.ends[1].process = number;
        let (host, ours, process) = (connection.ends[0].host, connection.ends[0].stream, connection.ends[0].process);
        let early = std::mem::take(&mut connection.ends[0].lost);
        self.plan(Duration::ZERO, Happening::Input(target, number, Waiting::Accepted { stream, from }));
        self.plan(Duration::ZERO, Happening::Input(host, process, Waiting::Connected(ours)));
        early.into_iter().for_each(|(number, segment)| self.put_on_the_wire(id, 0, number, segment));
    }

    fn on_arrival(&mut self, id: u64, side: usize, number: u64, segment: Segment) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        // What was sent before the first that was lost is read; what was sent behind it waits for it.
        let stalled = connection.ends[side].lost.first_key_value().is_some_and(|(first, _)| *first < number);
        let to = &connection.ends[1 - side];
        let host = &self.hosts[to.host.0];
        let reachable = host.power == Power::On && host.options.address == to.address;
        if !reachable || stalled {
            connection.ends[side].lost.insert(number, segment);
            return self.stall(id, side);
        }
        let (target, process, stream) = (to.host, to.process, to.stream);
        if to.closed {
            // Nobody is there any more: the sender is told so.
            if matches!(segment, Segment::Data(_)) && !connection.ends[side].closed {
                self.transmit(id, 1 - side, Segment::Reset);
            } else if connection.ends[side].closed && connection.ends[side].lost.is_empty() {
                self.connections.remove(&id);
            }
            return;
        }
        match segment {
            Segment::Data(Said { bytes, mark, place }) => self.input(target, process, Waiting::Received { stream, bytes, mark, place }),
            Segment::Fin => self.fail_side(id, 1 - side, CloseCause::Ended, "the peer closed the stream"),
            Segment::Reset => self.fail_side(id, 1 - side, CloseCause::Ended, "connection reset by peer"),
        }
    }

    fn on_again(&mut self, id: u64, side: usize) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        let Some(since) = end.stalled else { return };
        if self.hosts[end.host.0].power == Power::Off {
            return;
        }
        if now - since > GIVE_UP_AFTER {
            return self.fail_side(id, side, CloseCause::TimedOut, "connection timed out");
        }
        end.attempts += 1;
        let (attempts, octets) = (end.attempts, end.lost.first_key_value().map_or(SEGMENT_HEAD, |(_, segment)| segment.octets()));
        match self.carry_segment(id, side, octets) {
            None => self.plan(RETRANSMIT_AFTER * 2_u32.pow(attempts.min(9)), Happening::Stream(id, Step::Again(side))),
            Some(_) => {
                let Some(connection) = self.connections.get_mut(&id) else { return };
                connection.ends[side].stalled = None;
                let lost = std::mem::take(&mut connection.ends[side].lost);
                lost.into_iter().for_each(|(number, segment)| self.put_on_the_wire(id, side, number, segment));
            }
        }
    }

    /// An end hears that its stream is over.
    fn fail_side(&mut self, id: u64, side: usize, cause: CloseCause, reason: &str) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        let told = !std::mem::replace(&mut end.closed, true);
        let (host, process, stream) = (end.host, end.process, end.stream);
        if !connection.open || connection.ends[1 - side].closed {
            self.connections.remove(&id);
        }
        if told {
            self.input(host, process, Waiting::Closed { stream, cause, reason: reason.into() });
        }
    }

    /// A process has read so much of a stream: who sends may send more.
    pub(super) fn has_read(&mut self, host: HostId, stream: StreamId, octets: usize) {
        let Some((id, side)) = self.stream_of(host, stream) else { return };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let sender = &mut connection.ends[1 - side];
        sender.outstanding = sender.outstanding.saturating_sub(octets);
        let (to, process, stream) = (sender.host, sender.process, sender.stream);
        let mut told = Vec::new();
        while sender.outstanding <= BUFFER
            && let Some(octets) = sender.untold.pop_front()
        {
            told.push(octets);
        }
        told.into_iter().for_each(|octets| self.plan(Duration::ZERO, Happening::Input(to, process, Waiting::Sent { stream, octets })));
    }
}

/// Where nobody is.
pub(super) const NOWHERE: HostId = HostId(usize::MAX);
