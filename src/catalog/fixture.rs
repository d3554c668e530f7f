//! Hand-made catalogs for tests.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Catalog, Publisher};
use crate::model::{
    Change, CheckId, CheckState, Health, Instance, InstanceId, Life, MemberState, Node, NodeId, NodeName, Protocol, ServiceName, Status,
    Tag, node::NodeInfo,
};

/// The node whose agent answers.
pub(crate) const LOCAL: NodeId = NodeId(1);

/// A catalog with the local node `db-1` (10.0.0.1, fd00::1) and these changes after it.
pub(crate) fn catalog(changes: impl IntoIterator<Item = Change>) -> (Publisher, Catalog) {
    let (mut publisher, catalog) = Publisher::new(LOCAL);
    let local = node(1, "db-1", &["10.0.0.1", "fd00::1"], MemberState::Alive);
    publisher.publish([Change::Ready(true), local].into_iter().chain(changes), at(START));
    (publisher, catalog)
}

pub(crate) fn node(id: u64, name: &str, addresses: &[&str], state: MemberState) -> Change {
    Change::Node(Arc::new(Node {
        id: NodeId(id),
        life: Life::default(),
        gossip: "10.0.0.1:8746".parse().unwrap(),
        info: NodeInfo {
            name: NodeName::new(name).unwrap(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            zone: None,
            meta: BTreeMap::new(),
            agent_version: "0.1.0".into(),
            wire_versions: (1, 1),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: Default::default(),
        },
        health: Health::default(),
        state,
        reason: "",
    }))
}

/// An instance of a service on the local node, to be changed before it is registered.
pub(crate) fn instance(service: &str, id: &str, addresses: &[&str], port: u16) -> Instance {
    Instance {
        id: InstanceId::new(id).unwrap(),
        service: ServiceName::new(service).unwrap(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        port,
        protocol: Protocol::Tcp,
        tags: vec![],
        meta: BTreeMap::new(),
        weight: 10,
    }
}

pub(crate) fn tagged(mut instance: Instance, tags: &[&str]) -> Instance {
    instance.tags = tags.iter().map(|tag| Tag::new(tag).unwrap()).collect();
    instance
}

pub(crate) fn on(node: u64, instance: Instance, status: Status) -> Change {
    let state = CheckState { status, reason: format!("it is {status}") };
    let checks = [(CheckId::new("test").expect("an id"), state)].into_iter().collect();
    Change::Instance { node: NodeId(node), instance: Arc::new(instance), health: Arc::new(Health { checks, maintenance: None }) }
}

pub(crate) fn passing(instance: Instance) -> Change {
    on(1, instance, Status::Passing)
}

/// When [`catalog`] publishes, in seconds since 1970.
pub(crate) const START: u64 = 1;

/// A point in time, in seconds since 1970.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// So many passing instances of `web`, each with an address of its own from 10.1.0.0 up.
pub(crate) fn many(count: u16) -> impl Iterator<Item = Change> {
    (0..count).map(|n| passing(instance("web", &format!("web-{n}"), &[&format!("10.1.{}.{}", n >> 8, n & 0xff)], 8_080)))
}
