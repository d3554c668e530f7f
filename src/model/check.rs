//! Checks: what yields a status for an instance, and what they have yielded.

use std::{fmt, time::Duration};

use litemap::LiteMap;

use super::{
    Status,
    instance::Flaw,
    limits,
    name::{CheckId, InstanceId},
};

/// How a check finds out. What its kind was given means something to the kind alone, and nothing here: see [`crate::kinds`].
#[derive(Clone, PartialEq, Eq)]
pub struct Probe {
    /// The name of the kind, which is the field that makes a check one of it.
    pub kind: String,
    /// What the kind was given, with what was left out filled in: a JSON object, always written in the same way, so that two
    /// checks that ask for the same are equal. It may hold secrets.
    pub settings: String,
    /// How long a heartbeat holds, for a kind that waits to be told; its value is that of the field that names the kind. None for
    /// a kind that is run.
    pub ttl: Option<Duration>,
}

impl fmt::Debug for Probe {
    /// Without the settings: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A check of an instance, as its owner was given it. It is not gossiped: its settings may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Unique in its instance.
    pub id: CheckId,
    /// How it finds out.
    pub probe: Probe,
    /// Between the starts of two runs. Of no meaning for a check that waits to be told.
    pub interval: Duration,
    /// How long a run may take. Of no meaning for a check that waits to be told.
    pub timeout: Duration,
    /// Good results in a row that it takes to leave a worse status.
    pub rise: u16,
    /// Bad results in a row that it takes to become critical.
    pub fall: u16,
    /// Its status before the first verdict.
    pub initial: Status,
}

/// The shortest interval, time-out and ttl.
pub const SHORTEST: Duration = Duration::from_millis(100);
/// The longest interval, time-out and ttl.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Where an interval is not given.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
/// Where a time-out is not given.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

impl Check {
    /// Everything that is wrong with it, at pointers that begin with `at`.
    pub fn flaws(&self, at: &str) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut within = |field: &str, value: Duration| {
            if !(SHORTEST..=LONGEST).contains(&value) {
                flaws.push(Flaw::new(format!("{at}/{field}"), format!("is {value:?}; it takes {SHORTEST:?} to 24h")));
            }
        };
        match self.probe.ttl {
            Some(ttl) => within(&self.probe.kind, ttl),
            None => {
                within("interval", self.interval);
                within("timeout", self.timeout);
            }
        }
        for (field, value) in [("rise", self.rise), ("fall", self.fall)] {
            if !(1..=limits::CHECK_RUNS).contains(&value) {
                flaws.push(Flaw::new(format!("{at}/{field}"), format!("is {value}; it takes 1 to {}", limits::CHECK_RUNS)));
            }
        }
        flaws
    }
}

/// Whose check it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The node's: while it is critical, all instances of the node are held back.
    Node,
    /// An instance's.
    Instance(InstanceId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Node => f.write_str("this node"),
            Subject::Instance(id) => write!(f, "instance {id}"),
        }
    }
}

/// What is registered: an instance, and what only its owner has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its definition, which everyone is told.
    pub instance: super::Instance,
    /// Its checks.
    pub checks: Vec<Check>,
    /// It is deregistered when it has been critical for so long.
    pub deregister_after: Option<Duration>,
    /// The file of the configuration that defines it; none where it came by the API.
    pub file: Option<String>,
}

impl Registration {
    /// A registration without checks.
    pub fn plain(instance: super::Instance) -> Registration {
        Registration { instance, checks: Vec::new(), deregister_after: None, file: None }
    }

    /// Everything that is wrong with it; empty when it may be registered.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = self.instance.validate();
        if self.checks.len() > limits::CHECKS {
            flaws.push(Flaw::new("/checks", format!("has {} checks; at most {} are allowed", self.checks.len(), limits::CHECKS)));
        }
        flaws.extend(check_flaws("/checks", &self.checks));
        flaws
    }
}

/// Everything that is wrong with checks at a JSON pointer.
pub fn check_flaws(pointer: &str, checks: &[Check]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        flaws.extend(check.flaws(&at));
        if checks[..index].iter().any(|earlier| earlier.id == check.id) {
            flaws.push(Flaw::new(format!("{at}/id"), format!("{:?} is there already", check.id)));
        }
    }
    flaws
}

