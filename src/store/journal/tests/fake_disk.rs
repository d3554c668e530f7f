//! A disk in memory that fails when it is told to, and tells what a loss of power leaves.

use std::io;

use super::super::{Disk, Unreplaced};

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    None,
    /// The next write finds no space after so many octets.
    Full {
        partly: usize,
    },
    /// The next write fails for another reason.
    Broken,
    /// The next sync fails.
    Sync,
}

/// A disk in memory that fails when it is told to.
#[derive(Debug)]
pub(super) struct FakeDisk {
    /// What a process sees.
    pub(super) octets: Vec<u8>,
    /// What is there after a loss of power.
    pub(super) on_disk: Vec<u8>,
    pub(super) next: Fault,
    pub(super) truncates: bool,
    pub(super) replaces: fn() -> Result<(), Unreplaced>,
    pub(super) writes: usize,
    pub(super) syncs: usize,
    pub(super) replaced: usize,
    pub(super) replace_calls: usize,
    /// Written since the last sync, at the end of what is on disk.
    pub(super) unsynced: Vec<u8>,
}

impl FakeDisk {
    pub(super) fn holding(octets: &[u8]) -> FakeDisk {
        FakeDisk {
            octets: octets.to_vec(),
            on_disk: octets.to_vec(),
            next: Fault::None,
            truncates: true,
            replaces: || Ok(()),
            writes: 0,
            syncs: 0,
            replaced: 0,
            replace_calls: 0,
            unsynced: Vec::new(),
        }
    }

    /// What a loss of power leaves: all that was synced, and of the rest a part, the beginning of which may be zeros.
    pub(super) fn after_power_loss(&self, kept: f64, zeroed: f64) -> Vec<u8> {
        let part = |whole: usize, share: f64| (whole as f64 * share) as usize;
        let mut rest = self.unsynced[..part(self.unsynced.len() + 1, kept)].to_vec();
        let zeroed = part(rest.len(), zeroed);
        rest[..zeroed].fill(0);
        [self.on_disk.clone(), rest].concat()
    }
}

impl Disk for FakeDisk {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        self.writes += 1;
        assert_eq!(offset as usize, self.octets.len(), "the journal is written at its end");
        let (taken, result) = match std::mem::replace(&mut self.next, Fault::None) {
            Fault::Full { partly } => (partly.min(octets.len() - 1), Err(io::ErrorKind::StorageFull.into())),
            Fault::Broken => (0, Err(io::ErrorKind::Other.into())),
            later @ (Fault::None | Fault::Sync) => {
                self.next = later;
                (octets.len(), Ok(()))
            }
        };
        self.octets.extend(&octets[..taken]);
        self.unsynced = octets[..taken].to_vec();
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs += 1;
        if matches!(self.next, Fault::Sync) {
            return Err(io::ErrorKind::Other.into());
        }
        self.on_disk = self.octets.clone();
        self.unsynced.clear();
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if !self.truncates {
            return Err(io::ErrorKind::Other.into());
        }
        self.octets.truncate(length as usize);
        Ok(())
    }

    fn replace(&mut self, octets: &[u8]) -> Result<(), Unreplaced> {
        self.replace_calls += 1;
        (self.replaces)()?;
        self.replaced += 1;
        self.octets = octets.to_vec();
        self.on_disk = octets.to_vec();
        Ok(())
    }
}
