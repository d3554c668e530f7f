//! The core's own timers: a deadline never crosses a channel that may drop it.

use std::collections::BTreeMap;

use super::{io::StreamId, time::Moment};
use crate::{model::NodeId, wire::Identity};

/// What is due.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Timer {
    /// When foca asked to be called.
    Foca(foca::Timer<Identity>),
    /// When what is new is to be pushed to the next members.
    Push,
    /// When a member is to be shown our digest, to find who missed a change.
    Settle,
    /// When to sync because something is known to be missing.
    Sync,
    /// When the next peer is to be tried, to join or to find lost parts of the cluster.
    Join,
    /// When the peers that are known are to be written to disk.
    Peers,
    /// When a conversation has lasted too long without progress.
    Conversation(StreamId),
    /// When a leave or an absence is answered, however many confirmed it.
    Farewell,
    /// When the announced absence of a node ends.
    Grace(NodeId),
    /// When those that are down for long are forgotten.
    Reap,
    /// When the graves are to be written to disk.
    Graves,
    /// When the pause between two climbs is over.
    Climb,
}

/// Timers by their deadline; those of one moment in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<(Moment, u64), Timer>,
    count: u64,
}

impl Timers {
    /// Sets a timer. The same one may be set several times.
    pub(super) fn set(&mut self, at: Moment, timer: Timer) {
        self.count += 1;
        self.queue.insert((at, self.count), timer);
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Moment> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Drops what foca asked for: it begins anew.
    pub(super) fn forget_those_of_foca(&mut self) {
        self.queue.retain(|_, timer| !matches!(timer, Timer::Foca(_)));
    }

    /// Takes the first that is due.
    pub(super) fn pop_due(&mut self, now: Moment) -> Option<Timer> {
        let entry = self.queue.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}
