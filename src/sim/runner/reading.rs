//! What an agent shows to its readers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::{
    catalog::{Snapshot, select::held_back},
    model::{InstanceId, NodeId, ServiceName},
    sim::scenario::{
        Expectation, Node, Nodes, cast,
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
        let missing = instances.iter().filter(|instance| !found.contains(&(self.ids[instance.node], &instance.id))).map(|instance| {
            let entry = back.iter().find(|entry| Some(entry.node) == self.ids[instance.node] && entry.instance.id == instance.id);
            let why = entry.and_then(|entry| held_back(self.snapshot, entry)).map_or("unknown", |why| why.as_str());
            (format!(" ({why})"), instance.id.to_string(), Who::Host(instance.node))
        });
        let besides = out.iter().filter(|entry| !expected.contains(&(Some(entry.node), &entry.instance.id)));
        let besides = besides.map(|entry| (String::new(), entry.instance.id.to_string(), self.who(entry.node)));
        let (missing, besides) = (self.in_groups(missing), self.in_groups(besides));
        let parts = [("does not hand out", missing), ("hands out", besides)];
        let parts = parts.into_iter().filter(|(_, items)| !items.is_empty()).map(|(what, items)| format!("{what} {}", list(items)));
        Err(parts.collect::<Vec<_>>().join(", and "))
    }

    fn holds_back(&self, service: &ServiceName, instances: &[Instance], reason: Option<&str>) -> Result<(), String> {
        let others = instances.iter().filter_map(|instance| {
            let entry = self.ids[instance.node].and_then(|node| self.snapshot.instance(node, &instance.id));
            let entry = entry.filter(|entry| entry.instance.service == *service);
            let is = match entry.map(|entry| held_back(self.snapshot, entry)) {
                None => " is unknown".to_owned(),
                Some(None) => " is handed out".to_owned(),
                Some(Some(why)) if reason.is_none_or(|reason| reason == why.as_str()) => return None,
                Some(Some(why)) => format!(" is held back as {why}"),
            };
            Some((is, instance.id.to_string(), Who::Host(instance.node)))
        });
        let others = self.in_groups(others);
        if others.is_empty() { Ok(()) } else { Err(format!("shows that {}", list(others))) }
    }

    fn sees(&self, nodes: &Nodes, states: &[Seen]) -> Result<(), String> {
        let mut others: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for place in nodes.iter() {
            let entry = self.ids[place].and_then(|id| self.snapshot.node(id));
            let seen = entry.map_or(Seen::Unknown, |entry| Seen::As(entry.node.state));
            let why = entry.map(|entry| entry.node.reason).filter(|reason| !reason.is_empty());
            let text = why.map_or(seen.as_str().to_owned(), |why| format!("{} ({why})", seen.as_str()));
            if !states.contains(&seen) {
                others.entry(text).or_default().insert(place);
            }
        }
        let others: Vec<String> = others.into_iter().map(|(how, nodes)| format!("{} as {how}", self.hosts(nodes))).collect();
        if others.is_empty() { Ok(()) } else { Err(format!("sees {}", list(others))) }
    }

    /// All that it shows and that is to be the same everywhere.
    pub(super) fn everything(&self) -> Vec<Item> {
        let nodes = self.snapshot.nodes().map(|entry| {
            let node = &entry.node;
            let name = self.name(node.id);
            let called = if node.info.name.as_str() == name { String::new() } else { format!(" called {}", node.info.name) };
            let said = format!("{name}{called} as {}", node.state);
            Item::new(said, &(node.id, node.life, node.gossip, &node.info, &node.health, node.state))
        });
        let instances = self.snapshot.instances().map(|entry| {
            let said = format!("{} of {} as {}", entry.instance.id, self.name(entry.node), entry.status);
            Item::new(said, &(entry.node, &entry.instance, entry.status, &entry.health))
        });
        nodes.chain(instances).collect()
    }

    fn name(&self, id: NodeId) -> String {
        match self.who(id) {
            Who::Host(place) => self.nodes[place].host.to_string(),
            Who::Node(id) => format!("node {id}"),
        }
    }

    fn who(&self, id: NodeId) -> Who {
        self.ids.iter().position(|known| *known == Some(id)).map_or(Who::Node(id), Who::Host)
    }

    fn hosts(&self, places: BTreeSet<usize>) -> String {
        cast::said(&places.into_iter().collect(), |place| self.nodes[place].host.as_str())
    }

    /// Instances by what is said of them and by their id, with those that have them.
    fn in_groups(&self, instances: impl Iterator<Item = (String, String, Who)>) -> Vec<String> {
        let mut groups: BTreeMap<(String, String), (BTreeSet<usize>, BTreeSet<NodeId>)> = BTreeMap::new();
        for (said, id, who) in instances {
            let (hosts, nodes) = groups.entry((said, id)).or_default();
            match who {
                Who::Host(place) => drop(hosts.insert(place)),
                Who::Node(node) => drop(nodes.insert(node)),
            }
        }
        let group = |((said, id), (hosts, nodes)): ((String, String), (BTreeSet<usize>, BTreeSet<NodeId>))| {
            let hosts = Some(self.hosts(hosts)).filter(|hosts| !hosts.is_empty());
            let owners: Vec<String> = hosts.into_iter().chain(nodes.iter().map(|node| format!("node {node}"))).collect();
            format!("{id} of {}{said}", owners.join(", "))
        };
        groups.into_iter().map(group).collect()
    }
}

/// An owner: a host of the scenario, or a node that none of them is any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Host(usize),
    Node(NodeId),
}

/// Something that is shown: in few words, and the whole of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Item {
    said: String,
    whole: String,
}

impl Item {
    fn new(said: String, whole: &dyn fmt::Debug) -> Item {
        Item { said, whole: format!("{whole:?}") }
    }
}

/// The same for two that show the same.
pub(super) fn fingerprint(items: &[Item]) -> u64 {
    // Its keys are constants: the same in each run.
    let mut hasher = DefaultHasher::new();
    items.hash(&mut hasher);
    hasher.finish()
}

/// What is in one view, and not in another one.
pub(super) fn difference(items: &[Item], others: &[Item], whose: &str) -> String {
    let only = |these: &[Item], those: &[Item]| {
        let known: BTreeSet<&Item> = those.iter().collect();
        let said: BTreeSet<&str> = those.iter().map(|item| item.said.as_str()).collect();
        let mut differing: Vec<&Item> = these.iter().filter(|item| !known.contains(item)).collect();
        differing.sort();
        list(
            differing
                .into_iter()
                .map(|item| format!("{}{}", item.said, if said.contains(item.said.as_str()) { " in another form" } else { "" })),
        )
    };
    format!("shows {}; {whose} shows {}", only(items, others), only(others, items))
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
