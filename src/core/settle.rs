//! After a change: somebody is shown our digest, to find who missed it; and what is known of syncs that it led to.

use std::{collections::BTreeMap, time::Duration};

use super::{Core, time::Moment, timers::Timer};
use crate::{
    model::{Life, NodeId},
    wire::message::{DigestBeacon, Message as _, kind},
};

const SETTLE_AFTER: [Duration; 3] = [Duration::from_millis(80), Duration::from_millis(200), Duration::from_millis(500)];

/// When to show our digest to somebody after a change, to find who missed it.
#[derive(Debug, Default)]
pub(super) struct Settle {
    pub last_change: Moment,
    pub last_sync: Moment,
    pub stage: usize,
    pub pending: bool,
    pub sync_pending: bool,
    /// Of which nodes something is missing: up to which version of which life.
    pub lacking: BTreeMap<NodeId, (Life, u64)>,
    /// What a sync could not repair.
    pub fruitless: Option<Fruitless>,
}

/// A sync that found nothing to repair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fruitless {
    /// With these digests, theirs and ours.
    pub digests: ([u8; 4], [u8; 4]),
    /// It is tried again after this, if at all.
    pub until: Option<Moment>,
}

impl Settle {
    /// Whether a sync with these digests, theirs and ours, would find nothing.
    pub(super) fn is_fruitless(&self, now: Moment, digests: ([u8; 4], [u8; 4])) -> bool {
        self.fruitless.is_some_and(|fruitless| fruitless.digests == digests && fruitless.until.is_none_or(|until| now < until))
    }
}

impl Core {
    /// Something new is known: in a moment somebody is shown our digest.
    pub(super) fn changed(&mut self, now: Moment) {
        self.settle.last_change = now;
        self.settle.stage = 0;
        if !self.settle.pending {
            self.settle.pending = true;
            self.timers.set(now + SETTLE_AFTER[0], Timer::Settle);
        }
    }

    pub(super) fn show_digest(&mut self, now: Moment) {
        self.settle.pending = false;
        let due = self.settle.last_change + SETTLE_AFTER[self.settle.stage];
        if now < due {
            self.settle.pending = true;
            self.timers.set(due, Timer::Settle);
            return;
        }
        let beacon = DigestBeacon { from: self.membership.me(), digest: self.digest().total() };
        for peer in self.membership.choose(1) {
            let mut envelope = self.datagram_for(peer.node());
            envelope.push(kind::DIGEST, &beacon.to_bytes());
            self.send(peer.address(), envelope);
        }
        if self.settle.stage + 1 < SETTLE_AFTER.len() {
            self.settle.stage += 1;
            self.settle.pending = true;
            let jitter = self.jitter(Duration::from_millis(50));
            self.timers.set(self.settle.last_change + SETTLE_AFTER[self.settle.stage] + jitter, Timer::Settle);
        }
    }
}
