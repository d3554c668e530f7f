//! Who a member is, to foca: compact and `Copy`, since foca scans its list of members.

use std::{cmp::Ordering, net::SocketAddr};

use bincode::{Decode, Encode};

use crate::model::{Life, NodeId};

/// (address, node id, boot generation, boot nonce, rejoin).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Identity {
    /// Where its gossip is received, datagrams and streams.
    pub address: SocketAddr,
    node: [u8; 8],
    generation: u32,
    nonce: [u8; 8],
    /// Raised, in memory only, each time the cluster took this life for dead.
    pub rejoin: u16,
}

impl Identity {
    /// The identity of a life that has just begun.
    pub fn new(address: SocketAddr, node: NodeId, life: Life) -> Self {
        let (node, nonce) = (node.0.to_be_bytes(), life.nonce.to_be_bytes());
        Identity { address, node, generation: life.generation, nonce, rejoin: 0 }
    }

    /// Which node.
    pub fn node(&self) -> NodeId {
        NodeId(u64::from_be_bytes(self.node))
    }

    /// Which life of it.
    pub fn life(&self) -> Life {
        Life { generation: self.generation, nonce: u64::from_be_bytes(self.nonce) }
    }

    /// The order in which identities of one node replace each other.
    pub fn cmp_age(&self, other: &Self) -> Ordering {
        (self.life(), self.rejoin).cmp(&(other.life(), other.rejoin))
    }

    /// Stands for the whole in the destination field of a datagram: the receiver only has to know whether it is meant.
    /// By mistake it holds itself to be so once in 2^32 stray packets; it then reads them as if they were its own, which the
    /// protocol bears (each message is idempotent).
    pub fn short(&self) -> u32 {
        use std::hash::Hasher as _;
        let mut hasher = siphasher::sip::SipHasher13::new();
        hasher.write(&self.node);
        hasher.write(&self.nonce);
        hasher.write(&self.generation.to_be_bytes());
        hasher.write(&self.rejoin.to_be_bytes());
        (hasher.finish() >> 32) as u32
    }
}

/// foca replaces an identity by a later one with the same `Addr`. Ours is the node id, not the socket address: so a node
/// that comes back at another address replaces itself at once, and another node on a reused address does not.
impl foca::Identity for Identity {
    type Addr = NodeId;

    fn renew(&self) -> Option<Self> {
        self.rejoin.checked_add(1).map(|rejoin| Identity { rejoin, ..*self })
    }

    fn addr(&self) -> NodeId {
        self.node()
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.cmp_age(adversary) == Ordering::Greater
    }
}
