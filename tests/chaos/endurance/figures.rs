//! What each agent took at a moment.

use std::{fmt::Write as _, time::Duration};

/// A process at a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Sample {
    /// All agents are read in rounds.
    pub(crate) round: u32,
    /// Since the beginning of the run.
    pub(crate) at: Duration,
    pub(crate) place: usize,
    pub(crate) process: u32,
    /// Since the process was seen for the first time.
    pub(crate) age: Duration,
    /// Octets that are resident, and those of them that no file has.
    pub(crate) resident: u64,
    pub(crate) anonymous: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: Descriptors,
    /// What its host has sent since it is there.
    pub(crate) octets: u64,
    pub(crate) packets: u64,
}

/// What a process holds open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Descriptors {
    /// Streams with other agents.
    pub(crate) streams: u64,
    /// Connections with programs of its host: those of whoever watches it.
    pub(crate) api: u64,
    /// All others.
    pub(crate) others: u64,
}

impl Descriptors {
    pub(crate) fn all(self) -> u64 {
        self.streams + self.api + self.others
    }
}

/// All samples, as CSV.
pub(crate) fn csv(samples: &[Sample]) -> String {
    let mut text = String::from(
        "seconds,node,process,age_seconds,resident_octets,anonymous_octets,threads,descriptors,streams,api,octets_sent,packets_sent\n",
    );
    for it in samples {
        let (at, age, open) = (it.at.as_secs_f64(), it.age.as_secs_f64(), it.descriptors);
        let _ = writeln!(
            text,
            "{at:.1},n{},{},{age:.1},{},{},{},{},{},{},{},{}",
            it.place + 1,
            it.process,
            it.resident,
            it.anonymous,
            it.threads,
            open.all(),
            open.streams,
            open.api,
            it.octets,
            it.packets
        );
    }
    text
}
