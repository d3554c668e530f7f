//! Who is gone: detection as a machine of its own beside foca, fast where the evidence is strong and cautious where it is weak.
//!
//! Each node probes the next few in a ring and keeps idle streams to a few more, whose end shows at once that a process died. A
//! probe asks several times by datagram, then by stream, and has others ask. What that yields is evidence about the node; while it
//! is gathered the suspicion is private, so that it costs no gossip, and any sign of life ends it. Only a verdict leaves this
//! machine: foca spreads it. Who has reason to hold itself for unwell waits longer (see `local_health.rs`), and who comes late to its
//! own deadlines judges nobody.
//!
//! Drive it as the core is driven: tell it what happened, have it do what is due at `Detector::poll_timeout`, and take its
//! `Action`s.

mod errands;
mod evidence;
mod inquiry;
mod local_health;
mod loss;
mod ring;
mod round_trip;
mod suspicion;
#[cfg(test)]
mod tests;
mod watching;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    counters::DetectorCounters,
    io::{CloseCause, StreamId},
    time::Moment,
    timers::{Alarm, Timers},
};
use crate::{
    model::NodeId,
    wire::{
        Identity,
        frame::FrameBuffer,
        message::{Found, Message as _, Probe, ProbeAck, ProbeReport, ProbeRequest, Watch, kind},
    },
};
use errands::Errand;
pub use evidence::Fault;
use inquiry::{How, Inquiry};
use local_health::LocalHealth;
use loss::Loss;
use ring::{Ring, Seat};
use round_trip::RoundTrip;
use watching::Watching;

/// Members behind us that we probe.
const PROBED: usize = 2;
/// Between two probes of the same one of them, give or take a twentieth.
const ROUND: Duration = Duration::from_millis(1_150);
/// A deadline that is met later than this says that we were held up: what ran out meanwhile did so unfairly.
pub(super) const LATE: Duration = Duration::from_millis(200);
/// Being accused counts against ourselves once in this time, by however many.
const ACCUSED_GAP: Duration = Duration::from_secs(1);

/// How a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It should answer.
    Up,
    /// It announced a short absence.
    Away,
    /// It is down, or left, or forgotten.
    Gone,
}

/// What is to be done in the world, in this order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Send a datagram.
    Tell { to: SocketAddr, message: Told },
    /// Open a stream.
    Connect { stream: StreamId, to: SocketAddr },
    /// Send by a stream, in a version.
    Say { stream: StreamId, version: u8, message: Told },
    /// Close a stream behind what was said in it.
    Close(StreamId),
    /// A suspicion of this node began or ended.
    Suspects(NodeId),
    /// This one is gone.
    Down { identity: Identity, fault: Fault },
    /// A later life of a member is there: get to know it.
    Meet(SocketAddr),
}

/// What is said to peers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    /// Are you there?
    Probe(Probe),
    /// Do you reach it?
    Request(ProbeRequest),
    /// This is what I found.
    Report(ProbeReport),
    /// Look after me.
    Watch(Watch),
    /// Not any more.
    WatchEnd,
}

impl Told {
    /// Its kind and its body.
    pub(super) fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Told::Probe(probe) => (kind::PROBE, probe.to_bytes()),
            Told::Request(request) => (kind::PROBE_REQUEST, request.to_bytes()),
            Told::Report(report) => (kind::PROBE_REPORT, report.to_bytes()),
            Told::Watch(watch) => (kind::WATCH, watch.to_bytes()),
            Told::WatchEnd => (kind::WATCH_END, vec![]),
        }
    }
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// When to probe the next few in the ring, and to see to the watch streams.
    Round,
    /// When the next step of an inquiry about a node is to be taken.
    Inquiry(NodeId),
    /// When the next step of an errand about a node is to be taken.
    Errand(NodeId),
    /// When the peer of a watch stream should have said who it is.
    Greeting(StreamId),
}

/// A stream of the detector's.
#[derive(Debug)]
struct Line {
    purpose: Purpose,
    /// In which version it is spoken.
    version: u8,
    frames: FrameBuffer,
}

/// What a stream is for.
#[derive(Debug)]
enum Purpose {
    /// To probe a node for ourselves.
    Inquiry(NodeId),
    /// To probe a node for others.
    Errand(NodeId),
    /// To see its end.
    Watch(Watching),
}

