//! Records that come and go by push.

use std::{net::SocketAddr, time::Duration};

use super::{
    Core,
    conversation::Purpose,
    dissemination::{self, Told},
    io::Event,
    part::{Outcome, Slot, Write},
    replica::Shift,
    time::Moment,
    timers::Timer,
};
use crate::{
    model::{
        Life, NodeId,
        record::{Body, Key, Kind},
    },
    wire::{
        Versions, WireError, limits,
        message::{Message as _, Push, What},
    },
};

/// What is missing may still come by push; then a sync fetches it.
const SYNC_SOON: Duration = Duration::from_millis(100);

impl Core {
    /// Takes a record by push (rules 1 to 6), and forwards it if it is news.
    pub(super) fn on_push(&mut self, now: Moment, from: SocketAddr, push: Push, bytes: &[u8]) {
        let node = NodeId(u64::from_be_bytes(push.node));
        let life = Life::from(push.life);
        if node == self.me() {
            return self.on_push_about_us(now, life, push.version);
        }
        let Some(member) = self.membership.get(node).copied() else {
            return self.dropped(from, "no_such_member");
        };
        if self.graves.buries(node, life.generation) {
            return self.dropped(from, "buried");
        }
        if member.identity.life() < life {
            self.sync_soon(now, node, life, push.version);
            return self.dropped(from, "ahead_of_member");
        }
        let Ok((age, rest)) = Push::split_age(bytes) else {
            return self.dropped(from, WireError::Malformed.as_str());
        };
        let (key, write) = (Key::of(Kind(push.kind), &push.id), Write::from(push.what));
        if !is_base(push.base) || key.id.len() > limits::ID_OCTETS || !write.is_within_limits() {
            return self.dropped(from, "too_large");
        }
        let queued_as = write.queued_as();
        let known = self.known.entry(node).or_default();
        let mut shift = Shift::default();
        let outcome = known.replica.on_push(life, push.base, push.version, &key, write, &mut shift);
        let gap = known.replica.has_gap();
        // Most of what comes is known: everyone is told by many.
        if outcome != Outcome::Old || shift != Shift::default() {
            self.touch(node, shift);
        }
        match outcome {
            Outcome::New => self.counters.pushes_news += 1,
            Outcome::Old => self.counters.pushes_known += 1,
            Outcome::Ask => self.counters.pushes_early += 1,
        }
        if outcome == Outcome::New {
            self.event(Event::News { age });
            self.queue_push(now, node, key, queued_as, Told { age, rest: rest.to_vec() });
            self.on_records_changed(now, node);
            self.changed(now);
        }
        if outcome == Outcome::Ask || gap {
            self.sync_soon(now, node, life, push.version);
        }
    }

    /// More is known of us than we have written: a sync tells who holds what.
    fn on_push_about_us(&mut self, now: Moment, life: Life, version: u64) {
        let (own, counter) = (self.own_part().life, self.own_part().complete);
        if life > own || (life == own && version > counter) {
            let node = self.me();
            self.sync_soon(now, node, life, version);
        }
    }

    /// Queues a write of our own for everyone. One too large for a datagram travels by sync.
    #[expect(clippy::too_many_arguments, reason = "the fields of a push")]
    pub(super) fn spread(&mut self, now: Moment, node: NodeId, life: Life, base: u64, version: u64, key: Key, write: Write) {
        let queued_as = write.queued_as();
        let push = Push {
            age_ms: 0,
            node: node.0.to_be_bytes(),
            life: life.into(),
            base,
            version,
            kind: key.kind.0,
            id: key.id.to_string(),
            what: What::from(write),
        };
        let bytes = push.to_bytes();
        let (age, rest) = Push::split_age(&bytes).expect("it was just made");
        self.queue_push(now, node, key, queued_as, Told { age, rest: rest.to_vec() });
    }

    fn queue_push(&mut self, now: Moment, node: NodeId, key: Key, kind: dissemination::Kind, told: Told) {
        let queued = self.dissemination.queue(now, node, key, kind, told);
        self.counters.unqueued += u64::from(!queued);
        self.schedule_push(now);
    }

    /// Queues all our records, as far as they are few: who was in the cluster before us learns them at once.
    pub(super) fn spread_all(&mut self, now: Moment) {
        const FEW: usize = 64;
        let part = self.own_part();
        let (life, base) = (part.life, part.base);
        let records: Vec<(u64, Key, Write)> = part
            .slots()
            .iter()
            .take(FEW)
            .filter_map(|(key, slot)| match slot {
                Slot::Live { d, s, definition, status } if d == s => {
                    let write = Write::Definition { definition: definition.clone(), status: status.clone() };
                    Some((*d, key.clone(), write))
                }
                // Its status was written later, so as one push it would be what was never written: a sync brings it.
                Slot::Live { .. } | Slot::Gone { .. } => None,
            })
            .collect();
        for (version, key, write) in records {
            let node = self.me();
            self.spread(now, node, life, base, version, key, write);
        }
    }

    pub(super) fn schedule_push(&mut self, now: Moment) {
        for at in self.dissemination.schedule(now) {
            self.timers.set(at, Timer::Push);
        }
    }

