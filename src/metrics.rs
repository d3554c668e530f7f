//! What the agent counts of itself, and its text for Prometheus (OpenMetrics 1.0).
//!
//! Each part of the agent holds the small struct of its own metrics and counts by it; who puts the agent together makes them all
//! ([`Metrics::new`]) and hands them out. Counting takes an atomic addition: no lock, no memory, no look-up by text. Every
//! label has values that are known beforehand, so nothing that comes from outside can make the output grow.
//!
//! What can be read off something else (members and instances off the catalog, memory off the system) is not kept up to date: a
//! [`Collector`] reads it when somebody asks.

mod checks;
mod dns;
mod gossip;
mod grid;
mod http;
mod process;
mod store;
mod timing;

use std::{fmt, sync::Arc};

pub use prometheus_client::collector::Collector;
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

pub use checks::CheckMetrics;
pub use dns::{DnsMetrics, QueryResult, QueryType, Unanswered};
pub use gossip::{Direction, GossipMetrics, Opener, ProtocolMetrics};
pub use grid::Grid;
pub use http::{HttpMetrics, NoHandshake};
pub use store::StoreMetrics;
pub use timing::{Stopwatch, Timing};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is told of the agent itself: for people who join it to other metrics.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The version of the program.
    pub version: String,
    /// The name of its node.
    pub name: String,
    /// The id of its node.
    pub node: String,
    /// Its cluster.
    pub cluster: String,
}

/// Values of labels that other rooms know.
#[derive(Debug, Clone)]
pub struct Labels {
    /// Why datagrams and streams are dropped.
    pub drop_reasons: Vec<&'static str>,
    /// Why conversations by stream are opened.
    pub purposes: Vec<&'static str>,
    /// What may be wrong with a member.
    pub faults: Vec<&'static str>,
    /// The kinds of check.
    pub kinds: Vec<&'static str>,
    /// Why this agent takes another generation without a start.
    pub climb_causes: Vec<&'static str>,
    /// Method and path of each route of the API.
    pub routes: Vec<(&'static str, &'static str)>,
}

/// All metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    /// Those of gossip.
    pub gossip: GossipMetrics,
    /// Those of the store.
    pub store: StoreMetrics,
    /// Those of checks.
    pub checks: CheckMetrics,
    /// Those of the DNS server.
    pub dns: DnsMetrics,
    /// Those of the HTTP server.
    pub http: HttpMetrics,
    registry: Arc<Registry>,
}

impl Metrics {
    /// Everything at zero. `collectors` are asked at each scrape; their names get the prefix `tidings_`.
    pub fn new(facts: Facts, labels: &Labels, collectors: Vec<Box<dyn Collector>>) -> Metrics {
        let mut all = Registry::default();
        // These go by the names that every program's have, so that dashboards for all programs find them.
        all.register_collector(Box::new(process::Process::new()));
        let registry = all.sub_registry_with_prefix("tidings");
        registry.register("build", "The program that runs: its version", Info::new(vec![("version", facts.version)]));
        let agent = Info::new(vec![("name", facts.name), ("node", facts.node), ("cluster", facts.cluster)]);
        registry.register("agent", "Whose agent this is: the name and the id of its node, and its cluster", agent);
        let gossip = GossipMetrics::new(registry, labels);
        let store = StoreMetrics::new(registry);
        let checks = CheckMetrics::new(registry, &labels.kinds);
        let dns = DnsMetrics::new(registry);
        let http = HttpMetrics::new(registry, &labels.routes);
        collectors.into_iter().for_each(|collector| registry.register_collector(collector));
        Metrics { gossip, store, checks, dns, http, registry: Arc::new(all) }
    }

    /// All of them, in the media type [`MEDIA_TYPE`].
    pub fn text(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing to memory does not fail");
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn grid(registry: &mut Registry, name: &str, help: &str, grid: Grid) -> Grid {
    registry.register(name, help, grid.clone());
    grid
}

fn timing(registry: &mut Registry, name: &str, help: &str, bounds: &'static [u64]) -> Timing {
    let timing = Timing::new(bounds);
    registry.register_with_unit(name, help, Unit::Seconds, timing.clone());
    timing
}
