//! Taking leave of the cluster, or announcing a short absence: peers are told by stream, and confirm.

use std::{collections::BTreeSet, time::Duration};

use super::{Core, conversation::Purpose, io::CommandId, owner::Act, time::Moment, timers::Timer};
use crate::{
    model::{Done, NodeId, StoreOp, check::Subject, record::Key},
    wire::{Identity, body},
};

/// Peers that are to confirm it; all, if there are fewer.
const CONFIRMATIONS: usize = 3;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// A farewell that is under way, or done.
#[derive(Debug)]
pub(super) struct Farewell {
    command: Option<CommandId>,
    leave: bool,
    asked: BTreeSet<NodeId>,
    /// Of those, how many have neither confirmed nor failed.
    waiting: usize,
    confirmed: usize,
}

impl Farewell {
    /// Whether it is for good.
    pub(super) fn is_leave(&self) -> bool {
        self.leave
    }
}

impl Core {
    /// Writes into the node record that this node leaves, or will be away for so long.
    pub(super) fn bid_farewell(&mut self, now: Moment, id: CommandId, grace: Option<Duration>) {
        match grace {
            None => self.settings.info.left = true,
            Some(grace) => self.settings.info.grace_seconds = Some(grace.as_secs().min(u64::from(u16::MAX)) as u16),
        }
        let definition = body::encode_node(&self.info_to_be());
        let status = body::encode_health(&self.health_of(&Subject::Node).unwrap_or_default());
        let mut ops = vec![StoreOp::Put { key: Key::node(), definition, status }];
        // Those who end in the same moment are to be waited for at the next start.
        ops.extend(self.roster_to_store(now));
        self.store(Some(id), ops, Act::Farewell);
    }

    /// The disk did not take it: nothing was announced.
    pub(super) fn undo_farewell(&mut self) {
        self.settings.info.left = false;
        self.settings.info.grace_seconds = None;
    }

    /// It is written: tell some peers in person, beside the push.
    pub(super) fn begin_farewell(&mut self, now: Moment, id: CommandId) {
        let leave = self.settings.info.left;
        self.push(now);
        self.farewell = Some(Farewell { command: Some(id), leave, asked: BTreeSet::new(), waiting: 0, confirmed: 0 });
        self.timers.set(now + PATIENCE, Timer::Farewell);
        if leave {
            self.detector.stop();
        }
        for peer in self.membership.choose(CONFIRMATIONS) {
            self.tell(now, peer);
        }
        self.answer_farewell_when(|farewell| farewell.waiting == 0);
    }

    fn tell(&mut self, now: Moment, peer: Identity) {
        if let Some(farewell) = &mut self.farewell {
            farewell.asked.insert(peer.node());
            farewell.waiting += 1;
        }
        self.open(now, peer.address(), Purpose::Farewell);
    }

    /// A peer holds what we hold: it knows.
    pub(super) fn farewell_confirmed(&mut self) {
        if let Some(farewell) = &mut self.farewell {
            farewell.waiting = farewell.waiting.saturating_sub(1);
            farewell.confirmed += 1;
        }
        self.answer_farewell_when(|farewell| farewell.waiting == 0);
    }

    /// A peer could not be told: another one is asked, while there is one and time.
    pub(super) fn farewell_failed(&mut self, now: Moment) {
        let Some(farewell) = self.farewell.as_mut().filter(|farewell| farewell.command.is_some()) else {
            return;
        };
        farewell.waiting = farewell.waiting.saturating_sub(1);
        let asked = farewell.asked.clone();
        let untried = self.membership.members().find(|member| member.is_up() && !asked.contains(&member.identity.node()));
        if let Some(peer) = untried.map(|member| member.identity) {
            self.tell(now, peer);
        }
        self.answer_farewell_when(|farewell| farewell.waiting == 0);
    }

    /// Time is over.
    pub(super) fn end_farewell(&mut self) {
        self.answer_farewell_when(|_| true);
    }

    fn answer_farewell_when(&mut self, condition: impl FnOnce(&Farewell) -> bool) {
        let Some(farewell) = &mut self.farewell else {
            return;
        };
        if condition(farewell)
            && let Some(id) = farewell.command.take()
        {
            let done = Done::Announced { confirmed: farewell.confirmed, asked: farewell.asked.len() };
            self.answer(id, Ok(done));
        }
    }
}
