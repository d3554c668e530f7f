//! Generations of nodes that are not to come back: those that were forgotten or reaped.

use std::{collections::BTreeMap, time::Duration};

use super::time::Moment;
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
}

impl Graves {
    /// Whether a generation of a node is not to come back.
    pub fn buries(&self, node: NodeId, generation: u32) -> bool {
        self.graves.get(&node).is_some_and(|grave| generation <= grave.generation)
    }

    /// Digs a grave, or deepens the one that is there. Of two, the higher generation and the later end hold.
    /// When there is no room the one that ends first is given up.
    pub fn dig(&mut self, node: NodeId, generation: u32, until: Moment) {
        let grave = self.graves.entry(node).or_insert(Grave { generation, until });
        grave.generation = grave.generation.max(generation);
        grave.until = grave.until.max(until);
        if self.graves.len() > limits::GRAVES
            && let Some(first) = self.graves.iter().min_by_key(|(_, grave)| grave.until).map(|(node, _)| *node)
        {
            self.graves.remove(&first);
        }
    }

    /// Gives up those whose time is over.
    pub fn expire(&mut self, now: Moment) {
        self.graves.retain(|_, grave| grave.until > now);
    }

    /// All that have not ended, with the time that is left.
    pub fn iter(&self, now: Moment) -> impl Iterator<Item = (NodeId, u32, Duration)> {
        let open = self.graves.iter().filter(move |(_, grave)| grave.until > now);
        open.map(move |(node, grave)| (*node, grave.generation, grave.until - now))
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
        assert!(graves.buries(NodeId(1), 1) && graves.iter(at(19)).count() == 1);
        assert_eq!(graves.iter(at(20)).count(), 0, "nobody is told of a grave that has ended");
        graves.expire(at(20));
        assert!(!graves.buries(NodeId(1), 1));
    }

    #[test]
    fn their_number_is_bounded() {
        let mut graves = Graves::default();
        for node in 0..=limits::GRAVES as u64 {
            graves.dig(NodeId(node), 1, at(node));
        }
        assert!(!graves.buries(NodeId(0), 1) && graves.buries(NodeId(1), 1));
    }
}
