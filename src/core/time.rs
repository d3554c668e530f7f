//! Time as the core knows it.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// A moment on a monotonic clock that is handed in, in microseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(u64);

impl Moment {
    /// The moment so long after the clock's start.
    pub fn after_start(time: Duration) -> Moment {
        Moment(time.as_micros() as u64)
    }

    /// How long after the clock's start it is.
    pub fn since_start(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, later: Duration) -> Moment {
        Moment(self.0.saturating_add(later.as_micros() as u64))
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;
    /// The clock's start where there is nothing before it.
    fn sub(self, earlier: Duration) -> Moment {
        Moment(self.0.saturating_sub(earlier.as_micros() as u64))
    }
}

impl Sub for Moment {
    type Output = Duration;
    /// Zero where `earlier` is the later one.
    fn sub(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} s", self.since_start().as_secs_f64())
    }
}
