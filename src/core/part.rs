//! What is known of one life of one owner, and the rules by which it grows.
//!
//! These rules were model-checked; each stands for a counter-example. Change none without a model.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{digest, slots::Slots};
use crate::{
    model::{
        Life,
        record::{Body, Key},
    },
    planted::{Planted, is_planted},
    wire::limits,
};

/// One record, or the memory of its removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// A record. Its status speaks of the definition with version `d`, or it would not be here.
    Live {
        /// Version of the definition.
        d: u64,
        /// Version of the status; `d` if it came along with the definition.
        s: u64,
        /// Body of the definition.
        definition: Body,
        /// Body of the status.
        status: Body,
    },
    /// Removed at version `r`. Kept only while `r` is beyond the complete version.
    Gone {
        /// Version of the removal.
        r: u64,
    },
}

impl Slot {
    /// The highest version that the slot speaks of.
    pub fn stamp(&self) -> u64 {
        match *self {
            Slot::Live { d, s, .. } => d.max(s),
            Slot::Gone { r } => r,
        }
    }

    fn definition_version(&self) -> Option<u64> {
        match *self {
            Slot::Live { d, .. } => Some(d),
            Slot::Gone { .. } => None,
        }
    }

    fn versions(&self) -> [u64; 2] {
        match *self {
            Slot::Live { d, s, .. } => [d, s],
            Slot::Gone { r } => [r, r],
        }
    }
}

/// What a write says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A definition with the status that it starts with.
    Definition {
        /// Its body.
        definition: Body,
        /// Its status.
        status: Body,
    },
    /// A status of the definition with version `of`.
    Status {
        /// Which definition.
        of: u64,
        /// Its body.
        status: Body,
    },
    /// The record is gone.
    Gone,
}

/// What became of something that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was news.
    New,
    /// It was known, or is beside the point by now.
    Old,
    /// It could not be applied: a sync is needed.
    Ask,
}

/// What a requester holds of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Which life.
    pub life: Life,
    /// Its complete version there.
    pub complete: u64,
    /// Hash over the versions of definitions up to there.
    pub definitions: u128,
}

/// Which definitions up to `from` live at the answerer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// Exactly those whose hash the want named.
    Same(u128),
    /// These.
    List(BTreeSet<u64>),
}

/// An answer to a want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// Which life.
    pub life: Life,
    /// How many records it began with.
    pub base: u64,
    /// Above which version every slot is sent.
    pub from: u64,
    /// The slots.
    pub slots: BTreeMap<Key, Slot>,
    /// The answerer's complete version, and what lives there; absent in all but the last part of an answer.
    pub end: Option<(u64, Live)>,
}

/// What an answer means for the complete version.
enum Claim<'a> {
    /// It knows no more than we do.
    Nothing,
    /// It can't be held against what we hold.
    Void,
    /// Up to there everything is known, and of the definitions up to `from` these live.
    Holds { complete: u64, live: Cow<'a, BTreeSet<u64>> },
}

/// One life of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which life.
    pub life: Life,
    /// Versions up to this one are the snapshot that the life began with; nothing is shown before it is whole.
    pub base: u64,
    /// Everything up to this version is known.
    pub complete: u64,
    slots: Slots,
    /// Versions beyond `complete` that a slot speaks of; mostly there are none, of any member.
    #[expect(clippy::box_collection, reason = "there is a part for each member, and what mostly is not there takes one word")]
    beyond: Option<Box<BTreeSet<(u64, Key)>>>,
    /// How many slots are removals.
    removals: usize,
    /// Sum of the hashes of the slots.
    sum: u128,
}

impl Part {
    /// Nothing is known yet.
    pub fn new(life: Life, base: u64) -> Part {
        Part { life, base, complete: 0, slots: Slots::default(), beyond: None, removals: 0, sum: 0 }
    }

    /// All slots, by key.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The record with this key, if it lives.
    pub fn get(&self, key: &Key) -> Option<(&Body, &Body)> {
        match self.slots.get(key) {
            Some(Slot::Live { definition, status, .. }) => Some((definition, status)),
            _ => None,
        }
    }

    /// The version of a record's definition, if it lives.
    pub fn definition_version(&self, key: &Key) -> Option<u64> {
        self.slots.get(key).and_then(Slot::definition_version)
    }

    /// Whether the snapshot that the life began with is whole.
    pub fn is_whole(&self) -> bool {
        self.complete >= self.base || (is_planted(Planted::BaseIgnored) && self.complete > 0)
    }

    /// The digest of all of it.
    pub fn digest(&self) -> u128 {
        digest::part(self.life, self.base, self.complete, self.sum)
    }