    /// Sends what is new to a few members, updates of members first: records of a member that nobody knows are dropped.
    pub(super) fn push(&mut self, now: Moment) {
        self.dissemination.pushed(now);
        if self.membership.has_updates() && !self.has_left() {
            let effects = self.membership.gossip();
            self.apply(now, effects);
        } else {
            self.push_records(now);
        }
        if self.dissemination.len() > 16 {
            // More than a few datagrams' worth: go on at once, not with the next change.
            self.schedule_push(now);
        }
        self.schedule_rest(now);
    }

    fn push_records(&mut self, now: Moment) {
        let transmissions = self.membership.transmissions();
        for peer in self.membership.choose(super::membership::FAN_OUT) {
            let mut envelope = self.datagram_for(peer.node());
            self.dissemination.fill(now, &mut envelope, transmissions);
            if !envelope.is_empty() {
                self.send(peer.address(), envelope);
            }
        }
    }

    /// Has what is left pushed further in a while. With nobody to push it to it waits for somebody to come.
    pub(super) fn schedule_rest(&mut self, now: Moment) {
        let is_left = self.dissemination.len() > 0 || (self.membership.has_updates() && !self.has_left());
        if is_left
            && self.membership.count_up() > 0
            && let Some(at) = self.dissemination.schedule_rest(now)
        {
            self.timers.set(at, Timer::Push);
        }
    }

    /// Something of a node's is missing here: all of a life up to a version, as far as it is not known then.
    pub(super) fn sync_soon(&mut self, now: Moment, node: NodeId, life: Life, version: u64) {
        let lacking = self.settle.lacking.entry(node).or_default();
        *lacking = (life, version).max(*lacking);
        if !self.settle.sync_pending {
            self.settle.sync_pending = true;
            let jitter = self.jitter(SYNC_SOON);
            self.timers.set(now + SYNC_SOON + jitter, Timer::Sync);
        }
    }

    /// With the owner itself if it is up: it has everything. One sync brings what is missing of others, too.
    pub(super) fn sync_what_lacks(&mut self, now: Moment) {
        self.settle.sync_pending = false;
        let lacking = std::mem::take(&mut self.settle.lacking).into_iter();
        let still = |node: &NodeId, life: Life, version: u64| {
            self.known.get(node).is_none_or(|known| known.replica.has_gap() || !known.replica.knows(life, version))
        };
        let Some(node) = lacking.filter(|(node, (life, version))| still(node, *life, *version)).map(|(node, _)| node).next() else {
            return;
        };
        if self.has_left() {
            return;
        }
        let owner = self.membership.get(node).filter(|member| member.is_up()).map(|member| member.identity);
        if let Some(peer) = owner.or_else(|| self.membership.choose(1).first().copied()) {
            self.settle.last_sync = now;
            self.open(now, peer.address(), Purpose::Sync);
        }
    }
}

/// Whether a life may have begun with so many records. One with more could never be whole here.
pub(super) fn is_base(base: u64) -> bool {
    (1..=limits::SLOTS_PER_PART as u64).contains(&base)
}

impl Write {
    fn is_within_limits(&self) -> bool {
        match self {
            Write::Definition { definition, status } => definition.len() <= limits::BODY_OCTETS && status.len() <= limits::BODY_OCTETS,
            Write::Status { status, .. } => status.len() <= limits::BODY_OCTETS,
            Write::Gone => true,
        }
    }

    fn queued_as(&self) -> dissemination::Kind {
        match self {
            Write::Status { .. } => dissemination::Kind::How,
            Write::Definition { .. } | Write::Gone => dissemination::Kind::What,
        }
    }
}

impl From<What> for Write {
    fn from(what: What) -> Write {
        match what {
            What::Definition { definition, status } => Write::Definition { definition: Body::from(definition), status: Body::from(status) },
            What::Status { of, status } => Write::Status { of, status: Body::from(status) },
            What::Gone => Write::Gone,
        }
    }
}

impl From<Write> for What {
    fn from(write: Write) -> What {
        match write {
            Write::Definition { definition, status } => What::Definition { definition: definition.to_vec(), status: status.to_vec() },
            Write::Status { of, status } => What::Status { of, status: status.to_vec() },
            Write::Gone => What::Gone,
        }
    }
}

impl Core {
    /// What a node's records mean beside what readers are shown: it left, or announced an absence, or speaks other versions.
    pub(super) fn on_records_changed(&mut self, now: Moment, node: NodeId) {
        let Some(known) = self.known.get(&node) else {
            return;
        };
        let Some(life) = known.replica.shown.as_ref().map(|part| part.life) else {
            return;
        };
        let Some((grace_seconds, left, versions)) = known.node_info().map(|info| (info.grace_seconds, info.left, info.wire_versions))
        else {
            return;
        };
        self.learn_versions(node, life, Versions::from(versions));
        if let Some(seconds) = grace_seconds {
            self.begin_absence(now, node, life, Duration::from_secs(u64::from(seconds)));
        }
        if left && let Some(member) = self.membership.get(node).filter(|m| m.is_up() && m.identity.life() == life).copied() {
            let effects = self.membership.left(member.identity);
            self.apply(now, effects);
        }
    }
}
