//! Metrics of the HTTP server.

use std::time::Duration;

use prometheus_client::{
    metrics::counter::Counter,
    registry::{Registry, Unit},
};

use super::{Grid, counter, grid, grid::Row, timing::Timings};

/// From 0.1 ms to 5 s: a read comes from memory, a write waits for the disk, a leave for peers.
const REQUESTS: &[u64] = &[100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000];

/// What stands for everything that is no route: its path, and its method.
const OTHER: &str = "other";

/// Metrics of the HTTP server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    routes: std::sync::Arc<[(&'static str, &'static str)]>,
    requests: Grid,
    duration: Timings,
    handshakes: Grid,
    cut: Counter,
}

/// Why no conversation over TLS came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHandshake {
    /// The client spoke HTTP without TLS.
    Plain,
    /// It did not come to an end in time.
    Timeout,
    /// The client showed no certificate that is taken, where it had to.
    ClientCertificate,
    /// The client broke it off: it does not trust the certificate, for example.
    Refused,
    /// The client went away.
    Gone,
    /// What the client said was no TLS, or none that is spoken here.
    Protocol,
}

impl NoHandshake {
    const ALL: [&'static str; 6] = ["plain", "timeout", "client_certificate", "refused", "gone", "protocol"];

    /// A word for it.
    pub const fn word(self) -> &'static str {
        NoHandshake::ALL[self as usize]
    }
}

impl HttpMetrics {
    pub(super) fn new(registry: &mut Registry, routes: &[(&'static str, &'static str)]) -> HttpMetrics {
        let all = routes.iter().copied().chain([(OTHER, OTHER)]);
        let rows: Vec<Row> = all.map(|(method, route)| vec![("method", method), ("route", route)]).collect();
        let duration = Timings::new(rows.clone(), REQUESTS);
        let help = "How long it took until the head of an answer was ready; reads that waited for a change are left out";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, duration.clone());
        let help = "HTTP requests by route and class of status; HEAD counts as GET, and a request that no route takes as other";
        let requests = grid(registry, "http_requests", help, Grid::of(rows, "status", &["2xx", "3xx", "4xx", "5xx"]));
        let help = "Connections over which no TLS came about, by why: the client spoke plain HTTP (plain), took too long (timeout), showed no certificate that \
            is taken (client_certificate), did not take the agent's (refused), went away (gone), or said something else (protocol)";
        let handshakes = grid(registry, "http_handshake_failures", help, Grid::line("reason", &NoHandshake::ALL));
        let help = "Connections that were ended, though their time was not over, since all places were taken and their clients had been waited for the longest";
        let cut = counter(registry, "http_connections_cut", help);
        HttpMetrics { routes: routes.into(), requests, duration, handshakes, cut }
    }

    /// A connection made room for another.
    pub fn connection_cut(&self) {
        self.cut.inc();
    }

    /// A handshake of TLS failed.
    pub fn handshake_failed(&self, why: NoHandshake) {
        self.handshakes.count(0, why as usize);
    }

    /// A request to the route with this path was answered. Without a duration when that says nothing about the agent.
    pub fn request(&self, method: &str, path: Option<&str>, status: u16, duration: Option<Duration>) {
        let method = if method == "HEAD" { "GET" } else { method };
        let row = path.and_then(|path| self.routes.iter().position(|route| *route == (method, path))).unwrap_or(self.routes.len());
        let class = usize::from((status / 100).clamp(2, 5) - 2);
        self.requests.count(row, class);
        if let Some(duration) = duration {
            self.duration.observe(row, duration);
        }
    }
}
