//! What two agents say to each other by stream until they hold the same.
//!
//! ```text
//! hello      both ways: cluster, versions, who, name, digests. Equal: that is the end of it.
//! buckets    both ways: hashes over the owners in each of 256 buckets
//! members, graves, owners    both ways: what is in the buckets that differ
//! wants      both ways: what each holds of the owners that differ
//! haves      both ways: only what is missing
//! ```
//!
//! Each side sends its part of a step when it has the other's of the step before, so both are equal afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use foca::State;

use super::{
    Core,
    conversation::{Conversation, Purpose},
    io::{Output, StreamId},
    settle::Fruitless,
    time::Moment,
};
use crate::{
    model::NodeId,
    wire::{
        WireError,
        codec::state_to_wire,
        limits,
        message::{self, Buckets, Graves, Hello, MemberEntry, Members, Message as _, Owners, Refuse, kind, short_digest},
    },
};

/// No announced absence is longer.
const LONGEST_GRACE: Duration = Duration::from_secs(u16::MAX as u64);
/// Members, graves or owners in one frame: at most some 60 octets each.
const PER_FRAME: usize = 512;

/// Where another life of ours is told of that could not be asked, it is looked for again after so long: it may be reached by then.
const ANOTHER_LIFE_AGAIN: Duration = Duration::from_secs(5);

