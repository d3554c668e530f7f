//! Beginning among others without a conversation with each: large simulated clusters would spend their time on forming.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Core,
    io::{Event, Output},
    join::LOOK_EVERY,
    part::Part,
    replica::Shift,
    time::Moment,
};
use crate::{
    model::{Change, Node, NodeId},
    wire::message::MemberEntry,
};

impl Core {
    /// Knows from now on who these are and what they wrote, as after a full sync with each of them. To be called right after
    /// [`Core::start`]. What others who did the same show is shared, and so are the records themselves.
    pub fn know(&mut self, now: Moment, others: &[(MemberEntry, Arc<Part>)], views: &mut BTreeMap<NodeId, Arc<Node>>) {
        let me = self.me();
        let entries: Vec<MemberEntry> = others.iter().map(|(entry, _)| *entry).filter(|entry| entry.identity.node() != me).collect();
        let effects = self.membership.merge(&entries, false);
        self.apply(now, effects);
        for (entry, part) in others.iter().filter(|(entry, _)| entry.identity.node() != me) {
            let node = entry.identity.node();
            self.known.entry(node).or_default().replica.shown = Some(Arc::clone(part));
            self.touch(node, Shift { promoted: true, ..Shift::default() });
        }
        self.join.has_joined();
        self.roster.wait_for_nobody();
        self.become_ready();
        if let Some(first) = entries.first() {
            self.event(Event::Joined { peer: first.identity.address(), members: self.membership.count_up() + 1 });
        }
        let jitter = self.jitter(LOOK_EVERY);
        self.look_for_peers_at(now + LOOK_EVERY + jitter);
        self.finish();
        self.share(views);
    }

    /// Shows what others show already where it is the same. What was found out about it is to be published still.
    fn share(&mut self, views: &mut BTreeMap<NodeId, Arc<Node>>) {
        for output in &mut self.outputs {
            if let Output::Change(Change::Node(node)) = output {
                let view = views.entry(node.id).or_insert_with(|| Arc::clone(node));
                if view == node {
                    *node = Arc::clone(view);
                    self.known.get_mut(&node.id).and_then(|known| known.shown.as_mut()).into_iter().for_each(|shown| shown.share(node));
                }
            }
        }
    }
}
