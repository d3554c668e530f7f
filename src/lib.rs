//! Tidings: a gossip-based, peer-to-peer service registry and discovery agent.
//!
//! `Architecture.md` holds the code map and the invariants. Each module below is a room of the house; which may use which stands
//! in the table there, and a test holds the code to it.

pub mod access;
pub mod agent;
pub mod catalog;
pub mod checks;
pub mod cli;
pub mod config;
pub mod core;
pub mod definition;
pub mod dns;
pub mod fields;
pub mod http;
pub mod keyring;
pub mod kinds;
pub mod metrics;
pub mod model;
mod planted;
pub mod registrar;
pub mod sim;
pub mod store;
pub mod tls;
pub mod wire;
