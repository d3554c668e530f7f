//! What is missing of an owner's records is asked for, and sent.

use std::collections::BTreeMap;

use super::{
    Core,
    io::StreamId,
    part::{Have, Live, Outcome, Part, Slot, Want},
    push::is_base,
    replica::Shift,
    time::Moment,
};
use crate::{
    model::{
        Life, NodeId,
        record::{Body, Key, Kind},
    },
    wire::{
        WireError, limits,
        message::{self, Message as _, WantPart, WireLive, WireSlot, kind},
    },
};

impl Core {
    pub(super) fn say_wants(&mut self, stream: StreamId, theirs: &[(NodeId, u128)]) {
        let mut messages = Vec::new();
        for (node, digest) in theirs {
            let known = self.known.get(node);
            // Of ourselves, too: perhaps somebody holds more than we have written.
            if known.and_then(|known| known.replica.digest(*node)) == Some(*digest) {
                continue;
            }
            let [shown, next] = match self.conversations.get(&stream) {
                // All that it holds of the other life shows what came back with ours.
                Some(conversation) if *node == self.me() && conversation.heard.is_of_another_life() => [None, None],
                _ => known.map(|known| known.replica.wants()).unwrap_or_default(),
            };
            let request = rand::RngExt::random(&mut self.rng);
            if let Some(conversation) = self.conversations.get_mut(&stream) {
                conversation.asked.insert(request, *node);
            }
            let part =
                |want: Want| WantPart { life: want.life.into(), complete: want.complete, definitions: want.definitions.to_le_bytes() };
            let want = message::Want { request, node: node.0.to_be_bytes(), shown: shown.map(part), next: next.map(part) };
            messages.push((kind::WANT, want.to_bytes()));
        }
        messages.push((kind::WANTS_END, vec![]));
        self.say_together(stream, messages);
    }

    pub(super) fn on_want(&mut self, stream: StreamId, want: message::Want) {
        if let Some(conversation) = self.conversations.get_mut(&stream)
            && conversation.wants.len() < limits::MEMBERS
        {
            conversation.wants.push_back(want);
        }
    }

