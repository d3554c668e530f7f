//! What somebody recorded is said again, by whatever was said, to whomever, from wherever.

use std::time::Duration;

use rand::RngExt as _;

use super::{super::HostId, Swarm, address};

/// Datagrams at once, at most.
const DATAGRAMS: usize = 40;
/// In the clear old news are harmless for as long as the model of replication assumes, which is half of R: less than that of the shortest R here.
const LONG_AGO: Duration = Duration::from_secs(100);
/// How much is said again at the end, and over what time.
const ALL: usize = 300;
const ALL_STREAMS: usize = 40;
const ALL_TAKES_MS: u64 = 5_000;
/// How long it takes until what it stirred up is over.
const STIRRED: Duration = Duration::from_secs(60);

impl Swarm {
    /// Says something again.
    pub(super) fn replay(&mut self) {
        // In the clear who repeats a stream may as well make one up.
        let draw = if self.world.are_closed(&self.hosts) { self.rng.random_range(0..10) } else { 0 };
        match draw {
            0..6 => {
                for _ in 0..self.rng.random_range(1..DATAGRAMS) {
                    self.say_a_datagram_again(200);
                }
            }
            6..9 => self.say_a_stream_again(200),
            _ => self.slip_a_frame_in(),
        }
    }

    /// Says much of all that was recorded again, when all is at rest: after minutes or hours, and perhaps another key by then.
    pub(super) fn replay_all(&mut self) {
        let later = match self.rng.random_range(0..20) {
            0 => Duration::from_secs(self.rng.random_range(3_600..2 * 3_600)),
            1..6 => Duration::from_secs(self.rng.random_range(240..900)),
            _ => Duration::from_secs(self.rng.random_range(20..120)),
        };
        self.world.tell(|| format!("nothing happens for {later:?}"));
        self.world.run_for(later);
        if !self.world.are_closed(&self.hosts) || self.rng.random_bool(0.5) {
            self.close_or_rotate();
        }
        self.world.tell(|| "much of what was recorded is said again".into());
        for _ in 0..ALL {
            self.say_a_datagram_again(ALL_TAKES_MS);
        }
        for _ in 0..ALL_STREAMS {
            self.say_a_stream_again(ALL_TAKES_MS);
            self.slip_a_frame_in();
        }
        self.world.run_for(STIRRED);
    }

    fn say_a_datagram_again(&mut self, most_ms: u64) {
        let recorded = self.world.recorded().datagrams;
        if recorded == 0 {
            return;
        }
        let number = self.rng.random_range(0..recorded);
        let is_old = self.world.recorded_for(number).is_none_or(|age| age > LONG_AGO) && !self.world.are_closed(&self.hosts);
        let (after, to, from) = (self.soon(most_ms), self.somebody_else(), self.somewhere_else());
        if !is_old {
            self.world.datagram_again(number, after, to, from);
        }
    }

    fn say_a_stream_again(&mut self, most_ms: u64) {
        let recorded = self.world.recorded().streams;
        if recorded > 0 {
            let (number, side) = (self.rng.random_range(0..recorded), usize::from(self.rng.random_bool(0.2)));
            let (after, to, from) = (self.soon(most_ms), self.somebody_else(), self.somewhere_else());
            self.world.stream_again(number, side, after, to, from);
        }
    }

    fn slip_a_frame_in(&mut self) {
        let rng = &mut self.rng;
        self.world.slip_in(|count| rng.random_range(0..count));
    }

    fn soon(&mut self, most_ms: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(0..most_ms))
    }

    /// Mostly those who were meant.
    fn somebody_else(&mut self) -> Option<HostId> {
        let hosts = self.world.hosts().len();
        self.rng.random_bool(0.3).then(|| HostId(self.rng.random_range(0..hosts)))
    }

    /// Where another host is, or nobody.
    fn somewhere_else(&mut self) -> Option<std::net::SocketAddr> {
        let hosts = self.world.hosts().len();
        self.rng.random_bool(0.5).then(|| address(self.rng.random_range(0..hosts + 1)))
    }
}
