//! What others told is believed for as long as there is contact to anybody. After half of R without it, the agent drops all of that before
//! it says another word: the nodes that died meanwhile were reaped, and the graves that keep them from coming back end some time.
//!
//! Time spent in suspension counts: the clock that is handed in must go on meanwhile. What no clock of a guest can show is a pause of
//! its hypervisor.

use std::time::Duration;

use super::{
    Core,
    dissemination::Dissemination,
    io::{Event, Output, StreamId},
    replica::{Replica, Shift},
    time::Moment,
};
use crate::model::{Change, NodeId};

impl Core {
    /// Somebody else of the cluster spoke to us.
    pub(super) fn heard_somebody(&mut self, now: Moment) {
        self.last_contact = now;
    }

    /// To be called before anything else is done.
    pub(super) fn drop_what_is_stale(&mut self, now: Moment) {
        let silent = now - self.last_contact;
        if 2 * silent <= self.settings.reap_after || self.farewell.is_some() {
            return;
        }
        self.last_contact = now;
        let me = self.me();
        let others: Vec<NodeId> = self.known.keys().copied().filter(|node| *node != me).collect();
        if !others.is_empty() {
            self.drop_all_of_others(now, &others, silent);
        }
    }

    /// Graves stay, since they only refuse; and so does what this node owns, and where peers may be.
    fn drop_all_of_others(&mut self, now: Moment, others: &[NodeId], silent: Duration) {
        // Had this agent run all the while, it would have found them down.
        let stood_still = self.membership.count_up() > 0;
        let members = self.membership.members().filter(|member| !self.is_left(member.identity.node())).copied();
        let (down, up): (Vec<_>, Vec<_>) = members.partition(|member| !member.is_up());
        down.iter().chain(&up).for_each(|member| self.join.was_let_go(member.identity.address()));
        self.let_go_of_all(others);
        self.event(Event::Stale { silent, nodes: others.len() });
        self.join.begin_again();
        if stood_still && self.ready && self.join.knows_somebody() {
            self.ready = false;
            self.outputs.push_back(Output::Change(Change::Ready(false)));
        }
        self.begin_join(now);
    }

    /// Peers do not take this agent in, since its name is another's: what it heard of them while it asked is none of its business,
    /// and whoever took it for a member is to find out that it is none.
    pub(super) fn keep_to_itself(&mut self) {
        let me = self.me();
        let others: Vec<NodeId> = self.known.keys().copied().filter(|node| *node != me).collect();
        self.let_go_of_all(&others);
        self.join.end_round();
    }

    fn let_go_of_all(&mut self, others: &[NodeId]) {
        for stream in self.conversations.keys().copied().collect::<Vec<StreamId>>() {
            self.conversations.remove(&stream);
            self.outputs.push_back(Output::Close(stream));
        }
        self.asking = None;
        self.membership.start_anew(&mut self.rng);
        self.timers.forget_those_of_foca();
        self.detector.stop();
        self.detector.rename(self.membership.me());
        self.dissemination = Dissemination::default();
        self.settle.lacking.clear();
        self.settle.fruitless = None;
        for node in others {
            if let Some(known) = self.known.get_mut(node) {
                known.replica = Replica::default();
            }
            self.touch(*node, Shift { promoted: true, ..Shift::default() });
        }
    }
}
