//! What the journal amounts to.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::model::{
    NodeId, StoreOp, StoredGrave,
    record::{Body, Key},
};

/// What this agent had made durable, up to the last batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Drawn when the folder was created.
    pub node_id: NodeId,
    /// The boot generation stored last; 0 in a new folder.
    pub generation: u32,
    /// Definition and last status of each record that this node owns.
    pub records: BTreeMap<Key, (Body, Body)>,
    /// Peers to try at the next start.
    pub peers: Vec<SocketAddr>,
    /// Members that were there.
    pub members: Vec<NodeId>,
    /// Nodes that are not to come back.
    pub graves: Vec<StoredGrave>,
}

/// What a record takes in the journal beside its id and bodies, at most: the frame, the tag, the kind, three lengths.
const OVERHEAD_OCTETS: usize = 48;
/// What an address takes in the journal, at most.
const PEER_OCTETS: usize = 20;
/// What a member takes in the journal, at most.
const MEMBER_OCTETS: usize = 9;
/// What a grave takes in the journal, at most.
const GRAVE_OCTETS: usize = 19;

impl Contents {
    pub(super) fn new(node_id: NodeId) -> Contents {
        Contents { node_id, generation: 0, records: BTreeMap::new(), peers: Vec::new(), members: Vec::new(), graves: Vec::new() }
    }

    pub(super) fn apply(&mut self, op: StoreOp) {
        match op {
            StoreOp::Generation(generation) => self.generation = generation,
            StoreOp::Put { key, definition, status } => drop(self.records.insert(key, (definition, status))),
            StoreOp::Delete(key) => drop(self.records.remove(&key)),
            StoreOp::Status { key, status } => {
                if let Some(record) = self.records.get_mut(&key) {
                    record.1 = status;
                }
            }
            StoreOp::Peers(peers) => self.peers = peers,
            StoreOp::Members(members) => self.members = members,
            StoreOp::Graves(graves) => self.graves = graves,
        }
    }

    /// About what a journal of nothing else would take.
    pub(super) fn octets(&self) -> u64 {
        let records =
            self.records.iter().map(|(key, (definition, status))| key.id.len() + definition.len() + status.len() + OVERHEAD_OCTETS);
        let lists = self.peers.len() * PEER_OCTETS + self.members.len() * MEMBER_OCTETS + self.graves.len() * GRAVE_OCTETS;
        (records.sum::<usize>() + lists + OVERHEAD_OCTETS) as u64
    }

    /// The shortest sequence of batches that leads here from nothing.
    pub(super) fn batches(&self) -> impl Iterator<Item = Vec<StoreOp>> {
        let (peers, members) = (StoreOp::Peers(self.peers.clone()), StoreOp::Members(self.members.clone()));
        let first = vec![StoreOp::Generation(self.generation), peers, members, StoreOp::Graves(self.graves.clone())];
        let records = self.records.iter().map(|(key, (definition, status))| {
            vec![StoreOp::Put { key: key.clone(), definition: definition.clone(), status: status.clone() }]
        });
        std::iter::once(first).chain(records)
    }
}
