//! An agent as the cluster sees it.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use super::{
    Health,
    encryption::Encryption,
    name::{NodeName, Zone},
};

/// Names a node for as long as its data folder lives. Drawn at random at the first start, never reused.
///
/// 64 bits: among the 16,384 members that a cluster may have, two draw the same one with a chance of 1 in 10^11.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for NodeId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(NodeId)
    }
}

/// One run of an agent. Lives of a node are ordered by generation, then nonce; a later life beats an earlier one
/// whatever their versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Life {
    /// Raised and on disk before the first packet of each start.
    pub generation: u32,
    /// Drawn at each start: tells two copies of one data folder apart.
    pub nonce: u64,
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.generation, self.nonce)
    }
}

/// What the cluster holds of a node's being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberState {
    /// Answers.
    Alive,
    /// Did not answer some probe; still handed out.
    Suspect,
    /// Announced a short absence; still handed out until its grace ends.
    Restarting,
    /// Found dead; not handed out.
    Down,
    /// Took its leave; not handed out.
    Left,
}

impl MemberState {
    /// The word for it, as users see it.
    pub fn as_str(self) -> &'static str {
        match self {
            MemberState::Alive => "alive",
            MemberState::Suspect => "suspect",
            MemberState::Restarting => "restarting",
            MemberState::Down => "down",
            MemberState::Left => "left",
        }
    }

    /// True while the node's instances may be handed out.
    pub fn is_up(self) -> bool {
        matches!(self, MemberState::Alive | MemberState::Suspect | MemberState::Restarting)
    }
}

impl fmt::Display for MemberState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a node says of itself in its node record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its name: one live holder at a time.
    pub name: NodeName,
    /// Its addresses, 1 to 4, the preferred one first: what its instances without addresses are found at.
    pub addresses: Vec<IpAddr>,
    /// Where it is.
    pub zone: Option<Zone>,
    /// Free-form pairs, shown as TXT.
    pub meta: BTreeMap<String, String>,
    /// The version of its program.
    pub agent_version: String,
    /// The lowest and the highest version of the wire format that it speaks.
    pub wire_versions: (u16, u16),
    /// It took its leave: final for this life.
    pub left: bool,
    /// It announced an absence of at most so many seconds.
    pub grace_seconds: Option<u16>,
    /// An operator took it out of discovery, for this reason.
    pub maintenance: Option<String>,
    /// How its gossip is encrypted.
    pub encryption: Encryption,
}

/// A node as one agent sees it now: what it says of itself and what is held of its being there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The life that is shown.
    pub life: Life,
    /// Where its gossip is received.
    pub gossip: SocketAddr,
    /// What it says of itself.
    pub info: NodeInfo,
    /// What the checks of the node itself have yielded; its maintenance stands in `info`.
    pub health: Health,
    /// Whether it is there.
    pub state: MemberState,
    /// Why it is in that state, for people.
    pub reason: &'static str,
}
