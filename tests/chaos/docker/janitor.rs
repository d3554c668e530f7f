//! Who takes away what was made, also where the player is killed.

use std::{
    os::fd::AsFd as _,
    process::{Child, Command, Stdio},
};

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

    /// Runs a program that makes something which is to be taken away. Nobody begins before it and all that it starts have ended, also when this
    /// process is gone: what it asked the engine for would come afterwards. Ctrl-C does not reach it.
    pub(super) async fn wait_for(&self, command: &mut tokio::process::Command) -> Result<(), String> {
        // All of them have our end of its standard input for theirs.
        let end = self.0.stdin.as_ref().expect("it has not begun").as_fd().try_clone_to_owned();
        let end = end.map_err(|error| format!("can't copy a pipe: {error}"))?;
        let output = command.process_group(0).stdin(end).output().await;
        let output = output.map_err(|error| format!("can't run {:?}: {error}", command.as_std().get_program()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{:?}: {}: {}", command.as_std(), output.status, said.trim())) }
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
