//! Who was there when this agent last ran: until it knows of each of them again it does not say that it knows the cluster.
//!
//! Where all agents start again at once, the first peer that is met knows no more than this one: what only a third one has would be denied, though it
//! is healthy. Whoever is there for long knows who is down, left or forgotten, and tells, so nobody waits for those. Where nobody is there for
//! long, somebody may be waited for who does not come: that ends.

use std::{collections::BTreeSet, time::Duration};

use super::{Core, io::Event, owner::Act, time::Moment, timers::Timer};
use crate::{
    model::{Done, MemberState, NodeId, StoreOp},
    planted::{Planted, is_planted},
};

/// How long members of before are waited for after the first full sync: twice as long as an absence that is announced for a restart may last. Whoever is
/// away for longer than that is handed out by nobody anyhow.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a member that went down is remembered on disk. All agents of a rack that loses its power go down, and not all in one moment.
const LINGERS: Duration = Duration::from_secs(30);
/// Between a change of members and their being written to disk.
const WRITTEN_AFTER: Duration = Duration::from_secs(1);

/// Members of before this start, and of now for the next one.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Those of before of whom nothing is known yet.
    awaited: BTreeSet<NodeId>,
    /// When they are waited for no longer; not before the first full sync.
    until: Option<Moment>,
    /// What is on disk, or on its way there.
    stored: Vec<NodeId>,
    /// When it is looked at next whether that is still so.
    due: Option<Moment>,
}

impl Roster {
    /// As it is at a start, by what is on disk.
    pub(super) fn of(stored: Vec<NodeId>) -> Roster {
        Roster { awaited: stored.iter().copied().collect(), stored, ..Roster::default() }
    }

    /// A write failed, perhaps that of the members: they are written again when something changes.
    pub(super) fn may_be_unwritten(&mut self) {
        self.stored.clear();
    }

    /// Whether somebody is waited for.
    pub(super) fn awaits_somebody(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Nobody is waited for any more.
    pub(super) fn wait_for_nobody(&mut self) {
        self.awaited.clear();
    }
}

impl Core {
    /// The first full sync is done: from now on it takes no more than [`PATIENCE`] until readers are told that the cluster is known.
    pub(super) fn await_the_others(&mut self, now: Moment) {
        let until = now + PATIENCE;
        self.roster.until = Some(until);
        if self.roster.awaited.is_empty() || is_planted(Planted::OthersNotAwaited) {
            return;
        }
        let awaited: Vec<NodeId> = self.roster.awaited.iter().copied().collect();
        for node in awaited {
            self.note_if_accounted_for(node);
        }
        self.timers.set(until, Timer::Awaited);
    }

    /// It is time to go on without those of whom nothing was heard.
    pub(super) fn stop_awaiting(&mut self, now: Moment) {
        if self.roster.until.is_none_or(|until| until > now) || self.roster.awaited.is_empty() {
            return;
        }
        let missing = std::mem::take(&mut self.roster.awaited);
        self.event(Event::NotHeardOf { nodes: missing.into_iter().collect() });
        self.remember_members(now);
    }

    /// Something was published of a node.
    pub(super) fn note_if_accounted_for(&mut self, node: NodeId) {
        if self.roster.awaited.contains(&node) && self.is_accounted_for(node) {
            self.roster.awaited.remove(&node);
        }
    }

    /// It was forgotten.
    pub(super) fn note_buried(&mut self, node: NodeId) {
        self.roster.awaited.remove(&node);
    }

    /// Whether it is known what a member has, or that it has nothing to hand out: it left, or somebody has found it down.
    fn is_accounted_for(&self, node: NodeId) -> bool {
        let (Some(member), Some(known)) = (self.membership.get(node), self.known.get(&node)) else {
            return false;
        };
        let is_gone = !member.is_up() && known.absent_until(member.identity.life()).is_none();
        // One that is up and shown as down has begun another life, of which too little is known yet.
        is_gone || known.as_shown().is_some_and(|shown| shown.state != MemberState::Down)
    }

    /// Says that the cluster is known, once it is.
    pub(super) fn become_ready_if_all_are_known(&mut self) {
        if self.join.is_established() && (self.roster.awaited.is_empty() || is_planted(Planted::OthersNotAwaited)) {
            self.become_ready();
        }
    }

    /// Has the members written to disk in a moment, for the next start.
    pub(super) fn remember_members(&mut self, now: Moment) {
        self.look_at_roster(now + WRITTEN_AFTER);
    }

