//! The shapes of what is answered. The order of fields is the order in which they are sent.

mod checks;
mod keys;
mod written;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime},
};

use schemars::JsonSchema;
use serde::Serialize;

use self::written::{optional_duration, time};
pub(super) use self::{
    checks::{CheckRunView, CheckStateView, CheckView, FoundCheckView, HealthView, states},
    keys::EncryptionView,
    written::text,
};
use super::openapi::shapes;
use crate::{
    catalog::{
        Entry, NodeEntry, Snapshot,
        select::{HeldBack, held_back_with},
    },
    model::{Instance, Registration},
};

/// A definition as its owner gave it: what `GET` answers can be `PUT` back.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Definition")]
pub(super) struct DefinitionView<'a> {
    #[schemars(schema_with = "shapes::id")]
    id: &'a str,
    #[schemars(schema_with = "shapes::label")]
    service: &'a str,
    addresses: &'a [IpAddr],
    port: u16,
    #[schemars(schema_with = "shapes::protocol")]
    protocol: &'static str,
    tags: Vec<&'a str>,
    meta: &'a BTreeMap<String, String>,
    weight: u16,
    checks: Vec<CheckView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    #[schemars(schema_with = "shapes::duration")]
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

/// An instance as the cluster finds it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Instance")]
pub(super) struct InstanceView<'a> {
    /// The name of its node; null in the moment in which that is not known.
    node: Option<&'a str>,
    #[serde(serialize_with = "text")]
    #[schemars(schema_with = "shapes::node_id")]
    node_id: crate::model::NodeId,
    #[schemars(schema_with = "shapes::id")]
    id: &'a str,
    #[schemars(schema_with = "shapes::label")]
    service: &'a str,
    /// Where it is found: its own, else those of its node.
    addresses: &'a [IpAddr],
    port: u16,
    #[schemars(schema_with = "shapes::protocol")]
    protocol: &'static str,
    tags: Vec<&'a str>,
    meta: &'a BTreeMap<String, String>,
    weight: u16,
    #[schemars(schema_with = "shapes::status")]
    status: &'static str,
    #[serde(serialize_with = "time")]
    #[schemars(schema_with = "shapes::time")]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HeldBack")]
struct HeldBackView {
    #[schemars(schema_with = "shapes::held_back")]
    reason: &'static str,
    detail: String,
}

impl HeldBackView {
    fn new(why: HeldBack<'_>, owner: Option<&NodeEntry>) -> Self {
        let node = owner.map_or("", |owner| owner.node.info.name.as_str());
        let state_reason = owner.map_or("", |owner| owner.node.reason);
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Node")]
pub(super) struct NodeView<'a> {
    #[serde(serialize_with = "text")]
    #[schemars(schema_with = "shapes::node_id")]
    id: crate::model::NodeId,
    #[schemars(schema_with = "shapes::label")]
    name: &'a str,
    #[schemars(schema_with = "shapes::state")]
    state: &'static str,
    reason: &'a str,
    #[serde(serialize_with = "time")]
    #[schemars(schema_with = "shapes::time")]
    since: SystemTime,
    addresses: &'a [IpAddr],
    gossip: SocketAddr,
    zone: Option<&'a str>,
    meta: &'a BTreeMap<String, String>,
    version: &'a str,
    generation: u32,
    maintenance: Option<&'a str>,
    encryption: EncryptionView,
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
            reason: node.reason,
            since: entry.since,
            addresses: &node.info.addresses,
            gossip: node.gossip,
            zone: node.info.zone.as_ref().map(|zone| zone.as_str()),
            meta: &node.info.meta,
            version: &node.info.agent_version,
            generation: node.life.generation,
            maintenance: node.info.maintenance.as_deref(),
            encryption: EncryptionView::from(&node.info.encryption),
            checks: states(&node.health).collect(),
            instances: None,
            name_conflict: None,
        }
    }
}
