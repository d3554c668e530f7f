//! The detector's place in the core: what it is told, and what is done of what it wants.

use std::{net::SocketAddr, time::Duration};

use super::{
    Core,
    conversation::Purpose,
    detector::{Action, LATE, Standing},
    io::{Output, StreamId},
    time::Moment,
};
use crate::{
    model::NodeId,
    wire::{
        Identity, WireError,
        envelope::{Carrier, Envelope},
        message::{Message as _, Probe, ProbeAck, ProbeReport, ProbeRequest, Watch, kind},
    },
};

impl Core {
    /// Tells the detector how a member stands.
    pub(super) fn show_detector(&mut self, now: Moment, node: NodeId) {
        if self.has_left() {
            return;
        }
        let Some(member) = self.membership.get(node).copied() else {
            return self.detector.forget(now, node);
        };
        // It may have been told of before the member has that life here.
        let away = self.known.get(&node).is_some_and(|known| known.absent_until(member.identity.life()).is_some());
        let standing = match member.is_up() {
            false => Standing::Gone,
            true if away => Standing::Away,
            true => Standing::Up,
        };
        self.detector.see(now, member.identity, standing);
    }

    /// How late we come to what is due now. What ran out while we were held up is no evidence.
    pub(super) fn note_lateness(&mut self, now: Moment) {
        let late = self.poll_timeout().map_or(Duration::ZERO, |due| now - due);
        if late > LATE {
            self.detector.on_late(late);
        }
    }

    /// Does what the detector wants done.
    pub(super) fn carry_out_detection(&mut self, now: Moment) {
        while let Some(action) = self.detector.poll_action() {
            match action {
                Action::Tell { to, message } => {
                    let (kind, body) = message.encode();
                    self.send_datagram(self.version_at(to), to, kind, &body);
                }
                Action::Connect { stream, to } => {
                    self.detector.speak(stream, self.version_at(to));
                    self.outputs.push_back(Output::Connect { stream, to });
                }
                Action::Say { stream, version, message } => {
                    let (kind, body) = message.encode();
                    self.send_frame(version, stream, kind, &body);
                }
                Action::Close(stream) => self.outputs.push_back(Output::Close(stream)),
                Action::Suspects(node) => self.touch(node, super::replica::Shift::default()),
                Action::Down { identity, .. } => {
                    let effects = self.membership.down(identity);
                    self.apply(now, effects);
                }
                Action::Meet(address) => self.meet(now, address),
            }
        }
    }

    /// Gets to know who is at an address, unless that is under way.
    fn meet(&mut self, now: Moment, address: SocketAddr) {
        let under_way = self.conversations.values().any(|conversation| conversation.is_ours() && conversation.at == address);
        if !under_way && self.farewell.is_none() {
            self.open(now, address, Purpose::Look);
        }
    }

    fn send_datagram(&mut self, version: u8, to: SocketAddr, kind: u8, body: &[u8]) {
        let mut envelope = Envelope::of(version, Carrier::Datagram, self.cluster);
        envelope.push(kind, body);
        self.send(to, envelope);
    }

    fn send_frame(&mut self, version: u8, stream: StreamId, kind: u8, body: &[u8]) {
        let mut envelope = Envelope::of(version, Carrier::Frame, self.cluster);
        envelope.push(kind, body);
        let bytes = self.frame_out(stream, envelope);
        self.outputs.push_back(Output::Send { stream, bytes });
    }

    // Datagrams.

    pub(super) fn on_probe(&mut self, now: Moment, from: SocketAddr, probe: &Probe) {
        if !self.has_left() {
            let ack = self.answer_to(now, probe);
            self.send_datagram(self.read_in, from, kind::PROBE_ACK, &ack.to_bytes());
        }
    }

    fn answer_to(&mut self, now: Moment, probe: &Probe) -> ProbeAck {
        let me = self.membership.me();
        let is_for_us = probe.to == me.short().to_be_bytes();
        if is_for_us && probe.suspected {
            self.detector.on_accused(now);
        }
        ProbeAck { nonce: probe.nonce, digest: self.digest().short(), instead: (!is_for_us).then_some(me) }
    }

    pub(super) fn on_probe_ack(&mut self, now: Moment, ack: &ProbeAck) {
        if let Some(from) = self.detector.on_ack(now, ack, true) {
            self.heard_somebody(now);
            self.compare(now, from, ack.digest);
        }
    }

    pub(super) fn on_probe_request(&mut self, now: Moment, from: SocketAddr, request: &ProbeRequest) {
        if !self.has_left() {
            self.detector.on_request(now, from, request);
        }
    }

    pub(super) fn on_probe_report(&mut self, now: Moment, report: &ProbeReport) {
        self.detector.on_report(now, report);
    }

    /// Something came that only this member can have sent.
    pub(super) fn heard(&mut self, member: Identity) {
        self.detector.heard(member);
    }

    // Streams.

    /// Octets came by a stream of the detector's.
    pub(super) fn on_received_by_detector(&mut self, now: Moment, stream: StreamId, bytes: &[u8]) {
        if let Some(frames) = self.detector.frames(stream) {
            frames.extend(bytes);
        }
        loop {
            let frame = match self.detector.frames(stream).map(|frames| frames.next_frame()) {
                None | Some(Ok(None)) => return,
                Some(Ok(Some(frame))) => frame,
                Some(Err(_)) => return self.break_off(now, stream),
            };
            let opened = self.frame_in(stream, &frame);
            let Ok(messages) = opened.as_ref().map_err(|error| *error).and_then(|opened| opened.messages_of(self.cluster)) else {
                return self.break_off(now, stream);
            };
            self.taken += 1;
            for (kind, body) in messages {
                if let Some((from, ack)) = self.detector.on_message(now, stream, kind, body) {
                    self.compare(now, from, ack.digest);
                }
            }
        }
    }

    /// What comes by a stream makes no sense: to the detector it is as good as over.
    fn break_off(&mut self, now: Moment, stream: StreamId) {
        self.detector.on_closed(now, stream, super::io::CloseCause::Other);
        self.outputs.push_back(Output::Close(stream));
    }

    /// A peer opened a stream to probe us: it is answered, and that is all.
    pub(super) fn on_probe_by_stream(&mut self, now: Moment, stream: StreamId, probe: &Probe) {
        if !self.has_left() {
            let ack = self.answer_to(now, probe);
            self.say(stream, &ack);
        }
        self.conversations.remove(&stream);
        self.outputs.push_back(Output::Close(stream));
    }

    /// A peer opened a stream to watch us. From now on it is the detector's, and no conversation.
    pub(super) fn on_watch(&mut self, stream: StreamId, body: &[u8]) -> Result<(), WireError> {
        let watch = Watch::from_bytes(body)?;
        let is_present = self.is_present(stream);
        if let Some(conversation) = self.conversations.remove(&stream) {
            let version = conversation.version;
            self.detector.on_watcher(stream, &watch, is_present, version, conversation.into_frames());
        }
        Ok(())
    }
}
