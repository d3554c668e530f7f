//! What excuses that somebody is shown as down. It knows of no world: whoever looks on tells it what happened.

use std::{collections::BTreeMap, time::Duration};

use super::super::HostId;
use crate::core::time::Moment;

/// A process that stood still for no longer is healthy all the same. The promise has a second; detection does better.
const SHORT: Duration = Duration::from_secs(2);
/// How long after a fault of the network what was decided during it may still come to light.
const AFTERMATH: Duration = Duration::from_secs(60);
/// The same after a host was ill: its process began or ended, or stood still for long.
const RECOVERY: Duration = Duration::from_secs(20);
/// The loss each way up to which the promise holds.
pub const LOSS: f64 = 0.2;

/// What was wrong with the network and with hosts, and when.
#[derive(Debug, Default)]
pub struct Excuses {
    /// When something was last wrong with each host.
    ill: BTreeMap<HostId, Moment>,
    /// Since when a process stands still.
    still: BTreeMap<HostId, Moment>,
    /// When the network last had a fault beyond the promise.
    network: Option<Moment>,
}

impl Excuses {
    /// The network has a fault beyond the promise.
    pub fn network_is_ill(&mut self, now: Moment) {
        self.network = Some(now);
    }

    /// A process begins or ends, or its host has another address or another folder.
    pub fn is_ill(&mut self, host: HostId, now: Moment) {
        self.ill.insert(host, now);
    }

    /// A process stands still, with its host or alone.
    pub fn stands_still(&mut self, host: HostId, now: Moment) {
        self.still.entry(host).or_insert(now);
    }

    /// It goes on.
    pub fn goes_on(&mut self, host: HostId, now: Moment) {
        let since = self.still.remove(&host).filter(|since| now - *since > SHORT);
        self.ill.extend(since.map(|_| (host, now)));
    }

    /// Whether a reader may show a host as down.
    pub fn excuse(&self, reader: HostId, host: HostId, now: Moment) -> bool {
        let within = |at: Option<&Moment>, time| at.is_some_and(|at| now - *at < time);
        within(self.network.as_ref(), AFTERMATH)
            || within(self.ill.get(&host), RECOVERY)
            || within(self.ill.get(&reader), RECOVERY)
            || self.still.contains_key(&host)
    }
}