    pub(super) fn on_wants_end(&mut self, stream: StreamId) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.wants_ended = true;
        }
    }

    /// Answers wants for as long as the network takes what we say.
    pub(super) fn answer_wants(&mut self, now: Moment, stream: StreamId) {
        let (mut messages, mut octets) = (Vec::new(), 0);
        while let Some(conversation) = self.conversations.get_mut(&stream)
            && !conversation.is_choked()
            && let Some(want) = conversation.wants.pop_front()
        {
            for have in self.haves_for(&want) {
                octets += have.len();
                messages.push((kind::HAVE, have));
            }
            if octets > limits::FRAME_SHARED {
                octets = 0;
                self.say_together(stream, std::mem::take(&mut messages));
            }
        }
        self.say_together(stream, messages);
        if let Some(conversation) = self.conversations.get_mut(&stream)
            && conversation.wants_ended
            && conversation.wants.is_empty()
            && !conversation.sent_all
        {
            conversation.sent_all = true;
            self.say_bytes(stream, kind::HAVES_END, &[]);
            self.end_when_done(now, stream);
        }
    }

    fn haves_for(&self, want: &message::Want) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let node = NodeId(u64::from_be_bytes(want.node));
        let part = |part: WantPart| Want {
            life: Life::from(part.life),
            complete: part.complete,
            definitions: u128::from_le_bytes(part.definitions),
        };
        let wants = [want.shown.map(part), want.next.map(part)];
        let haves = self.known.get(&node).map(|known| known.replica.haves(&wants)).unwrap_or_default();
        for have in haves {
            let empty = message::Have {
                request: want.request,
                node: want.node,
                life: have.life.into(),
                base: have.base,
                from: have.from,
                slots: vec![],
                end: None,
                digest: [0; 16],
            };
            let digest = self.known.get(&node).and_then(|known| known.replica.part(have.life)).map_or(0, Part::digest);
            let (mut next, mut octets) = (empty.clone(), 0);
            for (key, slot) in have.slots {
                octets += slot_octets(&key, &slot);
                next.slots.push((key.kind.0, key.id.to_string(), slot.into()));
                if octets > limits::FRAME_FULL {
                    messages.push(std::mem::replace(&mut next, empty.clone()).to_bytes());
                    octets = 0;
                }
            }
            next.end = have.end.map(|(complete, live)| (complete, live.into()));
            next.digest = digest.to_le_bytes();
            messages.push(next.to_bytes());
        }
        messages
    }

    pub(super) fn on_have(&mut self, now: Moment, stream: StreamId, have: message::Have) -> Result<(), WireError> {
        let node = NodeId(u64::from_be_bytes(have.node));
        let life = Life::from(have.life);
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return Ok(());
        };
        // An answer is bound to the memory that asked.
        if conversation.asked.get(&have.request) != Some(&node) {
            return Ok(());
        }
        // The parts of an answer come one after the other, so there is one that is not complete at most.
        let (request, mut whole) = conversation
            .partial
            .take()
            .unwrap_or_else(|| (have.request, Have { life, base: have.base, from: have.from, slots: BTreeMap::new(), end: None }));
        if (request, whole.life, whole.base, whole.from) != (have.request, life, have.base, have.from) || !is_base(have.base) {
            return Err(WireError::Malformed);
        }
        for (kind, id, slot) in have.slots {
            if id.len() > limits::ID_OCTETS {
                return Err(WireError::TooLarge);
            }
            whole.slots.insert(Key::of(Kind(kind), &id), slot.try_into()?);
        }
        if whole.slots.len() > limits::SLOTS_PER_PART {
            return Err(WireError::TooLarge);
        }
        let Some((complete, live)) = have.end else {
            conversation.partial = Some((request, whole));
            return Ok(());
        };
        whole.end = Some((complete, live.into()));
        match node == self.me() {
            true => self.hear_of_records(stream, &whole, u128::from_le_bytes(have.digest)),
            false => self.take_have(now, stream, node, &whole),
        }
        Ok(())
    }

    pub(super) fn take_have(&mut self, now: Moment, stream: StreamId, node: NodeId, have: &Have) {
        // Membership first: records of a life above the member's, or of no member, are not held.
        let member = self.membership.get(node).map(|member| member.identity.life());
        if member.is_none_or(|life| life < have.life) || self.graves.buries(node, have.life.generation) {
            return;
        }
        let mut shift = Shift::default();
        let known = self.known.entry(node).or_default();
        let outcome = known.replica.on_have(have, &mut shift);
        let news = outcome == Outcome::New || shift != Shift::default();
        self.touch(node, shift);
        if news {
            self.counters.sync_records += have.slots.len() as u64;
            if let Some(conversation) = self.conversations.get_mut(&stream) {
                conversation.news = true;
            }
            self.on_records_changed(now, node);
            self.changed(now);
        }
        if outcome == Outcome::Ask {
            let complete = have.end.as_ref().map_or(0, |(complete, _)| *complete);
            self.sync_soon(now, node, have.life, complete);
        }
    }

    pub(super) fn on_haves_end(&mut self, now: Moment, stream: StreamId) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.got_all = true;
            self.end_when_done(now, stream);
        }
    }
}

fn slot_octets(key: &Key, slot: &Slot) -> usize {
    let bodies = match slot {
        Slot::Live { definition, status, .. } => definition.len() + status.len(),
        Slot::Gone { .. } => 0,
    };
    key.id.len() + bodies + 32
}

impl From<Slot> for WireSlot {
    fn from(slot: Slot) -> WireSlot {
        match slot {
            Slot::Live { d, s, definition, status } => WireSlot::Live { d, s, definition: definition.to_vec(), status: status.to_vec() },
            Slot::Gone { r } => WireSlot::Gone { r },
        }
    }
}

impl TryFrom<WireSlot> for Slot {
    type Error = WireError;
    fn try_from(slot: WireSlot) -> Result<Slot, WireError> {
        Ok(match slot {
            WireSlot::Live { definition, status, .. } if definition.len() > limits::BODY_OCTETS || status.len() > limits::BODY_OCTETS => {
                return Err(WireError::TooLarge);
            }
            WireSlot::Live { d, s, definition, status } => {
                Slot::Live { d, s, definition: Body::from(definition), status: Body::from(status) }
            }
            WireSlot::Gone { r } => Slot::Gone { r },
        })
    }
}

impl From<Live> for WireLive {
    fn from(live: Live) -> WireLive {
        match live {
            Live::Same(hash) => WireLive::Same(hash.to_le_bytes()),
            Live::List(versions) => {
                let mut last = 0;
                WireLive::List(versions.into_iter().map(|version| version - std::mem::replace(&mut last, version)).collect())
            }
        }
    }
}

impl From<WireLive> for Live {
    fn from(live: WireLive) -> Live {
        match live {
            WireLive::Same(hash) => Live::Same(u128::from_le_bytes(hash)),
            WireLive::List(differences) => {
                let mut last = 0_u64;
                Live::List(
                    differences
                        .into_iter()
                        .map(|difference| {
                            last = last.saturating_add(difference);
                            last
                        })
                        .collect(),
                )
            }
        }
    }
}
