//! What is written when, and what a failure leaves behind. The disk is a trait, so that tests can let it fail.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    COMPACT_OVER_OCTETS, JOURNAL_OCTETS, RECORDS,
    contents::Contents,
    error::StoreError,
    format::{self, Found, Header},
};
use crate::{
    model::{ClusterName, StoreOp},
    planted::{Planted, is_planted},
};

/// The journal's file, and the one way to put another in its place.
pub trait Disk {
    /// Writes all octets at this place, with one call to the system where it takes them at once.
    ///
    /// # Errors
    /// What the system says; part of them may be there.
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when the file is on disk.
    ///
    /// # Errors
    /// What the system says; then nobody knows what is on disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file off.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Puts a file with these octets in the place of the journal, atomically and durably.
    ///
    /// # Errors
    /// Which of the two is there then.
    fn replace(&mut self, octets: &[u8]) -> Result<(), Unreplaced>;
}

/// Why the journal was not replaced.
#[derive(Debug)]
pub enum Unreplaced {
    /// The old one is in its place, untouched.
    Kept(io::Error),
    /// It can't be known which of the two is found after the loss of power.
    Unsure(io::Error),
}

/// An open journal: what it amounts to, and where it ends.
#[derive(Debug)]
pub(super) struct Journal<D> {
    disk: D,
    path: PathBuf,
    header: Header,
    contents: Contents,
    /// Where the last acknowledged frame ends.
    length: u64,
    /// The number of the next frame.
    sequence: u64,
    /// Nothing is written any more.
    failed: bool,
    /// After a compaction that did not succeed: not again below this length.
    compact_again_at: u64,
    /// How often it was replaced since it was opened.
    compactions: u64,
}

impl<D: Disk> Journal<D> {
    /// Reads the octets that the disk holds, and cuts off what a crash left of the last batch.
    pub(super) fn open(disk: D, path: &Path, octets: &[u8], cluster: &ClusterName) -> Result<Self, StoreError> {
        let (header, mut end) = Header::read(octets, cluster, path)?;
        let mut contents = Contents::new(header.node_id);
        let mut sequence = 0;
        let damaged = |offset, what| Err(StoreError::Damaged { path: path.to_owned(), offset, what });
        loop {
            match format::read_frame(octets, end, header.node_id, sequence) {
                Found::Batch(ops, next) => {
                    ops.into_iter().for_each(|op| contents.apply(op));
                    if contents.records.len() > RECORDS {
                        return damaged(end, format!("more than {RECORDS} records"));
                    }
                    (end, sequence) = (next, sequence + 1);
                }
                Found::End | Found::Torn => break,
                Found::Damage(what) => return damaged(end, what),
            }
        }
        let length = end as u64;
        let mut journal =
            Journal { disk, path: path.to_owned(), header, contents, length, sequence, failed: false, compact_again_at: 0, compactions: 0 };
        if end < octets.len() {
            tracing::warn!(path = %path.display(), octets = octets.len() - end, "cut off an unfinished batch at the end of the journal");
            journal.disk.truncate(length).map_err(StoreError::io("cut off an unfinished batch at the end of", path))?;
        }
        // A process that was killed between write and fsync leaves a batch that can be read but is not on disk yet.
        journal.disk.sync().map_err(|source| StoreError::Unsynced { path: path.to_owned(), source })?;
        Ok(journal)
    }

    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    pub(super) fn octets(&self) -> u64 {
        self.length
    }

    pub(super) fn compactions(&self) -> u64 {
        self.compactions
    }

    /// See [`super::Store::append`].
    pub(super) fn append(&mut self, ops: &[StoreOp]) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Failed { path: self.path.clone() });
        }
        if ops.is_empty() {
            return Ok(());
        }
        format::limit("the number of records", self.records_after(ops), RECORDS)?;
        let frame = format::encode_frame(self.header.node_id, self.sequence, ops)?;
        self.write(&frame)?;
        self.length += frame.len() as u64;
        self.sequence += 1;
        ops.iter().for_each(|op| self.contents.apply(op.clone()));
        self.compact_if_due();
        Ok(())
    }

    /// Records that there may be after these, deletions not counted.
    fn records_after(&self, ops: &[StoreOp]) -> usize {
        let new = ops.iter().filter(|op| matches!(op, StoreOp::Put { key, .. } if !self.contents.records.contains_key(key)));
        self.contents.records.len() + new.count()
    }

    fn write(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        if self.length + frame.len() as u64 > JOURNAL_OCTETS {
            return Err(StoreError::unwritten(&self.path, io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        if let Err(source) = self.disk.write_at(frame, self.length) {
            // Part of it may be there. It must be gone, on disk too, before a shorter frame takes its place: what
            // would be left behind that one looks like damage when a crash spoils it.
            self.failed = self.disk.truncate(self.length).and_then(|()| self.disk.sync()).is_err();
            return Err(StoreError::unwritten(&self.path, source));
        }
        if is_planted(Planted::NeverSynced) {
            return Ok(());
        }
        if let Err(source) = self.disk.sync() {
            self.failed = true;
            // The system may drop from memory what it could not write, or show it to the next start as if it were on
            // disk. Cut off, it misleads nobody. This may fail too, and then the next start sees a batch too many.
            let _ = self.disk.truncate(self.length);
            return Err(StoreError::Unsynced { path: self.path.clone(), source });
        }
        Ok(())
    }

    /// Replaces a journal that is mostly outdated. A failure is no error for the caller, whose batch is durable.
    fn compact_if_due(&mut self) {
        let due = self.length > COMPACT_OVER_OCTETS.max(self.compact_again_at) && self.length > 4 * self.contents.octets();
        if !due {
            return;
        }
        let mut octets = self.header.encode();
        let mut sequence = 0;
        for batch in self.contents.batches() {
            let frame = format::encode_frame(self.header.node_id, sequence, &batch);
            octets.extend(frame.expect("each of these was within the limits when it came"));
            sequence += 1;
        }
        match self.disk.replace(&octets) {
            Ok(()) => {
                self.length = octets.len() as u64;
                self.sequence = sequence;
                self.compact_again_at = 0;
                self.compactions += 1;
            }
            Err(Unreplaced::Kept(error)) => {
                self.compact_again_at = 2 * self.length;
                tracing::warn!(path = %self.path.display(), %error, "the journal could not be compacted; it grows until it can");
            }
            Err(Unreplaced::Unsure(error)) => {
                self.failed = true;
                tracing::error!(path = %self.path.display(), %error, "the journal could not be replaced; no more writes are taken");
            }
        }
    }
}

#[cfg(test)]
mod tests;
