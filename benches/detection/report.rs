//! What was measured, as lines of a table.

use std::{collections::BTreeMap, fmt, time::Duration};

use tidings::sim::Sent;

use super::cluster::{Cluster, Known};

/// Of all worlds of one kind.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Of each death.
    pub(crate) known: Vec<Known>,
    victims: usize,
    disturbed: usize,
    suspicions: u64,
    inconclusive: u64,
    late: u64,
    most_waiting: usize,
    /// Octets of IP and seconds, of all agents together.
    octets: f64,
    seconds: f64,
    sent: BTreeMap<u8, Sent>,
}

impl Found {
    /// Adds what a world counted since it began.
    pub(crate) fn add(&mut self, cluster: &Cluster) {
        let counted = cluster.counted();
        let (victims, disturbed) = cluster.victims();
        self.victims += victims.len();
        self.disturbed += disturbed.len();
        self.suspicions += counted.suspicions;
        self.inconclusive += counted.inconclusive;
        self.late += counted.late;
        self.most_waiting = self.most_waiting.max(cluster.most_waiting);
        self.octets += counted.octets as f64;
        self.seconds += counted.seconds;
        for (kind, sent) in cluster.sent() {
            let sum = self.sent.entry(kind).or_default();
            sum.count += sent.count;
            sum.octets += sent.octets;
        }
    }

    /// What was sent by an agent in a second, by the kind of messages.
    pub(crate) fn kinds(&self) -> String {
        let of = |(kind, sent): (&u8, &Sent)| {
            let (count, octets) = (sent.count as f64 / self.seconds, sent.octets as f64 / self.seconds);
            format!("kind {kind}: {count:.3}/s, {octets:.1} octets/s")
        };
        self.sent.iter().filter(|(_, sent)| sent.count > 0).map(of).collect::<Vec<_>>().join("; ")
    }
}

/// A line of the table.
pub(crate) struct Line {
    name: String,
    found: Found,
    with_kinds: bool,
}

impl Line {
    pub(crate) fn new(name: String, found: Found, with_kinds: bool) -> Line {
        Line { name, found, with_kinds }
    }

    pub(crate) fn head(n: u16, loss: u8) -> String {
        let title = format!("{n} agents, {loss} % lost each way");
        format!(
            "\n{title:<44}{:>13}{:>8}{:>8}{:>8}{:>8}{:>9}{:>10}{:>12}{:>13}{:>8}{:>9}{:>10}",
            "known by all",
            "1st p50",
            "p50",
            "p90",
            "max s",
            "victims",
            "disturbed",
            "suspicions",
            "inconclusive",
            "late",
            "waiting",
            "octets/s"
        )
    }
}

/// At a share of them, in order; those that never were stand last.
fn at(times: &mut [Option<Duration>], share: f64) -> String {
    times.sort_by_key(|time| time.unwrap_or(Duration::MAX));
    match times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))) {
        None => "-".to_owned(),
        Some(None) => "never".to_owned(),
        Some(Some(time)) => format!("{:.3}", time.as_secs_f64()),
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { known, victims, disturbed, suspicions, inconclusive, late, most_waiting, octets, seconds, .. } = &self.found;
        let mut first: Vec<Option<Duration>> = known.iter().map(|known| known.first).collect();
        let mut all: Vec<Option<Duration>> = known.iter().map(|known| known.all).collect();
        let count = match known.len() {
            0 => "-".to_owned(),
            deaths => format!("{} of {deaths}", all.iter().flatten().count()),
        };
        let rate = octets / seconds.max(1.0);
        let name = &self.name;
        let (first, p50, p90, most) = (at(&mut first, 0.5), at(&mut all, 0.5), at(&mut all, 0.9), at(&mut all, 1.0));
        write!(
            f,
            "{name:<44}{count:>13}{first:>8}{p50:>8}{p90:>8}{most:>8}{victims:>9}{disturbed:>10}{suspicions:>12}{inconclusive:>13}{late:>8}\
             {most_waiting:>9}{rate:>10.0}"
        )?;
        if self.with_kinds { write!(f, "\n    {}", self.found.kinds()) } else { Ok(()) }
    }
}
