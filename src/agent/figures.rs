//! Metrics that need more than one room: they are read off the catalog when somebody asks, or follow what the core counts.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::{
    catalog::{Catalog, Entry, Snapshot, select},
    core::{
        Core,
        counters::{CLIMB_CAUSES, PURPOSES},
        detector::Fault,
        io::DROP_REASONS,
    },
    http, kinds,
    metrics::{Facts, GossipMetrics, Labels, Metrics},
    model::{MemberState, Status},
};

/// Why the shell itself drops what is to be sent.
pub(super) const SEND_BUFFER_FULL: &str = "send_buffer_full";

/// All metrics of an agent with this catalog.
pub fn metrics(catalog: Catalog, facts: Facts) -> Metrics {
    let labels = Labels {
        drop_reasons: DROP_REASONS.into_iter().chain([SEND_BUFFER_FULL]).collect(),
        purposes: PURPOSES.to_vec(),
        faults: Fault::ALL.map(Fault::as_str).to_vec(),
        kinds: kinds::names().collect(),
        climb_causes: CLIMB_CAUSES.to_vec(),
        routes: http::ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect(),
    };
    Metrics::new(facts, &labels, vec![Box::new(Figures { catalog })])
}

/// Has the metrics follow what the core counted.
pub(super) fn follow(metrics: &GossipMetrics, core: &Core) {
    use std::sync::atomic::Ordering::Relaxed;
    let (counted, ours) = (core.counters(), &metrics.protocol);
    let (detector, membership) = (counted.detector, counted.membership);
    let pairs = [
        (&ours.probes, detector.probes),
        (&ours.probe_failures, detector.probes_failed),
        (&ours.inconclusive, detector.inconclusive),
        (&ours.suspicions, detector.suspicions + membership.suspicions),
        (&ours.held_up, detector.late),
        (&ours.rejoins, counted.rejoins),
        (&ours.unqueued, counted.unqueued),
        (&ours.sync_records, counted.sync_records),
    ];
    pairs.into_iter().for_each(|(counter, total)| counter.inner().store(total, Relaxed));
    let by_peers = detector.refutations + membership.refutations;
    let by_us = detector.own_refutations + membership.own_refutations;
    for (column, total) in [by_peers, by_us].into_iter().enumerate() {
        ours.refutations.follow(0, column, total);
    }
    for (column, total) in [detector.requests, detector.errands].into_iter().enumerate() {
        ours.probe_requests.follow(0, column, total);
    }
    for (column, total) in detector.verdicts.into_iter().enumerate() {
        ours.verdicts.follow(0, column, total);
    }
    for (column, total) in [counted.pushes_news, counted.pushes_known, counted.pushes_early].into_iter().enumerate() {
        ours.pushes.follow(0, column, total);
    }
    for (row, (done, failed)) in counted.syncs_done.into_iter().zip(counted.syncs_failed).enumerate() {
        ours.syncs.follow(row, 0, done);
        ours.syncs.follow(row, 1, failed);
    }
    for (column, total) in counted.climbs.into_iter().enumerate() {
        ours.climbs.follow(0, column, total);
    }
    ours.waiting.set(core.push_queue() as i64);
    ours.local_health.set(i64::from(detector.local_health));
    ours.watches.set(detector.watches as i64);
    ours.graves.set(core.graves() as i64);
}

/// Reads the catalog.
struct Figures {
    catalog: Catalog,
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

const STATES: [MemberState; 5] = [MemberState::Alive, MemberState::Suspect, MemberState::Restarting, MemberState::Down, MemberState::Left];
const STATUSES: [Status; 3] = [Status::Passing, Status::Warning, Status::Critical];

/// Instances by status, and those held back by reason.
#[derive(Default)]
struct Tally {
    statuses: [u64; STATUSES.len()],
    held_back: [u64; select::REASONS.len()],
}

impl Tally {
    fn count(&mut self, entry: &Entry, held_back: Option<&str>) {
        self.statuses[entry.status as usize] += 1;
        if let Some(place) = held_back.and_then(|reason| select::REASONS.iter().position(|known| *known == reason)) {
            self.held_back[place] += 1;
        }
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let snapshot = self.catalog.load();
        let (mut all, mut own) = (Tally::default(), Tally::default());
        for entry in snapshot.instances() {
            let held_back = select::held_back(&snapshot, entry).map(|held_back| held_back.as_str());
            all.count(entry, held_back);
            if entry.node == snapshot.local {
                own.count(entry, held_back);
            }
        }
        let encoder = &mut encoder;
        one(encoder, "ready", "1 when this agent knows what the cluster knows, else 0.", u64::from(snapshot.ready))?;
        one(encoder, "name_conflict", "1 while another node that is up holds the name of this one, else 0.", in_conflict(&snapshot))?;
        let members = STATES.map(|state| snapshot.nodes().filter(|entry| entry.node.state == state).count() as u64);
        let help = "Members of the cluster as this agent sees them, itself included.";
        some(encoder, "members", help, "state", &STATES.map(MemberState::as_str), &members)?;
        one(encoder, "services", "Services that have an instance.", snapshot.services().len() as u64)?;
        let statuses = STATUSES.map(Status::as_str);
        let help = "Instances that this agent knows of, by the worst of their checks.";
        some(encoder, "instances", help, "status", &statuses, &all.statuses)?;
        let help = "Of those, the ones that are not handed out, by the first reason that holds.";
        some(encoder, "instances_held_back", help, "reason", &select::REASONS, &all.held_back)?;
        let help = "Instances that are registered with this agent, by the worst of their checks.";
        some(encoder, "own_instances", help, "status", &statuses, &own.statuses)?;
        let help = "Of those, the ones that are not handed out, by the first reason that holds.";
        some(encoder, "own_instances_held_back", help, "reason", &select::REASONS, &own.held_back)
    }
}

fn in_conflict(snapshot: &Snapshot) -> u64 {
    u64::from(snapshot.node(snapshot.local).is_some_and(|own| snapshot.in_conflict(&own.node)))
}

fn one(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn some(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, label: &str, names: &[&str], values: &[u64]) -> fmt::Result {
    let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (text, value) in names.iter().zip(values) {
        ConstGauge::new(*value).encode(encoder.encode_family(&[(label, *text)])?)?;
    }
    Ok(())
}
