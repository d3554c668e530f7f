//! What was measured, as lines of a table.

use std::{fmt, time::Duration};

use super::cluster::Cluster;

/// Of all worlds of one kind.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// From each death until all others showed it.
    pub(crate) times: Vec<Option<Duration>>,
    victims: usize,
    suspicions: u64,
    inconclusive: u64,
    late: u64,
    /// Octets of IP and seconds, of all agents together.
    octets: f64,
    seconds: f64,
}

impl Found {
    /// Adds what a world counted since it began.
    pub(crate) fn add(&mut self, cluster: &Cluster) {
        let counted = cluster.counted();
        self.victims += cluster.victims().len();
        self.suspicions += counted.suspicions;
        self.inconclusive += counted.inconclusive;
        self.late += counted.late;
        self.octets += counted.octets as f64;
        self.seconds += counted.seconds;
    }
}

/// A line of the table.
pub(crate) struct Line {
    name: String,
    found: Found,
}

impl Line {
    pub(crate) fn new(name: String, mut found: Found) -> Line {
        // Those that were never known by all stand last.
        found.times.sort_by_key(|time| time.unwrap_or(Duration::MAX));
        Line { name, found }
    }

    pub(crate) fn head(n: u16, loss: u8) -> String {
        let columns = ["known by all: times", "p50", "p90", "max s", "victims", "suspicions", "inconclusive", "late", "octets/s"];
        let title = format!("{n} agents, {loss} % lost each way");
        format!(
            "\n{title:<44}{:>20}{:>8}{:>8}{:>8}{:>9}{:>12}{:>13}{:>8}{:>10}",
            columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6], columns[7], columns[8]
        )
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { times, victims, suspicions, inconclusive, late, octets, seconds } = &self.found;
        let known = times.iter().flatten().count();
        let at = |share: f64| match times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))) {
            None => "-".to_owned(),
            Some(None) => "never".to_owned(),
            Some(Some(time)) => format!("{:.3}", time.as_secs_f64()),
        };
        let count = if times.is_empty() { "-".to_owned() } else { format!("{known} of {}", times.len()) };
        let rate = octets / seconds.max(1.0);
        let name = &self.name;
        write!(
            f,
            "{name:<44}{count:>20}{:>8}{:>8}{:>8}{victims:>9}{suspicions:>12}{inconclusive:>13}{late:>8}{rate:>10.0}",
            at(0.5),
            at(0.9),
            at(1.0)
        )
    }
}
