//! How a scenario went, for people.

use std::{fmt, time::Duration};

use super::super::scenario::Step;
use crate::core::time::Moment;

/// How a scenario went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// What went wrong; the scenario ends with it.
    pub failure: Option<Failure>,
    /// How long each expectation took to come true, by the line of its step.
    pub waits: Vec<(usize, Duration)>,
    /// When it ended.
    pub ended: Moment,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// Whether it is a step of the scenario, and not a consequence of one.
    pub is_step: bool,
    /// What, on one line.
    pub text: String,
}

impl Entry {
    /// A step, and what came of it.
    pub fn step(at: Moment, step: &Step, then: String) -> Entry {
        let text = if then.is_empty() { step.text.clone() } else { format!("{}: {then}", step.text) };
        Entry { at, is_step: true, text }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = if self.is_step { "" } else { "  " };
        write!(f, "{} {indent}{}", Clock(self.at), self.text)
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Moment,
    /// The line of the step that it is about.
    pub line: Option<usize>,
    /// What, on one line.
    pub what: String,
    /// The details, a line each.
    pub details: Vec<String>,
}

impl Failure {
    /// Something that went wrong.
    pub fn new(at: Moment, line: Option<usize>, what: String, details: Vec<String>) -> Failure {
        Failure { at, line, what, details }
    }

    /// The same about a step.
    pub fn of(at: Moment, step: &Step, why: &str, details: Vec<String>) -> Failure {
        Failure::new(at, Some(step.line), format!("{}: {why}", step.text), details)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", Clock(self.at))?;
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.what)?;
        self.details.iter().try_for_each(|detail| write!(f, "\n  {detail}"))
    }
}

/// A moment as hours, minutes and seconds since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock(pub Moment);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.since_start().as_millis();
        let (seconds, minutes, hours) = (millis / 1_000, millis / 60_000, millis / 3_600_000);
        write!(f, "{hours:02}:{:02}:{:02}.{:03}", minutes % 60, seconds % 60, millis % 1_000)
    }
}
