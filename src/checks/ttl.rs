//! A check that waits to be told.

use std::time::{Duration, Instant};

use super::{finding::Finding, kind::Kind};

/// How long the last heartbeat holds.
///
/// When an agent starts, nobody knows when the last heartbeat came before it: a full ttl begins, and the stored status stays
/// meanwhile. So a program that sends heartbeats as it should loses nothing by a restart of the agent, and one that died
/// together with the agent is found out one ttl later.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    ttl: Duration,
    /// None before it began, and after it ran out.
    until: Option<Instant>,
}

/// A check with this ttl.
pub(super) fn kind(ttl: Duration) -> Kind {
    Kind::Waits(Lease { ttl, until: None })
}

impl Lease {
    /// Begins anew: at the start, and with each heartbeat. Returns its end.
    pub(super) fn renew(&mut self, now: Instant) -> Instant {
        let until = now + self.ttl;
        self.until = Some(until);
        until
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
        let Kind::Waits(mut lease) = kind(Duration::from_secs(15)) else { panic!("a ttl waits") };
        assert_eq!(lease.look(start), Err(None));
        assert_eq!(lease.renew(start), after(15));
        assert_eq!(lease.look(after(14)), Err(Some(after(15))));
        assert_eq!(lease.renew(after(14)), after(29));
        assert_eq!(lease.look(after(15)), Err(Some(after(29))));
        assert_eq!(lease.look(after(29)).unwrap().reason, "no heartbeat for 15s");
        assert_eq!(lease.look(after(99)), Err(None));
        assert_eq!(lease.renew(after(99)), after(114));
    }
}
