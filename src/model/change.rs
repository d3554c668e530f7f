//! What the core tells those who publish: the difference that an input made to what this agent knows.

use std::sync::Arc;

use super::{Health, Instance, InstanceId, Node, NodeId, Registration};

/// One difference. Applied in order they give the catalog that the core means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A node is new, or something about it is.
    Node(Arc<Node>),
    /// A node was forgotten, and its instances with it.
    NodeGone(NodeId),
    /// An instance is new, or something about it is. Its node was told of before.
    Instance {
        /// Its owner.
        node: NodeId,
        /// Its definition.
        instance: Arc<Instance>,
        /// What its checks have yielded, and whether it is in maintenance.
        health: Arc<Health>,
    },
    /// What this node registered of an instance of its own: with it, what is told to nobody else.
    Registered(Arc<Registration>),
    /// An instance was removed by its owner.
    InstanceGone {
        /// Its owner.
        node: NodeId,
        /// Which.
        id: InstanceId,
    },
    /// Instances of this node that peers knew to be removed, and that came back with a data folder, or an image, of the past.
    CameBack(Vec<InstanceId>),
    /// Whether this agent knows what the cluster knows: it has had a first full sync and heard of those who were there before, or is the first of its cluster.
    Ready(bool),
}