/// The machine.
pub(super) struct Detector {
    me: Identity,
    ring: Ring,
    round_trip: RoundTrip,
    loss: Loss,
    health: LocalHealth,
    /// What we want to know ourselves, one for each node.
    inquiries: BTreeMap<NodeId, Inquiry>,
    /// What others want to know.
    errands: BTreeMap<NodeId, Errand>,
    lines: BTreeMap<StreamId, Line>,
    streams: u64,
    /// Members that were to be watched in the last round, and until when each that could not be is left in peace.
    watched: BTreeMap<NodeId, Moment>,
    round: Option<Alarm>,
    accused: Option<Moment>,
    timers: Timers<Due>,
    actions: VecDeque<Action>,
    counters: DetectorCounters,
    rng: StdRng,
}

impl Detector {
    /// Alone.
    pub(super) fn new(me: Identity, rng: &mut StdRng) -> Detector {
        Detector {
            me,
            ring: Ring::new(me.node()),
            round_trip: RoundTrip::default(),
            loss: Loss::default(),
            health: LocalHealth::default(),
            inquiries: BTreeMap::new(),
            errands: BTreeMap::new(),
            lines: BTreeMap::new(),
            streams: 0,
            watched: BTreeMap::new(),
            round: None,
            accused: None,
            timers: Timers::default(),
            actions: VecDeque::new(),
            counters: DetectorCounters::default(),
            rng: StdRng::seed_from_u64(rng.random()),
        }
    }

    // What others may know.

    /// What was counted since the start.
    pub(super) fn counters(&self) -> DetectorCounters {
        DetectorCounters { local_health: self.health.score(), watches: self.count_watches(), ..self.counters }
    }

    /// Whether exactly this one is under suspicion, and why.
    pub(super) fn suspects(&self, identity: Identity) -> Option<Fault> {
        let inquiry = self.inquiries.get(&identity.node()).filter(|inquiry| inquiry.target == identity && inquiry.is_suspicion())?;
        Some(inquiry.evidence.fault(self.helpers_about(identity.node())))
    }

    /// Where the pieces of what comes by a stream of the detector's are put together.
    pub(super) fn frames(&mut self, stream: StreamId) -> Option<&mut FrameBuffer> {
        self.lines.get_mut(&stream).map(|line| &mut line.frames)
    }

    /// A stream of the detector's is spoken in this version.
    pub(super) fn speak(&mut self, stream: StreamId, version: u8) {
        if let Some(line) = self.lines.get_mut(&stream) {
            line.version = version;
        }
    }

    // What happened.

    /// A member is seen to stand so.
    pub(super) fn see(&mut self, now: Moment, identity: Identity, standing: Standing) {
        let node = identity.node();
        let before = self.ring.get(node).copied();
        let seat = (standing != Standing::Gone).then_some(Seat { identity, away: standing == Standing::Away });
        if before == seat {
            return;
        }
        self.drop_inquiry(node);
        self.drop_errand(node);
        self.unwatch(node, |peer| seat.is_none_or(|seat| seat.identity != peer));
        if before.is_none_or(|before| before.identity != identity) {
            self.watched.remove(&node);
        }
        match seat {
            Some(seat) => self.ring.put(seat),
            None => self.ring.remove(node),
        }
        if self.round.is_none() && self.ring.count_present() > 0 {
            // Where many start at once, everybody has enough to do in the first moment.
            let after = ROUND + self.random_part_of(ROUND);
            self.round = Some(self.timers.alarm(now + after, Due::Round));
        }
        if before.is_some_and(|before| before.away && before.identity == identity) && standing == Standing::Up {
            self.probe_ring(now);
        }
    }

    /// Takes no more room than there are members.
    pub(super) fn pack(&mut self) {
        self.ring.pack();
    }

    /// A member is none any more, whatever it was.
    pub(super) fn forget(&mut self, now: Moment, node: NodeId) {
        if let Some(seat) = self.ring.get(node).copied() {
            self.see(now, seat.identity, Standing::Gone);
        }
    }

    /// We go by another identity now: what was done under the one of before is void.
    pub(super) fn rename(&mut self, me: Identity) {
        self.me = me;
        let nodes: Vec<NodeId> = self.inquiries.keys().chain(self.errands.keys()).copied().collect();
        for node in nodes {
            self.drop_inquiry(node);
            self.drop_errand(node);
        }
        let watched: Vec<NodeId> = self.watches().map(|(_, watching)| watching.peer.node()).collect();
        watched.into_iter().for_each(|node| self.unwatch(node, |_| true));
    }

