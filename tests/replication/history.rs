//! What the owner wrote, and whether a copy holds that and nothing else.

use std::collections::BTreeMap;

use tidings::{
    core::part::{Part, Slot, Write},
    model::{Life, record::Key},
};

use super::actors::Push;

/// All lives of an owner.
#[derive(Default)]
pub(super) struct History {
    pub(super) lives: Vec<LifeLog>,
}

/// The writes of one life; version `n` stands at `n - 1`.
pub(super) struct LifeLog {
    pub(super) life: Life,
    pub(super) base: u64,
    pub(super) writes: Vec<Push>,
}

impl History {
    pub(super) fn pushes(&self) -> impl Iterator<Item = &Push> {
        self.lives.iter().flat_map(|life| &life.writes)
    }

    /// Whether each life began with this record and none ever removed it.
    pub(super) fn never_removed(&self, key: &Key) -> bool {
        self.lives.iter().all(|life| {
            let snapshot = &life.writes[..life.base as usize];
            snapshot.iter().any(|push| push.key == *key) && !life.writes.iter().any(|push| push.key == *key && push.write == Write::Gone)
        })
    }

    /// A part is the owner's state at its complete version, overlaid by later writes that were made.
    pub(super) fn check(&self, part: &Part) -> Result<(), String> {
        let log = self.lives.iter().find(|log| log.life == part.life).ok_or("it is of a life that never was")?;
        if part.base != log.base {
            return Err(format!("its base is {}, not {}", part.base, log.base));
        }
        let then = log.at(part.complete)?;
        for (key, slot) in &then {
            if part.slots().get(key).is_none_or(|held| held.stamp() <= part.complete && held != slot) {
                return Err(format!("{key:?} is {:?}, but was {slot:?} at version {}", part.slots().get(key), part.complete));
            }
        }
        for (key, slot) in part.slots().iter() {
            if slot.stamp() <= part.complete {
                if then.get(key) != Some(slot) {
                    return Err(format!("{key:?} is {slot:?}, but was {:?} at version {}", then.get(key), part.complete));
                }
            } else if !log.wrote(key, slot) {
                return Err(format!("{key:?} holds {slot:?}, which was never written"));
            } else if let Slot::Live { d, .. } = slot
                && *d <= part.complete
                && then.get(key).and_then(definition_version) != Some(*d)
            {
                return Err(format!("{key:?} holds definition {d}, which had been replaced by version {}", part.complete));
            }
        }
        Ok(())
    }
}

impl LifeLog {
    fn at(&self, version: u64) -> Result<BTreeMap<Key, Slot>, String> {
        let writes = self.writes.get(..version as usize).ok_or(format!("version {version} was never taken"))?;
        let mut state = BTreeMap::new();
        for push in writes {
            match &push.write {
                Write::Definition { definition, status } => {
                    let (definition, status) = (definition.clone(), status.clone());
                    state.insert(push.key.clone(), Slot::Live { d: push.version, s: push.version, definition, status });
                }
                Write::Status { of, status: new } => match state.get_mut(&push.key) {
                    Some(Slot::Live { d, s, status, .. }) if d == of => (*s, *status) = (push.version, new.clone()),
                    other => return Err(format!("the owner wrote a void status on {other:?}")),
                },
                Write::Gone => drop(state.remove(&push.key)),
            }
        }
        Ok(state)
    }

    fn wrote(&self, key: &Key, slot: &Slot) -> bool {
        let write = |version: u64| self.writes.get(version as usize - 1).filter(|push| push.key == *key).map(|push| &push.write);
        match slot {
            Slot::Gone { r } => write(*r) == Some(&Write::Gone),
            Slot::Live { d, s, definition, status } => {
                let Some(Write::Definition { definition: defined, status: first }) = write(*d) else {
                    return false;
                };
                let named = if s == d { first == status } else { write(*s) == Some(&Write::Status { of: *d, status: status.clone() }) };
                defined == definition && named
            }
        }
    }
}

fn definition_version(slot: &Slot) -> Option<u64> {
    match slot {
        Slot::Live { d, .. } => Some(*d),
        Slot::Gone { .. } => None,
    }
}
