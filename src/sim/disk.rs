//! A disk in memory: what a process wrote, what of it is on the platter, and what is left when the power goes.

use std::{cell::RefCell, io, rc::Rc};

use rand::{RngExt as _, rngs::StdRng};

use crate::store::{Disk, Unreplaced};

/// How a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiskState {
    /// It takes what it is given.
    #[default]
    Healthy,
    /// It has no space left.
    Full,
}

/// What one data folder holds. It outlives the processes that use it.
#[derive(Debug, Clone, Default)]
pub struct Platter {
    /// What survives the loss of power; none where there is no journal yet.
    durable: Option<Vec<u8>>,
    /// What processes see.
    seen: Option<Vec<u8>>,
    /// Written since the last sync, in order.
    unsynced: Vec<Unsynced>,
    /// How it is.
    pub state: DiskState,
    /// So many more steps succeed: then the process, or the power, is gone.
    steps_left: Option<u32>,
    /// Of the write during which that happens, so much is written, in 256ths.
    torn_at: u8,
}

#[derive(Debug, Clone)]
enum Unsynced {
    Write { octets: Vec<u8>, offset: usize },
    Truncate(usize),
}

impl Unsynced {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Unsynced::Write { octets, offset } => write(file, octets, *offset),
            Unsynced::Truncate(length) => file.resize(*length, 0),
        }
    }
}

impl Platter {
    /// The journal as the next process finds it.
    pub fn read(&self) -> Option<Vec<u8>> {
        self.seen.clone()
    }

    /// The power goes: of what was written since the last sync any beginning is there, and perhaps a part of the next write.
    pub fn lose_power(&mut self, rng: &mut StdRng) {
        let unsynced = std::mem::take(&mut self.unsynced);
        let kept = rng.random_range(0..=unsynced.len());
        if let Some(file) = &mut self.durable {
            unsynced[..kept].iter().for_each(|step| step.apply(file));
            if let Some(Unsynced::Write { octets, offset }) = unsynced.get(kept) {
                let torn = rng.random_range(0..=octets.len());
                write(file, &octets[..torn], *offset);
            }
        }
        self.seen = self.durable.clone();
        self.steps_left = None;
    }

    /// Whoever writes now is cut off in the middle of it.
    pub(super) fn cut_off(&mut self, rng: &mut StdRng) {
        self.steps_left = Some(rng.random_range(0..3));
        self.torn_at = rng.random();
    }

    /// The next process may write again.
    pub(super) fn release(&mut self) {
        self.steps_left = None;
    }

    fn step(&mut self) -> io::Result<()> {
        match &mut self.steps_left {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the process is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

fn write(file: &mut Vec<u8>, octets: &[u8], offset: usize) {
    if file.len() < offset + octets.len() {
        file.resize(offset + octets.len(), 0);
    }
    file[offset..offset + octets.len()].copy_from_slice(octets);
}

/// A process's hold on a platter.
#[derive(Debug, Clone, Default)]
pub(super) struct SimDisk(Rc<RefCell<Platter>>);

impl SimDisk {
    pub(super) fn new(platter: Platter) -> SimDisk {
        SimDisk(Rc::new(RefCell::new(platter)))
    }

    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Platter) -> T) -> T {
        f(&mut self.0.borrow_mut())
    }
}

impl Disk for SimDisk {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        self.with(|platter| {
            let offset = offset as usize;
            let result = match platter.state {
                DiskState::Full => Err(io::ErrorKind::StorageFull.into()),
                DiskState::Healthy => platter.step(),
            };
            let taken = match (&result, platter.steps_left) {
                (Ok(()), _) => octets.len(),
                (Err(_), Some(_)) => octets.len() * usize::from(platter.torn_at) / 256,
                (Err(_), None) => 0,
            };
            if let Some(file) = &mut platter.seen {
                write(file, &octets[..taken], offset);
                platter.unsynced.push(Unsynced::Write { octets: octets[..taken].to_vec(), offset });
            }
            // A process that is gone writes no second part.
            platter.torn_at = 0;
            result
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|platter| {
            platter.step()?;
            platter.durable = platter.seen.clone();
            platter.unsynced.clear();
            Ok(())
        })
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.with(|platter| {
            platter.step()?;
            if let Some(file) = &mut platter.seen {
                file.truncate(length as usize);
                platter.unsynced.push(Unsynced::Truncate(length as usize));
            }
            Ok(())
        })
    }

    fn replace(&mut self, octets: &[u8]) -> Result<(), Unreplaced> {
        self.with(|platter| {
            if platter.state == DiskState::Full {
                return Err(Unreplaced::Kept(io::ErrorKind::StorageFull.into()));
            }
            platter.step().map_err(Unreplaced::Kept)?;
            platter.durable = Some(octets.to_vec());
            platter.seen = platter.durable.clone();
            platter.unsynced.clear();
            Ok(())
        })
    }
}
