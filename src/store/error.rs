//! What can go wrong with the data folder, and what to do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why the store did not do what was asked. The message says what to do.
#[derive(Debug)]
pub enum StoreError {
    /// Another agent has the folder open.
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The file is not a journal of this program.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The journal was written by a newer program.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The folder belongs to an agent of another cluster.
    OtherCluster {
        /// The file.
        path: PathBuf,
        /// The cluster it belongs to.
        found: String,
        /// The cluster of this agent.
        expected: String,
    },
    /// The journal holds what no crash can have left there.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damage begins, in octets from the start.
        offset: usize,
        /// What was found there.
        what: String,
    },
    /// Part of a batch is over a limit. Nothing was written.
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// There is no space for the batch. Nothing was written; it may succeed later.
    Full {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system could not say that a write is on disk. No more writes are taken.
    Unsynced {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier error left it unknown what is on disk: no more writes are taken.
    Failed {
        /// The file.
        path: PathBuf,
    },
    /// Any other error of the system.
    Io {
        /// What was tried, as in "can't ...".
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// Makes an error of the system say what was tried; for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_owned();
        move |source| StoreError::Io { doing, path, source }
    }

    /// The error for a write that did not succeed.
    pub(super) fn unwritten(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => StoreError::Full { path, source },
            _ => StoreError::Io { doing: "write to", path, source },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Locked { dir } => write!(
                f,
                "another agent is using the data folder {}: stop it first, or give this agent a folder of its own with --data-dir",
                dir.display()
            ),
            StoreError::Foreign { path } => write!(
                f,
                "{} does not begin like a journal of tidings, and was left as it is: give another folder with --data-dir, or move that file away",
                path.display()
            ),
            StoreError::Newer { path, found, known } => write!(
                f,
                "{} has format {found}, but this program knows formats up to {known} only, and left it as it is: \
                 run the newer program that wrote it, or give another folder with --data-dir",
                path.display()
            ),
            StoreError::OtherCluster { path, found, expected } => write!(
                f,
                "{} belongs to an agent of the cluster {found:?}, but this one is of {expected:?}: \
                 run it with --cluster {found}, or give another folder with --data-dir",
                path.display()
            ),
            StoreError::Damaged { path, offset, what } => write!(
                f,
                "{} is damaged at octet {offset} ({what}), and was left as it is: restore the folder from a backup; or move it away \
                 to start as a new node, and register its instances again",
                path.display()
            ),
            StoreError::TooLarge { what, size, limit } => write!(f, "{what} may be {limit} at most, but is {size}"),
            StoreError::Full { path, source } => {
                write!(f, "there is no space to write to {} ({source}); nothing was stored: free some, and try again", path.display())
            }
            StoreError::Unsynced { path, source } => write!(
                f,
                "the disk did not confirm a write to {} ({source}), so that it takes no more of them: check the disk, and restart the agent",
                path.display()
            ),
            StoreError::Failed { path } => {
                write!(f, "{} takes no more writes since an earlier one failed: check the disk, and restart the agent", path.display())
            }
            StoreError::Io { doing, path, source } => write!(f, "can't {doing} {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Full { source, .. } | StoreError::Unsynced { source, .. } | StoreError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
