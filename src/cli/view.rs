//! The parts of the API's answers that are shown. What else is in them is passed over, so that an older program can
//! ask a newer agent.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A list of anything.
#[derive(Debug, Deserialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
    /// Where the rest begins, in a list that is not whole.
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Node {
    #[serde(default)]
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) reason: String,
    pub(super) since: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) gossip: String,
    pub(super) zone: Option<String>,
    pub(super) version: String,
    pub(super) instances: u64,
    pub(super) name_conflict: bool,
    #[serde(default)]
    pub(super) maintenance: Option<String>,
    #[serde(default)]
    pub(super) checks: Vec<NodeCheck>,
    #[serde(default)]
    pub(super) encryption: Encryption,
}

/// How gossip is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub(super) struct Encryption {
    pub(super) mode: String,
    pub(super) keys: Vec<HeldKey>,
}

/// A key, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct HeldKey {
    pub(super) id: u8,
    pub(super) fingerprint: String,
    pub(super) primary: bool,
}

impl HeldKey {
    /// Its id and its fingerprint.
    pub(super) fn named(&self) -> String {
        format!("{} ({})", self.id, self.fingerprint)
    }
}

/// The keys of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeysOfNode {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) encryption: Encryption,
}

impl From<&Node> for KeysOfNode {
    fn from(node: &Node) -> Self {
        KeysOfNode { name: node.name.clone(), state: node.state.clone(), encryption: node.encryption.clone() }
    }
}

/// A check of a node itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct NodeCheck {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) reason: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) tags: Vec<String>,
    pub(super) counts: Counts,
}

/// How many instances of a service there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) passing: u64,
    pub(super) warning: u64,
    pub(super) critical: u64,
    pub(super) held_back: u64,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Instance {
    pub(super) node: Option<String>,
    #[serde(default)]
    pub(super) node_id: String,
    pub(super) id: String,
    pub(super) service: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) port: u16,
    pub(super) protocol: String,
    pub(super) tags: Vec<String>,
    pub(super) weight: u16,
    pub(super) status: String,
    pub(super) since: String,
    pub(super) held_back: Option<HeldBack>,
}

/// Why an instance is not handed out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct HeldBack {
    pub(super) detail: String,
}

/// A check, as `/v1/checks` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Check {
    pub(super) node: Option<String>,
    /// A check of a node is of no service and no instance.
    pub(super) service: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) id: String,
    pub(super) status: String,
    pub(super) reason: String,
}