    /// We leave: nothing is looked after any more.
    pub(super) fn stop(&mut self) {
        self.rename(self.me);
        if let Some(round) = self.round.take() {
            self.timers.cancel(round);
        }
        self.ring = Ring::new(self.me.node());
    }

    /// We come so late to a deadline that whatever ran out meanwhile did so unfairly. What speaks for itself stays: that a stream
    /// broke or was refused, which somebody's kernel said.
    pub(super) fn on_late(&mut self, late: Duration) {
        self.counters.late += 1;
        self.health.worse(2);
        let errands: Vec<(NodeId, bool)> = self.errands.iter().map(|(node, errand)| (*node, errand.refused)).collect();
        for (node, refused) in errands {
            if refused {
                self.report(node, Found::Refused);
            } else {
                self.drop_errand(node);
            }
        }
        let silences: Vec<NodeId> = self.inquiries.iter().filter(|(_, inquiry)| inquiry.is_mere_silence()).map(|(node, _)| *node).collect();
        silences.into_iter().for_each(|node| self.drop_inquiry(node));
        self.inquiries.values_mut().for_each(|inquiry| inquiry.put_off(late));
    }

    /// Somebody suspects us.
    pub(super) fn on_accused(&mut self, now: Moment) {
        if self.accused.is_none_or(|last| now - last >= ACCUSED_GAP) {
            self.accused = Some(now);
            self.counters.own_refutations += 1;
            self.health.worse(1);
        }
    }

    /// foca wants a member probed.
    pub(super) fn on_foca_probe(&mut self, now: Moment, target: Identity) {
        self.inquire(now, target, How::Ask);
    }

    /// Something came from this one, so it is there.
    pub(super) fn heard(&mut self, identity: Identity) {
        let node = identity.node();
        if self.inquiries.get(&node).is_some_and(|inquiry| inquiry.target == identity) {
            self.answered(node);
        }
        if self.errands.get(&node).is_some_and(|errand| errand.target == identity) {
            self.report(node, Found::Answered);
        }
    }

    /// Somebody answers a probe. Gives who it is, if it is who was meant.
    pub(super) fn on_ack(&mut self, now: Moment, ack: &ProbeAck, by_datagram: bool) -> Option<Identity> {
        let nonce = u32::from_be_bytes(ack.nonce);
        let inquiry = self.inquiries.values().find(|inquiry| inquiry.nonce == nonce);
        let errand = self.errands.values().find(|errand| errand.nonce == nonce);
        let target = inquiry.map(|inquiry| inquiry.target).or(errand.map(|errand| errand.target))?;
        if let Some(instead) = ack.instead {
            self.on_stranger(now, target, instead);
            return None;
        }
        if let Some(inquiry) = inquiry.filter(|_| by_datagram) {
            self.loss.answered(inquiry.tries);
            if inquiry.tries == 1 {
                self.round_trip.sample(now - inquiry.began);
            }
        }
        self.heard(target);
        Some(target)
    }

    /// Somebody else is where `target` should be.
    fn on_stranger(&mut self, now: Moment, target: Identity, instead: Identity) {
        let node = target.node();
        if instead.node() == node && instead.cmp_age(&target).is_gt() {
            // The conversation tells everything. Until it has, this is no time to judge.
            if self.inquiries.contains_key(&node) {
                self.actions.push_back(Action::Meet(instead.address()));
                self.drop_inquiry(node);
            }
            self.report(node, Found::Excused);
        } else if instead.node() != node {
            // The address is another node's now: as good as a refusal.
            if let Some(errand) = self.errands.get_mut(&node) {
                errand.refused = true;
            }
            if let Some(inquiry) = self.inquiries.get_mut(&node) {
                inquiry.evidence.refused = true;
                self.new_evidence(now, node);
            }
        }
    }

