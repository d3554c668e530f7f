//! Datagrams that come in.

use std::{net::SocketAddr, time::Duration};

use super::{Core, answering::Allowance, conversation::Purpose, time::Moment};
use crate::wire::{
    Identity, WireError,
    codec::CodecError,
    message::{DigestBeacon, Message, Push, kind, short_digest},
};

/// After a change pushes are still on their way: digests differ without anything being lost.
const PUSHES_TAKE: Duration = Duration::from_millis(60);
/// Syncs that digests ask for are never closer than this.
const SYNC_GAP: Duration = Duration::from_millis(100);

/// Rejoins are never closer than this. Where somebody holds a later life of this node a rejoin changes nothing: without a
/// pause the two would tell each other so as fast as the network goes.
const REJOIN_GAP: Duration = Duration::from_secs(5);

impl Core {
    pub(super) fn on_datagram(&mut self, now: Moment, from: SocketAddr, bytes: &[u8]) {
        let opened = self.datagram_in(bytes);
        let messages = match opened.as_ref().map_err(|error| *error).and_then(|opened| opened.messages_of(self.cluster)) {
            Ok(messages) => messages,
            Err(error) => return self.dropped_unread(from, bytes, error),
        };
        self.read_in = opened.as_ref().map_or(0, |opened| opened.version);
        if opened.as_ref().is_ok_and(|opened| opened.nonce.is_none()) {
            self.allowance = Some(Allowance::of(bytes.len()));
        }
        self.taken += 1;
        // Records about a member that is new come behind the packet that tells of it, in one datagram.
        for (kind, body) in messages {
            match kind {
                kind::FOCA => self.on_foca_packet(now, from, body),
                kind::DIGEST => match DigestBeacon::from_bytes(body) {
                    Ok(beacon) => self.on_beacon(now, &beacon),
                    Err(error) => self.dropped(from, error.as_str()),
                },
                kind::PUSH => match Push::from_bytes(body) {
                    Ok(push) => self.on_push(now, from, push, body),
                    Err(error) => self.dropped(from, error.as_str()),
                },
                _ => {
                    if let Err(error) = self.on_datagram_of_detection(now, from, kind, body) {
                        self.dropped(from, error);
                    }
                }
            }
        }
    }

    fn on_datagram_of_detection(&mut self, now: Moment, from: SocketAddr, kind: u8, body: &[u8]) -> Result<(), &'static str> {
        match kind {
            kind::PROBE => self.on_probe(now, from, &read(body)?),
            kind::PROBE_ACK => self.on_probe_ack(now, &read(body)?),
            kind::PROBE_REQUEST => self.on_probe_request(now, from, &read(body)?),
            kind::PROBE_REPORT => self.on_probe_report(now, &read(body)?),
            _ => return Err("unknown_kind"),
        }
        Ok(())
    }

    fn on_foca_packet(&mut self, now: Moment, from: SocketAddr, packet: &[u8]) {
        // What is echoed of our leave would make foca rejoin.
        if self.has_left() {
            return;
        }
        if self.is_kept_out(now) {
            return self.dropped(from, "not_for_us");
        }
        let Some((sender, taken_for_dead)) = self.membership.peek(packet) else {
            return self.dropped(from, WireError::Malformed.as_str());
        };
        if sender.node() == self.me() {
            self.sighted(now, sender, sender);
            return self.dropped(from, WireError::Malformed.as_str());
        }
        // Were it read, foca would tell the buried that it is down, it would rejoin, and so on as fast as the network goes.
        if self.is_buried(sender) {
            self.tell_buried(now, sender);
            return self.dropped(from, "buried");
        }
        if !self.has_room_for(sender) {
            return self.dropped(from, "too_many_members");
        }
        if taken_for_dead && self.rejoined.is_some_and(|at| now - at < REJOIN_GAP) {
            return self.dropped(from, "rejoined_already");
        }
        if self.membership.get(sender.node()).is_none_or(|member| member.identity.address() != sender.address()) {
            self.allowance = self.allowance.map(Allowance::of_stranger);
        }
        self.heard(sender);
        let admitted = self.admit(sender, packet);
        let effects = self.membership.on_packet(admitted.packet.as_deref().unwrap_or(packet));
        if effects.error.is_none() {
            self.heard_in(sender, self.read_in);
            self.heard_somebody(now);
            admitted.other_selves.into_iter().for_each(|other| self.sighted(now, other, sender));
            if effects.rejoined.is_some() {
                // Perhaps it was not for dead that we were taken: it may hold a later life of this node.
                self.sync_about_ourselves(now, sender);
            }
        }
        if let Some(error) = &effects.error {
            let reason = match error {
                foca::Error::Decode(error) if matches!(error.downcast_ref(), Some(CodecError::NotForUs)) => "not_for_us",
                _ => "malformed",
            };
            self.dropped(from, reason);
        }
        self.apply(now, effects);
    }

    /// Somebody says what it knows.
    fn on_beacon(&mut self, now: Moment, beacon: &DigestBeacon) {
        self.heard(beacon.from);
        self.compare(now, beacon.from, short_digest(beacon.digest));
    }

    /// Compares what a member knows with what we know. Where that differs, and no push can be the reason, we sync.
    pub(super) fn compare(&mut self, now: Moment, member: Identity, theirs: [u8; 4]) {
        let ours = self.digest().short();
        let up = self.membership.get(member.node()).is_some_and(|m| m.identity == member && m.is_up());
        if theirs == ours || !up || self.has_left() || self.settle.is_fruitless(now, (theirs, ours)) {
            return;
        }
        let fresh = now - self.settle.last_change < PUSHES_TAKE || now - self.settle.last_sync < SYNC_GAP;
        if !fresh && self.conversations.values().all(|conversation| !conversation.is_ours()) {
            self.settle.last_sync = now;
            self.open(now, member.address(), Purpose::Sync);
        }
    }
}

fn read<M: Message>(body: &[u8]) -> Result<M, &'static str> {
    M::from_bytes(body).map_err(WireError::as_str)
}
