//! Claims about the rules by which records are replicated, without any network: an owner, copies, and what travels between.
//!
//! The rules were model-checked; what is checked here is that the code follows them.

#[path = "replication/actors.rs"]
mod actors;
#[path = "replication/bounds.rs"]
mod bounds;
#[path = "replication/counter_examples.rs"]
mod counter_examples;
#[path = "replication/history.rs"]
mod history;
#[path = "replication/schedules.rs"]
mod schedules;
