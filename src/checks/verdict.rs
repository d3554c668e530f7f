//! From results to a verdict: rise, fall and damping.
//!
//! The rules, in the order of their weight:
//!
//! 1. What gets worse is told at once. A check is critical after `fall` critical results in a row, and nothing delays that
//!    further; a warning takes one result; a heartbeat that did not come counts at once.
//! 2. What gets better waits for `rise` results in a row that are all as good or better.
//! 3. **Damping.** A check that recovered [`FREE_RETURNS`] times within [`MEMORY`] waits longer for the next recovery: since it last got
//!    worse, [`FIRST_HOLD`] must have passed, and for each recovery more twice as long, but never more than [`LONGEST_HOLD`].
//!    So a check that changes with each run is told a few times at first, then about once in half a minute, reasons included.
//! 4. A reason that changed while the status did not is told once in [`REASON_EVERY`] at most.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    kinds::Finding,
    model::{Check, CheckState, Status, check::short_reason},
};

/// Recoveries within [`MEMORY`] that are told without delay.
const FREE_RETURNS: usize = 2;
/// How long a recovery counts.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// What the first recovery beyond the free ones waits for, counted from when the check got worse.
const FIRST_HOLD: Duration = Duration::from_secs(5);
/// What a recovery waits for at most.
const LONGEST_HOLD: Duration = Duration::from_secs(2 * 60);
/// The shortest time between two reports that change the reason only.
const REASON_EVERY: Duration = Duration::from_secs(60);
/// Recoveries that are remembered: with so many the hold is the longest.
const RETURNS_KEPT: usize = 8;

/// The verdict on one check, and what it takes to change it.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    rise: u16,
    fall: u16,
    state: CheckState,
    /// When it was told last; none before the first report.
    told: Option<Instant>,
    /// Critical results in a row.
    critical: u16,
    /// Results in a row that were no worse than a warning.
    bearable: u16,
    /// Results in a row that passed.
    passing: u16,
    /// When it last got worse; none once it recovered.
    fell: Option<Instant>,
    /// When it recovered, oldest first.
    returns: VecDeque<Instant>,
}

impl Verdict {
    /// Begins with what is known: the stored state, or the initial one.
    pub(super) fn new(check: &Check, state: CheckState) -> Verdict {
        Verdict {
            rise: check.rise,
            fall: check.fall,
            state,
            told: None,
            critical: 0,
            bearable: 0,
            passing: 0,
            fell: None,
            returns: VecDeque::new(),
        }
    }

    /// What everyone was told last, or begins with.
    pub(super) fn status(&self) -> Status {
        self.state.status
    }

    /// Takes a result into account. Returns what is to be told, if anything: the first result that confirms the stored status is
    /// told too, so that whoever waits for the first run of a check learns of it.
    pub(super) fn judge(&mut self, now: Instant, finding: &Finding) -> Option<CheckState> {
        let count = |row: &mut u16, goes_on: bool| *row = if goes_on { row.saturating_add(1) } else { 0 };
        count(&mut self.critical, finding.status == Status::Critical);
        count(&mut self.bearable, finding.status <= Status::Warning);
        count(&mut self.passing, finding.status == Status::Passing);
        let next = self.next(now);
        if next != self.state.status {
            return self.change(now, next, &finding.reason);
        }
        if finding.status == next {
            return self.restate(now, short_reason(&finding.reason));
        }
        if finding.status < next && self.risen() < next {
            let reason =
                format!("recovered, but held back for a while: it recovered {} times in the last ten minutes", self.recent_returns(now));
            return self.restate(now, reason);
        }
        None
    }

    /// A heartbeat did not come: critical at once, since the ttl was the patience.
    pub(super) fn expire(&mut self, now: Instant, finding: &Finding) -> Option<CheckState> {
        self.critical = self.fall;
        (self.bearable, self.passing) = (0, 0);
        if self.state.status == Status::Critical {
            self.restate(now, short_reason(&finding.reason))
        } else {
            self.change(now, Status::Critical, &finding.reason)
        }
    }

    fn next(&self, now: Instant) -> Status {
        let held = self.fell.is_some_and(|fell| now < fell + self.hold(now));
        match self.state.status {
            _ if self.critical >= self.fall => Status::Critical,
            // The last result was a warning.
            Status::Passing if self.bearable > 0 && self.passing == 0 => Status::Warning,
            current if held => current,
            current => current.min(self.risen()),
        }
    }

    /// The best status that the last `rise` results allow.
    fn risen(&self) -> Status {
        if self.passing >= self.rise {
            Status::Passing
        } else if self.bearable >= self.rise {
            Status::Warning
        } else {
            Status::Critical
        }
    }

    fn hold(&self, now: Instant) -> Duration {
        match self.recent_returns(now).checked_sub(FREE_RETURNS) {
            None => Duration::ZERO,
            Some(beyond) => FIRST_HOLD.saturating_mul(1 << beyond.min(RETURNS_KEPT)).min(LONGEST_HOLD),
        }
    }

    fn recent_returns(&self, now: Instant) -> usize {
        self.returns.iter().filter(|at| now.saturating_duration_since(**at) < MEMORY).count()
    }

    fn change(&mut self, now: Instant, status: Status, reason: &str) -> Option<CheckState> {
        if status > self.state.status {
            self.fell = Some(now);
        } else if self.fell.take().is_some() {
            // The rise from an initial status is no recovery, and that from critical over warning is one.
            if self.returns.len() == RETURNS_KEPT {
                self.returns.pop_front();
            }
            self.returns.push_back(now);
        }
        self.tell(now, CheckState { status, reason: short_reason(reason) })
    }

    /// The status is as it was.
    fn restate(&mut self, now: Instant, reason: String) -> Option<CheckState> {
        let due = match self.told {
            None => true,
            Some(told) => reason != self.state.reason && now.saturating_duration_since(told) >= REASON_EVERY,
        };
        if due { self.tell(now, CheckState { status: self.state.status, reason }) } else { None }
    }

    fn tell(&mut self, now: Instant, state: CheckState) -> Option<CheckState> {
        self.told = Some(now);
        self.state = state;
        Some(self.state.clone())
    }
}

#[cfg(test)]
mod tests;
