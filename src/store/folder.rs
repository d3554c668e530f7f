//! The data folder: its lock, its files, and what has to be synced for a file to be found again.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{
    JOURNAL_OCTETS,
    error::StoreError,
    format::HEADER_OCTETS,
    journal::{Disk, Unreplaced},
};

const JOURNAL: &str = "tidings.journal";
const NEW_JOURNAL: &str = "tidings.journal.new";
const LOCK: &str = "tidings.lock";

/// A locked data folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    path: PathBuf,
    journal: Option<File>,
    /// Held for as long as the folder is open. It is a file of its own and never removed, since the journal is replaced.
    _lock: File,
}

impl Folder {
    /// Shows how the journal begins, if there is one, to `check`, before anything is created or locked.
    pub(super) fn peek(dir: &Path, check: impl FnOnce(&[u8], &Path) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let path = dir.join(JOURNAL);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(StoreError::io("open", &path))?,
        };
        let mut start = Vec::new();
        file.take(HEADER_OCTETS as u64).read_to_end(&mut start).map_err(StoreError::io("read", &path))?;
        check(&start, &path)
    }

    /// Creates the folder where there is none, and locks it.
    pub(super) fn open(dir: &Path) -> Result<Folder, StoreError> {
        create_dir(dir)?;
        let lock_path = dir.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.map_err(StoreError::io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &lock_path)(error)),
        }
        let path = dir.join(JOURNAL);
        let journal = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        Ok(Folder { dir: dir.to_owned(), path, journal, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The whole journal, if there is one.
    pub(super) fn read(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let path = &self.path;
        let Some(mut file) = self.journal.as_ref() else { return Ok(None) };
        let length = file.metadata().map_err(StoreError::io("read", path))?.len();
        if length > JOURNAL_OCTETS {
            let what = format!("it has {length} octets; at most {JOURNAL_OCTETS} are allowed");
            return Err(StoreError::Damaged { path: path.clone(), offset: 0, what });
        }
        let mut octets = Vec::with_capacity(length as usize);
        file.rewind().and_then(|()| file.read_to_end(&mut octets)).map_err(StoreError::io("read", path))?;
        Ok(Some(octets))
    }

    fn write_new(&self, new: &Path, octets: &[u8]) -> io::Result<File> {
        // One that an earlier run left behind has never been the journal.
        match fs::remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(new)?;
        file.write_all(octets)?;
        file.sync_all()?;
        Ok(file)
    }
}

impl Disk for Folder {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
        open_journal(&self.journal)?.write_all_at(octets, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        open_journal(&self.journal)?.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        open_journal(&self.journal)?.set_len(length)
    }

    fn replace(&mut self, octets: &[u8]) -> Result<(), Unreplaced> {
        let new = self.dir.join(NEW_JOURNAL);
        let file = self.write_new(&new, octets).map_err(|error| {
            // It takes space from the journal that stays; the next attempt would remove it, too.
            let _ = fs::remove_file(&new);
            Unreplaced::Kept(error)
        })?;
        fs::rename(&new, &self.path).and_then(|()| sync_dir(&self.dir)).map_err(Unreplaced::Unsure)?;
        self.journal = Some(file);
        Ok(())
    }
}

fn open_journal(journal: &Option<File>) -> io::Result<&File> {
    journal.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// Creates the folder and those above it that are missing, each so that it is found again after the loss of power.
fn create_dir(dir: &Path) -> Result<(), StoreError> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_dir(parent)?;
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        other => other.map_err(StoreError::io("create the folder", dir))?,
    }
    sync_dir(parent).map_err(StoreError::io("sync the folder", parent))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
