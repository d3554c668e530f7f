//! What the core asks the store to keep.

use std::{net::SocketAddr, time::Duration};

use super::{
    NodeId,
    record::{Body, Key},
};

/// One change to what is on disk. Those that are handed over together become durable together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOp {
    /// The boot generation, on disk before the first packet of a start.
    Generation(u32),
    /// A record is new or replaced. The node's own record is one of them: with it, that the node took its leave
    /// is durable.
    Put {
        /// Which.
        key: Key,
        /// Its definition.
        definition: Body,
        /// The status that came along.
        status: Body,
    },
    /// A record is gone.
    Delete(Key),
    /// The status of a record changed. Void when there is no such record any more.
    Status {
        /// Of which.
        key: Key,
        /// The status.
        status: Body,
    },
    /// The peers to try at the next start, in place of those stored before.
    Peers(Vec<SocketAddr>),
    /// The members that are there, in place of those stored before.
    Members(Vec<NodeId>),
    /// The nodes that are not to come back, in place of those stored before.
    Graves(Vec<StoredGrave>),
}

impl StoreOp {
    /// About how many octets it takes when encoded, and not less.
    pub fn octets(&self) -> usize {
        let body = match self {
            StoreOp::Generation(_) => 0,
            StoreOp::Put { key, definition, status } => key.id.len() + definition.len() + status.len(),
            StoreOp::Delete(key) => key.id.len(),
            StoreOp::Status { key, status } => key.id.len() + status.len(),
            StoreOp::Peers(peers) => 20 * peers.len(),
            StoreOp::Members(members) => 9 * members.len(),
            StoreOp::Graves(graves) => 20 * graves.len(),
        };
        body + 32
    }
}

/// A node that is not to come back: it was forgotten or reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredGrave {
    /// Which node.
    pub node: NodeId,
    /// This generation of it and all below.
    pub generation: u32,
    /// How much longer, of the time for which an agent runs. To the second.
    pub left: Duration,
}
