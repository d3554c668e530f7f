//! What happens to a cluster.

use std::time::Duration;

/// How an agent dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// SIGKILL: its host ends its streams and refuses new ones.
    Kill,
    /// Its host loses power: nothing is said.
    Power,
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
    /// To one host nothing comes from so many percent of the others, and nothing from it to them.
    Cut(u8),
    /// One host's datagrams are all lost, both ways; streams are not.
    NoDatagrams,
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
    pub(crate) const ALL: [Scenario; 17] = [
        Scenario::Deaths(Death::Kill),
        Scenario::Deaths(Death::Power),
        Scenario::Mass(Death::Kill, 30),
        Scenario::Mass(Death::Power, 10),
        Scenario::Mass(Death::Power, 30),
        Scenario::Mass(Death::Power, 50),
        Scenario::Calm(Disturbance::None),
        Scenario::Calm(Disturbance::Pauses(300, 1_000)),
        Scenario::Calm(Disturbance::Pauses(1_000, 4_000)),
        Scenario::Calm(Disturbance::Freezes(300, 1_000)),
        Scenario::Calm(Disturbance::Freezes(1_000, 1_500)),
        Scenario::Calm(Disturbance::Bursts(100)),
        Scenario::Calm(Disturbance::Bursts(250)),
        Scenario::Calm(Disturbance::Cut(30)),
        Scenario::Calm(Disturbance::Cut(50)),
        Scenario::Calm(Disturbance::Cut(80)),
        Scenario::Calm(Disturbance::NoDatagrams),
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Scenario::Deaths(Death::Kill) => "killed, one by one".into(),
            Scenario::Deaths(Death::Power) => "power lost, one by one".into(),
            Scenario::Mass(Death::Kill, share) => format!("killed, {share} % at once"),
            Scenario::Mass(Death::Power, share) => format!("power lost, {share} % at once"),
            Scenario::Calm(Disturbance::None) => "at rest".into(),
            Scenario::Calm(Disturbance::Pauses(least, most)) => format!("processes paused {least} to {most} ms"),
            Scenario::Calm(Disturbance::Freezes(least, most)) => format!("hosts frozen {least} to {most} ms"),
            Scenario::Calm(Disturbance::Bursts(mean)) => format!("ingress dark a fifth of the time, {mean} ms"),
            Scenario::Calm(Disturbance::Cut(share)) => format!("one cut off from {share} %"),
            Scenario::Calm(Disturbance::NoDatagrams) => "one without datagrams".into(),
        }
    }
}

/// An exponential time with this mean, from a number between 0 and 1.
pub(crate) fn exponential(mean: Duration, uniform: f64) -> Duration {
    mean.mul_f64(-uniform.max(f64::MIN_POSITIVE).ln())
}
