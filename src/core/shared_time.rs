//! The time that those who hold the keys share: whatever is sealed says when, so that what was recorded long ago can be told from what is said now.
//!
//! It is nobody's wall clock. Each agent counts on from what it was started with, and takes over whatever later time it hears of: time only goes
//! forward, and as nobody without a key can make one up, the latest that was ever said is the right one. A start need not know the time: it is
//! told in the first stream.

use std::time::Duration;

use super::time::Moment;

/// How far behind a datagram may be and still be taken. More than the network takes, more than clocks that go wrong by 100 ppm part in half of R,
/// and little enough for recorded signs of life not to keep a dead node for long.
pub const WINDOW: Duration = Duration::from_secs(10);

/// The time, as far as it is known here.
#[derive(Debug)]
pub(super) struct SharedTime {
    /// What it was when our own clock began.
    begin: Duration,
    now: Moment,
}

impl SharedTime {
    /// So many seconds at the beginning of our clock.
    pub(super) fn new(begin: u32) -> SharedTime {
        SharedTime { begin: Duration::from_secs(begin.into()), now: Moment::default() }
    }

    /// Our own clock goes on.
    pub(super) fn go_on(&mut self, now: Moment) {
        self.now = now;
    }

    /// In whole seconds. It stands still at the last there is.
    pub(super) fn seconds(&self) -> u32 {
        u32::try_from(self.time().as_secs()).unwrap_or(u32::MAX)
    }

    /// Somebody who has a key says that it is so late.
    pub(super) fn hear(&mut self, seconds: u32) {
        if seconds > self.seconds() {
            self.begin = Duration::from_secs(seconds.into()).saturating_sub(self.now.since_start());
        }
    }

    /// Whether what was sealed then may have been on its way until now.
    pub(super) fn is_recent(&self, seconds: u32) -> bool {
        u64::from(self.seconds().saturating_sub(seconds)) <= WINDOW.as_secs()
    }

    fn time(&self) -> Duration {
        self.begin + self.now.since_start()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_by_itself_and_forward_only() {
        let mut time = SharedTime::new(100);
        time.go_on(Moment::after_start(Duration::from_millis(2_500)));
        assert_eq!(time.seconds(), 102);
        time.hear(50);
        assert_eq!(time.seconds(), 102);
        time.hear(200);
        assert_eq!(time.seconds(), 200);
        time.go_on(Moment::after_start(Duration::from_millis(3_500)));
        assert_eq!(time.seconds(), 201);
        time.hear(u32::MAX);
        time.go_on(Moment::after_start(Duration::from_secs(3_600)));
        assert_eq!(time.seconds(), u32::MAX);
    }

    #[test]
    fn it_may_be_heard_before_our_clock_has_come_so_far() {
        let mut time = SharedTime::new(0);
        time.go_on(Moment::after_start(Duration::from_secs(100)));
        time.hear(101);
        time.go_on(Moment::after_start(Duration::from_secs(110)));
        assert_eq!(time.seconds(), 111);
    }

    #[test]
    fn what_is_recent_is_within_the_window_or_later() {
        let time = SharedTime::new(100);
        assert_eq!([89, 90, 100, 500].map(|seconds| time.is_recent(seconds)), [false, true, true, true]);
    }
}