/// What a check has yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckState {
    /// The verdict.
    pub status: Status,
    /// Why, in at most [`limits::REASON_OCTETS`] octets.
    pub reason: String,
}

/// The health of an instance: what its checks have yielded, and whether an operator took it out of discovery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// By the id of the check. Mostly there is one, of which a tree would take ten times as much.
    pub checks: LiteMap<CheckId, CheckState>,
    /// An operator took it out of discovery, for this reason.
    pub maintenance: Option<String>,
}

impl Health {
    /// What checks begin with: each at its initial status.
    pub fn initial(checks: &[Check]) -> Health {
        let initial = |check: &Check| (check.id.clone(), CheckState { status: check.initial, reason: "not checked yet".into() });
        Health { checks: checks.iter().map(initial).collect(), maintenance: None }
    }

    /// What these checks begin with where they follow on others: those that are the same as before keep their state.
    pub fn following(&self, before: &[Check], checks: &[Check]) -> Health {
        let mut health = Health::initial(checks);
        for check in checks.iter().filter(|check| before.contains(check)) {
            if let Some(state) = self.checks.get(&check.id) {
                health.checks.insert(check.id.clone(), state.clone());
            }
        }
        health
    }

    /// The worst of its checks; what has no check is passing.
    pub fn status(&self) -> Status {
        self.checks.values().map(|check| check.status).max().unwrap_or_default()
    }

    /// Forgets what the checks have yielded: critical until they have run again.
    pub fn distrust(&mut self) {
        for (_, state) in self.checks.iter_mut() {
            *state = CheckState { status: Status::Critical, reason: "not checked since the host started".into() };
        }
    }

    /// The check that the status comes from, if it is not passing.
    pub fn worst(&self) -> Option<(&CheckId, &CheckState)> {
        self.checks.iter().filter(|(_, state)| state.status != Status::Passing).max_by_key(|(_, state)| state.status)
    }

    /// The check that is critical, if one is.
    pub fn critical(&self) -> Option<(&CheckId, &CheckState)> {
        self.worst().filter(|(_, state)| state.status == Status::Critical)
    }
}

/// Cuts a reason to [`limits::REASON_OCTETS`] octets, at a character, without line breaks.
pub fn short_reason(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let flat = flat.trim();
    let mut end = flat.len().min(limits::REASON_OCTETS);
    while !flat.is_char_boundary(end) {
        end -= 1;
    }
    flat[..end].to_owned()
}

/// What is left of the time in which a heartbeat is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Of what.
    pub subject: Subject,
    /// Which of its checks; it is one with a ttl.
    pub check: CheckId,
    /// How much.
    pub left: Duration,
}

/// What the core tells those who run checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckOrder {
    /// Run these, in place of those of before; a check that is the same as before keeps its state.
    Start {
        /// Whose they are.
        subject: Subject,
        /// The checks.
        checks: Vec<Check>,
        /// The instance is to be deregistered when it has been critical for so long.
        deregister_after: Option<Duration>,
        /// What they have yielded so far, before a restart of the agent for example.
        health: Health,
    },
    /// Run none for this one any more.
    Stop(Subject),
    /// A program said how something is.
    Heartbeat {
        /// What.
        subject: Subject,
        /// Which of its checks; it is one with a ttl.
        check: CheckId,
        /// How it is.
        state: CheckState,
        /// What it says of it, in full.
        output: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_what_its_worst_check_is() {
        let state = |status| CheckState { status, reason: String::new() };
        let id = |text| CheckId::new(text).unwrap();
        let mut health = Health::default();
        assert_eq!(health.status(), Status::Passing);
        health.checks.insert(id("a"), state(Status::Warning));
        health.checks.insert(id("b"), state(Status::Passing));
        assert_eq!((health.status(), health.worst().map(|(id, _)| id.as_str())), (Status::Warning, Some("a")));
        health.checks.insert(id("c"), state(Status::Critical));
        assert_eq!((health.status(), health.worst().map(|(id, _)| id.as_str())), (Status::Critical, Some("c")));
    }

    #[test]
    fn a_reason_is_cut_at_a_character_and_has_no_line_breaks() {
        assert_eq!(short_reason(" one\ntwo "), "one two");
        assert_eq!(short_reason(&"ü".repeat(150)).len(), 200);
        assert_eq!(short_reason(&format!("x{}", "ü".repeat(150))).len(), 199);
    }
}
