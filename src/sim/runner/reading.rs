//! What an agent shows to its readers, held against what is expected of it. Who plays a scenario elsewhere brings a [`Shown`] of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::{
    catalog::{Snapshot, select::held_back},
    model::{InstanceId, MemberState, NodeId, ServiceName},
    sim::scenario::{
        Expectation, Node, Nodes, cast,
        expectation::{Instance, Seen},
    },
};

/// Differences that are named.
const NAMED: usize = 6;

/// What an agent shows, wherever that was read.
pub trait Shown {
    /// The state of a node that is listed, and why it is in that state, for people.
    fn state(&self, node: NodeId) -> Option<(MemberState, &str)>;

    /// The node that is found under a name.
    fn holder(&self, name: &str) -> Option<NodeId>;

    /// All instances of a service, those that are held back included.
    fn instances_of(&self, service: &str) -> Vec<Found<'_>>;

    /// All that is to be the same everywhere. `name` says what a node is called in the scenario.
    fn everything(&self, name: &dyn Fn(NodeId) -> String) -> Vec<Item>;
}

/// An instance that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Whose it is.
    pub node: NodeId,
    /// Its id there.
    pub id: &'a InstanceId,
    /// Why it is not handed out, if it is not.
    pub held_back: Option<&'a str>,
}

impl Shown for Snapshot {
    fn state(&self, node: NodeId) -> Option<(MemberState, &str)> {
        self.node(node).map(|entry| (entry.node.state, entry.node.reason))
    }

    fn holder(&self, name: &str) -> Option<NodeId> {
        Snapshot::holder(self, name).map(|entry| entry.node.id)
    }

    fn instances_of(&self, service: &str) -> Vec<Found<'_>> {
        let all = self.service(service).into_iter().flat_map(|entries| entries.values());
        let held_back = |entry| held_back(self, entry).map(|why| why.as_str());
        all.map(|entry| Found { node: entry.node, id: &entry.instance.id, held_back: held_back(entry) }).collect()
    }

    fn everything(&self, name: &dyn Fn(NodeId) -> String) -> Vec<Item> {
        let nodes = self.nodes().map(|entry| {
            let node = &entry.node;
            let name = name(node.id);
            let called = if node.info.name.as_str() == name { String::new() } else { format!(" called {}", node.info.name) };
            let said = format!("{name}{called} as {}", node.state);
            Item::new(said, &(node.id, node.life, node.gossip, &node.info, &node.health, node.state))
        });
        let instances = self.instances().map(|entry| {
            let said = format!("{} of {} as {}", entry.instance.id, name(entry.node), entry.status);
            Item::new(said, &(entry.node, &entry.instance, entry.status, &entry.health))
        });
        nodes.chain(instances).collect()
    }
}

/// What an agent shows, and who is who in it.
pub struct Reading<'a, S> {
    /// What it shows.
    pub shown: &'a S,
    /// Which node each host was, when its agent started last.
    pub ids: &'a [Option<NodeId>],
    /// The nodes of the scenario.
    pub nodes: &'a [Node],
}

impl<S: Shown> Reading<'_, S> {
    /// Whether it is as expected.
    ///
    /// # Errors
    /// What is there instead.
    pub fn compare(&self, expectation: &Expectation) -> Result<(), String> {
        match expectation {
            Expectation::HandsOut { service, instances, .. } => self.hands_out(service, instances),
            Expectation::HeldBack { service, instances, reason, .. } => self.holds_back(service, instances, *reason),
            Expectation::Sees { nodes, states, .. } => self.sees(nodes, states),
            Expectation::HoldsName { node, name, .. } => match self.shown.holder(name.as_str()) {
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
        let (out, back): (Vec<_>, Vec<_>) =
            self.shown.instances_of(service.as_str()).into_iter().partition(|found| found.held_back.is_none());
        let found: BTreeSet<(Option<NodeId>, &InstanceId)> = out.iter().map(|found| (Some(found.node), found.id)).collect();
        if found == expected {
            return Ok(());
        }
        let missing = instances.iter().filter(|instance| !found.contains(&(self.ids[instance.node], &instance.id))).map(|instance| {
            let entry = back.iter().find(|found| Some(found.node) == self.ids[instance.node] && *found.id == instance.id);
            let why = entry.and_then(|found| found.held_back).unwrap_or("unknown");
            (format!(" ({why})"), instance.id.to_string(), Who::Host(instance.node))
        });
        let besides = out.iter().filter(|found| !expected.contains(&(Some(found.node), found.id)));
        let besides = besides.map(|found| (String::new(), found.id.to_string(), self.who(found.node)));
        let (missing, besides) = (self.in_groups(missing), self.in_groups(besides));
        let parts = [("does not hand out", missing), ("hands out", besides)];
        let parts = parts.into_iter().filter(|(_, items)| !items.is_empty()).map(|(what, items)| format!("{what} {}", list(items)));
        Err(parts.collect::<Vec<_>>().join(", and "))
    }

    fn holds_back(&self, service: &ServiceName, instances: &[Instance], reason: Option<&str>) -> Result<(), String> {
        let all = self.shown.instances_of(service.as_str());
        let others = instances.iter().filter_map(|instance| {
            let entry = all.iter().find(|found| Some(found.node) == self.ids[instance.node] && *found.id == instance.id);
            let is = match entry.map(|found| found.held_back) {
                None => " is unknown".to_owned(),
                Some(None) => " is handed out".to_owned(),
                Some(Some(why)) if reason.is_none_or(|reason| reason == why) => return None,
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
            let entry = self.ids[place].and_then(|id| self.shown.state(id));
            let seen = entry.map_or(Seen::Unknown, |(state, _)| Seen::As(state));
            let why = entry.map(|(_, reason)| reason).filter(|reason| !reason.is_empty());
            let text = why.map_or(seen.as_str().to_owned(), |why| format!("{} ({why})", seen.as_str()));
            if !states.contains(&seen) {
                others.entry(text).or_default().insert(place);
            }
        }
        let others: Vec<String> = others.into_iter().map(|(how, nodes)| format!("{} as {how}", self.hosts(nodes))).collect();
        if others.is_empty() { Ok(()) } else { Err(format!("sees {}", list(others))) }
    }

    /// All that it shows and that is to be the same everywhere.
    pub fn everything(&self) -> Vec<Item> {
        self.shown.everything(&|node| self.name(node))
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
pub struct Item {
    said: String,
    whole: String,
}

impl Item {
    /// Something, in few words, and the whole of it.
    pub fn new(said: String, whole: &dyn fmt::Debug) -> Item {
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
pub fn difference(items: &[Item], others: &[Item], whose: &str) -> String {
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
