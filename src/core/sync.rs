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

use super::{
    Core,
    conversation::Purpose,
    io::{Event, Output, StreamId},
    part::{Have, Live, Outcome, Slot, Want},
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
        HIGHEST_VERSION, Identity, LOWEST_VERSION, WireError, limits,
        message::{
            self, Buckets, GraveEntry, Graves, Hello, Members, Message as _, Owners, Refuse, RefuseCode, WantPart, WireLive, WireSlot, kind,
        },
    },
};

/// No announced absence is longer.
const LONGEST_GRACE: Duration = Duration::from_secs(u16::MAX as u64);
/// Members, graves or owners in one frame: at most some 60 octets each.
const PER_FRAME: usize = 512;

impl Core {
    pub(super) fn on_message(&mut self, now: Moment, stream: StreamId, kind: u8, body: &[u8]) -> Result<(), WireError> {
        let conversation = self.conversations.get(&stream);
        let greeted = conversation.is_some_and(|conversation| conversation.peer.is_some());
        match kind {
            _ if kind != kind::GRAVES && conversation.is_some_and(|conversation| conversation.peer_is_buried) => {}
            kind::HELLO if greeted => return Err(WireError::Malformed),
            kind::HELLO => self.on_hello(now, stream, &Hello::from_bytes(body)?),
            kind::REFUSE => self.on_refuse(now, stream, &Refuse::from_bytes(body)?),
            _ if !greeted => return Err(WireError::Malformed),
            kind::BUCKETS => self.on_buckets(now, stream, &Buckets::from_bytes(body)?)?,
            kind::MEMBERS => self.on_members(now, stream, &Members::from_bytes(body)?),
            kind::GRAVES => self.on_graves(now, stream, &Graves::from_bytes(body)?),
            kind::OWNERS => self.on_owners(stream, Owners::from_bytes(body)?)?,
            kind::WANT => self.on_want(now, stream, message::Want::from_bytes(body)?),
            kind::WANTS_END => self.on_wants_end(now, stream),
            kind::HAVE => self.on_have(now, stream, message::Have::from_bytes(body)?)?,
            kind::HAVES_END => self.on_haves_end(now, stream),
            // A later version may say more; what we don't know we leave out.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn say_hello(&mut self, _now: Moment, stream: StreamId) {
        let hello = Hello {
            cluster: self.settings.cluster.to_string(),
            lowest: LOWEST_VERSION,
            highest: HIGHEST_VERSION,
            from: self.membership.me(),
            name: self.settings.info.name.to_string(),
            digest: self.digest(),
            established: self.join.is_established(),
        };
        self.say(stream, &hello);
    }

    fn on_hello(&mut self, now: Moment, stream: StreamId, hello: &Hello) {
        let Some(conversation) = self.conversations.get(&stream) else {
            return;
        };
        let (at, ours) = (conversation.at, conversation.is_ours());
        if hello.from.node() == self.me() {
            return self.on_meeting_ourselves(now, stream, hello);
        }
        if let Some((code, detail)) = self.reason_to_refuse(hello, ours) {
            self.event(Event::Refused { peer: at, by_us: true, code, detail: detail.clone() });
            self.say(stream, &Refuse { code, detail });
            return self.fail(now, stream, "refused");
        }
        if self.is_buried(hello.from) {
            return self.answer_with_grave(now, stream, hello.from);
        }
        let effects = self.membership.met(hello.from);
        self.apply(now, effects, false);
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.peer = Some(hello.from);
            conversation.peer_digest = hello.digest.total();
        }
        if !ours {
            self.say_hello(now, stream);
        }
        let equal = self.digest().total() == hello.digest.total();
        match (equal, ours) {
            (false, _) => self.say_buckets(stream),
            (true, true) => self.end(now, stream),
            // The peer compares with what our hello says, and closes the stream if it finds the same.
            (true, false) => {}
        }
    }