    /// A stream of the detector's is open.
    pub(super) fn on_connected(&mut self, now: Moment, stream: StreamId) {
        match self.lines.get(&stream).map(|line| &line.purpose) {
            Some(Purpose::Inquiry(node)) => self.inquiry_connected(now, stream, *node),
            Some(Purpose::Errand(node)) => self.errand_connected(stream, *node),
            Some(Purpose::Watch(watching)) => {
                let peer = watching.peer;
                self.greet(stream, peer);
            }
            None => {}
        }
    }

    /// A whole message came by a stream of the detector's. Gives who answered a probe, as [`Detector::on_ack`] does.
    pub(super) fn on_message(&mut self, now: Moment, stream: StreamId, kind: u8, body: &[u8]) -> Option<(Identity, ProbeAck)> {
        let line = self.lines.get(&stream)?;
        match (kind, &line.purpose) {
            (kind::PROBE_ACK, Purpose::Inquiry(_) | Purpose::Errand(_)) => {
                let ack = ProbeAck::from_bytes(body).ok()?;
                return self.on_ack(now, &ack, false).map(|from| (from, ack));
            }
            (kind::WATCH, Purpose::Watch(_)) => {
                if let Ok(watch) = Watch::from_bytes(body) {
                    self.on_greeting(now, stream, &watch);
                }
            }
            (kind::WATCH_END, Purpose::Watch(_)) => self.on_watch_end(now, stream),
            // A later version may say more.
            _ => {}
        }
        None
    }

    /// A stream of the detector's is over, or could not be opened.
    pub(super) fn on_closed(&mut self, now: Moment, stream: StreamId, cause: CloseCause) {
        match self.lines.remove(&stream).map(|line| line.purpose) {
            Some(Purpose::Inquiry(node)) => self.inquiry_closed(now, stream, node, cause),
            Some(Purpose::Errand(node)) => self.errand_closed(node, cause),
            Some(Purpose::Watch(watching)) => self.watch_closed(now, watching, cause),
            None => {}
        }
    }

    // What is due.

    /// When to call [`Detector::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Moment) {
        while let Some(due) = self.timers.pop_due(now) {
            match due {
                Due::Round => self.go_round(now),
                Due::Inquiry(node) => self.step_inquiry(now, node),
                Due::Errand(node) => self.step_errand(now, node),
                Due::Greeting(stream) => self.miss_greeting(now, stream),
            }
        }
    }

    /// The next thing to be done.
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn go_round(&mut self, now: Moment) {
        self.round = None;
        if self.ring.count_present() > 0 {
            let after = ROUND * 19 / 20 + self.random_part_of(ROUND / 10);
            self.round = Some(self.timers.alarm(now + after, Due::Round));
        }
        self.probe_ring(now);
        self.see_to_watches(now);
    }

    /// Probes the next in the ring, beyond those under suspicion: where neighbours die together, each is found at once.
    fn probe_ring(&mut self, now: Moment) {
        for target in self.next_in_ring(PROBED) {
            self.inquire(now, target, How::Ask);
        }
    }

    fn next_in_ring(&self, count: usize) -> Vec<Identity> {
        self.ring.after_us().filter(|member| self.suspects(*member).is_none()).take(count).collect()
    }

    // Below, what all parts share.

    /// How long an answer may take.
    fn time_out(&self) -> Duration {
        self.health.stretch(self.round_trip.time_out())
    }

    fn random_part_of(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.rng.random_range(0..=most.as_micros() as u64))
    }

    fn tell(&mut self, to: SocketAddr, message: Told) {
        self.actions.push_back(Action::Tell { to, message });
    }

    fn say(&mut self, stream: StreamId, message: Told) {
        let version = self.lines.get(&stream).map_or(0, |line| line.version);
        self.actions.push_back(Action::Say { stream, version, message });
    }

    fn connect(&mut self, to: SocketAddr, purpose: Purpose) -> StreamId {
        self.streams += 1;
        let stream = StreamId::of_detector(self.streams);
        self.lines.insert(stream, Line { purpose, version: 0, frames: FrameBuffer::default() });
        self.actions.push_back(Action::Connect { stream, to });
        stream
    }

    fn close(&mut self, stream: StreamId) {
        if self.lines.remove(&stream).is_some() {
            self.actions.push_back(Action::Close(stream));
        }
    }
}

/// A probe of this one.
fn probe(target: Identity, nonce: u32, suspected: bool) -> Told {
    Told::Probe(Probe { to: target.short().to_be_bytes(), nonce: nonce.to_be_bytes(), suspected })
}
