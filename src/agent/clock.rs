//! The clock that the core is driven by.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::core::time::Moment;

/// Counts from its making on, and goes on while the host is suspended: what an agent was told before a week of sleep is a week
/// old, and those who were found down before it have been so for a week. So all of the core runs by this one clock
/// (`CLOCK_BOOTTIME`), not by that of [`std::time::Instant`], which stands still then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Duration,
}

impl Clock {
    /// One that begins now.
    pub(super) fn start() -> Clock {
        Clock { started: since_boot() }
    }

    /// What it shows.
    pub(super) fn moment(&self) -> Moment {
        Moment::after_start(since_boot().saturating_sub(self.started))
    }
}

fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_at_nothing_and_goes_forward() {
        let clock = Clock::start();
        let first = clock.moment();
        assert!(first.since_start() < Duration::from_secs(60));
        let moments: Vec<Moment> = std::iter::repeat_with(|| clock.moment()).take(1_000).collect();
        assert!(moments.is_sorted() && moments[0] >= first);
    }

    #[test]
    fn it_is_the_clock_by_which_the_system_says_how_long_it_has_been_up() {
        // That figure has what the host slept in it.
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        let up: f64 = text.split(' ').next().unwrap().parse().unwrap();
        assert!((since_boot().as_secs_f64() - up).abs() < 60.0, "{:?}, {up}", since_boot());
    }
}
