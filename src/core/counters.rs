//! What the core counts: plain numbers, read by whoever drives it.

use super::{Core, conversation::Purpose, detector::Fault};

/// Why conversations are opened, in the order of [`Counters::syncs_done`].
pub const PURPOSES: [&str; 5] = ["join", "look", "sync", "farewell", "itself"];
/// Why this node took another generation without a start, in the order of [`Counters::climbs`].
pub const CLIMB_CAUSES: [&str; 4] = ["ahead", "forked", "another_life", "buried"];

/// Since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// What foca heard of others.
    pub membership: MembershipCounters,
    /// What the detector did.
    pub detector: DetectorCounters,
    /// Times that the cluster took us for down and we came back.
    pub rejoins: u64,
    /// Pushed records that were news.
    pub pushes_news: u64,
    /// Pushed records that were known, or beside the point.
    pub pushes_known: u64,
    /// Pushed records that could not be applied before a sync.
    pub pushes_early: u64,
    /// Records that were left to syncs: too large, or more than wait to be pushed.
    pub unqueued: u64,
    /// Conversations of ours that came to their end, by purpose.
    pub syncs_done: [u64; PURPOSES.len()],
    /// Those that did not.
    pub syncs_failed: [u64; PURPOSES.len()],
    /// Records that came by sync and were news.
    pub sync_records: u64,
    /// Times that this node took another generation without a start, by cause.
    pub climbs: [u64; CLIMB_CAUSES.len()],
}

/// Suspicions that are told to everyone, which is the way of agents that leave detection to foca.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MembershipCounters {
    /// Members that became suspect by hearsay.
    pub suspicions: u64,
    /// Of those, the ones that turned out to be alive.
    pub refutations: u64,
    /// Suspicions of ourselves that we refuted.
    pub own_refutations: u64,
}

/// What the detector did since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DetectorCounters {
    /// Members probed.
    pub probes: u64,
    /// Probes that failed: a suspicion followed.
    pub probes_failed: u64,
    /// Probes that nobody at all answered, so that nothing followed but a worse local health.
    pub inconclusive: u64,
    /// Questions to others whether they reach a member.
    pub requests: u64,
    /// Members probed because others asked.
    pub errands: u64,
    /// Suspicions that began.
    pub suspicions: u64,
    /// Suspects that turned out to be there.
    pub refutations: u64,
    /// Times that others suspected us, as far as they told.
    pub own_refutations: u64,
    /// Members found down, by [`Fault`].
    pub verdicts: [u64; Fault::ALL.len()],
    /// Times that we came so late to a deadline that we judged nobody.
    pub late: u64,
    /// How unwell we are: 0 is well, 4 the worst.
    pub local_health: u32,
    /// Watch streams that are open.
    pub watches: usize,
}

impl Core {
    /// What was counted until now.
    pub fn counters(&self) -> Counters {
        Counters { membership: self.membership.counters(), detector: self.detector.counters(), ..self.counters }
    }

    /// Records that are being pushed.
    pub fn push_queue(&self) -> usize {
        self.dissemination.len()
    }

    /// Updates of members that are being pushed.
    pub fn update_queue(&self) -> usize {
        self.membership.count_updates()
    }

    /// Nodes that are kept from coming back.
    pub fn graves(&self) -> usize {
        self.graves.count()
    }

    pub(super) fn count_conversation(&mut self, purpose: Option<Purpose>, done: bool) {
        if let Some(purpose) = purpose {
            let counts = if done { &mut self.counters.syncs_done } else { &mut self.counters.syncs_failed };
            counts[purpose as usize] += 1;
        }
    }
}
