//! The owner and the copies, as short verbs.

use std::collections::BTreeSet;

use tidings::{
    core::{
        part::{Have, Outcome, Part, Slot, Want, Write},
        replica::{Replica, Shift},
    },
    model::{
        Life, NodeId,
        record::{Body, Key, Kind},
    },
};

use super::history::{History, LifeLog};

pub(super) const NODE: NodeId = NodeId(7);

/// A write on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Push {
    pub(super) life: Life,
    pub(super) base: u64,
    pub(super) version: u64,
    pub(super) key: Key,
    pub(super) write: Write,
}

/// The agent whose records are copied. It boots with its node record at version 1 and `k1` at version 2.
pub(super) struct Owner {
    pub(super) part: Part,
    /// All that it ever wrote, in all its lives.
    pub(super) history: History,
    bodies: u64,
}

pub(super) fn key(n: usize) -> Key {
    match n {
        0 => Key::node(),
        n => Key { kind: Kind::INSTANCE, id: format!("k{n}").into() },
    }
}

impl Owner {
    pub(super) fn boot() -> Owner {
        Owner::boot_with(1)
    }

    /// With so many instances, at the versions from 2 on.
    pub(super) fn boot_with(instances: usize) -> Owner {
        let mut owner = Owner { part: Part::new(Life::default(), 0), history: History::default(), bodies: 0 };
        let records = (0..=instances).map(|n| (key(n), owner.body(), owner.body())).collect();
        owner.begin(1, records);
        owner
    }

    /// Starts again with the next generation and what it holds.
    pub(super) fn restart(&mut self) {
        let records = self
            .part
            .slots()
            .keys()
            .filter_map(|key| Some((key.clone(), self.part.get(key)?)))
            .map(|(key, (d, s))| (key, d.clone(), s.clone()));
        let records = records.collect();
        self.begin(self.part.life.generation + 1, records);
    }

    fn begin(&mut self, generation: u32, records: Vec<(Key, Body, Body)>) {
        let life = Life { generation, nonce: u64::from(generation) * 31 };
        let base = records.len() as u64;
        self.part = Part::new(life, base);
        self.history.lives.push(LifeLog { life, base, writes: vec![] });
        for (key, definition, status) in records {
            self.write(key, Write::Definition { definition, status });
        }
    }

    pub(super) fn define(&mut self, n: usize) -> Push {
        let (definition, status) = (self.body(), self.body());
        self.write(key(n), Write::Definition { definition, status })
    }

    /// Of the definition that is live.
    pub(super) fn status(&mut self, n: usize) -> Push {
        let of = self.part.definition_version(&key(n)).expect("is live");
        let status = self.body();
        self.write(key(n), Write::Status { of, status })
    }

    pub(super) fn remove(&mut self, n: usize) -> Push {
        self.write(key(n), Write::Gone)
    }

    fn write(&mut self, key: Key, write: Write) -> Push {
        let version = self.part.write(key.clone(), write.clone()).expect("the write is not void");
        let push = Push { life: self.part.life, base: self.part.base, version, key, write };
        self.history.lives.last_mut().expect("booted").writes.push(push.clone());
        push
    }

    /// No two bodies are equal, so that no two writes look alike.
    fn body(&mut self) -> Body {
        self.bodies += 1;
        Body::from(self.bodies.to_le_bytes())
    }

    /// The write of the current life that took this version.
    pub(super) fn push(&self, version: u64) -> Push {
        self.history.lives.last().expect("booted").writes[version as usize - 1].clone()
    }

    /// What it answers from.
    pub(super) fn replica(&self) -> Replica {
        Replica { shown: Some(self.part.clone().into()), next: None }
    }
}

/// One agent's copy of the owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Copy(pub(super) Replica);

impl Copy {
    pub(super) fn of(owner: &Owner) -> Copy {
        let mut copy = Copy::default();
        copy.sync(&owner.replica());
        copy
    }

    pub(super) fn push(&mut self, push: &Push) -> Outcome {
        self.push_noting(push, &mut Shift::default())
    }

    pub(super) fn push_noting(&mut self, push: &Push, shift: &mut Shift) -> Outcome {
        self.0.on_push(push.life, push.base, push.version, &push.key, push.write.clone(), shift)
    }

    pub(super) fn wants(&self) -> [Option<Want>; 2] {
        self.0.wants()
    }

    pub(super) fn take(&mut self, haves: &[Have]) -> Vec<Outcome> {
        haves.iter().map(|have| self.0.on_have(have, &mut Shift::default())).collect()
    }

    /// Asks somebody, and takes the answer at once.
    pub(super) fn sync(&mut self, from: &Replica) {
        self.take(&from.haves(&self.wants()));
    }

    pub(super) fn digest(&self) -> Option<u128> {
        self.0.digest(NODE)
    }

    /// The part of the life that is shown.
    pub(super) fn shown(&self) -> &Part {
        self.0.shown.as_ref().expect("something is shown")
    }

    /// The part of the life that is not whole yet.
    pub(super) fn next(&self) -> &Part {
        self.0.next.as_ref().expect("a life is on its way")
    }

    /// The keys that are shown.
    pub(super) fn live(&self) -> BTreeSet<Key> {
        self.0.shown.as_deref().map(live).unwrap_or_default()
    }
}

/// The keys of the records that live.
pub(super) fn live(part: &Part) -> BTreeSet<Key> {
    part.slots().iter().filter(|(_, slot)| matches!(slot, Slot::Live { .. })).map(|(key, _)| key.clone()).collect()
}

/// Both ask, then both answer, then both take: what a conversation does.
pub(super) fn exchange(a: &mut Copy, b: &mut Copy) {
    let (for_a, for_b) = (b.0.haves(&a.wants()), a.0.haves(&b.wants()));
    a.take(&for_a);
    b.take(&for_b);
}

/// After an exchange two hold the same, and their digests say so.
pub(super) fn assert_equal_after_exchange(a: &mut Copy, b: &mut Copy) {
    exchange(a, b);
    assert_eq!(a, b);
    assert_eq!(a.digest(), b.digest());
}
