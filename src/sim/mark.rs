//! What is known of a datagram or a frame beside its octets: who said it, when, and how it was sealed. It travels with them, and is for
//! those alone who look on: to them it says what a receiver should have taken, without a look at any cipher.

use super::HostId;
use crate::{
    core::time::Moment,
    model::encryption::{Encryption, Fingerprint, KeyId},
    wire::envelope::ClusterTag,
};

/// How something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// On which host.
    pub host: HostId,
    /// By which of all processes of the world.
    pub process: u64,
    /// When.
    pub at: Moment,
    /// In which cluster.
    pub cluster: ClusterTag,
    /// The key that it was sealed with; none where it was said in the clear.
    pub key: Option<(KeyId, Fingerprint)>,
    /// Somebody had recorded it, and said it again.
    pub again: bool,
}

/// A place in a stream, counted in frames that were sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which connection.
    pub connection: u64,
    /// Which side says it: 0 is the one that opened it.
    pub side: usize,
    /// So many of its frames are before it.
    pub before: u64,
    /// Whether that side had taken a frame of the other one before.
    pub has_heard: bool,
}

/// The key that is sealed with by whoever goes by these.
pub(super) fn sealed_with(encryption: &Encryption) -> Option<(KeyId, Fingerprint)> {
    encryption.keys.first().copied().filter(|_| encryption.mode.encrypts())
}
