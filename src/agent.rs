//! The composition root: puts an agent together and runs it.

use crate::config::Resolved;

/// Runs an agent until it is told to end.
///
/// # Errors
/// Why it could not start, or had to stop.
pub async fn run(_: Resolved) -> Result<(), String> {
    Err("the agent is not wired yet".to_owned())
}
