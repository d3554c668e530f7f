//! The last output of each check: for the owner alone, never gossiped.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use litemap::LiteMap;

use crate::model::{CheckId, check::Subject};

/// What the last run of a check, or the last heartbeat, said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// At most [`OUTPUT_OCTETS`](crate::model::limits::OUTPUT_OCTETS) octets. It may hold line breaks.
    pub text: String,
    /// When the run ended, by the clock on the wall: to be shown, never to be calculated with.
    pub at: SystemTime,
    /// How long the run took; zero for a heartbeat.
    pub duration: Duration,
}

/// By subject and check. Mostly a subject has one check, of which a tree would take ten times as much.
type Kept = BTreeMap<Subject, LiteMap<CheckId, Output>>;

/// Reads the last outputs. Cheap to clone; one lookup at a time holds a lock, for as long as it copies one output.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    kept: Arc<Mutex<Kept>>,
}

impl Outputs {
    /// The last output of a check; none before its first run, and for one that is not watched.
    pub fn get(&self, subject: &Subject, check: &CheckId) -> Option<Output> {
        self.lock().get(subject)?.get(check).cloned()
    }

    /// Keeps what a check said, in place of what it said before.
    pub(crate) fn put(&self, subject: &Subject, check: &CheckId, text: String, duration: Duration) {
        #[expect(clippy::disallowed_methods, reason = "people want to know when a check ran; nothing is decided by it")]
        let at = SystemTime::now();
        let output = Output { text, at, duration };
        self.lock().entry(subject.clone()).or_insert_with(|| LiteMap::with_capacity(1)).insert(check.clone(), output);
    }

    /// Forgets the checks of something, but for those that `keep` names.
    pub(super) fn retain(&self, subject: &Subject, keep: impl Fn(&CheckId) -> bool) {
        let mut kept = self.lock();
        if let Some(checks) = kept.get_mut(subject) {
            checks.retain(|check, _| keep(check));
            if checks.is_empty() {
                kept.remove(subject);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Each change is one insertion or removal, so what a panic left behind is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
