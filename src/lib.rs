//! Tidings: a gossip-based, peer-to-peer service registry and discovery agent.
//!
//! `Architecture.md` holds the code map and the invariants. The modules below are its rooms, from the
//! bottom of the house up: each may use those above it in this list, where its line in that document says so.

pub mod agent;
pub mod catalog;
pub mod checks;
pub mod cli;
pub mod config;
pub mod core;
pub mod dns;
pub mod http;
pub mod model;
pub mod registrar;
pub mod store;
pub mod wire;
