//! What happens to a cluster.

use std::{fmt, time::Duration};

/// How an agent dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// SIGKILL: its host ends its streams and refuses new ones.
    Kill,
    /// Its host loses power: nothing is said. To all others it is a black hole.
    Power,
    /// SIGSTOP, for good: its host goes on taking what comes.
    Stop,
}

/// What is wrong without anybody being gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Nothing.
    None,
    /// A twentieth of the processes stand still now and then, for so many milliseconds.
    Pauses(u64, u64),
    /// The same with their hosts.
    Freezes(u64, u64),
    /// To each host nothing comes for a while, a fifth of the time, in bursts of so many milliseconds on average.
    Bursts(u64),
    /// Between one host and so many percent of the others nothing comes through.
    Cut(Way, u8),
    /// One host's datagrams are all lost, both ways; streams are not.
    NoDatagrams,
}

/// Which way is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Both.
    Both,
    /// From the one to the others: it hears them, and they do not hear it.
    Out,
    /// From the others to the one.
    In,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scenario {
    /// One dies after the other.
    Deaths(Death),
    /// So many percent die at once.
    Mass(Death, u8),
    /// Nobody dies.
    Calm(Disturbance),
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 25] = [
        Scenario::Deaths(Death::Kill),
        Scenario::Deaths(Death::Power),
        Scenario::Deaths(Death::Stop),
        Scenario::Mass(Death::Kill, 30),
        Scenario::Mass(Death::Power, 10),
        Scenario::Mass(Death::Power, 30),
        Scenario::Mass(Death::Power, 50),
        Scenario::Calm(Disturbance::None),
        Scenario::Calm(Disturbance::Pauses(300, 1_000)),
        Scenario::Calm(Disturbance::Pauses(1_000, 4_000)),
        Scenario::Calm(Disturbance::Pauses(6_000, 12_000)),
        Scenario::Calm(Disturbance::Freezes(300, 1_000)),
        Scenario::Calm(Disturbance::Freezes(1_000, 1_500)),
        Scenario::Calm(Disturbance::Freezes(3_000, 12_000)),
        Scenario::Calm(Disturbance::Bursts(100)),
        Scenario::Calm(Disturbance::Bursts(250)),
        Scenario::Calm(Disturbance::Cut(Way::Both, 30)),
        Scenario::Calm(Disturbance::Cut(Way::Both, 50)),
        Scenario::Calm(Disturbance::Cut(Way::Both, 80)),
        Scenario::Calm(Disturbance::Cut(Way::Out, 50)),
        Scenario::Calm(Disturbance::Cut(Way::In, 50)),
        Scenario::Calm(Disturbance::Cut(Way::Out, 100)),
        Scenario::Calm(Disturbance::Cut(Way::In, 100)),
        Scenario::Calm(Disturbance::Cut(Way::Both, 100)),
        Scenario::Calm(Disturbance::NoDatagrams),
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Scenario::Deaths(Death::Kill) => "killed, one by one".into(),
            Scenario::Deaths(Death::Power) => "power lost, one by one".into(),
            Scenario::Deaths(Death::Stop) => "stopped, one by one".into(),
            Scenario::Mass(Death::Kill, share) => format!("killed, {share} % at once"),
            Scenario::Mass(Death::Power, share) => format!("power lost, {share} % at once"),
            Scenario::Mass(Death::Stop, share) => format!("stopped, {share} % at once"),
            Scenario::Calm(disturbance) => disturbance.to_string(),
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Disturbance::None => f.write_str("at rest"),
            Disturbance::Pauses(least, most) => write!(f, "processes paused {least} to {most} ms"),
            Disturbance::Freezes(least, most) => write!(f, "hosts frozen {least} to {most} ms"),
            Disturbance::Bursts(mean) => write!(f, "ingress dark a fifth of the time, {mean} ms"),
            Disturbance::Cut(Way::Both, share) => write!(f, "one cut off from {share} %"),
            Disturbance::Cut(Way::Out, share) => write!(f, "one not heard by {share} %"),
            Disturbance::Cut(Way::In, share) => write!(f, "one that does not hear {share} %"),
            Disturbance::NoDatagrams => f.write_str("one without datagrams"),
        }
    }
}

/// An exponential time with this mean, from a number between 0 and 1.
pub(crate) fn exponential(mean: Duration, uniform: f64) -> Duration {
    mean.mul_f64(-uniform.max(f64::MIN_POSITIVE).ln())
}
