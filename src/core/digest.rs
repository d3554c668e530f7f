//! Hashes by which two agents find out whether they hold the same.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::part::Slot;
use crate::model::{Life, NodeId, record::Key};

/// The hash of a slot. A part's digest adds them up (mod 2^128), so that a change costs one slot, not all.
pub fn slot(key: &Key, slot: &Slot) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write_u8(key.kind.0);
    write_bytes(&mut hasher, key.id.as_bytes());
    match slot {
        Slot::Live { d, s, definition, status } => {
            hasher.write_u8(0);
            hasher.write(&d.to_le_bytes());
            hasher.write(&s.to_le_bytes());
            write_bytes(&mut hasher, definition);
            write_bytes(&mut hasher, status);
        }
        Slot::Gone { r } => {
            hasher.write_u8(1);
            hasher.write(&r.to_le_bytes());
        }
    }
    hasher.finish128().as_u128()
}

/// The digest of one part.
pub fn part(life: Life, base: u64, complete: u64, sum: u128) -> u128 {
    let mut hasher = SipHasher13::new();
    write_life(&mut hasher, life);
    hasher.write(&base.to_le_bytes());
    hasher.write(&complete.to_le_bytes());
    hasher.write(&sum.to_le_bytes());
    hasher.finish128().as_u128()
}

/// The digest of an owner, from those of the part that is shown and the next one.
pub fn owner(node: NodeId, shown: Option<u128>, next: Option<u128>) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(&node.0.to_le_bytes());
    for digest in [shown, next] {
        hasher.write_u8(u8::from(digest.is_some()));
        hasher.write(&digest.unwrap_or_default().to_le_bytes());
    }
    hasher.finish128().as_u128()
}

/// The hash over a set of versions, in ascending order.
pub fn versions(ascending: impl IntoIterator<Item = u64>) -> u128 {
    let mut hasher = SipHasher13::new();
    for version in ascending {
        hasher.write(&version.to_le_bytes());
    }
    hasher.finish128().as_u128()
}

/// What a grave adds to the digest of graves.
pub fn grave(node: NodeId, generation: u32) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(&node.0.to_le_bytes());
    hasher.write(&generation.to_le_bytes());
    hasher.finish128().as_u128() as u64
}

/// What a member that is alive adds to the digest of members.
pub fn member(node: NodeId, life: Life, rejoin: u16) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(&node.0.to_le_bytes());
    write_life(&mut hasher, life);
    hasher.write(&rejoin.to_le_bytes());
    hasher.finish128().as_u128() as u64
}

fn write_life(hasher: &mut SipHasher13, life: Life) {
    hasher.write(&life.generation.to_le_bytes());
    hasher.write(&life.nonce.to_le_bytes());
}

fn write_bytes(hasher: &mut SipHasher13, bytes: &[u8]) {
    hasher.write(&(bytes.len() as u32).to_le_bytes());
    hasher.write(bytes);
}
