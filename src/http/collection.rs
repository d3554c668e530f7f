//! Lists, all in one shape.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    conditional::Shown,
    problem::{Problem, ProblemType},
};
use crate::catalog::{Interest, Snapshot};

/// Items in a stable order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(super) struct Collection<T> {
    pub(super) items: Vec<T>,
    /// Where the next page starts; null where nothing follows.
    pub(super) next: Option<String>,
}

impl<T> Collection<T> {
    /// A list that is known to be whole.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Collection { items, next: None }
    }
}

impl<T: Serialize> Collection<T> {
    /// What was found in a snapshot.
    ///
    /// # Errors
    /// Before the cluster is known finding nothing means nothing: a peer may know better.
    pub(super) fn found(self, snapshot: &Snapshot, interest: Interest) -> Result<Shown, Problem> {
        if self.items.is_empty() && !snapshot.ready { Err(not_ready()) } else { Ok(Shown::new(&self, interest)) }
    }
}

/// One thing that was looked up in a snapshot.
///
/// # Errors
/// `absent` when it does not exist, or that the agent can't know.
pub(super) fn known<T>(snapshot: &Snapshot, item: Option<T>, absent: impl FnOnce() -> Problem) -> Result<T, Problem> {
    item.ok_or_else(|| if snapshot.ready { absent() } else { not_ready() })
}

/// The agent does not know the cluster yet.
pub(super) fn not_ready() -> Problem {
    Problem::new(ProblemType::NotReady, "this agent has not yet heard from all of its cluster")
}
