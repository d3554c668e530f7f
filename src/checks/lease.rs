//! How long a check that waits to be told is content with what it was told last.

use std::time::{Duration, Instant};

use crate::kinds::Finding;

/// How long the last heartbeat holds.
///
/// What is left of it when the agent ends is what there is when the agent starts again: who sends heartbeats as it should
/// loses nothing by a restart, and who does not gains nothing.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    ttl: Duration,
    /// None before it began, and after it ran out.
    until: Option<Instant>,
}

impl Lease {
    /// One that has not begun.
    pub(super) fn new(ttl: Duration) -> Lease {
        Lease { ttl, until: None }
    }

    /// Begins anew: at the start, and with each heartbeat. Returns its end.
    pub(super) fn renew(&mut self, now: Instant) -> Instant {
        let until = now + self.ttl;
        self.until = Some(until);
        until
    }

    /// Goes on with what was left when the agent ended. Returns its end.
    pub(super) fn resume(&mut self, now: Instant, left: Duration) -> Instant {
        let until = now + left.min(self.ttl);
        self.until = Some(until);
        until
    }

    /// What is left of it; nothing where it ran out.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(now))
    }

    /// What it means that the lease ran out, once, or when to look again.
    pub(super) fn look(&mut self, now: Instant) -> Result<Finding, Option<Instant>> {
        match self.until {
            Some(until) if until <= now => {
                self.until = None;
                Ok(Finding::critical(format!("no heartbeat for {:?}", self.ttl)))
            }
            until => Err(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_out_once_until_it_is_renewed() {
        let start = tokio::time::Instant::now().into_std();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut lease = Lease::new(Duration::from_secs(15));
        assert_eq!(lease.look(start), Err(None));
        assert_eq!(lease.renew(start), after(15));
        assert_eq!(lease.look(after(14)), Err(Some(after(15))));
        assert_eq!(lease.renew(after(14)), after(29));
        assert_eq!(lease.look(after(15)), Err(Some(after(29))));
        assert_eq!(lease.look(after(29)).unwrap().reason, "no heartbeat for 15s");
        assert_eq!(lease.look(after(99)), Err(None));
        assert_eq!(lease.renew(after(99)), after(114));
        assert_eq!(lease.left(after(104)), Some(Duration::from_secs(10)));
        assert_eq!(lease.resume(after(200), Duration::from_secs(10)), after(210));
        assert_eq!(lease.resume(after(200), Duration::from_secs(99)), after(215), "never more than a ttl");
    }
}
