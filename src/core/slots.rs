//! The slots of a part, by key.
//!
//! An agent holds a part for each member, and most members have a few records: those are one allocation without empty places. A tree
//! has room for eleven in each leaf, and is for owners of many.

use std::collections::BTreeMap;

use super::part::Slot;
use crate::model::record::Key;

/// So many are kept in a list at most.
const FEW: usize = 16;

/// The slots of a part, in the order of their keys.
#[derive(Debug, Clone)]
pub struct Slots(Kept);

#[derive(Debug, Clone)]
enum Kept {
    /// Sorted, and with no room for more.
    Few(Vec<(Key, Slot)>),
    #[expect(clippy::box_collection, reason = "there is a part for each member, and few have many: the list is what counts")]
    Many(Box<BTreeMap<Key, Slot>>),
}

impl Default for Slots {
    fn default() -> Slots {
        Slots(Kept::Few(Vec::new()))
    }
}

impl PartialEq for Slots {
    fn eq(&self, other: &Slots) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Slots {}

impl Slots {
    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Few(few) => few.len(),
            Kept::Many(many) => many.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot of this key.
    pub fn get(&self, key: &Key) -> Option<&Slot> {
        match &self.0 {
            Kept::Few(few) => find(few, key).ok().map(|at| &few[at].1),
            Kept::Many(many) => many.get(key),
        }
    }

    /// Whether there is a slot of this key.
    pub fn contains_key(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Slot)> {
        let (few, many) = match &self.0 {
            Kept::Few(few) => (few.as_slice(), None),
            Kept::Many(many) => (&[][..], Some(many.iter())),
        };
        few.iter().map(|(key, slot)| (key, slot)).chain(many.into_iter().flatten())
    }

    /// Their keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.iter().map(|(key, _)| key)
    }

    /// The slots alone.
    pub fn values(&self) -> impl Iterator<Item = &Slot> {
        self.iter().map(|(_, slot)| slot)
    }

    /// Puts a slot in its place, over the one that is there.
    pub(super) fn insert(&mut self, key: Key, slot: Slot) {
        match &mut self.0 {
            Kept::Few(few) => match find(few, &key) {
                Ok(at) => few[at].1 = slot,
                Err(at) if few.len() < FEW => {
                    few.reserve_exact(1);
                    few.insert(at, (key, slot));
                }
                Err(_) => {
                    let all = std::mem::take(few).into_iter().chain([(key, slot)]);
                    self.0 = Kept::Many(Box::new(all.collect()));
                }
            },
            Kept::Many(many) => drop(many.insert(key, slot)),
        }
    }

    /// Takes a slot out, with its key.
    pub(super) fn remove(&mut self, key: &Key) -> Option<(Key, Slot)> {
        match &mut self.0 {
            Kept::Few(few) => find(few, key).ok().map(|at| few.remove(at)),
            Kept::Many(many) => {
                let removed = many.remove_entry(key);
                // Well below the limit, so that one that comes and goes does not move all others each time.
                if many.len() <= FEW / 2 {
                    self.0 = Kept::Few(std::mem::take(&mut **many).into_iter().collect());
                }
                removed
            }
        }
    }
}

fn find(few: &[(Key, Slot)], key: &Key) -> Result<usize, usize> {
    few.binary_search_by(|(held, _)| held.cmp(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Kind;

    fn key(n: usize) -> Key {
        Key { kind: Kind::INSTANCE, id: format!("i{n:03}").into() }
    }

    fn slot(r: u64) -> Slot {
        Slot::Gone { r }
    }

    #[test]
    fn few_and_many_are_the_same_to_those_who_look() {
        let (mut slots, mut tree) = (Slots::default(), BTreeMap::new());
        // Up beyond the limit, each put twice, and down again, from within.
        let order = |n: usize| (n * 7) % (3 * FEW);
        for n in 0..3 * FEW {
            for version in [1, 2] {
                slots.insert(key(order(n)), slot(version));
                tree.insert(key(order(n)), slot(version));
            }
            assert_eq!(slots.iter().collect::<Vec<_>>(), tree.iter().collect::<Vec<_>>());
            assert_eq!((slots.len(), slots.get(&key(order(n)))), (tree.len(), Some(&slot(2))));
        }
        assert!(matches!(slots.0, Kept::Many(_)));
        for n in 0..3 * FEW {
            assert_eq!(slots.remove(&key(order(n))), tree.remove_entry(&key(order(n))));
            assert_eq!(slots.remove(&key(order(n))), None);
            assert_eq!(slots.iter().collect::<Vec<_>>(), tree.iter().collect::<Vec<_>>());
        }
        assert!(slots.is_empty() && matches!(slots.0, Kept::Few(_)));
    }

    #[test]
    fn what_is_kept_in_another_way_is_equal() {
        let grown: Vec<usize> = (0..=FEW).collect();
        let mut shrunk = Slots::default();
        grown.iter().for_each(|n| shrunk.insert(key(*n), slot(1)));
        grown[FEW / 2 + 1..].iter().for_each(|n| drop(shrunk.remove(&key(*n))));
        let mut list = Slots::default();
        grown[..=FEW / 2].iter().for_each(|n| list.insert(key(*n), slot(1)));
        assert!(matches!((&shrunk.0, &list.0), (Kept::Many(_), Kept::Few(_))));
        assert_eq!(shrunk, list);
        shrunk.remove(&key(0));
        assert_ne!(shrunk, list);
    }
}
