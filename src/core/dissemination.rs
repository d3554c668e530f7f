//! Records on their way to everyone: pushed at once by whoever finds them new, each a bounded number of times.
//!
//! foca has custom broadcasts, too. They are not used: foca fills a packet with member updates first, so that records
//! starve while many members come and go; it keeps for ever an item that fits no packet; and its handler would have to
//! share the replicas with it. Here the least often sent goes first and what has no place is dropped and counted: a sync
//! repairs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::time::Moment;
use crate::{
    model::{NodeId, record::Key},
    planted::{Planted, is_planted},
    wire::{
        envelope::Envelope,
        limits,
        message::{Push, kind},
    },
};

/// Records that may wait to be sent.
const QUEUE: usize = 4_096;
/// When to push after something new came: at once, and again.
const ROUNDS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(15), Duration::from_millis(30)];
/// Pushes are never closer than this, so that many changes at once share packets.
const GAP: Duration = Duration::from_millis(2);
/// A push that is due so near to another one is not worth one of its own.
const SHARED: Duration = Duration::from_millis(4);
/// When what was not sent often enough by then is pushed further.
const REST_AFTER: Duration = Duration::from_millis(200);
/// No push is smaller, so a datagram with less room is full.
const SMALLEST: usize = 32;
/// Records that may turn out too large for the rest of a datagram before it is taken for full.
const MISSES: u32 = 8;

/// Whether a push says what a record is, or only how it is. One of each may wait: a status is of no use to whoever missed the
/// definition that it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A definition, or a removal.
    What,
    /// A status.
    How,
}

type Place = (NodeId, Key, Kind);

/// A push as it came, or was made.
#[derive(Debug)]
pub(super) struct Told {
    /// How old it was then.
    pub age: Duration,
    /// Its octets behind the age.
    pub rest: Vec<u8>,
}

#[derive(Debug)]
struct Item {
    told: Told,
    since: Moment,
    sent: u32,
    order: u64,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Dissemination {
    items: BTreeMap<Place, Item>,
    /// The same items by how often they were sent, then as they came.
    turn: BTreeSet<(u32, u64, Place)>,
    count: u64,
    last_push: Option<Moment>,
    due: BTreeSet<Moment>,
}

impl Dissemination {
    /// Queues a push for a record; a waiting one for the same record is replaced. False when it can't travel so:
    /// it is too large for a datagram, or the queue is full.
    pub(super) fn queue(&mut self, now: Moment, node: NodeId, key: Key, kind: Kind, told: Told) -> bool {
        if kind == Kind::What {
            self.remove(&(node, key.clone(), Kind::How));
        }
        let place = (node, key, kind);
        if told.rest.len() > limits::PUSH_OCTETS || (self.items.len() >= QUEUE && !self.items.contains_key(&place)) {
            return false;
        }
        self.count += 1;
        let item = Item { told, since: now, sent: 0, order: self.count };
        self.turn.insert(turn(&place, &item));
        if let Some(before) = self.items.insert(place.clone(), item) {
            self.turn.remove(&turn(&place, &before));
        }
        true
    }

    /// Drops what waits about a node.
    pub(super) fn forget(&mut self, node: NodeId) {
        let about: Vec<Place> = self.items.keys().filter(|place| place.0 == node).cloned().collect();
        about.iter().for_each(|place| self.remove(place));
    }

    fn remove(&mut self, place: &Place) {
        if let Some(item) = self.items.remove(place) {
            self.turn.remove(&turn(place, &item));
        }
    }

    /// Records that wait.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Something new is queued, here or with foca: the moments at which to push from now on.
    pub(super) fn schedule(&mut self, now: Moment) -> Vec<Moment> {
        let earliest = self.last_push.map_or(now, |last| now.max(last + GAP));
        ROUNDS
            .iter()
            .map(|round| earliest + *round)
            .filter(|at| {
                let near = self.due.range(*at - SHARED..=*at + SHARED).next().is_some();
                !near && self.due.insert(*at)
            })
            .collect()
    }

    /// Something is left, here or with foca: the moment at which to push it further, unless a push is scheduled anyway.
    pub(super) fn schedule_rest(&mut self, now: Moment) -> Option<Moment> {
        let at = now + REST_AFTER;
        (self.due.is_empty() && self.due.insert(at)).then_some(at)
    }

    /// A scheduled push is done now.
    pub(super) fn pushed(&mut self, now: Moment) {
        self.last_push = Some(now);
        self.due = self.due.split_off(&(now + Duration::from_micros(1)));
    }

