//! Checks of the services beside the agent: they are run here, judged here, and reported through the registrar.
//!
//! [`Scheduler`] is the room's one actor. It is told by [`CheckOrder`](crate::model::CheckOrder)s what to watch, and tells
//! verdicts by [`Command`](crate::model::Command)s. `roster.rs` knows what is watched and when something is due, `verdict.rs`
//! what follows from results, both without I/O. What a check asks is for its kind to know, in [`kinds`](crate::kinds).

mod lease;
mod outbox;
mod output;
mod roster;
mod scheduler;
mod verdict;

pub use output::{Output, Outputs};
pub use scheduler::{RUNS, Scheduler};
