//! Letting go of nodes that are down or left: after R, or when an operator says so.

use std::time::Duration;

use super::{
    Core,
    conversation::Conversation,
    io::CommandId,
    replica::{Replica, Shift},
    time::Moment,
    timers::Timer,
};
use crate::{
    model::{Done, NodeId, Refusal},
    planted::{Planted, is_planted},
};

/// Between two looks for nodes that have been gone for R.
pub(super) const REAP_EVERY: Duration = Duration::from_secs(60);

impl Core {
    pub(super) fn reap(&mut self, now: Moment) {
        self.timers.set(now + REAP_EVERY, Timer::Reap);
        self.graves.expire(now);
        let over: Vec<NodeId> = self
            .known
            .iter()
            .filter(|(_, known)| known.gone_since.is_some_and(|since| now - since >= self.settings.reap_after))
            .map(|(node, _)| *node)
            .collect();
        for node in over {
            self.bury(now, node);
        }
    }

    /// An operator gives a node up. Its grave spreads by sync: what we hold no more is a difference to what others hold.
    pub(super) fn forget_by_command(&mut self, now: Moment, id: CommandId, node: NodeId) {
        let is_up = node == self.me() || self.membership.get(node).is_some_and(|member| member.is_up() && !self.is_left(node));
        if self.known.get(&node).is_none_or(|known| known.shown.is_none()) {
            return self.answer(id, Err(Refusal::NoSuchNode(node)));
        }
        if is_up {
            return self.answer(id, Err(Refusal::NodeIsUp(node)));
        }
        self.bury(now, node);
        self.changed(now);
        self.answer(id, Ok(Done::Removed));
    }

    /// Forgets a node, for a full term: neither it nor an echo of it comes back under the life that was known here.
    fn bury(&mut self, now: Moment, node: NodeId) {
        let generation = self.known.get(&node).map_or(0, |known| known.life.generation);
        if is_planted(Planted::GraveUndug) {
            return self.forget(now, node);
        }
        self.graves.dig(node, generation, now + 2 * self.settings.reap_after);
        self.forget(now, node);
    }

    /// Drops a member that is down and all of its records.
    pub(super) fn forget(&mut self, now: Moment, node: NodeId) {
        let effects = self.membership.forget(node);
        self.apply(now, effects, false);
        for conversation in self.conversations.values_mut() {
            // An answer is bound to the memory that asked.
            conversation.asked.retain(|_, asked| *asked != node);
            let Conversation { asked, partial, .. } = conversation;
            partial.take_if(|(request, _)| !asked.contains_key(request));
        }
        if let Some(known) = self.known.get_mut(&node) {
            known.replica = Replica::default();
        }
        self.touch(node, Shift::default());
    }
}