    /// The highest version that anything here speaks of.
    pub fn highest(&self) -> u64 {
        self.beyond.as_ref().and_then(|beyond| beyond.last()).map_or(self.complete, |(version, _)| *version)
    }

    /// The owner writes: version `complete + 1`, which nothing can be missing before. A status for a definition that is no
    /// longer live is void and takes no version, since no replica could account for it: then there is none.
    pub fn write(&mut self, key: Key, write: Write) -> Option<u64> {
        let version = self.complete + 1;
        match write {
            Write::Definition { definition, status } => self.set(key, Slot::Live { d: version, s: version, definition, status }),
            Write::Status { of, status } => match self.slots.get(&key) {
                Some(Slot::Live { d, definition, .. }) if *d == of => {
                    let definition = definition.clone();
                    self.set(key, Slot::Live { d: of, s: version, definition, status });
                }
                _ => return None,
            },
            Write::Gone => drop(self.clear(&key)),
        }
        self.complete = version;
        self.settle();
        Some(version)
    }

    /// Takes one pushed write (rules 2 to 5 of a push).
    pub fn on_push(&mut self, version: u64, key: &Key, write: Write) -> Outcome {
        let slot = self.slots.get(key);
        let stamp = slot.map_or(0, Slot::stamp);
        if (version <= self.complete || stamp >= version) && !is_planted(Planted::OldVersionTaken) {
            return Outcome::Old;
        }
        match write {
            Write::Definition { definition, status } => {
                if slot.is_none() && self.slots.len() >= limits::SLOTS_PER_PART {
                    return Outcome::Ask;
                }
                self.set(key.clone(), Slot::Live { d: version, s: version, definition, status });
            }
            Write::Status { of, status } => match slot {
                Some(Slot::Live { d, definition, .. }) if *d == of || is_planted(Planted::LateStatusTaken) => {
                    let (of, definition) = (*d, definition.clone());
                    self.set(key.clone(), Slot::Live { d: of, s: version, definition, status });
                }
                Some(Slot::Live { d, .. }) if *d > of => return Outcome::Old,
                _ => return Outcome::Ask,
            },
            Write::Gone => {
                let next = version == self.complete + 1;
                let known = matches!(slot, Some(Slot::Gone { .. }));
                let full = self.removals >= limits::REMOVALS_BY_PUSH || (slot.is_none() && self.slots.len() >= limits::SLOTS_PER_PART);
                if !next && !known && full {
                    // The record stays as it is until the sync: only this removal is dropped.
                    return Outcome::Ask;
                }
                if !next && is_planted(Planted::RemovalForgotten) {
                    self.clear(key);
                } else {
                    self.set(key.clone(), Slot::Gone { r: version });
                }
            }
        }
        self.settle();
        Outcome::New
    }

    /// What to send to ask for the rest.
    pub fn want(&self) -> Want {
        Want { life: self.life, complete: self.complete, definitions: digest::versions(self.definitions(self.complete)) }
    }

    /// Answers a want: against what it holds of the same life, from nothing otherwise.
    pub fn have(&self, want: Option<&Want>) -> Have {
        let same = want.filter(|want| want.life == self.life);
        let from = same.map_or(0, |want| want.complete);
        let theirs = same.map_or(digest::versions([]), |want| want.definitions);
        let mine = self.definitions(from);
        let live = if digest::versions(mine.iter().copied()) == theirs { Live::Same(theirs) } else { Live::List(mine) };
        let slots = self.slots.iter().filter(|(_, slot)| slot.stamp() > from).map(|(k, s)| (k.clone(), s.clone())).collect();
        Have { life: self.life, base: self.base, from, slots, end: Some((self.complete, live)) }
    }

    /// Merges an answer about the same life. A join: it does not matter in which order, or how often.
    /// The keys of all slots that it changed are added to `changed`.
    pub fn on_have(&mut self, have: &Have, changed: &mut BTreeSet<Key>) -> Outcome {
        let claim = self.claim(have);
        let taken: Vec<(&Key, &Slot)> = have.slots.iter().filter(|(key, theirs)| self.takes(key, theirs)).collect();
        let unlisted = match &claim {
            Claim::Holds { complete, live } => self.unlisted(*complete, live, have),
            Claim::Nothing | Claim::Void => BTreeSet::new(),
        };
        // What goes makes room for what comes; were it the other way round, a part that is full could never be repaired.
        let coming = taken.iter().filter(|(key, _)| !self.slots.contains_key(key) || unlisted.contains(key)).count();
        let fits = self.slots.len() - unlisted.len() + coming <= limits::SLOTS_PER_PART;
        let mut outcome = Outcome::Old;
        if fits {
            for key in unlisted {
                self.clear(&key);
                changed.insert(key);
                outcome = Outcome::New;
            }
        }
        for (key, theirs) in taken {
            if fits || self.slots.contains_key(key) || self.slots.len() < limits::SLOTS_PER_PART {
                self.set(key.clone(), theirs.clone());
                changed.insert(key.clone());
                outcome = Outcome::New;
            }
        }
        match claim {
            _ if !fits => outcome = Outcome::Ask,
            Claim::Holds { complete, .. } => {
                self.complete = complete;
                outcome = Outcome::New;
            }
            Claim::Void => outcome = Outcome::Ask,
            Claim::Nothing => {}
        }
        self.settle();
        outcome
    }

