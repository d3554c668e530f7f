//! Which of many instances an answer has: drawn anew for each, in an order of its own.

use rand::{Rng, RngExt, seq::SliceRandom};
use smallvec::SmallVec;

use crate::{
    catalog::{NodeEntry, Row, Snapshot},
    config::Prefer,
};

/// Candidates that stand on the stack.
const INLINE: usize = 32;

/// An instance that may be handed out, and the node that it is on.
pub(super) type Candidate<'a> = (&'a NodeEntry, &'a Row);

/// A draw that goes on. Each candidate is as likely to be drawn as any other of its rank (Vitter's algorithm R, ACM TOMS 11, 1985), and those
/// of a lower rank come before those of a higher one.
pub(super) struct Draw<'a, 'r, R> {
    ranks: [Reservoir<'a>; 3],
    most: usize,
    rng: &'r mut R,
}

#[derive(Default)]
struct Reservoir<'a> {
    kept: SmallVec<[Candidate<'a>; INLINE]>,
    seen: usize,
}

impl<'a, 'r, R: Rng> Draw<'a, 'r, R> {
    /// At most so many are drawn.
    pub(super) fn new(most: usize, rng: &'r mut R) -> Self {
        Draw { ranks: Default::default(), most, rng }
    }

    /// Takes part.
    pub(super) fn add(&mut self, candidate: Candidate<'a>, rank: Rank) {
        let Reservoir { kept, seen } = &mut self.ranks[rank as usize];
        if kept.len() < self.most {
            kept.push(candidate);
        } else if let Some(kept) = kept.get_mut(self.rng.random_range(0..=*seen)) {
            *kept = candidate;
        }
        *seen += 1;
    }

    /// Those that were drawn.
    pub(super) fn end(self) -> impl Iterator<Item = Candidate<'a>> {
        let Draw { mut ranks, most, rng } = self;
        ranks.iter_mut().for_each(|Reservoir { kept, .. }| kept.shuffle(rng));
        ranks.into_iter().flat_map(|reservoir| reservoir.kept).take(most)
    }
}

/// How near an instance is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    First,
    Second,
    Third,
}

impl Rank {
    /// That of what is on this node, seen from the agent whose snapshot it is.
    pub(super) fn of(owner: &NodeEntry, snapshot: &Snapshot, prefer: Prefer) -> Rank {
        let here = || owner.node.id == snapshot.local;
        let zone = owner.node.info.zone.as_ref();
        let near = || zone.is_some() && snapshot.node(snapshot.local).is_some_and(|local| local.node.info.zone.as_ref() == zone);
        match prefer {
            Prefer::None => Rank::First,
            Prefer::Zone if here() || near() => Rank::First,
            Prefer::Zone => Rank::Second,
            Prefer::Node if here() => Rank::First,
            Prefer::Node if near() => Rank::Second,
            Prefer::Node => Rank::Third,
        }
    }
}