    /// Adds as many records to a datagram as fit, the least often sent first, each with the age that it has by now. Each is dropped
    /// after `transmissions`.
    pub(super) fn fill(&mut self, now: Moment, envelope: &mut Envelope, transmissions: u32) {
        let mut taken = Vec::new();
        let mut missed = 0;
        for entry in &self.turn {
            if missed == MISSES || envelope.room() < SMALLEST {
                break;
            }
            let fits = self.items.get(&entry.2).is_some_and(|item| {
                let age = Push::encode_age(item.told.age + (now - item.since));
                envelope.push_parts(kind::PUSH, &[&age, &item.told.rest])
            });
            if fits {
                taken.push(entry.clone());
            } else {
                missed += 1;
            }
        }
        for entry in taken {
            self.turn.remove(&entry);
            let place = entry.2;
            if let Some(item) = self.items.get_mut(&place) {
                item.sent += 1;
                if item.sent >= transmissions && !is_planted(Planted::QueueUnbounded) {
                    self.items.remove(&place);
                } else {
                    self.turn.insert(turn(&place, item));
                }
            }
        }
    }
}

fn turn(place: &Place, item: &Item) -> (u32, u64, Place) {
    (item.sent, item.order, place.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::{Carrier, ClusterTag, open};

    fn key(n: usize) -> Key {
        Key { kind: crate::model::record::Kind::INSTANCE, id: format!("i{n}").into() }
    }

    fn filled(queue: &mut Dissemination, transmissions: u32) -> Vec<Vec<u8>> {
        let mut envelope = Envelope::new(Carrier::Datagram, ClusterTag(1));
        queue.fill(Moment::default(), &mut envelope, transmissions);
        let bytes = envelope.into_bytes();
        open(Carrier::Datagram, &bytes).unwrap().1.iter().map(|(_, body)| Push::split_age(body).unwrap().1.to_vec()).collect()
    }

    fn queued(queue: &mut Dissemination, n: usize, kind: Kind, rest: Vec<u8>) -> bool {
        queue.queue(Moment::default(), NodeId(1), key(n), kind, Told { age: Duration::ZERO, rest })
    }

    #[test]
    fn what_is_forwarded_is_as_old_as_it_came_and_as_long_as_it_waited() {
        let mut queue = Dissemination::default();
        let start = Moment::default();
        let told = Told { age: Duration::from_millis(40), rest: b"news".to_vec() };
        queue.queue(start, NodeId(1), key(1), Kind::What, told);
        for (waited, age) in [(0, 40), (15, 55), (1_000, 1_040)] {
            let mut envelope = Envelope::new(Carrier::Datagram, ClusterTag(1));
            queue.fill(start + Duration::from_millis(waited), &mut envelope, 9);
            let bytes = envelope.into_bytes();
            let messages = open(Carrier::Datagram, &bytes).unwrap().1;
            assert_eq!(Push::split_age(messages[0].1), Ok((Duration::from_millis(age), &b"news"[..])), "after {waited} ms");
        }
    }

    #[test]
    fn each_record_is_sent_so_many_times_and_the_least_often_sent_goes_first() {
        let mut queue = Dissemination::default();
        for n in 0..10 {
            assert!(queued(&mut queue, n, Kind::What, vec![n as u8; 400]));
        }
        let mut seen = vec![];
        while queue.len() > 0 {
            let bodies = filled(&mut queue, 3);
            assert_eq!(bodies.len(), 2);
            seen.extend(bodies.iter().map(|body| body[0]));
        }
        let mut first = seen[..10].to_vec();
        first.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<u8>>());
        assert_eq!(seen.len(), 30);
    }

    #[test]
    fn a_newer_push_replaces_the_waiting_one() {
        let mut queue = Dissemination::default();
        queued(&mut queue, 1, Kind::What, b"old".to_vec());
        queued(&mut queue, 1, Kind::What, b"new".to_vec());
        assert_eq!(filled(&mut queue, 1), [b"new".to_vec()]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_status_waits_behind_its_definition_and_goes_with_it() {
        let mut queue = Dissemination::default();
        queued(&mut queue, 1, Kind::How, b"stale".to_vec());
        queued(&mut queue, 1, Kind::What, b"what".to_vec());
        queued(&mut queue, 1, Kind::How, b"how".to_vec());
        assert_eq!(filled(&mut queue, 1), [b"what".to_vec(), b"how".to_vec()]);
    }

    #[test]
    fn what_fits_no_datagram_is_not_queued() {
        assert!(!queued(&mut Dissemination::default(), 1, Kind::What, vec![0; limits::PUSH_OCTETS + 1]));
    }

    #[test]
    fn many_changes_at_once_share_their_pushes() {
        let mut queue = Dissemination::default();
        let now = Moment::default();
        assert_eq!(queue.schedule(now).len(), 3);
        assert_eq!(queue.schedule(now).len(), 0);
        queue.pushed(now);
        assert_eq!(queue.schedule(now), [now + GAP]);
        assert_eq!(queue.schedule_rest(now), None, "some are scheduled");
        let last = now + ROUNDS[2];
        queue.pushed(last);
        assert_eq!(queue.schedule_rest(last), Some(last + REST_AFTER));
    }
}
