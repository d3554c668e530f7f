//! The unit that is gossiped: one versioned item that its owner wrote, as an envelope around opaque bytes.

use std::{fmt, sync::Arc};

/// What kind of thing a record is about. Unknown kinds are stored, hashed and relayed as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// The one record that says what a node is: see [`super::node::NodeInfo`]. Its id is empty.
    pub const NODE: Kind = Kind(0);
    /// An instance: see [`super::Instance`]. Its id is the instance's.
    pub const INSTANCE: Kind = Kind(1);
    /// What a node keeps of an instance on its own disk and tells nobody. Its id is the instance's.
    pub const LOCAL: Kind = Kind(255);
}

/// Names a record among those of its owner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its id within the kind.
    pub id: Arc<str>,
}

impl Key {
    /// The key of the node record.
    pub fn node() -> Key {
        Key { kind: Kind::NODE, id: Arc::default() }
    }

    /// The key with this id. The empty one, of all node records, is held once.
    pub fn of(kind: Kind, id: &str) -> Key {
        Key { kind, id: if id.is_empty() { Arc::default() } else { Arc::from(id) } }
    }

    /// The key of what is kept beside an instance.
    pub fn local(id: &super::InstanceId) -> Key {
        Key { kind: Kind::LOCAL, id: id.to_text() }
    }

    /// The key of an instance.
    pub fn instance(id: &super::InstanceId) -> Key {
        Key { kind: Kind::INSTANCE, id: id.to_text() }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.0, self.id)
    }
}

/// The encoded body of a definition or a status.
pub type Body = Arc<[u8]>;
