//! A copy of what one owner wrote: the life that is shown, and a later one whose first snapshot is not whole yet.
//!
//! While the later life trickles in the earlier one is shown, so that nothing vanishes for a moment by a restart.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    digest,
    part::{Have, Outcome, Part, Want, Write},
};
use crate::{
    model::{Life, NodeId, record::Key},
    planted::{Planted, is_planted},
};

/// What a received write or answer changed in what is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shift {
    /// Another life is shown.
    pub promoted: bool,
    /// Slots of the shown life that changed.
    pub keys: BTreeSet<Key>,
}

/// A copy of one owner. An agent holds one for each member, so a part takes room only where there is one; and the agents of a simulated
/// world share what is equal, until one of them changes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replica {
    /// What readers see.
    pub shown: Option<Arc<Part>>,
    /// A later life.
    pub next: Option<Arc<Part>>,
}

impl Replica {
    /// The digest of both parts; `None` where nothing is held.
    pub fn digest(&self, node: NodeId) -> Option<u128> {
        if self.shown.is_none() && self.next.is_none() {
            return None;
        }
        Some(digest::owner(node, self.shown.as_deref().map(Part::digest), self.next.as_deref().map(Part::digest)))
    }

    /// What is held of a life.
    pub fn part(&self, life: Life) -> Option<&Part> {
        self.parts().find(|part| part.life == life)
    }

    /// Drops parts of lives above `life`: membership comes first, records follow.
    pub fn drop_above(&mut self, life: Life) {
        self.next.take_if(|part| part.life > life);
        self.shown.take_if(|part| part.life > life);
    }

    /// Drops parts of generations up to this one: they lie in a grave.
    pub fn drop_up_to(&mut self, generation: u32) {
        self.next.take_if(|part| part.life.generation <= generation);
        self.shown.take_if(|part| part.life.generation <= generation);
    }

    /// Takes one pushed write.
    pub fn on_push(&mut self, life: Life, base: u64, version: u64, key: &Key, write: Write, shift: &mut Shift) -> Outcome {
        let Some((part, is_shown)) = self.part_for(life, base) else {
            return Outcome::Old;
        };
        let outcome = part.on_push(version, key, write);
        if outcome == Outcome::New && is_shown {
            shift.keys.insert(key.clone());
        }
        self.promote(shift);
        outcome
    }

    /// Whether something is known to be missing, so that a sync is needed soon.
    pub fn has_gap(&self) -> bool {
        self.next.is_some() || self.shown.as_ref().is_some_and(|part| part.highest() > part.complete)
    }

    /// Whether all of a life up to a version is known, or a later life is shown.
    pub fn knows(&self, life: Life, version: u64) -> bool {
        let mut parts = self.parts();
        self.shown.as_ref().is_some_and(|part| part.life > life) || parts.any(|part| part.life == life && part.complete >= version)
    }

    /// What to ask for: of the life that is shown, and of the next.
    pub fn wants(&self) -> [Option<Want>; 2] {
        [self.shown.as_deref().map(Part::want), self.next.as_deref().map(Part::want)]
    }

    /// What is answered: each part, against the want about the same life or from nothing.
    pub fn haves(&self, wants: &[Option<Want>; 2]) -> Vec<Have> {
        let newest = wants.iter().flatten().map(|want| want.life).max().unwrap_or_default();
        let shown = wants[0].map(|want| want.life).unwrap_or_default();
        let answer = |part: &Part| {
            let same = wants.iter().flatten().find(|want| want.life == part.life);
            // An earlier life than what they show is not sent, nor an unfinished one between their two.
            let of_no_use = part.life < shown || (same.is_none() && part.life < newest && !part.is_whole());
            (!of_no_use).then(|| part.have(same))
        };
        self.parts().filter_map(answer).collect()
    }

    /// Merges an answer.
    pub fn on_have(&mut self, have: &Have, shift: &mut Shift) -> Outcome {
        let above_shown = self.shown.as_ref().is_none_or(|part| part.life < have.life);
        let below_next = self.next.as_ref().is_some_and(|part| have.life < part.life);
        if above_shown && below_next {
            // A life between the two is of use only if it is whole, and then it is what is shown.
            let mut part = Part::new(have.life, have.base);
            part.on_have(have, &mut BTreeSet::new());
            if !part.is_whole() {
                return Outcome::Old;
            }
            self.shown = Some(Arc::new(part));
            shift.promoted = true;
            return Outcome::New;
        }
        let Some((part, is_shown)) = self.part_for(have.life, have.base) else {
            return Outcome::Old;
        };
        let mut changed = BTreeSet::new();
        let outcome = part.on_have(have, &mut changed);
        if is_shown {
            shift.keys.append(&mut changed);
        }
        self.promote(shift);
        outcome
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.shown.iter().chain(&self.next).map(Arc::as_ref)
    }

    fn part_for(&mut self, life: Life, base: u64) -> Option<(&mut Part, bool)> {
        if self.shown.as_ref().is_some_and(|part| life < part.life) {
            if is_planted(Planted::EarlierLifeTaken) {
                self.shown = Some(Arc::new(Part::new(life, base)));
                return self.shown.as_mut().map(|part| (Arc::make_mut(part), true));
            }
            return None;
        }
        if self.shown.as_ref().is_some_and(|part| part.life == life) {
            return self.shown.as_mut().map(|part| (Arc::make_mut(part), true));
        }
        match &self.next {
            Some(next) if next.life > life => return None,
            Some(next) if next.life == life => {}
            _ => self.next = Some(Arc::new(Part::new(life, base))),
        }
        self.next.as_mut().map(|part| (Arc::make_mut(part), false))
    }

    /// A later life takes over when the snapshot that it began with is whole.
    fn promote(&mut self, shift: &mut Shift) {
        if let Some(next) = self.next.take_if(|next| next.is_whole() || is_planted(Planted::LaterLifeAtOnce)) {
            self.shown = Some(next);
            shift.promoted = true;
        }
    }
}
