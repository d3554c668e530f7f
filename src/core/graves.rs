//! Generations of nodes that are not to come back: those that were forgotten or reaped.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{digest, time::Moment};
use crate::{model::NodeId, wire::limits};

/// Refuses members and records of generations up to its own, from anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grave {
    /// This generation and all below it.
    pub generation: u32,
    /// When it is given up.
    pub until: Moment,
}

/// All graves, by node.
#[derive(Debug, Default)]
pub struct Graves {
    graves: BTreeMap<NodeId, Grave>,
    /// The same, by their ends.
    ends: BTreeSet<(Moment, NodeId)>,
    /// Sum of their hashes.
    digest: u64,
}

impl Graves {
    /// Whether a generation of a node is not to come back.
    pub fn buries(&self, node: NodeId, generation: u32) -> bool {
        self.graves.get(&node).is_some_and(|grave| generation <= grave.generation)
    }

    /// Whether there is a grave for a node.
    pub fn contains(&self, node: NodeId) -> bool {
        self.graves.contains_key(&node)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.graves.len()
    }

    /// Digs a grave, or deepens the one that is there. Of two, the higher generation and the later end hold. When there is no
    /// room the one that ends first is given up, be it this one. Whether it is there then and refuses more than before.
    pub fn dig(&mut self, node: NodeId, generation: u32, until: Moment) -> bool {
        let before = self.graves.get(&node).copied();
        let (deeper, later) = before.map_or((generation, until), |grave| (grave.generation.max(generation), grave.until.max(until)));
        self.fill(node);
        self.put(node, Grave { generation: deeper, until: later });
        if self.graves.len() > limits::GRAVES
            && let Some((_, first)) = self.ends.first().copied()
        {
            self.fill(first);
        }
        before.is_none_or(|grave| grave.generation < deeper) && self.graves.contains_key(&node)
    }

    /// Gives up those whose time is over.
    pub fn expire(&mut self, now: Moment) {
        while let Some((_, node)) = self.ends.first().copied().filter(|(until, _)| *until <= now) {
            self.fill(node);
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, Grave)> {
        self.graves.iter().map(|(node, grave)| (*node, *grave))
    }

    /// The digest over which generations of which nodes are buried: for how much longer is not in it, since that differs from one
    /// agent to the next.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    fn put(&mut self, node: NodeId, grave: Grave) {
        self.ends.insert((grave.until, node));
        self.digest = self.digest.wrapping_add(digest::grave(node, grave.generation));
        self.graves.insert(node, grave);
    }

    fn fill(&mut self, node: NodeId) {
        if let Some(grave) = self.graves.remove(&node) {
            self.ends.remove(&(grave.until, node));
            self.digest = self.digest.wrapping_sub(digest::grave(node, grave.generation));
        }
    }
}

impl Grave {
    /// How much of it is left.
    pub fn left(&self, now: Moment) -> Duration {
        self.until - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn a_grave_refuses_its_generation_and_those_below_until_it_ends() {
        let mut graves = Graves::default();
        graves.dig(NodeId(1), 3, at(10));
        graves.dig(NodeId(1), 2, at(20));
        assert!(graves.buries(NodeId(1), 3) && !graves.buries(NodeId(1), 4) && !graves.buries(NodeId(2), 1));
        graves.expire(at(19));
        assert!(graves.buries(NodeId(1), 1) && graves.iter().all(|(_, grave)| grave.left(at(19)) == Duration::from_secs(1)));
        graves.expire(at(20));
        assert!(!graves.buries(NodeId(1), 1) && graves.iter().count() == 0);
    }

    #[test]
    fn their_number_is_bounded_and_the_one_that_ends_first_goes_first() {
        let mut graves = Graves::default();
        for node in 0..limits::GRAVES as u64 {
            assert!(graves.dig(NodeId(node), 1, at(10 + node)));
        }
        let most = limits::GRAVES as u64;
        assert!(!graves.dig(NodeId(most), 1, at(9)), "it would be the first to end");
        assert!(graves.dig(NodeId(most), 1, at(1_000_000)) && graves.buries(NodeId(most), 1));
        assert!(!graves.buries(NodeId(0), 1) && graves.buries(NodeId(1), 1));
        assert_eq!(graves.iter().count(), limits::GRAVES);
    }

    #[test]
    fn the_digest_tells_what_is_buried_and_not_for_how_long() {
        let dug = |graves: &[(u64, u32, u64)]| {
            let mut all = Graves::default();
            for (node, generation, end) in graves {
                all.dig(NodeId(*node), *generation, at(*end));
            }
            all
        };
        let two = dug(&[(1, 3, 10), (2, 1, 20)]);
        assert_eq!(two.digest(), dug(&[(2, 1, 99), (1, 2, 98), (1, 3, 97)]).digest());
        assert_ne!(two.digest(), dug(&[(1, 4, 10), (2, 1, 20)]).digest());
        assert_ne!(two.digest(), dug(&[(1, 3, 10)]).digest());
        let mut one = two;
        one.expire(at(10));
        assert_eq!(one.digest(), dug(&[(2, 1, 50)]).digest());
        one.expire(at(20));
        assert_eq!(one.digest(), Graves::default().digest());
    }
}
