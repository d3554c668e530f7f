//! What an agent shows over its API.

use std::collections::BTreeMap;

use serde_json::Value;
use tidings::{
    model::{InstanceId, MemberState, NodeId},
    sim::runner::reading::{Found, Item, Shown},
};

/// Of what is shown, this differs between agents by its nature: when and how each of them found it out.
const OWN: [&str; 4] = ["since", "reason", "detail", "at"];

/// A node as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) state: MemberState,
    pub(crate) reason: String,
    /// Another node holds its name.
    conflict: bool,
    whole: Value,
}

/// An instance as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    service: String,
    status: String,
    held_back: Option<String>,
    whole: Value,
}

/// All that an agent shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    pub(crate) instances: BTreeMap<(NodeId, InstanceId), Instance>,
}

/// Reads `GET /v1/nodes`.
pub(crate) fn nodes(answer: &Value) -> Option<BTreeMap<NodeId, Node>> {
    let node = |item: &Value| {
        let state = [MemberState::Alive, MemberState::Suspect, MemberState::Restarting, MemberState::Down, MemberState::Left];
        let state = state.into_iter().find(|state| item["state"] == state.as_str())?;
        let text = |key: &str| item[key].as_str().map(str::to_owned);
        let conflict = item["name_conflict"].as_bool()?;
        let node = Node { name: text("name")?, state, reason: text("reason")?, conflict, whole: common(item) };
        Some((item["id"].as_str()?.parse().ok()?, node))
    };
    answer["items"].as_array()?.iter().map(node).collect()
}

/// Reads `GET /v1/instances?status=any`.
pub(crate) fn instances(answer: &Value) -> Option<BTreeMap<(NodeId, InstanceId), Instance>> {
    let instance = |item: &Value| {
        let text = |key: &str| item[key].as_str().map(str::to_owned);
        let held_back = item["held_back"]["reason"].as_str().map(str::to_owned);
        let instance = Instance { service: text("service")?, status: text("status")?, held_back, whole: common(item) };
        let id = InstanceId::new(item["id"].as_str()?).ok()?;
        Some(((item["node_id"].as_str()?.parse().ok()?, id), instance))
    };
    answer["items"].as_array()?.iter().map(instance).collect()
}

/// What is to be the same everywhere.
fn common(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.iter().filter(|(key, _)| !OWN.contains(&key.as_str())).map(|(key, value)| (key.clone(), common(value))).collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(common).collect()),
        other => other.clone(),
    }
}

impl Shown for View {
    fn state(&self, node: NodeId) -> Option<(MemberState, &str)> {
        self.nodes.get(&node).map(|node| (node.state, node.reason.as_str()))
    }

    fn holder(&self, name: &str) -> Option<NodeId> {
        let mut called: Vec<_> = self.nodes.iter().filter(|(_, node)| node.name == name && !node.conflict).collect();
        called.sort_by_key(|(_, node)| !node.state.is_up());
        called.first().map(|(id, _)| **id)
    }

    fn instances_of(&self, service: &str) -> Vec<Found<'_>> {
        let all = self.instances.iter().filter(|(_, instance)| instance.service == service);
        all.map(|((node, id), instance)| Found { node: *node, id, held_back: instance.held_back.as_deref() }).collect()
    }

    fn everything(&self, name: &dyn Fn(NodeId) -> String) -> Vec<Item> {
        let nodes = self.nodes.iter().map(|(id, node)| Item::new(format!("{} as {}", name(*id), node.state), &node.whole));
        let instances = self
            .instances
            .iter()
            .map(|((node, id), instance)| Item::new(format!("{id} of {} as {}", name(*node), instance.status), &instance.whole));
        nodes.chain(instances).collect()
    }
}