    /// What an answer says about everything up to the answerer's complete version.
    fn claim<'a>(&self, have: &'a Have) -> Claim<'a> {
        let Some((complete, live)) = have.end.as_ref().filter(|(complete, _)| *complete > self.complete) else {
            return Claim::Nothing;
        };
        let live = match live {
            Live::List(live) => Cow::Borrowed(live),
            // Our set may be another one since it was named: memory was lost, and learnt anew.
            Live::Same(hash) => {
                let mine = self.definitions(have.from);
                if digest::versions(mine.iter().copied()) != *hash {
                    return Claim::Void;
                }
                Cow::Owned(mine)
            }
        };
        if have.from > self.complete {
            // It was made for a memory that is lost.
            return Claim::Void;
        }
        Claim::Holds { complete: *complete, live }
    }

    fn takes(&self, key: &Key, theirs: &Slot) -> bool {
        let mine = self.slots.get(key);
        let newer = theirs.stamp() > mine.map_or(0, Slot::stamp) || is_planted(Planted::UnionWithoutStamps);
        match theirs {
            // A definition at or below our complete version that we do not hold was removed or replaced.
            Slot::Live { d, .. } => {
                newer
                    && (*d > self.complete || is_planted(Planted::RemovedTakenBack) || mine.and_then(Slot::definition_version) == Some(*d))
            }
            Slot::Gone { r } => newer && *r > self.complete,
        }
    }

    /// Records of ours that are not among the answerer's, though it knows of everything up to `complete`: they were removed.
    fn unlisted(&self, complete: u64, live: &BTreeSet<u64>, have: &Have) -> BTreeSet<Key> {
        let is_listed = |key: &Key, d: u64| {
            if is_planted(Planted::UnlistedKept) {
                return true;
            }
            if d <= have.from { live.contains(&d) } else { have.slots.get(key).and_then(Slot::definition_version) == Some(d) }
        };
        let definitions = self.slots.iter().filter_map(|(key, slot)| Some((key, slot.definition_version()?)));
        definitions.filter(|(key, d)| *d <= complete && !is_listed(key, *d)).map(|(key, _)| key.clone()).collect()
    }

    /// The versions of the definitions held, up to `top`.
    fn definitions(&self, top: u64) -> BTreeSet<u64> {
        self.slots.values().filter_map(Slot::definition_version).filter(|d| *d <= top).collect()
    }

    /// Contiguity: the complete version moves over versions that are held, one by one, and removals up to it are forgotten.
    fn settle(&mut self) {
        if is_planted(Planted::CompleteByHighest) {
            self.complete = self.highest();
        }
        while let Some(beyond) = &mut self.beyond
            && let Some((version, _)) = beyond.first()
            && version.saturating_sub(1) <= self.complete
        {
            self.complete = self.complete.max(*version);
            if let Some((version, key)) = beyond.pop_first()
                && matches!(self.slots.get(&key), Some(Slot::Gone { r }) if *r == version)
            {
                self.clear(&key);
            }
        }
        self.beyond.take_if(|beyond| beyond.is_empty());
    }

    fn set(&mut self, key: Key, slot: Slot) {
        // The key that was there goes on, and not a copy of it: others share it.
        let key = self.clear(&key).unwrap_or(key);
        for version in slot.versions() {
            if version > self.complete {
                self.beyond.get_or_insert_default().insert((version, key.clone()));
            }
        }
        self.removals += usize::from(matches!(slot, Slot::Gone { .. }));
        self.sum = self.sum.wrapping_add(digest::slot(&key, &slot));
        self.slots.insert(key, slot);
    }

    /// Drops a slot. Its key is given back.
    fn clear(&mut self, key: &Key) -> Option<Key> {
        let (key, slot) = self.slots.remove(key)?;
        if let Some(beyond) = &mut self.beyond {
            for version in slot.versions() {
                beyond.remove(&(version, key.clone()));
            }
        }
        self.removals -= usize::from(matches!(slot, Slot::Gone { .. }));
        self.sum = self.sum.wrapping_sub(digest::slot(&key, &slot));
        Some(key)
    }
}
