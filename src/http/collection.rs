//! Lists, all in one shape.

use axum::Json;
use serde::Serialize;

use super::problem::{Problem, ProblemType};
use crate::catalog::Snapshot;

/// Items in a stable order.
#[derive(Debug, Serialize)]
pub(super) struct Collection<T> {
    items: Vec<T>,
    /// Where the next page starts; null as long as a page holds everything.
    next: Option<String>,
}

/// A list that is known to be whole.
pub(super) fn whole<T>(items: Vec<T>) -> Json<Collection<T>> {
    Json(Collection { items, next: None })
}

/// What was found in a snapshot.
///
/// # Errors
/// Before the first full sync finding nothing means nothing: the agent can't know.
pub(super) fn found<T>(snapshot: &Snapshot, items: Vec<T>) -> Result<Json<Collection<T>>, Problem> {
    if items.is_empty() && !snapshot.ready { Err(not_ready()) } else { Ok(whole(items)) }
}

/// One thing that was looked up in a snapshot.
///
/// # Errors
/// `absent` when it does not exist, or that the agent can't know.
pub(super) fn known<T>(snapshot: &Snapshot, item: Option<T>, absent: impl FnOnce() -> Problem) -> Result<T, Problem> {
    item.ok_or_else(|| if snapshot.ready { absent() } else { not_ready() })
}

/// The agent has not had a first full sync.
pub(super) fn not_ready() -> Problem {
    Problem::new(ProblemType::NotReady, "this agent has not yet had a first full sync with the cluster")
}
