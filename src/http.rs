//! The REST API: what this agent knows, read from the catalog, and what it owns, written through the registrar.
//!
//! A read never waits for anything but the client. Every error is an RFC 9457 problem whose type stands in
//! [`problem::PROBLEM_TYPES`]; every route stands in [`ROUTES`].

mod agent;
mod body;
mod checks;
mod collection;
mod definition;
mod health;
mod instances;
mod maintenance;
mod nodes;
mod parameters;
mod path;
pub mod problem;
mod registrations;
mod representation;
mod routes;
mod server;
mod services;
#[cfg(test)]
mod testing;

use std::{net::SocketAddr, sync::Arc};

pub use body::BODY_OCTETS;
pub use routes::{ROUTES, Route, router};
pub use server::{CONNECTIONS, HttpServer};

use crate::{
    catalog::Catalog,
    model::{ClusterName, NodeId, NodeName},
    registrar::Registrar,
};

/// What every handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// What is read.
    pub catalog: Catalog,
    /// The way to write.
    pub registrar: Registrar,
    /// What does not change while the agent runs.
    pub info: Arc<AgentInfo>,
}

/// What this agent knows of itself from its start to its end, and the catalog does not hold.
#[derive(Debug, Clone)]
pub struct AgentInfo {
    /// The id of its node.
    pub node_id: NodeId,
    /// The name that its node goes by.
    pub name: NodeName,
    /// The cluster that it belongs to.
    pub cluster: ClusterName,
    /// How often it was started on its data folder.
    pub generation: u32,
    /// The version of the program.
    pub version: String,
    /// The DNS domain that it answers for, without a dot at the end.
    pub domain: String,
    /// Where its gossip is received, as peers are told.
    pub gossip: SocketAddr,
    /// Where this API is bound.
    pub http: SocketAddr,
    /// Where its DNS server is bound.
    pub dns: SocketAddr,
}
