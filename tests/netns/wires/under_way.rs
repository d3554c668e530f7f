//! What is on its way, and when it is there.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tidings::sim::HostId;

/// So many connections are kept in mind before the ones of the past are let go of.
const CONNECTIONS: usize = 4_096;

/// Of a connection, one way: from whom to whom, and its ports.
pub(super) type Connection = ((HostId, HostId), [u16; 2]);

/// Frames on their way to hosts.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    /// By the moment at which they are there; of one moment as they were sent.
    frames: BTreeMap<(Instant, u64), Bound>,
    sent: u64,
    /// When the last of a connection is there: no other one is there before.
    last: BTreeMap<Connection, Instant>,
}

/// A frame, and where it goes.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) to: HostId,
    pub(super) frame: Box<[u8]>,
}

impl UnderWay {
    /// A frame sets off, and is there at this moment.
    pub(super) fn add(&mut self, at: Instant, to: HostId, frame: &[u8]) {
        self.sent += 1;
        self.frames.insert((at, self.sent), Bound { to, frame: frame.into() });
    }

    /// A frame of a connection sets off now, and is there after so long, or with the one before.
    pub(super) fn add_in_order(&mut self, now: Instant, delay: Duration, connection: Connection, frame: &[u8]) {
        let last = self.last.entry(connection).or_insert(now);
        *last = (*last).max(now + delay);
        let (at, (_, to)) = (*last, connection.0);
        self.add(at, to, frame);
        if self.last.len() > CONNECTIONS {
            self.last.retain(|_, last| *last > now);
        }
    }

    /// The next one that is there by now.
    pub(super) fn arrived(&mut self, now: Instant) -> Option<Bound> {
        let first = self.frames.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// When the next one is there.
    pub(super) fn next(&self) -> Option<Instant> {
        self.frames.keys().next().map(|(at, _)| *at)
    }
}
