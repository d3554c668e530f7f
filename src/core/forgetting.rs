//! Letting go of nodes that are down or left: after R, or when an operator says so.

use std::time::Duration;

use super::{Core, io::CommandId, owner::Act, time::Moment, timers::Timer};
use crate::{
    model::{Done, NodeId, Refusal, StoreOp, StoredGrave},
    wire::limits,
};

/// Between two looks for nodes that have been gone for R.
pub(super) const REAP_EVERY: Duration = Duration::from_secs(60);
/// Between a new grave and its being written to disk. One that was asked for is written before the answer.
const GRAVES_WRITTEN_AFTER: Duration = Duration::from_secs(1);

impl Core {
    pub(super) fn reap(&mut self, now: Moment) {
        self.timers.set(now + REAP_EVERY, Timer::Reap);
        let gone = self.known.iter().filter(|(_, known)| known.gone_since.is_some_and(|since| now - since >= self.settings.reap_after));
        let over: Vec<(NodeId, u32)> = gone.map(|(node, known)| (*node, known.life.generation)).collect();
        for (node, generation) in over {
            self.bury(now, node, generation, self.term());
        }
    }

    /// How long a grave is kept: 2R. What an agent holds of others is up to R/2 old, and then it lists a node as down for R.
    pub(super) fn term(&self) -> Duration {
        2 * self.settings.reap_after
    }

    /// An operator gives a node up, for a full term: neither it nor an echo of it comes back under the life that is known here.
    pub(super) fn forget_by_command(&mut self, now: Moment, id: CommandId, node: NodeId) {
        let is_up = node == self.me() || self.membership.get(node).is_some_and(|member| member.is_up() && !self.is_left(node));
        let Some(generation) = self.known.get(&node).filter(|known| known.shown.is_some()).map(|known| known.life.generation) else {
            return self.answer(id, Err(Refusal::NoSuchNode(node)));
        };
        if is_up {
            return self.answer(id, Err(Refusal::NodeIsUp(node)));
        }
        let new = self.graves_asked_for().filter(|(asked, _)| !self.graves.contains(*asked)).count();
        if !self.graves.contains(node) && self.graves.count() + new >= limits::GRAVES {
            return self.answer(id, Err(Refusal::GravesFull { limit: limits::GRAVES }));
        }
        let op = self.graves_to_store(now, Some((node, generation)));
        self.store(Some(id), vec![op], Act::Forget { node, generation });
    }

    /// It is on disk. The grave spreads by sync.
    pub(super) fn forgotten(&mut self, now: Moment, node: NodeId, generation: u32) -> Done {
        self.bury(now, node, generation, self.term());
        self.changed(now);
        Done::Removed
    }

    fn graves_asked_for(&self) -> impl Iterator<Item = (NodeId, u32)> {
        self.pending.iter().filter_map(super::owner::Pending::buries)
    }

    /// The graves that an earlier life of this agent knew of.
    pub(super) fn take_up_graves(&mut self, now: Moment) {
        let stored = std::mem::take(&mut self.settings.graves);
        if !stored.is_empty() {
            self.write_graves_at(now + REAP_EVERY.min(self.grave_margin()));
        }
        for grave in stored {
            self.graves.dig(grave.node, grave.generation, now + grave.left.min(self.term()));
        }
    }

    /// Has the graves written to disk in a moment: an agent that starts again has to refuse what it refused before.
    pub(super) fn remember_graves(&mut self, now: Moment) {
        self.write_graves_at(now + GRAVES_WRITTEN_AFTER);
    }

    fn write_graves_at(&mut self, at: Moment) {
        if self.graves_due.is_none_or(|due| at < due) {
            self.graves_due = Some(at);
            self.timers.set(at, Timer::Graves);
        }
    }

    pub(super) fn write_graves(&mut self, now: Moment) {
        if self.graves_due.take_if(|due| *due <= now).is_none() {
            return;
        }
        if self.graves.count() > 0 {
            self.write_graves_at(now + self.grave_margin());
        }
        let op = self.graves_to_store(now, None);
        self.store(None, vec![op], Act::Nothing(Done::Unchanged));
    }

    /// Between two writes of graves. What is on disk is what will be left at the next one, so that a grave lasts no longer because
    /// its agent starts again and again.
    fn grave_margin(&self) -> Duration {
        self.settings.reap_after / 24
    }

    /// All graves as they go to disk, those that are on their way there included.
    fn graves_to_store(&self, now: Moment, new: Option<(NodeId, u32)>) -> StoreOp {
        let held = self.graves.iter().map(|(node, grave)| (node, grave.generation, grave.left(now)));
        let asked = self.graves_asked_for().chain(new).map(|(node, generation)| (node, generation, self.term()));
        let mut graves: Vec<StoredGrave> = held
            .chain(asked)
            .map(|(node, generation, left)| StoredGrave { node, generation, left: left.saturating_sub(self.grave_margin()) })
            .filter(|grave| grave.left >= Duration::from_secs(1))
            .collect();
        graves.sort_by_key(|grave| std::cmp::Reverse(grave.left));
        graves.truncate(limits::GRAVES);
        StoreOp::Graves(graves)
    }
}
