//! What is left of the leases of checks that wait for heartbeats, for the next start of the agent.
//!
//! It is written now and then, over what was there, and without an fsync: what a killed process wrote, the system has, and a disk that
//! sleeps is not woken. A loss of power may lose or spoil it, which does no harm, since after a start of the host every check has to prove
//! itself again.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::model::{
    CheckId, InstanceId,
    check::{Left, Subject},
};

const FILE: &str = "tidings.leases";
/// Octets of the largest file that is read: all checks that a node may have take less.
const OCTETS: u64 = 8 * 1024 * 1024;

/// Where leases are kept.
#[derive(Debug, Clone)]
pub struct Leases {
    dir: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    instance: Option<String>,
    check: String,
    left_ms: u64,
}

impl Leases {
    /// Those of a data folder that this agent has open.
    pub fn of(dir: &Path) -> Leases {
        Leases { dir: dir.to_owned() }
    }

    /// What was written last; nothing where that is not there or can't be read.
    pub fn read(&self) -> Vec<Left> {
        let mut text = String::new();
        let read = File::open(self.dir.join(FILE)).and_then(|file| file.take(OCTETS).read_to_string(&mut text));
        // What stands behind the list is left of a longer one.
        let list = serde_json::Deserializer::from_str(&text).into_iter::<Vec<Entry>>().next();
        let entries = read.ok().and_then(|_| list?.ok()).unwrap_or_default();
        entries.into_iter().filter_map(|entry| Left::try_from(entry).ok()).collect()
    }

    /// Writes them in place of those of before.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn write(&self, left: &[Left]) -> io::Result<()> {
        let entries: Vec<Entry> = left.iter().map(Entry::from).collect();
        let octets = serde_json::to_vec(&entries)?;
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.dir.join(FILE))?;
        file.write_all(&octets)?;
        file.set_len(octets.len() as u64)
    }
}

impl From<&Left> for Entry {
    fn from(Left { subject, check, left }: &Left) -> Entry {
        let instance = match subject {
            Subject::Node => None,
            Subject::Instance(id) => Some(id.to_string()),
        };
        Entry { instance, check: check.to_string(), left_ms: left.as_millis() as u64 }
    }
}

impl TryFrom<Entry> for Left {
    type Error = crate::model::NameError;
    fn try_from(Entry { instance, check, left_ms }: Entry) -> Result<Left, Self::Error> {
        let subject = match instance {
            None => Subject::Node,
            Some(id) => Subject::Instance(InstanceId::new(&id)?),
        };
        Ok(Left { subject, check: CheckId::new(&check)?, left: Duration::from_millis(left_ms) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_can_not_be_read_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let leases = Leases::of(folder.path());
        assert_eq!(leases.read(), []);
        let left = |subject, seconds| Left { subject, check: CheckId::new("beat").unwrap(), left: Duration::from_secs(seconds) };
        let all = [left(Subject::Node, 5), left(Subject::Instance(InstanceId::new("web-1").unwrap()), 7)];
        leases.write(&all).unwrap();
        assert_eq!(leases.read(), all);
        leases.write(&all[1..]).unwrap();
        assert_eq!(leases.read(), all[1..]);
        std::fs::write(folder.path().join(FILE), r#"[{"instance":null,"check":"beat","left_ms":5000}]ft_ms":7}]"#).unwrap();
        assert_eq!(leases.read(), all[..1]);
        std::fs::write(folder.path().join(FILE), "[{").unwrap();
        assert_eq!(leases.read(), []);
        std::fs::write(folder.path().join(FILE), r#"[{"instance":"a b","check":"beat","left_ms":1}]"#).unwrap();
        assert_eq!(leases.read(), []);
    }
}
