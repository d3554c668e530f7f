//! Probes on behalf of others: what is found is told to all who asked, and nothing follows from it here.

use std::{net::SocketAddr, time::Duration};

use rand::RngExt as _;

use super::{
    super::{
        io::{CloseCause, StreamId},
        time::Moment,
        timers::Alarm,
    },
    Detector, Due, Purpose, Told, probe,
};
use crate::{
    model::NodeId,
    wire::{
        Identity,
        message::{Found, ProbeReport, ProbeRequest},
    },
};

/// Errands at once. Who asks for one more asks somebody else, too.
const ERRANDS: usize = 128;
/// Who waits for the outcome of one errand, at most.
const ASKERS: usize = 16;

/// A probe on behalf of others.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) target: Identity,
    pub(super) nonce: u32,
    tries: u32,
    stream: Option<StreamId>,
    pub(super) refused: bool,
    connected: bool,
    /// Who asked, and the nonce of each question.
    askers: Vec<(SocketAddr, [u8; 4])>,
    alarm: Alarm,
}

impl Detector {
    /// Somebody wants to know whether we reach a member. Only members are probed so, and only where we know them to be: else
    /// anybody could have us knock at any door.
    pub(in super::super) fn on_request(&mut self, now: Moment, from: SocketAddr, request: &ProbeRequest) {
        let node = NodeId(u64::from_be_bytes(request.node));
        let Some(seat) = self.ring.get(node).copied().filter(|seat| seat.identity.short().to_be_bytes() == request.to) else {
            return;
        };
        if seat.away {
            return self.tell(from, Told::Report(ProbeReport { nonce: request.nonce, found: Found::Excused }));
        }
        let asker = (from, request.nonce);
        if let Some(errand) = self.errands.get_mut(&node) {
            if errand.askers.len() < ASKERS && !errand.askers.contains(&asker) {
                errand.askers.push(asker);
            }
            return;
        }
        if self.errands.len() >= ERRANDS {
            return;
        }
        let (target, nonce) = (seat.identity, self.rng.random());
        let alarm = self.timers.alarm(now + self.errand_time_out(), Due::Errand(node));
        let errand = Errand { target, nonce, tries: 1, stream: None, refused: false, connected: false, askers: vec![asker], alarm };
        self.errands.insert(node, errand);
        self.counters.errands += 1;
        self.tell(target.address(), probe(target, nonce, false));
    }

    /// A time-out has passed.
    pub(super) fn step_errand(&mut self, now: Moment, node: NodeId) {
        let (tries, time_out) = (self.loss.tries(), self.errand_time_out());
        let Some(errand) = self.errands.get_mut(&node) else {
            return;
        };
        if errand.refused || errand.tries >= tries {
            let found = match (errand.refused, errand.connected) {
                (true, _) => Found::Refused,
                (false, true) => Found::Stalled,
                (false, false) => Found::Silent,
            };
            return self.report(node, found);
        }
        errand.tries += 1;
        errand.alarm = self.timers.alarm(now + time_out, Due::Errand(node));
        let (target, nonce, first) = (errand.target, errand.nonce, errand.stream.is_none());
        self.tell(target.address(), probe(target, nonce, false));
        if first {
            let stream = self.connect(target.address(), Purpose::Errand(node));
            if let Some(errand) = self.errands.get_mut(&node) {
                errand.stream = Some(stream);
            }
        }
    }

    /// Whoever asks stretches its own patience by its own health, so ours is left out of it.
    fn errand_time_out(&self) -> Duration {
        self.round_trip.time_out()
    }

    pub(super) fn errand_connected(&mut self, stream: StreamId, node: NodeId) {
        if let Some(errand) = self.errands.get_mut(&node) {
            errand.connected = true;
            let message = probe(errand.target, errand.nonce, false);
            self.say(stream, message);
        }
    }

    pub(super) fn errand_closed(&mut self, node: NodeId, cause: CloseCause) {
        if let Some(errand) = self.errands.get_mut(&node) {
            // An answer to the datagram may still come: what was refused is told with the next step.
            (errand.connected, errand.refused) = (false, cause == CloseCause::Refused);
        }
    }

    /// Tells all who asked what came of it.
    pub(super) fn report(&mut self, node: NodeId, found: Found) {
        for (to, nonce) in self.drop_errand(node) {
            self.tell(to, Told::Report(ProbeReport { nonce, found }));
        }
    }

    /// Ends an errand. Gives who had asked.
    pub(super) fn drop_errand(&mut self, node: NodeId) -> Vec<(SocketAddr, [u8; 4])> {
        let Some(errand) = self.errands.remove(&node) else {
            return Vec::new();
        };
        self.timers.cancel(errand.alarm);
        if let Some(stream) = errand.stream {
            self.close(stream);
        }
        errand.askers
    }
}
