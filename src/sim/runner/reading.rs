//! What an agent shows to its readers.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::{
    catalog::{Snapshot, select::held_back},
    model::{InstanceId, NodeId, ServiceName},
    sim::scenario::{
        Expectation, Node, Nodes,
        expectation::{Instance, Seen},
    },
};

/// Differences that are named.
const NAMED: usize = 6;

/// A catalog, and who is who in it.
pub(super) struct Reading<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) ids: &'a [Option<NodeId>],
    pub(super) nodes: &'a [Node],
}

impl Reading<'_> {
    /// Whether it is as expected.
    ///
    /// # Errors
    /// What is there instead.
    pub(super) fn compare(&self, expectation: &Expectation) -> Result<(), String> {
        match expectation {
            Expectation::HandsOut { service, instances, .. } => self.hands_out(service, instances),
            Expectation::HeldBack { service, instances, reason, .. } => self.holds_back(service, instances, *reason),
            Expectation::Sees { nodes, states, .. } => self.sees(nodes, states),
            Expectation::HoldsName { node, name, .. } => match self.snapshot.holder(name.as_str()).map(|entry| entry.node.id) {
                Some(holder) if Some(holder) == self.ids[*node] => Ok(()),
                Some(holder) => Err(format!("finds {} under {name}", self.name(holder))),
                None => Err(format!("finds nobody under {name}")),
            },
            Expectation::Agree(_) | Expectation::Stopped(..) => Ok(()),
        }
    }

    fn hands_out(&self, service: &ServiceName, instances: &[Instance]) -> Result<(), String> {
        let expected: BTreeSet<(Option<NodeId>, &InstanceId)> =
            instances.iter().map(|instance| (self.ids[instance.node], &instance.id)).collect();
        let all = self.snapshot.service(service.as_str()).into_iter().flat_map(|entries| entries.values());
        let (out, back): (Vec<_>, Vec<_>) = all.partition(|entry| held_back(self.snapshot, entry).is_none());
        let found: BTreeSet<(Option<NodeId>, &InstanceId)> = out.iter().map(|entry| (Some(entry.node), &entry.instance.id)).collect();
        if found == expected {
            return Ok(());
        }
        let mut text = format!("hands out {}", list(out.iter().map(|entry| self.place(entry.node, &entry.instance.id))));
        let missing = instances.iter().filter(|instance| !found.contains(&(self.ids[instance.node], &instance.id)));
        let missing: Vec<String> = missing
            .map(|instance| {
                let entry = back.iter().find(|entry| Some(entry.node) == self.ids[instance.node] && entry.instance.id == instance.id);
                let why = entry.and_then(|entry| held_back(self.snapshot, entry)).map_or("unknown", |why| why.as_str());
                format!("{}/{} ({why})", self.nodes[instance.node].host, instance.id)
            })
            .collect();
        if !missing.is_empty() {
            text.push_str(&format!("; not {}", list(missing)));
        }
        Err(text)
    }

    fn holds_back(&self, service: &ServiceName, instances: &[Instance], reason: Option<&str>) -> Result<(), String> {
        let others = instances.iter().filter_map(|instance| {
            let entry = self.ids[instance.node].and_then(|node| self.snapshot.instance(node, &instance.id));
            let entry = entry.filter(|entry| entry.instance.service == *service);
            let is = match entry.map(|entry| held_back(self.snapshot, entry)) {
                None => "does not know",
                Some(None) => "hands out",
                Some(Some(why)) if reason.is_none_or(|reason| reason == why.as_str()) => return None,
                Some(Some(why)) => return Some(format!("holds back {}/{} as {why}", self.nodes[instance.node].host, instance.id)),
            };
            Some(format!("{is} {}/{}", self.nodes[instance.node].host, instance.id))
        });
        let others: Vec<String> = others.collect();
        if others.is_empty() { Ok(()) } else { Err(list(others)) }
    }

    fn sees(&self, nodes: &Nodes, states: &[Seen]) -> Result<(), String> {
        let others = nodes.iter().filter_map(|place| {
            let entry = self.ids[place].and_then(|id| self.snapshot.node(id));
            let seen = entry.map_or(Seen::Unknown, |entry| Seen::As(entry.node.state));
            let why = entry.map(|entry| entry.node.reason.as_str()).filter(|reason| !reason.is_empty());
            let text = || match why {
                Some(why) => format!("{} as {} ({why})", self.nodes[place].host, seen.as_str()),
                None => format!("{} as {}", self.nodes[place].host, seen.as_str()),
            };
            (!states.contains(&seen)).then(text)
        });
        let others: Vec<String> = others.collect();
        if others.is_empty() { Ok(()) } else { Err(format!("sees {}", list(others))) }
    }

    /// All that it shows, a line each: what is to be the same everywhere.
    pub(super) fn everything(&self) -> Vec<String> {
        let nodes = self.snapshot.nodes().map(|entry| {
            let node = &entry.node;
            let (info, maintenance) = (&node.info, node.info.maintenance.as_deref().unwrap_or("-"));
            format!(
                "{} called {} in {:?} as {} at {}, life {}, maintenance {maintenance}, checks {:?}",
                self.name(node.id),
                info.name,
                info.zone,
                node.state,
                node.gossip,
                node.life,
                node.health
            )
        });
        let instances = self.snapshot.instances().map(|entry| {
            let place = self.place(entry.node, &entry.instance.id);
            format!("{place} as {:?}, {}, {:?}", entry.instance, entry.status, entry.health)
        });
        nodes.chain(instances).collect()
    }

    fn place(&self, node: NodeId, id: &InstanceId) -> String {
        format!("{}/{id}", self.name(node))
    }

    fn name(&self, id: NodeId) -> String {
        match self.ids.iter().position(|known| *known == Some(id)) {
            Some(place) => self.nodes[place].host.to_string(),
            None => format!("node {id}"),
        }
    }
}

/// The same for two that show the same.
pub(super) fn fingerprint(lines: &[String]) -> u64 {
    // Its keys are constants: the same in each run.
    let mut hasher = DefaultHasher::new();
    lines.hash(&mut hasher);
    hasher.finish()
}

/// What is in one view, and not in another one.
pub(super) fn difference(lines: &[String], common: &[String], whose: &str) -> String {
    let only = |these: &[String], those: &[String]| {
        let those: BTreeSet<&String> = those.iter().collect();
        list(these.iter().filter(|line| !those.contains(line)).map(|line| line.chars().take(160).collect::<String>()))
    };
    format!("shows {}; where {whose} shows {}", only(lines, common), only(common, lines))
}

/// Some of them, if they are many.
fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    match items.len() {
        0 => "nothing".to_owned(),
        few @ 1..=NAMED => items[..few].join(", "),
        many => format!("{} and {} more", items[..NAMED].join(", "), many - NAMED),
    }
}
