//! Which version of the wire format is spoken with whom: the highest that both speak, as far as that is known; an answer is in the version of the question.
//! Of whom nothing is known is spoken to in our lowest. Nothing that can't be read is answered; who finds that it was not understood asks which versions are
//! spoken, in a form that is the same in all of them (`wire/versions.rs`).

use std::net::SocketAddr;

use super::{
    Core,
    io::{Event, StreamId},
    time::Moment,
};
use crate::{
    model::{Life, NodeId},
    planted::{Planted, is_planted},
    wire::{
        Identity, Versions, WireError,
        envelope::{self, Carrier, Envelope, RawMessage},
        message::RefuseCode,
        versions::{KIND, NEGOTIATION, Speaks},
    },
};

/// Those who ended a stream of ours without a word, at most.
pub(super) const SPEECHLESS: usize = 8;

impl Core {
    /// The version in which a node is spoken to.
    pub(super) fn version_for(&self, node: NodeId) -> u8 {
        let spoken = self.known.get(&node).map_or(NEGOTIATION, |known| known.speaks);
        match spoken {
            _ if is_planted(Planted::HighestSpoken) => self.versions.highest as u8,
            NEGOTIATION => self.versions.first(),
            spoken => spoken,
        }
    }

    /// The version in which whoever is at an address is spoken to.
    pub(super) fn version_at(&self, address: SocketAddr) -> u8 {
        if self.versions.lowest == self.versions.highest {
            return self.versions.first();
        }
        let at = |member: &&super::membership::MemberView| member.identity.address() == address;
        let member = self.membership.members().find(at).map(|member| member.identity.node());
        member.map_or(self.versions.first(), |node| self.version_for(node))
    }

    /// A datagram without messages, for a node.
    pub(super) fn datagram_for(&self, node: NodeId) -> Envelope {
        Envelope::of(self.version_for(node), Carrier::Datagram, self.cluster)
    }

    /// A node says what it speaks, in this life of its. With none in common it can't be spoken to; a peer that speaks with both lets them know of each other.
    /// An earlier life may have spoken others, and may be a recording; it is the best guess only as long as there is no other.
    pub(super) fn learn_versions(&mut self, node: NodeId, of: Life, theirs: Versions) {
        let common = self.versions.common(theirs).unwrap_or(NEGOTIATION);
        if let Some(known) = self.known.get_mut(&node).filter(|known| of >= known.life || known.speaks == NEGOTIATION) {
            known.speaks = common;
        }
    }

    /// A node wrote in this version. Until what it says of this life of its is known, that is the best guess: it may speak fewer than before.
    pub(super) fn heard_in(&mut self, from: Identity, version: u8) {
        if let Some(known) = self.known.get_mut(&from.node()).filter(|known| from.life() >= known.life) {
            let is_told = known.replica.shown.as_ref().is_some_and(|part| part.life >= known.life);
            known.speaks = if is_told { known.speaks } else { version };
        }
    }

    /// Something can't be read. Where the reason is its version, that is told, and what is spoken here.
    pub(super) fn dropped_unread(&mut self, from: SocketAddr, bytes: &[u8], error: WireError) {
        match envelope::version_of(bytes) {
            Some(version) if error == WireError::Version => self.event(Event::OtherVersion { from, version, ours: self.versions }),
            _ => self.dropped(from, error.as_str()),
        }
    }

    /// Says which versions are spoken here, by a stream whose other end may be able to read nothing else.
    pub(super) fn say_versions(&mut self, stream: StreamId) {
        let speaks = Speaks { versions: self.versions, port: self.settings.address.port() };
        let mut envelope = Envelope::of(NEGOTIATION, Carrier::Frame, self.cluster);
        envelope.push(KIND, &speaks.to_bytes());
        self.say_envelope(stream, envelope);
    }

    /// The other end says which versions it speaks: who opened the stream began with that in place of its hello, or is answered so.
    pub(super) fn on_versions(&mut self, now: Moment, stream: StreamId, messages: &[RawMessage<'_>]) -> Result<(), WireError> {
        let [(KIND, body)] = *messages else { return Err(WireError::Malformed) };
        let theirs = Speaks::from_bytes(body)?;
        let Some(conversation) = self.conversations.get_mut(&stream) else { return Ok(()) };
        // Said once by each, so that two never go on and on about it.
        let is_asked = if conversation.is_ours() { conversation.asks_versions } else { conversation.peer.is_none() };
        if !is_asked || std::mem::replace(&mut conversation.has_versions, true) {
            return Err(WireError::Malformed);
        }
        let (at, ours) = (conversation.at, conversation.is_ours());
        let common = self.versions.common(theirs.versions);
        conversation.version = common.unwrap_or(conversation.version);
        if !ours {
            self.say_versions(stream);
        }
        match common {
            Some(_) if ours => self.say_hello(now, stream),
            Some(_) => {}
            None => self.part(now, stream, if ours { at } else { SocketAddr::new(at.ip(), theirs.port) }, theirs.versions, !ours),
        }
        Ok(())
    }

    /// The two have no version in common.
    fn part(&mut self, now: Moment, stream: StreamId, at: SocketAddr, theirs: Versions, by_us: bool) {
        let detail = self.versions.apart(theirs, at);
        if by_us {
            self.dropped(at, WireError::Version.as_str());
        }
        self.event(Event::Refused { peer: at, by_us, code: RefuseCode::Version, detail: detail.clone() });
        self.fail(now, stream, &detail);
    }
}
