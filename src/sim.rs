//! The deterministic simulator: hosts, their disks and a network in virtual time, around the very core, catalog and store of
//! the agent. One thread, no clock, no socket: all that happens follows from a seed.
//!
//! A [`World`] holds hosts. Each has a disk that outlives its processes, an address, and at most one process: a core with its store and its
//! catalog, driven as the agent's shell drives them. What the world does to them is called by its methods; what they do is seen by a
//! [`Watcher`].

pub mod checkers;
mod churn;
mod cluster;
mod deeds;
mod disk;
pub mod growth;
mod host;
mod image;
mod intruder;
mod keys;
mod link;
mod mark;
mod network;
mod outputs;
mod process;
mod queue;
pub mod registration;
pub mod runner;
pub mod scenario;
mod spread;
mod story;
pub mod swarm;
mod tape;
mod tcp;
mod views;
mod watcher;
mod world;

pub use churn::{End, churn};
pub use cluster::Cluster;
pub use disk::{DiskState, Platter};
pub use host::{Host, HostId, HostOptions, Power};
pub use image::Image;
pub use intruder::Recorded;
pub use link::{Conditions, Latency};
pub use mark::{Mark, Place};
pub use network::{Effects, Fault, FaultId, Group, Network, Sent, Traffic};
pub use process::Process;
pub use spread::{News, Spread};
pub use story::Line;
pub use views::{Lapse, Views, Wrong};
pub use watcher::{Deed, Seen, Watcher};
pub use world::{Violation, World};

#[cfg(test)]
mod tests;
