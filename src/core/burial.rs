//! Graves at work: what lies in one is let go of and refused, from anyone, and is told so.

use std::time::Duration;

use super::{
    Core,
    conversation::{Conversation, Purpose},
    io::StreamId,
    replica::{Replica, Shift},
    time::Moment,
};
use crate::{
    model::NodeId,
    planted::{Planted, is_planted},
    wire::{
        Identity, limits,
        message::{GraveEntry, Graves},
    },
};

/// Between two of the buried that are told so in person.
const TELL_GAP: Duration = Duration::from_millis(100);

impl Core {
    /// Whether there is a grave for a node.
    pub fn has_grave_for(&self, node: NodeId) -> bool {
        self.graves.contains(node)
    }

    pub(super) fn is_buried(&self, identity: Identity) -> bool {
        self.graves.buries(identity.node(), identity.life().generation)
    }

    /// Digs a grave that is to last for so long. If something lies in it that was held here until now, it may have lived longer
    /// than the grave's first digger knew: then it lasts for a full term from now on. Whether that is news.
    pub(super) fn bury(&mut self, now: Moment, node: NodeId, generation: u32, left: Duration) -> bool {
        let is_member = self.membership.get(node).is_some_and(|member| member.identity.life().generation <= generation);
        let shown = self.known.get(&node).and_then(|known| known.replica.shown.as_ref());
        let is_held = node != self.me() && (is_member || shown.is_some_and(|part| part.life.generation <= generation));
        let news = !is_planted(Planted::GraveUndug) && self.graves.dig(node, generation, now + if is_held { self.term() } else { left });
        if news || is_held {
            self.note_buried(node);
            self.remember_graves(now);
        }
        if is_held {
            self.let_go(now, node, generation);
        }
        news
    }

    /// Drops what is held of generations of a node: with a member all of its records, and what was asked about them.
    fn let_go(&mut self, now: Moment, node: NodeId, generation: u32) {
        let member = self.membership.get(node).copied();
        if member.is_none_or(|member| member.identity.life().generation <= generation) {
            if let Some(member) = member.filter(|member| !member.is_up() && !self.is_left(node)) {
                // Perhaps it is alive behind a partition, where it has let go of us.
                self.join.was_let_go(member.identity.address());
                self.remember_peers(now);
            }
            let effects = self.membership.bury(node);
            self.apply(now, effects);
            self.dissemination.forget(node);
            self.settle.lacking.remove(&node);
            for conversation in self.conversations.values_mut() {
                // An answer is bound to the memory that asked.
                conversation.asked.retain(|_, asked| *asked != node);
                let Conversation { asked, partial, .. } = conversation;
                partial.take_if(|(request, _)| !asked.contains_key(request));
            }
            if let Some(known) = self.known.get_mut(&node) {
                known.replica = Replica::default();
            }
        } else if let Some(known) = self.known.get_mut(&node) {
            known.replica.drop_up_to(generation);
        }
        self.touch(node, Shift { promoted: true, ..Shift::default() });
        if let Some(member) = member.filter(|member| member.is_up()) {
            self.tell_buried(now, member.identity);
        }
    }

    /// Somebody who is buried here goes on: it is told of its grave, if it can be reached. What is alive comes back above it.
    pub(super) fn tell_buried(&mut self, now: Moment, buried: Identity) {
        let soon = self.told_buried.is_some_and(|told| now - told < TELL_GAP);
        if !soon && self.farewell.is_none() && self.conversations.values().all(|conversation| conversation.at != buried.address()) {
            self.told_buried = Some(now);
            self.open(now, buried.address(), Purpose::Look);
        }
    }

    /// A grave refuses whoever lies in it, and is the answer. What it has to say of graves itself is heard: perhaps this node lies
    /// in one of its own.
    pub(super) fn answer_with_grave(&mut self, now: Moment, stream: StreamId, peer: Identity) {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return;
        };
        (conversation.peer, conversation.peer_is_buried) = (Some(peer), true);
        if !conversation.is_ours() {
            self.say_hello(now, stream);
        }
        let graves = self.grave_entries(now, |of| of == peer.node());
        self.say(stream, &Graves { graves });
    }

    pub(super) fn grave_entries(&self, now: Moment, of: impl Fn(NodeId) -> bool) -> Vec<GraveEntry> {
        let entry = |node: NodeId, generation, left: Duration| GraveEntry {
            node: node.0.to_be_bytes(),
            generation,
            seconds: left.as_secs() as u32,
        };
        let graves = self.graves.iter().filter(|(node, _)| of(*node));
        graves.map(|(node, grave)| entry(node, grave.generation, grave.left(now))).collect()
    }

    pub(super) fn on_graves(&mut self, now: Moment, stream: StreamId, graves: &Graves) {
        for grave in graves.graves.iter().filter(|grave| grave.seconds > 0) {
            let node = NodeId(u64::from_be_bytes(grave.node));
            let known = self.known.get(&node).map(|known| known.life.generation);
            if known.is_some_and(|known| grave.generation.saturating_sub(known) > limits::GENERATION_LEAP) {
                continue;
            }
            if node == self.me() {
                self.hear_of_grave(stream, grave.generation);
            }
            let left = Duration::from_secs(u64::from(grave.seconds)).min(self.term());
            let news = self.bury(now, node, grave.generation, left);
            if let Some(conversation) = self.conversations.get_mut(&stream) {
                conversation.news |= news;
            }
        }
        if self.conversations.get(&stream).is_some_and(|conversation| conversation.peer_is_buried) {
            self.fail(now, stream, "that life of the node is buried here");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::{core, members, receive};

    #[test]
    fn a_grave_that_buries_what_is_held_lasts_for_a_full_term_and_any_other_for_what_is_left_of_it() {
        let mut core = core(9);
        receive(&mut core, 2, &[3]);
        let (now, left) = (Moment::default(), Duration::from_secs(10));
        for node in [2, 7] {
            assert!(core.bury(now, NodeId(node), 3, left));
        }
        let lasts: Vec<Duration> = core.graves.iter().map(|(_, grave)| grave.left(now)).collect();
        assert_eq!((lasts, members(&core)), (vec![core.term(), left], vec![3]));
        assert!(!core.bury(now, NodeId(7), 3, left), "that is no news");
        assert!(core.bury(now, NodeId(3), 2, left), "of an earlier generation than it is now");
        assert_eq!(members(&core), [3]);
    }
}
