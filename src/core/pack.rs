//! Trees without empty places. One that grew key by key is a third empty, and nearly half where the keys came in order; what is held of
//! each member counts.

use std::collections::BTreeMap;

use super::Core;

/// With fewer members it is not worth while.
const MANY: usize = 64;

impl Core {
    /// So many members are new or another way than before: where these are most of all, the trees that hold them are built anew.
    pub(super) fn pack_after(&mut self, changed: usize) {
        if changed >= MANY && changed >= self.known.len() / 2 {
            pack(&mut self.known);
            self.membership.pack();
            self.detector.pack();
        }
    }
}

/// Builds a tree anew, with full leaves.
pub(super) fn pack<K: Ord, V>(tree: &mut BTreeMap<K, V>) {
    *tree = std::mem::take(tree).into_iter().collect();
}
