//! The steps of a scenario as text.

use std::{fmt::Write as _, time::Duration};

use tidings::sim::scenario::quantity;

/// Steps, one after the other. Time is counted as if whatever is waited for came true at once.
#[derive(Debug)]
pub(super) struct Script {
    text: String,
    steps: usize,
    now: Duration,
    /// When the last step was.
    last: Duration,
}

impl Script {
    pub(super) fn new() -> Script {
        Script { text: String::new(), steps: 0, now: Duration::ZERO, last: Duration::ZERO }
    }

    /// Since the start, at least.
    pub(super) fn now(&self) -> Duration {
        self.now
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Time goes on to this moment, unless it is past already.
    pub(super) fn go_on_to(&mut self, moment: Duration) {
        self.now = self.now.max(moment);
    }

    pub(super) fn remark(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n# {text}");
    }

    /// Something is done now.
    pub(super) fn act(&mut self, deed: &str) {
        self.step("", deed);
    }

    /// Something comes true by then.
    pub(super) fn within(&mut self, patience: Duration, expectation: &str) {
        self.step(&format!("within = {:?}\n", quantity::said(patience)), expectation);
    }

    /// Something holds from now on.
    pub(super) fn throughout(&mut self, time: Duration, expectation: &str) {
        self.step(&format!("throughout = {:?}\n", quantity::said(time)), expectation);
    }

    fn step(&mut self, term: &str, what: &str) {
        self.text.push_str("\n[[step]]\n");
        if self.now > self.last {
            let _ = writeln!(self.text, "after = {:?}", quantity::said(self.now - self.last));
        }
        let _ = writeln!(self.text, "{term}{what}");
        self.last = self.now;
        self.steps += 1;
    }
}

/// Nodes as a scenario names them.
pub(super) fn names(nodes: &[usize]) -> String {
    let mut nodes = nodes.to_vec();
    nodes.sort_unstable();
    let runs = nodes.chunk_by(|one, next| one + 1 == *next).map(|run| match run {
        [one] => format!("\"n{}\"", one + 1),
        run => format!("\"n{}..n{}\"", run[0] + 1, run[run.len() - 1] + 1),
    });
    match &runs.collect::<Vec<_>>()[..] {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
