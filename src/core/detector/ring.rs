//! The order in which nodes look after each other: each probes and watches the next few.
//!
//! So the first probe after a death comes for certain within one round, where random targets leave it to chance; and a node is
//! looked after by as many as it looks after.

use std::{collections::BTreeMap, hash::Hasher as _};

use crate::{core::pack::pack, model::NodeId, wire::Identity};

/// The place of a node: a hash of its id, so that neighbours are strangers in every other respect. The id breaks ties.
type Place = (u64, NodeId);

/// A member in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    /// Who.
    pub(super) identity: Identity,
    /// It announced a short absence, so it is left alone.
    pub(super) away: bool,
}

/// Members that are up, ourselves not among them.
#[derive(Debug)]
pub(super) struct Ring {
    me: Place,
    seats: BTreeMap<Place, Seat>,
    away: usize,
}

impl Ring {
    /// Nobody but ourselves.
    pub(super) fn new(me: NodeId) -> Ring {
        Ring { me: place(me), seats: BTreeMap::new(), away: 0 }
    }

    /// A member is there, in the place of what was known of it before.
    pub(super) fn put(&mut self, seat: Seat) {
        let before = self.seats.insert(place(seat.identity.node()), seat);
        self.away += usize::from(seat.away);
        self.away -= usize::from(before.is_some_and(|before| before.away));
    }

    /// A member is there no more.
    pub(super) fn remove(&mut self, node: NodeId) {
        let before = self.seats.remove(&place(node));
        self.away -= usize::from(before.is_some_and(|before| before.away));
    }

    /// Takes no more room than there are members.
    pub(super) fn pack(&mut self) {
        pack(&mut self.seats);
    }

    /// What is known of a member.
    pub(super) fn get(&self, node: NodeId) -> Option<&Seat> {
        self.seats.get(&place(node))
    }

    /// Whether exactly this one is there, and not away.
    pub(super) fn is_present(&self, identity: Identity) -> bool {
        self.get(identity.node()).is_some_and(|seat| seat.identity == identity && !seat.away)
    }

    /// Members that are not away.
    pub(super) fn count_present(&self) -> usize {
        self.seats.len() - self.away
    }

    /// Members that are not away, from the one behind us on, once around.
    pub(super) fn after_us(&self) -> impl Iterator<Item = Identity> {
        self.from(self.me)
    }

    /// The same from any point on, given as a number that may be random.
    pub(super) fn around(&self, point: u64) -> impl Iterator<Item = Identity> {
        self.from((point, NodeId(0)))
    }

    fn from(&self, place: Place) -> impl Iterator<Item = Identity> {
        let behind = self.seats.range(place..).chain(self.seats.range(..place));
        behind.map(|(_, seat)| seat).filter(|seat| !seat.away).map(|seat| seat.identity)
    }
}

fn place(node: NodeId) -> Place {
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(&node.0.to_be_bytes());
    (hasher.finish(), node)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Life;

    fn seat(node: u64) -> Seat {
        Seat { identity: Identity::new(([10, 0, 0, 1], 1).into(), NodeId(node), Life::default()), away: false }
    }

    fn ring_of(me: u64, size: u64) -> Ring {
        let mut ring = Ring::new(NodeId(me));
        (0..size).filter(|node| *node != me).for_each(|node| ring.put(seat(node)));
        ring
    }

    #[test]
    fn everyone_looks_after_the_next_and_is_looked_after_by_as_many() {
        let mut looked_after: BTreeMap<NodeId, u32> = BTreeMap::new();
        for me in 0..50 {
            for next in ring_of(me, 50).after_us().take(3) {
                *looked_after.entry(next.node()).or_default() += 1;
            }
        }
        assert_eq!(looked_after.len(), 50);
        assert!(looked_after.values().all(|count| *count == 3), "{looked_after:?}");
    }

    #[test]
    fn who_is_away_or_gone_is_passed_over() {
        let mut ring = ring_of(0, 6);
        let all: Vec<Identity> = ring.after_us().collect();
        assert_eq!((all.len(), ring.count_present()), (5, 5));
        ring.put(Seat { identity: all[0], away: true });
        ring.remove(all[2].node());
        assert_eq!(ring.after_us().collect::<Vec<_>>(), [all[1], all[3], all[4]]);
        assert_eq!((ring.count_present(), ring.is_present(all[0]), ring.is_present(all[1])), (3, false, true));
        ring.put(Seat { identity: all[0], away: false });
        ring.remove(all[2].node());
        assert_eq!((ring.count_present(), ring.is_present(all[0])), (4, true));
        for point in [0, 1 << 62, u64::MAX] {
            assert_eq!(ring.around(point).count(), 4, "once around from anywhere");
        }
    }
}
