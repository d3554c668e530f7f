//! The shapes of what is answered. The order of fields is the order in which they are sent.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};

use crate::{
    catalog::{
        Entry, NodeEntry, Snapshot,
        select::{HeldBack, held_back_with},
    },
    model::{Check, Health, Instance, Registration, Status, check::Probe},
};

/// A definition as its owner gave it: what `GET` answers can be `PUT` back.
#[derive(Debug, Serialize)]
pub(super) struct DefinitionView<'a> {
    id: &'a str,
    service: &'a str,
    addresses: &'a [IpAddr],
    port: u16,
    protocol: &'static str,
    tags: Vec<&'a str>,
    meta: &'a BTreeMap<String, String>,
    weight: u16,
    checks: Vec<CheckView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    deregister_after: Option<Duration>,
}

impl<'a> From<&'a Registration> for DefinitionView<'a> {
    fn from(registration: &'a Registration) -> Self {
        DefinitionView {
            checks: registration.checks.iter().map(CheckView::from).collect(),
            deregister_after: registration.deregister_after,
            ..DefinitionView::from(&registration.instance)
        }
    }
}

impl<'a> From<&'a Instance> for DefinitionView<'a> {
    fn from(instance: &'a Instance) -> Self {
        DefinitionView {
            id: instance.id.as_str(),
            service: instance.service.as_str(),
            addresses: &instance.addresses,
            port: instance.port,
            protocol: instance.protocol.as_str(),
            tags: instance.tags.iter().map(|tag| tag.as_str()).collect(),
            meta: &instance.meta,
            weight: instance.weight,
            checks: Vec::new(),
            deregister_after: None,
        }
    }
}

/// A check as it was given, with what was left out filled in.
#[derive(Debug, Default, Serialize)]
pub(super) struct CheckView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirects: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    ttl: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    timeout: Option<Duration>,
    rise: u16,
    fall: u16,
    initial: &'static str,
}

impl<'a> From<&'a Check> for CheckView<'a> {
    fn from(check: &'a Check) -> Self {
        let (interval, timeout) = (Some(check.interval), Some(check.timeout));
        let common =
            CheckView { id: check.id.as_str(), rise: check.rise, fall: check.fall, initial: check.initial.as_str(), ..Self::default() };
        match &check.probe {
            Probe::Ttl { ttl } => CheckView { ttl: Some(*ttl), ..common },
            Probe::Tcp { target } => CheckView { tcp: Some(target), interval, timeout, ..common },
            Probe::Http(http) => CheckView {
                http: Some(&http.url),
                method: Some(&http.method),
                headers: Some(&http.headers),
                statuses: Some(http.statuses.iter().map(|range| format!("{}-{}", range.start(), range.end())).collect()),
                redirects: Some(http.redirects),
                ca_file: http.ca_file.as_deref(),
                verify: Some(http.verify),
                interval,
                timeout,
                ..common
            },
        }
    }
}

/// What a check has yielded.
#[derive(Debug, Serialize)]
pub(super) struct CheckStateView<'a> {
    id: &'a str,
    status: &'static str,
    reason: &'a str,
}

/// How an instance is, apart from its definition.
#[derive(Debug, Serialize)]
pub(super) struct HealthView<'a> {
    status: &'static str,
    #[serde(serialize_with = "time")]
    since: SystemTime,
    maintenance: Option<&'a str>,
    checks: Vec<CheckStateView<'a>>,
}

impl<'a> From<&'a Entry> for HealthView<'a> {
    fn from(entry: &'a Entry) -> Self {
        HealthView {
            status: entry.status.as_str(),
            since: entry.since,
            maintenance: entry.health.maintenance.as_deref(),
            checks: states(&entry.health).collect(),
        }
    }
}

fn states(health: &Health) -> impl Iterator<Item = CheckStateView<'_>> {
    health.checks.iter().map(|(id, state)| CheckStateView { id: id.as_str(), status: state.status.as_str(), reason: &state.reason })
}

/// A check as the cluster finds it. One of a node is of no service and no instance.
#[derive(Debug, Serialize)]
pub(super) struct FoundCheckView<'a> {
    node: Option<&'a str>,
    service: Option<&'a str>,
    instance: Option<&'a str>,
    #[serde(flatten)]
    state: CheckStateView<'a>,
}

impl<'a> FoundCheckView<'a> {
    /// Whether it is in this status.
    pub(super) fn is(&self, status: Status) -> bool {
        self.state.status == status.as_str()
    }

    /// All checks of a node itself.
    pub(super) fn of_node(entry: &'a NodeEntry) -> impl Iterator<Item = FoundCheckView<'a>> {
        let node = Some(entry.node.info.name.as_str());
        states(&entry.node.health).map(move |state| FoundCheckView { node, service: None, instance: None, state })
    }

    /// All checks of an instance.
    pub(super) fn of(snapshot: &'a Snapshot, entry: &'a Entry) -> impl Iterator<Item = FoundCheckView<'a>> {
        let node = snapshot.node(entry.node).map(|owner| owner.node.info.name.as_str());
        let (service, instance) = (Some(entry.instance.service.as_str()), Some(entry.instance.id.as_str()));
        states(&entry.health).map(move |state| FoundCheckView { node, service, instance, state })
    }
}

