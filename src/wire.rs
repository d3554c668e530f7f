//! Bytes on the network: envelopes, messages and bodies, with every limit enforced before anything is allocated.
//!
//! A datagram or a stream frame is an envelope around messages, and a message is (kind, length, body). A body is
//! encoded by bincode. An unknown kind of message is skipped and counted; what stands behind the fields that this
//! version knows is ignored; so a later version may add both.

pub mod body;
pub mod codec;
pub mod envelope;
pub mod frame;
pub mod identity;
pub mod limits;
pub mod local;
pub mod message;
pub mod seal;
pub mod sift;
pub mod versions;

use std::fmt;

pub use identity::Identity;
pub use versions::Versions;

/// The lowest version of the wire format that this program speaks.
pub const LOWEST_VERSION: u16 = 1;
/// The highest version of the wire format that this program speaks.
pub const HIGHEST_VERSION: u16 = 1;

/// Why bytes were not taken. They were dropped; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WireError {
    /// Too short, cut off, or not of this format.
    Malformed,
    /// Longer than the limit of its kind.
    TooLarge,
    /// Of a version that this program does not speak.
    Version,
    /// Encrypted, and this agent has no such key.
    Sealed,
    /// Not encrypted, though this agent takes nothing else.
    NotEncrypted,
    /// Not made with the key that it names, changed on the way, or said again where it does not belong.
    Forged,
    /// Sealed so long ago that it may have been recorded, and is said again.
    Old,
    /// Of another cluster.
    Cluster,
}

impl WireError {
    /// The word for it in logs and counters.
    pub fn as_str(self) -> &'static str {
        match self {
            WireError::Malformed => "malformed",
            WireError::TooLarge => "too_large",
            WireError::Version => "version",
            WireError::Sealed => "no_such_key",
            WireError::NotEncrypted => "not_encrypted",
            WireError::Forged => "forged",
            WireError::Old => "too_old",
            WireError::Cluster => "other_cluster",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::error::Error for WireError {}