impl Core {
    pub(super) fn on_message(&mut self, now: Moment, stream: StreamId, kind: u8, body: &[u8]) -> Result<(), WireError> {
        let conversation = self.conversations.get(&stream);
        let greeted = conversation.is_some_and(|conversation| conversation.peer.is_some());
        let ours = conversation.is_some_and(Conversation::is_ours);
        let is_buried = conversation.is_some_and(|conversation| conversation.peer_is_buried);
        match kind {
            // It goes on as if nothing were, so it has no grave for us to tell of.
            kind::BUCKETS if is_buried => self.fail(now, stream, "that life of the node is buried here"),
            _ if is_buried && kind != kind::GRAVES => {}
            kind::HELLO if greeted => return Err(WireError::Malformed),
            kind::HELLO => self.on_hello(now, stream, &Hello::from_bytes(body)?),
            kind::REFUSE => self.on_refuse(now, stream, &Refuse::from_bytes(body)?),
            kind::PROBE if !ours && !greeted => self.on_probe_by_stream(now, stream, &message::Probe::from_bytes(body)?),
            kind::WATCH if !ours && !greeted => self.on_watch(stream, body)?,
            _ if !greeted => return Err(WireError::Malformed),
            kind::BUCKETS => self.on_buckets(now, stream, &Buckets::from_bytes(body)?)?,
            kind::MEMBERS => self.on_members(now, stream, &Members::from_bytes(body)?),
            kind::GRAVES => self.on_graves(now, stream, &Graves::from_bytes(body)?),
            kind::OWNERS => self.on_owners(stream, Owners::from_bytes(body)?)?,
            kind::WANT => self.on_want(stream, message::Want::from_bytes(body)?),
            kind::WANTS_END => self.on_wants_end(stream),
            kind::HAVE => self.on_have(now, stream, message::Have::from_bytes(body)?)?,
            kind::HAVES_END => self.on_haves_end(now, stream),
            // A later version may say more; what we don't know we leave out.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn buckets(&self) -> BTreeMap<u8, u64> {
        let mut buckets = BTreeMap::new();
        for (node, known) in &self.known {
            if let Some(digest) = known.replica.digest(*node) {
                let sum: &mut u64 = buckets.entry(bucket(*node)).or_default();
                *sum = sum.wrapping_add(digest as u64);
            }
        }
        buckets
    }

    pub(super) fn say_buckets(&mut self, stream: StreamId) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.said_buckets = true;
        }
        let owners = self.buckets().into_iter().collect();
        self.say(stream, &Buckets { owners });
    }

    /// Each message of a step is answered by much more than it takes, so each step is gone through once.
    pub(super) fn on_buckets(&mut self, now: Moment, stream: StreamId, theirs: &Buckets) -> Result<(), WireError> {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return Ok(());
        };
        if std::mem::replace(&mut conversation.got_buckets, true) {
            return Err(WireError::Malformed);
        }
        if !conversation.said_buckets {
            self.say_buckets(stream);
        }
        let ours = self.buckets();
        let theirs: BTreeMap<u8, u64> = theirs.owners.iter().copied().collect();
        let differing: BTreeSet<u8> =
            ours.keys().chain(theirs.keys()).filter(|bucket| ours.get(bucket) != theirs.get(bucket)).copied().collect();
        let mut members = self.membership.entries();
        let peer = self.conversations.get(&stream).and_then(|conversation| conversation.peer);
        let twin = peer.and_then(|peer| self.known.get(&peer.node())?.twin.as_deref().copied());
        members.extend(twin.map(|identity| MemberEntry { identity, incarnation: 0, state: state_to_wire(State::Down), grace_ms: 0 }));
        for members in members.chunks(PER_FRAME) {
            let members = members.iter().map(|entry| self.as_told(now, *entry)).collect();
            self.say(stream, &Members { members });
        }
        let graves = self.grave_entries(now, |_| true);
        for graves in graves.chunks(PER_FRAME) {
            self.say(stream, &Graves { graves: graves.to_vec() });
        }
        let owners: Vec<([u8; 8], [u8; 16])> = self
            .known
            .iter()
            .filter(|(node, _)| differing.contains(&bucket(**node)))
            .filter_map(|(node, known)| Some((node.0.to_be_bytes(), known.replica.digest(*node)?.to_le_bytes())))
            .collect();
        let mut chunks = owners.chunks(PER_FRAME).peekable();
        while let Some(owners) = chunks.next() {
            self.say(stream, &Owners { owners: owners.to_vec(), more: chunks.peek().is_some() });
        }
        if owners.is_empty() {
            self.say(stream, &Owners { owners, more: false });
        }
        Ok(())
    }

    /// With what is known of a member beside what foca holds of it: that it left, or how much of its absence is left.
    fn as_told(&self, now: Moment, mut entry: MemberEntry) -> MemberEntry {
        let node = entry.identity.node();
        if entry.state == state_to_wire(State::Down) && node != self.me() && self.is_left(node) {
            entry.state = message::LEFT;
        }
        if let Some(until) = self.known.get(&node).and_then(|known| known.absent_until(entry.identity.life())) {
            entry.grace_ms = (until - now).as_millis() as u32;
        }
        entry
    }

    pub(super) fn on_members(&mut self, now: Moment, stream: StreamId, members: &Members) {
        // Who has not joined yet has nothing to tell that those who tell it did not know.
        let joined = |conversation: &Conversation| conversation.established || (!conversation.is_ours() && self.join.is_established());
        let spread = self.conversations.get(&stream).is_some_and(joined);
        let (others, entries): (Vec<MemberEntry>, Vec<MemberEntry>) =
            members.members.iter().partition(|entry| self.is_other_self(&entry.identity));
        others.iter().for_each(|entry| self.hear_of_member(now, stream, entry));
        // That we count as down once we have left is no reason to come back.
        let is_echo = |entry: &MemberEntry| self.has_left() && entry.identity.node() == self.me();
        let wanted: Vec<MemberEntry> = entries
            .into_iter()
            .filter(|entry| !self.is_buried(entry.identity) && !is_echo(entry) && !self.is_to_be_told_by_record(entry))
            .map(|entry| MemberEntry {
                state: if entry.state == message::LEFT { state_to_wire(State::Down) } else { entry.state },
                ..entry
            })
            .collect();
        let effects = self.membership.merge(&wanted, spread);
        let news = !effects.changed.is_empty();
        self.apply(now, effects);
        for entry in wanted.iter().filter(|entry| entry.grace_ms > 0) {
            self.learn_grace(now, entry);
        }
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.news |= news;
        }
    }

    /// A member that is up here left, so its record, which comes behind the members, says so. It is not to be shown as down until then.
    fn is_to_be_told_by_record(&self, entry: &MemberEntry) -> bool {
        let (node, life) = (entry.identity.node(), entry.identity.life());
        entry.state == message::LEFT && self.membership.get(node).is_some_and(|member| member.is_up() && member.identity.life() == life)
    }

    /// Somebody who synced late is told how much of an absence is left. The life of a member has one absence at most.
    pub(super) fn learn_grace(&mut self, now: Moment, entry: &MemberEntry) {
        let life = entry.identity.life();
        let node = entry.identity.node();
        if self.known.get(&node).is_some_and(|known| known.life == life) {
            self.begin_absence(now, node, life, Duration::from_millis(u64::from(entry.grace_ms)).min(LONGEST_GRACE));
        }
    }

    pub(super) fn on_owners(&mut self, stream: StreamId, owners: Owners) -> Result<(), WireError> {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return Ok(());
        };
        if conversation.said_wants {
            return Err(WireError::Malformed);
        }
        let room = limits::MEMBERS.saturating_sub(conversation.owners.len());
        let named = owners.owners.into_iter().take(room);
        conversation.owners.extend(named.map(|(node, digest)| (NodeId(u64::from_be_bytes(node)), u128::from_le_bytes(digest))));
        if !owners.more {
            conversation.said_wants = true;
            let theirs = std::mem::take(&mut conversation.owners);
            self.say_wants(stream, &theirs);
        }
        Ok(())
    }

    pub(super) fn end_when_done(&mut self, now: Moment, stream: StreamId) {
        // That a peer has read a farewell is known when it closes the stream, not when all is on its way to it.
        let may_end = |conversation: &Conversation| conversation.is_done() && conversation.purpose != Some(Purpose::Farewell);
        if self.conversations.get(&stream).is_some_and(may_end) {
            self.end(now, stream);
        }
    }

    /// Both hold the same now. Who opened the stream closes it; the other side hears of that.
    pub(super) fn end(&mut self, now: Moment, stream: StreamId) {
        let Some(conversation) = self.conversations.remove(&stream) else {
            return;
        };
        self.outputs.push_back(Output::Close(stream));
        self.count_conversation(conversation.purpose, true);
        self.settle.last_sync = now;
        let ours = self.digest().total();
        let digests = (short_digest(conversation.peer_digest), short_digest(ours));
        let until = conversation.heard.is_of_another_life().then(|| now + ANOTHER_LIFE_AGAIN);
        self.settle.fruitless = (!conversation.news && digests.0 != digests.1).then_some(Fruitless { digests, until });
        if conversation.purpose == Some(Purpose::Farewell) {
            self.farewell_confirmed();
        }
        if let Some(known) = conversation.peer.and_then(|peer| self.known.get_mut(&peer.node())) {
            known.twin = None;
        }
        let at = conversation.peer.map_or(conversation.at, |peer| peer.address());
        self.established(now, at);
        self.judge(now, conversation.heard, conversation.peer.map(|peer| peer.address()));
    }
}

/// Which bucket an owner falls into. Node ids are random.
fn bucket(node: NodeId) -> u8 {
    node.0.to_be_bytes()[7]
}