/// An instance as the cluster finds it.
#[derive(Debug, Serialize)]
pub(super) struct InstanceView<'a> {
    /// The name of its node; null in the moment in which that is not known.
    node: Option<&'a str>,
    #[serde(serialize_with = "text")]
    node_id: crate::model::NodeId,
    id: &'a str,
    service: &'a str,
    /// Where it is found: its own, else those of its node.
    addresses: &'a [IpAddr],
    port: u16,
    protocol: &'static str,
    tags: Vec<&'a str>,
    meta: &'a BTreeMap<String, String>,
    weight: u16,
    status: &'static str,
    #[serde(serialize_with = "time")]
    since: SystemTime,
    held_back: Option<HeldBackView>,
}

impl<'a> InstanceView<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, entry: &'a Entry) -> Self {
        InstanceView::on(snapshot.node(entry.node), entry)
    }

    /// An instance on its node, where that is known.
    pub(super) fn on(owner: Option<&'a NodeEntry>, entry: &'a Entry) -> Self {
        let DefinitionView { id, service, port, protocol, tags, meta, weight, addresses, .. } = DefinitionView::from(&*entry.instance);
        let inherited = owner.map(|owner| &*owner.node.info.addresses).filter(|_| addresses.is_empty());
        InstanceView {
            node: owner.map(|owner| owner.node.info.name.as_str()),
            node_id: entry.node,
            id,
            service,
            addresses: inherited.unwrap_or(addresses),
            port,
            protocol,
            tags,
            meta,
            weight,
            status: entry.status.as_str(),
            since: entry.since,
            held_back: held_back_with(owner, entry).map(|why| HeldBackView::new(why, owner)),
        }
    }
}

/// Why an instance is not handed out: a word for programs, a sentence for people.
#[derive(Debug, Serialize)]
struct HeldBackView {
    reason: &'static str,
    detail: String,
}

impl HeldBackView {
    fn new(why: HeldBack, owner: Option<&NodeEntry>) -> Self {
        let node = owner.map_or("", |owner| owner.node.info.name.as_str());
        let state_reason = owner.map_or("", |owner| owner.node.reason.as_str());
        let reason = why.as_str();
        let detail = match why {
            HeldBack::NodeUnknown => "its node is not known".to_owned(),
            HeldBack::NodeLeft => format!("node {node} left: {state_reason}"),
            HeldBack::NodeDown => format!("node {node} is down: {state_reason}"),
            HeldBack::NodeMaintenance(why) => format!("node {node} is in maintenance: {why}"),
            HeldBack::NodeCritical { check, reason } => format!("check {check} of node {node} is critical: {reason}"),
            HeldBack::Maintenance(why) => format!("it is in maintenance: {why}"),
            HeldBack::Critical { check, reason } => format!("its check {check} is critical: {reason}"),
        };
        HeldBackView { reason, detail: detail.trim_end_matches(": ").to_owned() }
    }
}

/// A node as this agent sees it.
#[derive(Debug, Serialize)]
pub(super) struct NodeView<'a> {
    #[serde(serialize_with = "text")]
    id: crate::model::NodeId,
    name: &'a str,
    state: &'static str,
    reason: &'a str,
    #[serde(serialize_with = "time")]
    since: SystemTime,
    addresses: &'a [IpAddr],
    gossip: SocketAddr,
    zone: Option<&'a str>,
    meta: &'a BTreeMap<String, String>,
    version: &'a str,
    generation: u32,
    maintenance: Option<&'a str>,
    /// Its own checks; while one is critical, all its instances are held back.
    checks: Vec<CheckStateView<'a>>,
    /// How many instances it owns. This and what follows is not of the node alone, and left out where that is shown alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<usize>,
    /// Whether another node holds its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_conflict: Option<bool>,
}

impl<'a> NodeView<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, entry: &'a NodeEntry) -> Self {
        NodeView {
            instances: Some(snapshot.instances_of(entry.node.id).count()),
            name_conflict: Some(snapshot.in_conflict(&entry.node)),
            ..NodeView::alone(entry)
        }
    }

    /// A node without regard to all others.
    pub(super) fn alone(entry: &'a NodeEntry) -> Self {
        let node = &*entry.node;
        NodeView {
            id: node.id,
            name: node.info.name.as_str(),
            state: node.state.as_str(),
            reason: &node.reason,
            since: entry.since,
            addresses: &node.info.addresses,
            gossip: node.gossip,
            zone: node.info.zone.as_ref().map(|zone| zone.as_str()),
            meta: &node.info.meta,
            version: &node.info.agent_version,
            generation: node.life.generation,
            maintenance: node.info.maintenance.as_deref(),
            checks: states(&node.health).collect(),
            instances: None,
            name_conflict: None,
        }
    }
}

/// RFC 3339 in UTC, to the millisecond.
fn time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let before_year_one = *time < SystemTime::UNIX_EPOCH;
    let at = jiff::Timestamp::try_from(*time).unwrap_or(if before_year_one { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX });
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// As it is displayed.
pub(super) fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// For example `10s` or `1m 30s`: what a definition takes.
fn optional_duration<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let signed = duration.and_then(|duration| jiff::SignedDuration::try_from(duration).ok()).unwrap_or_default();
    serializer.collect_str(&format_args!("{signed:#}"))
}
