//! What is measured.

/// A figure of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// From a SIGKILL until all others show the node as down.
    Killed,
    /// The same for a host that loses its power.
    HostLost,
    /// From a registration until all show the instance.
    Change,
    /// From the start of an agent that nobody knows until all others show its node as alive.
    Join,
    /// From the end or the start of an agent until everybody is right about its instance, while a tenth of all restarts each minute.
    Churn,
    /// What a node sends in a second while nothing happens.
    AtRest,
    /// What a registration adds to that, for each node.
    PerChange,
    /// What an agent that joins adds to it, for each node.
    PerJoin,
    /// What a node sends in a second while a tenth of all restarts each minute.
    InChurn,
    /// Streams that a node holds open at rest.
    Streams,
}

impl Figure {
    /// All of them: those in seconds first.
    pub const ALL: [Figure; 10] = [
        Figure::Killed,
        Figure::HostLost,
        Figure::Change,
        Figure::Join,
        Figure::Churn,
        Figure::AtRest,
        Figure::PerChange,
        Figure::PerJoin,
        Figure::InChurn,
        Figure::Streams,
    ];

    /// What it is, for people, without its unit.
    pub fn title(self) -> &'static str {
        match self {
            Figure::Killed => "a process is killed, until all know",
            Figure::HostLost => "a host is lost, until all know",
            Figure::Change => "a registration, until all show it",
            Figure::Join => "an agent joins, until all show it",
            Figure::Churn => "a restart in churn, until all are right",
            Figure::AtRest => "a node sends at rest",
            Figure::PerChange => "a registration adds, for each node",
            Figure::PerJoin => "an agent that joins adds, for each node",
            Figure::InChurn => "a node sends in churn",
            Figure::Streams => "a node holds open at rest",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Figure::Killed | Figure::HostLost | Figure::Change | Figure::Join | Figure::Churn => "seconds",
            Figure::AtRest | Figure::InChurn => "octets/s",
            Figure::PerChange | Figure::PerJoin => "octets",
            Figure::Streams => "streams",
        }
    }

    /// Digits behind the point that mean something.
    pub fn digits(self) -> usize {
        match self.unit() {
            "seconds" => 3,
            _ => 0,
        }
    }
}

/// What was measured of a figure, in the order of size; none where it never came to an end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(Vec<Option<f64>>);

impl Samples {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one in the middle; of an even number the greater of the two. None where that never ended, or nothing was measured.
    pub fn median(&self) -> Option<f64> {
        *self.0.get(self.0.len() / 2)?
    }

    /// The greatest. None where one never ended, or nothing was measured.
    pub fn most(&self) -> Option<f64> {
        *self.0.last()?
    }
}

impl FromIterator<Option<f64>> for Samples {
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(samples: I) -> Samples {
        let mut samples: Vec<_> = samples.into_iter().collect();
        samples.sort_by(|one, other| one.unwrap_or(f64::INFINITY).total_cmp(&other.unwrap_or(f64::INFINITY)));
        Samples(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ended_is_the_greatest() {
        let samples = |all: &[Option<f64>]| all.iter().copied().collect::<Samples>();
        let of = |all: &[Option<f64>]| (samples(all).median(), samples(all).most());
        assert_eq!(of(&[Some(3.0), Some(1.0), Some(2.0)]), (Some(2.0), Some(3.0)));
        assert_eq!(of(&[None, Some(1.0), Some(2.0)]), (Some(2.0), None));
        assert_eq!(of(&[None, Some(1.0)]), (None, None));
        assert_eq!(of(&[]), (None, None));
    }
}
