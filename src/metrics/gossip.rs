//! Metrics of gossip: what goes over the network, and what the protocol makes of it.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::{Grid, Labels, Timing, counter, gauge, grid, timing};

/// From 1 ms to 1 min: what is pushed takes milliseconds, and what was held up seconds.
const AGES: &[u64] = &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 60_000_000];

/// Which way something went. The order is that of the label's values.
#[derive(Debug, Clone, Copy)]
pub enum Direction {
    /// To this agent.
    In,
    /// From this agent.
    Out,
}

/// Who opened a stream. The order is that of the label's values.
#[derive(Debug, Clone, Copy)]
pub enum Opener {
    /// This agent.
    Us,
    /// A peer, or whoever else reached the port.
    Peer,
}

/// Metrics of gossip. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GossipMetrics {
    datagrams: Grid,
    datagram_bytes: Grid,
    streams: Grid,
    stream_bytes: Grid,
    dropped: Grid,
    /// Streams that are open.
    pub open_streams: Gauge,
    /// How old pushed news was when it came.
    pub news_age: Timing,
    /// What the protocol counts itself.
    pub protocol: ProtocolMetrics,
}

impl GossipMetrics {
    pub(super) fn new(registry: &mut Registry, labels: &Labels) -> GossipMetrics {
        let ways = || Grid::line("direction", &["in", "out"]);
        let reasons: Vec<&'static str> = labels.drop_reasons.iter().copied().chain(["other"]).collect();
        GossipMetrics {
            datagrams: grid(registry, "gossip_datagrams", "Datagrams of gossip that were received and sent", ways()),
            datagram_bytes: grid(registry, "gossip_datagram_bytes", "Octets in datagrams of gossip, without headers of IP and UDP", ways()),
            streams: grid(
                registry,
                "gossip_streams",
                "Streams of gossip that were opened, by who opened them",
                Grid::line("opener", &["self", "peer"]),
            ),
            stream_bytes: grid(registry, "gossip_stream_bytes", "Octets in streams of gossip, without headers of IP and TCP", ways()),
            dropped: grid(
                registry,
                "gossip_dropped",
                "What came to the gossip port and was dropped, or could not be sent, by reason",
                Grid::line("reason", &reasons),
            ),
            open_streams: gauge(registry, "gossip_open_streams", "Streams of gossip that are open"),
            news_age: timing(
                registry,
                "gossip_news_age",
                "How old pushed records that were news were when they came: the time that they were held by their owner and by those who \
                 forwarded them; time on the wire is not in it",
                AGES,
            ),
            protocol: ProtocolMetrics::new(registry, labels),
        }
    }

    /// A datagram went this way.
    pub fn datagram(&self, way: Direction, octets: usize) {
        self.datagrams.count(0, way as usize);
        self.datagram_bytes.add(0, way as usize, octets as u64);
    }

    /// A stream is open.
    pub fn stream(&self, opener: Opener) {
        self.streams.count(0, opener as usize);
    }

    /// Octets went this way in a stream.
    pub fn stream_octets(&self, way: Direction, octets: usize) {
        self.stream_bytes.add(0, way as usize, octets as u64);
    }

    /// Something was dropped.
    pub fn dropped(&self, reason: &str) {
        self.dropped.count(0, self.dropped.column(reason));
    }
}

/// What the protocol counts itself: these follow its own counters.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the texts of help say it")]
pub struct ProtocolMetrics {
    pub probes: Counter,
    pub probe_failures: Counter,
    pub inconclusive: Counter,
    pub probe_requests: Grid,
    pub suspicions: Counter,
    pub refutations: Grid,
    pub verdicts: Grid,
    pub held_up: Counter,
    pub local_health: Gauge,
    pub watches: Gauge,
    pub rejoins: Counter,
    pub pushes: Grid,
    pub unqueued: Counter,
    pub waiting: Gauge,
    pub syncs: Grid,
    pub sync_records: Counter,
    pub climbs: Grid,
    pub graves: Gauge,
}

impl ProtocolMetrics {
    fn new(registry: &mut Registry, labels: &Labels) -> ProtocolMetrics {
        ProtocolMetrics {
            probes: counter(registry, "probes", "Members that this agent probed"),
            probe_failures: counter(registry, "probe_failures", "Probes that were not answered in time, so that a suspicion followed"),
            inconclusive: counter(
                registry,
                "probes_inconclusive",
                "Probes in which no answer came from anywhere, not even from members that were asked for help: that speaks against this \
                 agent, not against the member",
            ),
            probe_requests: grid(
                registry,
                "probe_requests",
                "Times that a member was to be probed for somebody else: this agent asked others (self), or others asked it (peer)",
                Grid::line("by", &["self", "peer"]),
            ),
            suspicions: counter(registry, "suspicions", "Times that a member became suspect here, by a probe of this agent or by hearsay"),
            refutations: grid(
                registry,
                "refutations",
                "Suspicions that were refuted: by the member that was suspect here (peer), or by this agent, which others suspected (self)",
                Grid::line("by", &["peer", "self"]),
            ),
            verdicts: grid(
                registry,
                "down_verdicts",
                "Members that this agent itself found down, by what was wrong: its host refuses connections (refused), no answer comes from \
                 it at all (silent), or it takes connections and does not answer (stalled)",
                Grid::line("fault", &labels.faults),
            ),
            held_up: counter(
                registry,
                "held_up",
                "Times that this agent came more than 0.2 s late to a deadline of its own, because it was paused or starved, and held what \
                 it had missed against no member",
            ),
            local_health: gauge(
                registry,
                "local_health",
                "How unwell this agent holds itself to be, from 0 (well) to 4: it waits longer then",
            ),
            watches: gauge(registry, "watch_streams", "Idle streams to and from members, whose end tells that the other process died"),
            rejoins: counter(registry, "rejoins", "Times that the cluster took this agent for down and it came back by itself"),
            pushes: grid(
                registry,
                "pushes",
                "Pushed records that came: news, known already, or so early that a sync must bring what is missing before them",
                Grid::line("outcome", &["news", "known", "early"]),
            ),
            unqueued: counter(
                registry,
                "pushes_unqueued",
                "Records that were not queued to be pushed, because they are too large for a datagram or the queue is full: syncs bring them",
            ),
            waiting: gauge(registry, "push_queue_records", "Records that are being pushed; at most 4096 are"),
            syncs: grid(
                registry,
                "syncs",
                "Conversations by stream that this agent began and that ended: to join, to look for lost members, to sync what differs, \
                 to say farewell, to ask whether another agent speaks under its id (itself)",
                Grid::new("purpose", &labels.purposes, "result", &["done", "failed"]),
            ),
            sync_records: counter(
                registry,
                "sync_records",
                "Records, removals among them, that syncs brought and that were not known: at the start all, later what pushes missed",
            ),
            climbs: grid(
                registry,
                "climbs",
                "Times that this agent took another generation without a start, by cause: peers held later versions than it had written \
                 (ahead) or others (forked), as after it was resumed from an image; they knew of another life that does not answer \
                 (another_life), as after its data folder was restored from a backup; it had been forgotten or reaped (buried)",
                Grid::line("cause", &labels.climb_causes),
            ),
            graves: gauge(registry, "graves", "Nodes that were forgotten or reaped and are kept from coming back; at most 4096 are"),
        }
    }
}
