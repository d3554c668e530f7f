//! The journal that an agent finds in its folder.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{SeedableRng as _, rngs::StdRng};
use tidings::{
    model::{ClusterName, StoreOp},
    store::{Disk, Store, Unreplaced},
};

/// A disk in memory, and how often it was written to. What holds a copy sees what is on it.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<(Vec<u8>, usize)>>);

impl Memory {
    /// A disk with these octets.
    pub fn with(octets: &[u8]) -> Memory {
        Memory(Arc::new(Mutex::new((octets.to_vec(), 0))))
    }

    fn on<T>(&self, deed: impl FnOnce(&mut Vec<u8>, &mut usize) -> T) -> T {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (octets, writes) = &mut *held;
        deed(octets, writes)
    }

    /// What is on it.
    pub fn octets(&self) -> Vec<u8> {
        self.on(|octets, _| octets.clone())
    }

    fn writes(&self) -> usize {
        self.on(|_, writes| *writes)
    }

    fn change(&self, deed: impl FnOnce(&mut Vec<u8>)) {
        self.on(|octets, writes| {
            *writes += 1;
            deed(octets);
        });
    }
}

impl Disk for Memory {
    fn write_at(&mut self, new: &[u8], offset: u64) -> io::Result<()> {
        let at = offset as usize;
        self.change(|octets| {
            octets.resize(octets.len().max(at + new.len()), 0);
            octets[at..at + new.len()].copy_from_slice(new);
        });
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.change(|octets| octets.truncate(length as usize));
        Ok(())
    }

    fn replace(&mut self, new: &[u8]) -> Result<(), Unreplaced> {
        self.change(|octets| *octets = new.to_vec());
        Ok(())
    }
}

/// Opens a journal with these octets. Holds: one that is refused is left as it is; one that is taken holds the same when it is opened again, and
/// takes another batch.
pub fn journal(octets: &[u8]) {
    let disk = Memory::with(octets);
    let (mut store, contents) = match open(&disk) {
        Ok(opened) => opened,
        Err(error) => {
            assert_eq!(disk.writes(), 0, "{error}");
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let again = open(&disk).map(|(_, again)| again);
    assert_eq!(again.as_ref().ok(), Some(&contents));
    let generation = contents.generation.wrapping_add(1);
    store.append(&[StoreOp::Generation(generation)]).expect("the disk takes everything");
    let (_, after) = open(&disk).expect("what was written can be read");
    assert_eq!(after.generation, generation);
    assert_eq!(
        (after.node_id, after.records, after.peers, after.graves),
        (contents.node_id, contents.records, contents.peers, contents.graves)
    );
}

fn open(disk: &Memory) -> Result<(Store<Memory>, tidings::store::Contents), tidings::store::StoreError> {
    let cluster = ClusterName::new("test").expect("a name");
    Store::on(disk.clone(), Some(disk.octets()), Path::new("tidings.journal"), &cluster, &mut StdRng::seed_from_u64(1))
}
