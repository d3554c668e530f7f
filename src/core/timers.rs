//! The core's own timers: a deadline never crosses a channel that may drop it.

use std::collections::BTreeMap;

use super::{io::StreamId, time::Moment};
use crate::{
    model::NodeId,
    planted::{Planted, is_planted},
    wire::Identity,
};

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
    /// When the members that are there are to be written to disk.
    Roster,
    /// When those that were there before the start are waited for no longer.
    Awaited,
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
#[derive(Debug)]
pub(super) struct Timers<T = Timer> {
    queue: BTreeMap<(Moment, u64), T>,
    count: u64,
}

/// Names a timer that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alarm {
    /// When it is due.
    pub(super) at: Moment,
    number: u64,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Timers { queue: BTreeMap::new(), count: 0 }
    }
}

impl<T> Timers<T> {
    /// Sets a timer. The same one may be set several times.
    pub(super) fn set(&mut self, at: Moment, timer: T) {
        self.alarm(at, timer);
    }

    /// Sets a timer that may be taken back.
    pub(super) fn alarm(&mut self, at: Moment, timer: T) -> Alarm {
        self.count += 1;
        if !(is_planted(Planted::TimerDropped) && self.count.is_multiple_of(7)) {
            self.queue.insert((at, self.count), timer);
        }
        Alarm { at, number: self.count }
    }

    /// Takes back a timer if it is not due yet: one that wakes nobody costs nothing.
    pub(super) fn cancel(&mut self, alarm: Alarm) {
        self.queue.remove(&(alarm.at, alarm.number));
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Moment> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the first that is due.
    pub(super) fn pop_due(&mut self, now: Moment) -> Option<T> {
        let entry = self.queue.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

impl Timers<Timer> {
    /// Drops what foca asked for: it begins anew.
    pub(super) fn forget_those_of_foca(&mut self) {
        self.queue.retain(|_, timer| !matches!(timer, Timer::Foca(_)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_come_in_order_and_those_taken_back_do_not() {
        let moment = |ms| Moment::default() + Duration::from_millis(ms);
        let mut timers: Timers<&str> = Timers::default();
        timers.set(moment(2), "second");
        let alarm = timers.alarm(moment(1), "taken back");
        timers.set(moment(1), "first");
        timers.set(moment(2), "third");
        timers.cancel(alarm);
        assert_eq!((alarm.at, timers.next()), (moment(1), Some(moment(1))));
        let due: Vec<&str> = std::iter::from_fn(|| timers.pop_due(moment(2))).collect();
        assert_eq!((due, timers.next()), (vec!["first", "second", "third"], None));
    }
}
