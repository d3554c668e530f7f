//! Waiting for a condition instead of for a time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a condition may take. Generous: it is reached only where something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(50);

/// Looks again and again until `look` says `Ok`.
///
/// # Panics
/// When the deadline passes; the message says what was last seen.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    eventually_within(DEADLINE, what, look).await
}

/// The same with another deadline.
pub(crate) async fn eventually_within<T>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(seen) if start.elapsed() > deadline => panic!("{what}: not within {deadline:?}; last seen:\n{seen}"),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
