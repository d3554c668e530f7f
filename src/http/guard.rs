//! Guards of writes: `If-Match` and `If-None-Match` (RFC 9110, 13.1), so that nobody overwrites what they have not seen.

use std::{hash::Hasher, sync::Arc};

use axum::http::{HeaderMap, header};
use siphasher::sip::SipHasher13;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::{
    etag::{ETag, Tags},
    problem::{Problem, ProblemType},
};
use crate::model::InstanceId;

/// What must hold of the instance before a write.
#[derive(Debug)]
pub(super) struct Guard {
    matches: Option<Tags>,
    matches_not: Option<Tags>,
}

impl Guard {
    /// That of a request.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn of(headers: &HeaderMap) -> Result<Guard, Problem> {
        Ok(Guard { matches: Tags::of(headers, &header::IF_MATCH)?, matches_not: Tags::of(headers, &header::IF_NONE_MATCH)? })
    }

    /// Whether anything must hold at all.
    fn is_there(&self) -> bool {
        self.matches.is_some() || self.matches_not.is_some()
    }

    /// Holds it against the tag of what is there.
    ///
    /// # Errors
    /// When it does not hold.
    pub(super) fn check(&self, current: Option<&ETag>) -> Result<(), Problem> {
        let failed = |detail: &str| Err(Problem::new(ProblemType::PreconditionFailed, detail));
        if self.matches.as_ref().is_some_and(|tags| !current.is_some_and(|tag| tags.match_strongly(tag))) {
            return failed(match current {
                Some(_) => "the instance is another one than If-Match names: GET it again, then decide",
                None => "there is no such instance, and If-Match wants one",
            });
        }
        if self.matches_not.as_ref().is_some_and(|tags| current.is_some_and(|tag| tags.match_weakly(tag))) {
            return failed("there is such an instance already, and If-None-Match wants none");
        }
        Ok(())
    }
}

/// How many writes with a guard can be under way at once, at best.
const LOCKS: usize = 64;

/// Keeps a write away between the look and the write of another one that has a guard. Writes without one, which are
/// nearly all, keep nobody from writing.
#[derive(Debug)]
pub(super) struct Writes(Vec<Arc<RwLock<()>>>);

/// Held from before the guard is looked at until the write is done and can be read.
#[expect(dead_code, reason = "held for its end")]
pub(super) enum Writing {
    WithOthers(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
}

impl Default for Writes {
    fn default() -> Self {
        Writes((0..LOCKS).map(|_| Arc::default()).collect())
    }
}

impl Writes {
    /// Waits until a write of this instance may begin.
    pub(super) async fn begin(&self, id: &InstanceId, guard: &Guard) -> Writing {
        let mut hasher = SipHasher13::new();
        hasher.write(id.as_str().as_bytes());
        let lock = Arc::clone(&self.0[(hasher.finish() % LOCKS as u64) as usize]);
        match guard.is_there() {
            true => Writing::Alone(lock.write_owned().await),
            false => Writing::WithOthers(lock.read_owned().await),
        }
    }
}
