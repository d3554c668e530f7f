//! The REST API: what this agent knows, read from the catalog, and what it owns, written through the registrar.
//!
//! A read never waits for anything but the client, and for a change where the client asks for that. Every error is an RFC 9457 problem whose type stands in
//! [`problem::PROBLEM_TYPES`]; every route stands in [`ROUTES`].

mod access;
mod agent;
mod body;
mod checks;
mod collection;
mod conditional;
mod etag;
mod events;
mod guard;
mod health;
mod host;
mod instances;
mod keys;
mod maintenance;
mod metrics;
mod nodes;
mod openapi;
mod page;
mod parameters;
mod path;
mod prefer;
pub mod problem;
mod registrations;
mod representation;
mod routes;
mod server;
mod services;
#[cfg(test)]
mod testing;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, watch};

pub use access::Needs;
pub use body::BODY_OCTETS;
pub use conditional::WAITING;
pub use events::FOLLOWERS;
pub use openapi::{Operation, Parameter, build as openapi_document};
pub use page::{LARGEST_PAGE, PAGE};
pub use prefer::LONGEST_WAIT;
pub use routes::{ROUTES, Route, router};
pub use server::{CONNECTIONS, HttpServer, LOCAL_CONNECTIONS, SocketError};

use crate::{
    access::Policy,
    catalog::Catalog,
    checks::Outputs,
    keyring::KeyHolder,
    metrics::Metrics,
    model::{ClusterName, Domain, NodeId, NodeName},
    registrar::Registrar,
};
use conditional::Rereads;
use guard::Writes;

/// What every handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// What is read.
    pub catalog: Catalog,
    /// The way to write.
    pub registrar: Registrar,
    /// What the checks of this agent said last.
    pub outputs: Outputs,
    /// Who may do what.
    pub access: Arc<ArcSwap<Policy>>,
    /// The keys of gossip.
    pub keys: Arc<KeyHolder>,
    /// What does not change while the agent runs.
    pub info: Arc<AgentInfo>,
    /// What the agent counts.
    pub metrics: Metrics,
    shared: Arc<Shared>,
}

/// What requests share among themselves.
#[derive(Debug)]
struct Shared {
    /// Places for reads that wait.
    waiting: Semaphore,
    /// Places for clients that follow events.
    following: Arc<Semaphore>,
    /// What those who wait share of what they read.
    rereads: Rereads,
    writes: Writes,
    /// True from when the server is to end.
    ending: watch::Sender<bool>,
}

impl ApiState {
    /// The state of an API that nobody uses yet.
    pub fn new(
        catalog: Catalog,
        registrar: Registrar,
        outputs: Outputs,
        keys: Arc<KeyHolder>,
        access: Arc<ArcSwap<Policy>>,
        info: Arc<AgentInfo>,
        metrics: Metrics,
    ) -> ApiState {
        let shared = Shared {
            waiting: Semaphore::new(WAITING),
            following: Arc::new(Semaphore::new(FOLLOWERS)),
            rereads: Rereads::default(),
            writes: Writes::default(),
            ending: watch::Sender::new(false),
        };
        ApiState { catalog, registrar, outputs, keys, access, info, metrics, shared: Arc::new(shared) }
    }

    /// Done when the server is to end: whoever waits for a change is answered then.
    fn ending(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ending = self.shared.ending.subscribe();
        async move { drop(ending.wait_for(|ending| *ending).await) }
    }

    /// Lets those who wait go.
    fn end(&self) {
        self.shared.ending.send_replace(true);
    }
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
    /// Where this API is bound, if it is served over TCP.
    pub http: Option<SocketAddr>,
    /// The Unix socket that it is served at, if it is.
    pub http_socket: Option<PathBuf>,
    /// The names that its host may be called by in a URL, beside `localhost` and addresses.
    pub http_names: Vec<Domain>,
    /// Where its DNS server is bound.
    pub dns: SocketAddr,
}
