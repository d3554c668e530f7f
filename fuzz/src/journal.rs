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

/// Opens a journal with these octets, and with these under checksums that are right, which nothing would get through else.
pub fn journal(octets: &[u8]) {
    opened(octets);
    opened(&repaired(octets.to_vec()));
}

/// Holds: one that is refused is left as it is; one that is taken holds the same when it is opened again, and
/// takes another batch.
fn opened(octets: &[u8]) {
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
        (after.node_id, after.records, after.peers, after.members, after.graves),
        (contents.node_id, contents.records, contents.peers, contents.members, contents.graves)
    );
}

fn open(disk: &Memory) -> Result<(Store<Memory>, tidings::store::Contents), tidings::store::StoreError> {
    let cluster = ClusterName::new("test").expect("a name");
    Store::on(disk.clone(), Some(disk.octets()), Path::new("tidings.journal"), &cluster, &mut StdRng::seed_from_u64(1))
}

/// Octets before the id of the node, and before the payload of a frame.
const PREAMBLE: usize = 16;
/// See [`PREAMBLE`].
const FRAME_HEADER: usize = 24;

/// The checksums, marks and numbers of frames that stand in `store/format.rs`, put right.
fn repaired(mut octets: Vec<u8>) -> Vec<u8> {
    let crc = |octets: &[u8]| crc32fast::hash(octets).to_le_bytes();
    let Some(length) = octets.get(PREAMBLE + 8).copied() else {
        return octets;
    };
    let head = PREAMBLE + 9 + usize::from(length);
    if octets.len() < head + 4 {
        return octets;
    }
    let preamble = crc(&octets[..12]);
    octets[12..PREAMBLE].copy_from_slice(&preamble);
    let header = crc(&octets[..head]);
    octets[head..head + 4].copy_from_slice(&header);
    let node = octets[PREAMBLE..PREAMBLE + 8].to_vec();
    let seeded = |octets: &[u8]| crc32fast::hash(&[&node[..], octets].concat()).to_le_bytes();
    let mut rest = &mut octets[head + 4..];
    for sequence in 0_u64.. {
        let Some((frame, payload)) = rest.split_at_mut_checked(FRAME_HEADER) else {
            break;
        };
        let length = u32::from_le_bytes([frame[12], frame[13], frame[14], frame[15]]) as usize;
        let length = length.min(payload.len());
        let (payload, behind) = payload.split_at_mut(length);
        frame[..4].copy_from_slice(&[0xf7, b't', b'd', 0x9e]);
        frame[4..12].copy_from_slice(&sequence.to_le_bytes());
        frame[12..16].copy_from_slice(&(length as u32).to_le_bytes());
        frame[16..20].copy_from_slice(&seeded(payload));
        let header = seeded(&frame[..20]);
        frame[20..24].copy_from_slice(&header);
        rest = behind;
    }
    octets
}
