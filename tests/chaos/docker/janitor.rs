//! Who takes away what was made, also where the player is killed.

use std::process::{Child, Command, Stdio};

/// A process that waits for the end of this one, or to be told. It is in a session of its own, so that Ctrl-C does not reach it.
#[derive(Debug)]
pub(super) struct Janitor(Child);

impl Janitor {
    /// Has somebody wait, with words as `docker/janitor` has them. Whoever is dropped begins at once.
    pub(super) fn hire(words: &[&str]) -> Result<Janitor, String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chaos/docker/janitor");
        let child = Command::new("setsid").arg(script).args(words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        child.map(Janitor).map_err(|error| format!("can't start who takes containers away: {error}"))
    }

    /// Begins, while others go on.
    pub(super) fn begin(mut self) -> Janitor {
        drop(self.0.stdin.take());
        self
    }

    /// Begins, and waits until all is done.
    pub(super) fn finish(self) {
        // Whatever it could not do it has said.
        let _ = self.begin().0.wait();
    }
}
