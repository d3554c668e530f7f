//! What is on disk: a journal of what this agent must never lose, and beside it what it may lose (`leases.rs`).
//!
//! The folder holds `tidings.journal`, `tidings.lock` and `tidings.leases`. The journal begins with a header (format version, cluster,
//! node id) that never changes. Then come frames, each one batch with its checksums, written with one write and made
//! durable with one fsync before the next one begins. From this follows how it is read:
//!
//! - Only the last frame can be unfinished. What a crash left of it is cut off: nobody was told that it is durable.
//! - A bad frame with anything valid behind it can't come from a crash. It is reported and nothing is changed, since
//!   what was acknowledged may be in it.
//!
//! When most of the journal is outdated, the live content is written to a new file that takes its place by a rename.

mod contents;
mod error;
mod folder;
mod format;
mod journal;
mod leases;

use std::path::Path;

pub use contents::Contents;
pub use error::StoreError;
pub use folder::Folder;
pub use journal::{Disk, Unreplaced};
pub use leases::Leases;

use crate::model::{
    ClusterName, Life, NodeId, StoreOp,
    record::{Body, Key, Kind},
};
use crate::planted::{Planted, is_planted};
use format::Header;
use journal::Journal;

/// Records that the store holds at most: more than [`crate::model::limits::INSTANCES_PER_NODE`] and the node's own.
pub const RECORDS: usize = 2_112;
/// Octets in the body of a definition or a status.
pub const BODY_OCTETS: usize = 64 * 1024;
/// Peers that are kept for the next start.
pub const PEERS: usize = 64;
/// Members that are kept for the next start: as many as a cluster may have.
pub const MEMBERS: usize = 16_384;
/// Graves that are kept for the next start: as many as an agent holds.
pub const GRAVES: usize = 4_096;
/// Octets of one batch when encoded: all that a node may own, rewritten at once, is well below.
pub const BATCH_OCTETS: usize = 16 * 1024 * 1024;
/// Octets of the whole journal. Compaction keeps it at four times the live content, which can't reach a quarter of this.
pub const JOURNAL_OCTETS: u64 = 1024 * 1024 * 1024;
/// Below this size the journal is not compacted.
pub const COMPACT_OVER_OCTETS: u64 = 256 * 1024;

/// The open data folder of this agent. No other agent can open it meanwhile.
///
/// All calls block on the disk.
#[derive(Debug)]
pub struct Store<D = Folder> {
    journal: Journal<D>,
}

/// A life that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Its generation is on disk.
    pub life: Life,
    /// Whether the host started anew since the life before.
    pub host_rebooted: bool,
}

impl Store {
    /// Opens the folder, or creates it with a node id drawn from `rng`, and tells what it holds.
    ///
    /// # Errors
    /// Another agent has the folder open; it belongs to another cluster, to a newer program or to something else; the
    /// journal is damaged; the disk does not do what is asked of it. In all but the last case nothing was changed.
    pub fn open(dir: &Path, cluster: &ClusterName, rng: &mut impl rand::Rng) -> Result<(Store, Contents), StoreError> {
        Folder::peek(dir, |octets, path| Header::read(octets, cluster, path).map(drop))?;
        let mut folder = Folder::open(dir)?;
        let octets = folder.read()?;
        let path = folder.path().to_owned();
        Store::on(folder, octets, &path, cluster, rng)
    }
}

impl<D: Disk> Store<D> {
    /// The store on a disk that holds these octets, or nothing yet; errors name it by `path`.
    ///
    /// # Errors
    /// As [`Store::open`] has them.
    pub fn on(
        mut disk: D,
        octets: Option<Vec<u8>>,
        path: &Path,
        cluster: &ClusterName,
        rng: &mut impl rand::Rng,
    ) -> Result<(Store<D>, Contents), StoreError> {
        let octets = match octets {
            Some(octets) => octets,
            None => {
                let header = Header { node_id: NodeId(rng.next_u64()), cluster: cluster.clone() }.encode();
                disk.replace(&header).map_err(|unreplaced| {
                    let (Unreplaced::Kept(error) | Unreplaced::Unsure(error)) = unreplaced;
                    StoreError::unwritten(path, error)
                })?;
                header
            }
        };
        let journal = Journal::open(disk, path, &octets, cluster)?;
        let contents = journal.contents().clone();
        Ok((Store { journal }, contents))
    }

    /// Begins a life: its generation is on disk when this returns, and with it under which start of the host it began.
    ///
    /// # Errors
    /// As [`Store::append`] has them; then nothing has begun.
    pub fn begin(&mut self, contents: &mut Contents, boot_id: &[u8], rng: &mut impl rand::Rng) -> Result<Begun, StoreError> {
        let raised = if is_planted(Planted::GenerationReused) { contents.generation.max(1) } else { contents.generation + 1 };
        let life = Life { generation: raised, nonce: rng.next_u64() };
        let key = Key { kind: Kind::LOCAL, id: "".into() };
        let (boot, nothing) = (Body::from(boot_id), Body::from([]));
        let host_rebooted = contents.records.remove(&key).is_some_and(|(before, _)| before != boot);
        if is_planted(Planted::GenerationUnwritten) {
            return Ok(Begun { life, host_rebooted });
        }
        self.append(&[StoreOp::Generation(life.generation), StoreOp::Put { key, definition: boot, status: nothing }])?;
        Ok(Begun { life, host_rebooted })
    }

    /// Makes a batch durable, as a whole or not at all: when this returns `Ok`, it survives the loss of power.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the disk took nothing for lack of space, and [`StoreError::TooLarge`] for a batch
    /// over a limit: the store is as before, and a later batch may succeed. After [`StoreError::Unsynced`] the store
    /// refuses all further batches, since it can't know what of its writes is on disk.
    pub fn append(&mut self, ops: &[StoreOp]) -> Result<(), StoreError> {
        self.journal.append(ops)
    }

    /// How large the journal is.
    pub fn octets(&self) -> u64 {
        self.journal.octets()
    }

    /// How often the journal was replaced by one with its live content only, since it was opened.
    pub fn compactions(&self) -> u64 {
        self.journal.compactions()
    }
}

#[cfg(test)]
mod tests;