    /// A grave refuses whoever lies in it, and is the answer.
    fn answer_with_grave(&mut self, now: Moment, stream: StreamId, peer: Identity) {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return;
        };
        (conversation.peer, conversation.peer_is_buried) = (Some(peer), true);
        let ours = conversation.is_ours();
        if !ours {
            self.say_hello(now, stream);
        }
        let graves = self.grave_entries(now, |of| of == peer.node());
        self.say(stream, &Graves { graves });
        if !ours {
            self.fail(now, stream, "that life of the node was reaped here");
        }
    }

    pub(super) fn is_buried(&self, identity: Identity) -> bool {
        self.graves.buries(identity.node(), identity.life().generation)
    }

    fn grave_entries(&self, now: Moment, of: impl Fn(NodeId) -> bool) -> Vec<GraveEntry> {
        self.graves
            .iter(now)
            .filter(|(node, ..)| of(*node))
            .map(|(node, generation, left)| GraveEntry { node: node.0.to_be_bytes(), generation, seconds: left.as_secs() as u32 })
            .collect()
    }

    fn reason_to_refuse(&self, hello: &Hello, ours: bool) -> Option<(RefuseCode, String)> {
        let cluster = self.settings.cluster.as_str();
        if hello.cluster != cluster {
            let theirs: String = hello.cluster.chars().take(80).collect();
            return Some((RefuseCode::Cluster, format!("this agent belongs to cluster {cluster:?}, the other to {theirs:?}")));
        }
        if hello.highest < LOWEST_VERSION || hello.lowest > HIGHEST_VERSION {
            let detail = format!(
                "this agent speaks versions {LOWEST_VERSION} to {HIGHEST_VERSION} of the wire format, the other {} to {}",
                hello.lowest, hello.highest
            );
            return Some((RefuseCode::Version, detail));
        }
        if self.has_left() && !ours {
            return Some((RefuseCode::Leaving, "this agent is leaving the cluster".into()));
        }
        let holder = self.live_holder(&hello.name)?;
        let another = holder.id != hello.from.node() && holder.gossip != hello.from.address;
        (!hello.established && another).then(|| {
            let detail = format!(
                "the name {:?} is held by the node at {}; the other at {} asks for it",
                hello.name, holder.gossip, hello.from.address
            );
            (RefuseCode::NameTaken, detail)
        })
    }

    fn on_meeting_ourselves(&mut self, now: Moment, stream: StreamId, hello: &Hello) {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return;
        };
        let (at, ours) = (conversation.at, conversation.is_ours());
        if hello.from.life() != self.settings.life {
            self.event(Event::MetItself { peer: at, seen: format!("a life {} that speaks", hello.from.life()) });
        } else if ours {
            self.join.is_ourselves(at);
            self.look_for_peers_at(now);
        } else {
            self.say_hello(now, stream);
        }
        if ours && let Some(conversation) = self.conversations.get_mut(&stream) {
            // Meeting oneself is no failure to join.
            conversation.purpose = Some(Purpose::Look);
        }
        if ours {
            self.fail(now, stream, "it is this agent itself");
        }
    }

    fn on_refuse(&mut self, now: Moment, stream: StreamId, refuse: &Refuse) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            let peer = conversation.at;
            let detail = refuse.detail.chars().take(400).collect();
            if conversation.purpose == Some(Purpose::Join) {
                conversation.purpose = Some(Purpose::Look);
            }
            self.event(Event::Refused { peer, by_us: false, code: refuse.code, detail });
            self.fail(now, stream, "refused");
        }
    }

    fn buckets(&self) -> BTreeMap<u8, u64> {
        let mut buckets = BTreeMap::new();
        for (node, known) in &self.known {
            if let Some(digest) = known.replica.digest(*node) {
                let sum: &mut u64 = buckets.entry(bucket(*node)).or_default();
                *sum = sum.wrapping_add(digest as u64);
            }
        }
        buckets
    }

    fn say_buckets(&mut self, stream: StreamId) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.said_buckets = true;
        }
        let owners = self.buckets().into_iter().collect();
        self.say(stream, &Buckets { owners });
    }

    /// Each message of a step is answered by much more than it takes, so each step is gone through once.
    fn on_buckets(&mut self, now: Moment, stream: StreamId, theirs: &Buckets) -> Result<(), WireError> {
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
        for members in self.membership.entries().chunks(PER_FRAME) {
            let members = members.iter().map(|entry| self.with_grace(now, *entry)).collect();
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

    fn with_grace(&self, now: Moment, mut entry: message::MemberEntry) -> message::MemberEntry {
        if let Some((life, until)) = self.known.get(&entry.identity.node()).and_then(|known| known.grace)
            && life == entry.identity.life()
        {
            entry.grace_ms = (until - now).as_millis() as u32;
        }
        entry
    }

    fn on_members(&mut self, now: Moment, stream: StreamId, members: &Members) {
        let spread = self.conversations.get(&stream).is_some_and(|conversation| conversation.established || !conversation.is_ours());
        let wanted: Vec<message::MemberEntry> = members.members.iter().filter(|entry| !self.is_buried(entry.identity)).copied().collect();
        let effects = self.membership.merge(&wanted, spread);
        let news = !effects.changed.is_empty();
        self.apply(now, effects, false);
        for entry in wanted.iter().filter(|entry| entry.grace_ms > 0) {
            self.learn_grace(now, entry);
        }
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.news |= news;
        }
    }

    /// Somebody who synced late is told how much of an absence is left. The life of a member has one absence at most.
    fn learn_grace(&mut self, now: Moment, entry: &message::MemberEntry) {
        let life = entry.identity.life();
        if let Some(known) = self.known.get_mut(&entry.identity.node())
            && known.life == life
            && known.grace.is_none_or(|(of, _)| of < life)
        {
            let left = Duration::from_millis(u64::from(entry.grace_ms)).min(LONGEST_GRACE);
            known.grace = Some((life, now + left));
            self.timers.set(now + left, super::timers::Timer::Grace(entry.identity.node()));
        }
    }

    fn on_graves(&mut self, now: Moment, stream: StreamId, graves: &Graves) {
        let peer = self.conversations.get(&stream).map(|conversation| conversation.at);
        let term = 2 * self.settings.reap_after;
        for grave in graves.graves.iter().filter(|grave| grave.seconds > 0) {
            let node = NodeId(u64::from_be_bytes(grave.node));
            let left = Duration::from_secs(u64::from(grave.seconds)).min(term);
            let alive = self.membership.get(node).is_some_and(|m| m.is_up() && m.identity.life().generation <= grave.generation);
            let buried = self.known.get(&node).is_some_and(|known| known.life.generation <= grave.generation);
            if let Some(peer) = peer.filter(|_| node == self.me() && grave.generation >= self.settings.life.generation) {
                let seen = format!("a grave of generation {}: it takes this agent back after its next start", grave.generation);
                self.event(Event::MetItself { peer, seen });
            }
            if node == self.me() || alive {
                continue;
            }
            // A grave that buries something held here starts a full term.
            self.graves.dig(node, grave.generation, now + if buried { term } else { left });
            if buried {
                self.forget(now, node);
            }
        }
    }

    fn on_owners(&mut self, stream: StreamId, owners: Owners) -> Result<(), WireError> {
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

    fn say_wants(&mut self, stream: StreamId, theirs: &[(NodeId, u128)]) {
        for (node, digest) in theirs {
            let known = self.known.get(node);
            if *node == self.me() || known.and_then(|known| known.replica.digest(*node)) == Some(*digest) {
                continue;
            }
            let [shown, next] = known.map(|known| known.replica.wants()).unwrap_or_default();
            let request = rand::RngExt::random(&mut self.rng);
            if let Some(conversation) = self.conversations.get_mut(&stream) {
                conversation.asked.insert(request, *node);
            }
            let part =
                |want: Want| WantPart { life: want.life.into(), complete: want.complete, definitions: want.definitions.to_le_bytes() };
            let want = message::Want { request, node: node.0.to_be_bytes(), shown: shown.map(part), next: next.map(part) };
            self.say(stream, &want);
        }
        self.say_bytes(stream, kind::WANTS_END, &[]);
    }

    fn on_want(&mut self, now: Moment, stream: StreamId, want: message::Want) {
        if let Some(conversation) = self.conversations.get_mut(&stream)
            && conversation.wants.len() < limits::MEMBERS
        {
            conversation.wants.push_back(want);
            self.answer_wants(now, stream);
        }
    }

    fn on_wants_end(&mut self, now: Moment, stream: StreamId) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.wants_ended = true;
            self.answer_wants(now, stream);
        }
    }

    /// Answers wants for as long as the network takes what we say.
    pub(super) fn answer_wants(&mut self, now: Moment, stream: StreamId) {
        while let Some(conversation) = self.conversations.get_mut(&stream)
            && !conversation.is_choked()
            && let Some(want) = conversation.wants.pop_front()
        {
            self.say_haves(stream, &want);
        }
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

    fn say_haves(&mut self, stream: StreamId, want: &message::Want) {
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
            };
            let (mut next, mut octets) = (empty.clone(), 0);
            for (key, slot) in have.slots {
                octets += slot_octets(&key, &slot);
                next.slots.push((key.kind.0, key.id.to_string(), slot.into()));
                if octets > limits::FRAME_FULL {
                    self.say(stream, &std::mem::replace(&mut next, empty.clone()));
                    octets = 0;
                }
            }
            next.end = have.end.map(|(complete, live)| (complete, live.into()));
            self.say(stream, &next);
        }
    }

    fn on_have(&mut self, now: Moment, stream: StreamId, have: message::Have) -> Result<(), WireError> {
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
            whole.slots.insert(Key { kind: Kind(kind), id: id.into() }, slot.try_into()?);
        }
        if whole.slots.len() > limits::SLOTS_PER_PART {
            return Err(WireError::TooLarge);
        }
        let Some((complete, live)) = have.end else {
            conversation.partial = Some((request, whole));
            return Ok(());
        };
        whole.end = Some((complete, live.into()));
        self.take_have(now, stream, node, &whole);
        Ok(())
    }

    fn take_have(&mut self, now: Moment, stream: StreamId, node: NodeId, have: &Have) {
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

    fn on_haves_end(&mut self, now: Moment, stream: StreamId) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.got_all = true;
            self.end_when_done(now, stream);
        }
    }

    fn end_when_done(&mut self, now: Moment, stream: StreamId) {
        if self.conversations.get(&stream).is_some_and(|conversation| conversation.sent_all && conversation.got_all) {
            self.end(now, stream);
        }
    }

    /// Both hold the same now. Who opened the stream closes it; the other side hears of that.
    fn end(&mut self, now: Moment, stream: StreamId) {
        let Some(conversation) = self.conversations.remove(&stream) else {
            return;
        };
        self.outputs.push_back(Output::Close(stream));
        self.settle.last_sync = now;
        let ours = self.digest().total();
        self.settle.fruitless = (!conversation.news && conversation.peer_digest != ours).then_some((conversation.peer_digest, ours));
        if conversation.purpose == Some(Purpose::Farewell) {
            self.farewell_confirmed();
        }
        let at = conversation.peer.map_or(conversation.at, |peer| peer.address);
        self.established(now, at);
    }
}

/// Which bucket an owner falls into. Node ids are random.
fn bucket(node: NodeId) -> u8 {
    node.0.to_be_bytes()[7]
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