    fn look_at_roster(&mut self, at: Moment) {
        if self.roster.due.is_none_or(|due| at < due) {
            self.roster.due = Some(at);
            self.timers.set(at, Timer::Roster);
        }
    }

    pub(super) fn store_roster(&mut self, now: Moment) {
        if self.roster.due.take_if(|due| *due <= now).is_none() {
            return;
        }
        let op = self.roster_to_store(now);
        if let Some(op) = op {
            self.store(None, vec![op], Act::Nothing(Done::Unchanged));
        }
    }

    /// What has to be written, if anything.
    pub(super) fn roster_to_store(&mut self, now: Moment) -> Option<StoreOp> {
        let mut members: BTreeSet<NodeId> = self.roster.awaited.clone();
        let mut next: Option<Moment> = None;
        for member in self.membership.members() {
            let node = member.identity.node();
            let Some(known) = self.known.get(&node) else { continue };
            let since = known.gone_since.filter(|_| !member.is_up());
            let over = since.map(|since| known.absent_until(member.identity.life()).unwrap_or_default().max(since + LINGERS));
            if self.is_left(node) || over.is_some_and(|over| over <= now) {
                continue;
            }
            members.insert(node);
            next = [next, over].into_iter().flatten().min();
        }
        if let Some(next) = next {
            self.look_at_roster(next.max(now + WRITTEN_AFTER));
        }
        let members: Vec<NodeId> = members.into_iter().collect();
        (members != self.roster.stored).then(|| {
            self.roster.stored.clone_from(&members);
            StoreOp::Members(members)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        io::Output,
        testing::{core, identity, receive},
    };

    #[test]
    fn who_is_there_is_written_down_and_who_went_a_moment_ago_for_a_while_longer() {
        let mut core = core(9);
        receive(&mut core, 2, &[3]);
        assert_eq!(written(&mut core, seconds(2)), Some(vec![2, 3]));
        let effects = core.membership.down(identity(3));
        core.apply(at(seconds(2)), effects);
        assert_eq!(written(&mut core, seconds(30)), None, "nothing is other yet");
        assert_eq!(written(&mut core, seconds(33)), Some(vec![2]));
    }

    #[test]
    fn who_was_there_before_is_waited_for_until_it_is_forgotten_or_time_is_over() {
        let mut core = core(9);
        core.ready = false;
        core.roster = Roster::of([2, 3].map(NodeId).to_vec());
        core.established(at(seconds(100)), identity(9).address());
        core.finish();
        assert!(!core.ready);
        core.bury(at(seconds(101)), NodeId(2), 3, seconds(60));
        core.finish();
        assert!(!core.ready, "the other one may be alive");
        core.handle_timeout(at(seconds(129)));
        assert!(!core.ready && outputs(&mut core).iter().all(|output| !matches!(output, Output::Event(Event::NotHeardOf { .. }))));
        core.handle_timeout(at(seconds(130)));
        let told = |output: &Output| matches!(output, Output::Event(Event::NotHeardOf { nodes }) if nodes == &[NodeId(3)]);
        assert!(core.ready && outputs(&mut core).iter().any(told));
        assert_eq!(written(&mut core, seconds(132)), Some(vec![]), "it is not waited for at the next start");
    }

    #[test]
    fn the_last_one_that_is_forgotten_is_waited_for_no_longer() {
        let mut core = core(9);
        core.ready = false;
        core.roster = Roster::of(vec![NodeId(2)]);
        core.established(at(seconds(100)), identity(9).address());
        core.bury(at(seconds(101)), NodeId(2), 3, seconds(60));
        core.finish();
        assert!(core.ready);
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn at(time: Duration) -> Moment {
        Moment::after_start(time)
    }

    fn outputs(core: &mut Core) -> Vec<Output> {
        std::iter::from_fn(|| core.poll_output()).collect()
    }

    /// What is written of members until then, last.
    fn written(core: &mut Core, until: Duration) -> Option<Vec<u64>> {
        core.handle_timeout(at(until));
        let outputs = outputs(core);
        let ops = outputs.iter().filter_map(|output| if let Output::Store { ops, .. } = output { Some(ops) } else { None }).flatten();
        let mut lists = ops.filter_map(|op| if let StoreOp::Members(members) = op { Some(members) } else { None });
        lists.next_back().map(|members| members.iter().map(|node| node.0).collect())
    }
}
