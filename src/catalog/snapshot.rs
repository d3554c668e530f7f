//! The snapshot itself. Its maps are persistent: a copy costs a few pointers, a change costs the logarithm of what exists.

use std::{borrow::Borrow, hash::BuildHasherDefault, net::IpAddr, ops::Bound, sync::Arc, time::SystemTime};

use imbl::{GenericHashMap, OrdMap, OrdSet, shared_ptr::DefaultSharedPtr};
use siphasher::sip::SipHasher13;

use super::service::ServiceEntry;
use crate::model::{Change, Health, Instance, InstanceId, Node, NodeId, NodeName, Protocol, Registration, ServiceName, Status};
use crate::planted::{Planted, is_planted};

/// With a key that is the same everywhere: two runs of the simulator are the same.
type ByName = BuildHasherDefault<SipHasher13>;

/// Names an instance in the cluster.
pub type Place = (NodeId, InstanceId);

/// A node, and since when it is in its state.
#[derive(Debug, Clone)]
pub struct NodeEntry {
    /// What is known of it.
    pub node: Arc<Node>,
    /// When this agent saw it enter its state.
    pub since: SystemTime,
}

/// An instance, and since when it is in its status.
#[derive(Debug)]
pub struct Entry {
    /// Its owner.
    pub node: NodeId,
    /// Its definition.
    pub instance: Arc<Instance>,
    /// The worst of its checks.
    pub status: Status,
    /// What its checks have yielded, and whether it is in maintenance.
    pub health: Arc<Health>,
    /// When this agent saw it enter its status.
    pub since: SystemTime,
}

impl Entry {
    /// Where it is found: its own addresses, else those of its node, which is this one.
    pub fn addresses<'a>(&'a self, owner: &'a NodeEntry) -> &'a [IpAddr] {
        if self.instance.addresses.is_empty() { &owner.node.info.addresses } else { &self.instance.addresses }
    }
}

/// Everything one agent knows at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The node whose agent this is.
    pub local: NodeId,
    /// Whether this agent knows what the cluster knows; until then a name that is not here may still exist.
    pub ready: bool,
    /// Raised by each publication.
    pub revision: u64,
    /// The number of the last change that is in it: see [`super::Catalog::events_after`].
    pub last_event: u64,
    nodes: OrdMap<NodeId, NodeEntry>,
    /// Who bears a name; one of them, where several do.
    names: OrdMap<NodeName, NodeId>,
    /// The others who bear a name. There should be none.
    namesakes: OrdMap<NodeName, Vec<NodeId>>,
    instances: OrdMap<Place, Arc<Entry>>,
    /// The names of services, for lists.
    service_names: OrdSet<ServiceName>,
    /// What a look-up asks for: found by hash, since each comparison in a tree of names would wait for memory.
    services: GenericHashMap<ServiceName, ServiceEntry, ByName, DefaultSharedPtr>,
    /// What this node registered, with what it tells nobody else.
    registered: OrdMap<InstanceId, Arc<Registration>>,
    came_back: OrdSet<InstanceId>,
    /// How many nodes and instances name an address.
    addresses: OrdMap<IpAddr, u32>,
    /// How many instances speak a protocol.
    protocols: OrdMap<Protocol, u32>,
    /// How many instances have a tag, by the tag in lower case.
    tags: OrdMap<Arc<str>, u32>,
}

impl Snapshot {
    pub(super) fn empty(local: NodeId) -> Self {
        Snapshot {
            local,
            ready: false,
            revision: 0,
            last_event: 0,
            nodes: OrdMap::new(),
            names: OrdMap::new(),
            namesakes: OrdMap::new(),
            instances: OrdMap::new(),
            service_names: OrdSet::new(),
            services: GenericHashMap::with_hasher(ByName::default()),
            registered: OrdMap::new(),
            came_back: OrdSet::new(),
            addresses: OrdMap::new(),
            protocols: OrdMap::new(),
            tags: OrdMap::new(),
        }
    }

    /// The same to another agent: what is its own, and how it sees itself, is as `own` has it.
    pub(super) fn as_seen_by(&self, own: &Snapshot) -> Snapshot {
        let mut snapshot = Snapshot {
            local: own.local,
            ready: own.ready,
            revision: own.revision,
            last_event: own.last_event,
            registered: own.registered.clone(),
            came_back: own.came_back.clone(),
            ..self.clone()
        };
        if let Some(entry) = own.node(own.local) {
            snapshot.put_node(Arc::clone(&entry.node), entry.since);
        }
        snapshot
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &NodeEntry> {
        self.nodes.values()
    }

    /// The nodes that follow on an id; all, where there is none.
    pub fn nodes_after(&self, id: Option<NodeId>) -> impl Iterator<Item = &NodeEntry> {
        self.nodes.range(beyond(id)).map(|(_, entry)| entry)
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> Option<&NodeEntry> {
        self.nodes.get(&id)
    }

    /// The node that holds a name. Where several bear it, the ones that are up come first, then the lowest id:
    /// one name, one holder, and every agent names the same one.
    pub fn holder(&self, name: &str) -> Option<&NodeEntry> {
        let ids = self.names.get(name).into_iter().chain(self.namesakes.get(name).into_iter().flatten());
        let bearers = ids.filter_map(|id| self.nodes.get(id));
        if is_planted(Planted::HigherHoldsName) {
            return bearers.max_by_key(|entry| (entry.node.state.is_up(), entry.node.id));
        }
        bearers.min_by_key(|entry| (!entry.node.state.is_up(), entry.node.id))
    }

    /// True when the node is up and another one holds its name.
    pub fn in_conflict(&self, node: &Node) -> bool {
        node.state.is_up() && self.holder(node.info.name.as_str()).is_some_and(|holder| holder.node.id != node.id)
    }

    /// All services that have an instance, by name.
    pub fn services(&self) -> impl ExactSizeIterator<Item = (&ServiceName, &ServiceEntry)> {
        self.service_names.iter().map(|name| self.with_entry(name))
    }

    /// The services that follow on a name; all, where there is none.
    pub fn services_after(&self, name: Option<ServiceName>) -> impl Iterator<Item = (&ServiceName, &ServiceEntry)> {
        self.service_names.range(beyond(name)).map(|name| self.with_entry(name))
    }

    fn with_entry<'a>(&'a self, name: &'a ServiceName) -> (&'a ServiceName, &'a ServiceEntry) {
        (name, self.services.get(name).expect("a service that has a name has instances"))
    }

    /// The instances of a service, whatever their status; `None` where no such service exists. The name is in lower case.
    pub fn service(&self, name: &str) -> Option<&ServiceEntry> {
        self.services.get(name)
    }

    /// All instances, in the order of node and id.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = &Arc<Entry>> {
        self.instances.values()
    }

    /// The instances, or those of a service, that follow on a place; all, where there is none.
    pub fn instances_after(&self, service: Option<&ServiceName>, place: Option<Place>) -> impl Iterator<Item = &Arc<Entry>> {
        let all = service.is_none().then(|| self.instances.range(beyond(place.clone())).map(|(_, entry)| entry));
        let some = service.and_then(|name| self.services.get(name)).map(|instances| instances.range(beyond(place)));
        all.into_iter().flatten().chain(some.into_iter().flatten())
    }

    /// The instances that a node owns, in the order of their ids.
    pub fn instances_of(&self, node: NodeId) -> impl Iterator<Item = &Arc<Entry>> {
        // Every id starts with a letter or a digit, so `0` is below or equal to each.
        let first = (node, InstanceId::new("0").expect("a digit is an id"));
        self.instances.range(first..).map(|(_, entry)| entry).take_while(move |entry| entry.node == node)
    }

    /// One instance.
    pub fn instance(&self, node: NodeId, id: &InstanceId) -> Option<&Arc<Entry>> {
        self.instances.get(&(node, id.clone()))
    }

    /// What this node registered under an id.
    pub fn registered(&self, id: &InstanceId) -> Option<&Arc<Registration>> {
        self.registered.get(id)
    }

    /// Instances of this node that peers knew to be removed, and that came back with a data folder, or an image, of the past; until
    /// they are removed again, or registered in another way.
    pub fn came_back(&self) -> impl Iterator<Item = &InstanceId> {
        self.came_back.iter()
    }

    /// Whether an instance of this node is among them.
    pub(super) fn has_come_back(&self, id: &InstanceId) -> bool {
        self.came_back.contains(id)
    }

    /// Whether a node or an instance has this address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.contains_key(&address)
    }

    /// Whether any instance speaks this protocol, whatever its status.
    pub fn has_protocol(&self, protocol: Protocol) -> bool {
        self.protocols.contains_key(&protocol)
    }

    /// Whether any instance has this tag, whatever its status. The tag is in lower case.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains_key(tag)
    }

    /// Where an instance is found: its own addresses, else those of its node.
    pub fn addresses_of<'a>(&'a self, entry: &'a Entry) -> &'a [IpAddr] {
        self.nodes.get(&entry.node).map_or(&entry.instance.addresses, |owner| entry.addresses(owner))
    }

    pub(super) fn apply(&mut self, change: Change, now: SystemTime) {
        match change {
            Change::Node(node) => self.put_node(node, now),
            Change::NodeGone(id) => self.remove_node(id),
            Change::Instance { node, instance, health } => self.put_instance(node, instance, health, now),
            Change::Registered(registration) => {
                self.came_back.remove(&registration.instance.id);
                self.registered.insert(registration.instance.id.clone(), registration);
            }
            Change::CameBack(instances) => self.came_back.extend(instances),
            Change::InstanceGone { node, id } => self.remove_instance(&(node, id)),
            Change::Ready(ready) => self.ready = ready,
        }
    }

    fn put_node(&mut self, node: Arc<Node>, now: SystemTime) {
        let id = node.id;
        let before = self.nodes.get(&id).cloned();
        if before.as_ref().is_some_and(|entry| entry.node == node) {
            // It came again. What is shared with other snapshots stays so.
            return;
        }
        let since = match &before {
            Some(entry) if entry.node.state == node.state => entry.since,
            _ => now,
        };
        // Counted before the earlier ones are let go, here and for instances: what is in both never leaves the map.
        node.info.addresses.iter().for_each(|address| count(&mut self.addresses, *address));
        if let Some(entry) = &before {
            self.uncount_addresses(&entry.node.info.addresses);
        }
        if before.as_ref().is_none_or(|entry| entry.node.info.name != node.info.name) {
            if let Some(entry) = &before {
                self.forget_name(&entry.node.info.name, id);
            }
            self.note_name(&node.info.name, id);
        }
        self.nodes.insert(id, NodeEntry { node, since });
    }

    fn remove_node(&mut self, id: NodeId) {
        let places: Vec<Place> = self.instances_of(id).map(|e| (e.node, e.instance.id.clone())).collect();
        places.iter().for_each(|place| self.remove_instance(place));
        if let Some(entry) = self.nodes.remove(&id) {
            self.forget_name(&entry.node.info.name, id);
            self.uncount_addresses(&entry.node.info.addresses);
        }
    }

    fn note_name(&mut self, name: &NodeName, id: NodeId) {
        if self.names.contains_key(name) {
            self.namesakes.entry(name.clone()).or_default().push(id);
        } else {
            self.names.insert(name.clone(), id);
        }
    }

    fn forget_name(&mut self, name: &NodeName, id: NodeId) {
        let mut others = self.namesakes.remove(name).unwrap_or_default();
        if self.names.get(name) != Some(&id) {
            others.retain(|other| *other != id);
        } else if let Some(other) = others.pop() {
            self.names.insert(name.clone(), other);
        } else {
            self.names.remove(name);
        }
        if !others.is_empty() {
            self.namesakes.insert(name.clone(), others);
        }
    }

    fn put_instance(&mut self, node: NodeId, instance: Arc<Instance>, health: Arc<Health>, now: SystemTime) {
        let status = health.status();
        let place = (node, instance.id.clone());
        let before = self.instances.get(&place).cloned();
        if before.as_ref().is_some_and(|entry| entry.instance == instance && entry.health == health) {
            return;
        }
        let since = match &before {
            Some(entry) if entry.status == status => entry.since,
            _ => now,
        };
        // Mostly the health alone is another one: then the definition is held once, for the versions of before as well.
        let instance = match &before {
            Some(entry) if entry.instance == instance => Arc::clone(&entry.instance),
            _ => self.with_shared_name(instance),
        };
        self.count_definition(&instance);
        if let Some(entry) = before {
            self.uncount_definition(&entry.instance);
            if entry.instance.service != instance.service {
                self.remove_from_service(&entry.instance.service, &place);
            }
        }
        let entry = Arc::new(Entry { node, instance, status, health, since });
        if !self.services.contains_key(&entry.instance.service) {
            self.service_names.insert(entry.instance.service.clone());
        }
        self.services.entry(entry.instance.service.clone()).or_default().insert(place.clone(), Arc::clone(&entry));
        self.instances.insert(place, entry);
    }

    /// All instances of a service share one text of its name.
    fn with_shared_name(&self, mut instance: Arc<Instance>) -> Arc<Instance> {
        if let Some((name, _)) = self.services.get_key_value(&instance.service) {
            Arc::make_mut(&mut instance).service = name.clone();
        }
        instance
    }

    fn remove_instance(&mut self, place: &Place) {
        if place.0 == self.local {
            self.registered.remove(&place.1);
            self.came_back.remove(&place.1);
        }
        if let Some(entry) = self.instances.remove(place) {
            self.uncount_definition(&entry.instance);
            self.remove_from_service(&entry.instance.service, place);
        }
    }

    fn remove_from_service(&mut self, service: &ServiceName, place: &Place) {
        if let Some(instances) = self.services.get_mut(service) {
            instances.remove(place);
            if instances.is_empty() {
                self.services.remove(service);
                self.service_names.remove(service);
            }
        }
    }

    fn count_definition(&mut self, instance: &Instance) {
        instance.addresses.iter().for_each(|address| count(&mut self.addresses, *address));
        instance.tags.iter().for_each(|tag| count(&mut self.tags, tag.as_str().to_ascii_lowercase().into()));
        count(&mut self.protocols, instance.protocol);
    }

    fn uncount_definition(&mut self, instance: &Instance) {
        self.uncount_addresses(&instance.addresses);
        instance.tags.iter().for_each(|tag| uncount(&mut self.tags, tag.as_str().to_ascii_lowercase().as_str()));
        uncount(&mut self.protocols, &instance.protocol);
    }

    fn uncount_addresses(&mut self, addresses: &[IpAddr]) {
        addresses.iter().for_each(|address| uncount(&mut self.addresses, address));
    }
}

/// Everything that follows on a key.
fn beyond<K>(key: Option<K>) -> (Bound<K>, Bound<K>) {
    (key.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

fn count<K: Ord + Clone>(map: &mut OrdMap<K, u32>, key: K) {
    *map.entry(key).or_insert(0) += 1;
}

fn uncount<K: Ord + Clone + Borrow<Q>, Q: Ord + ?Sized>(map: &mut OrdMap<K, u32>, key: &Q) {
    match map.get_mut(key) {
        Some(count) if *count > 1 => *count -= 1,
        _ => drop(map.remove(key)),
    }
}

#[cfg(test)]
mod tests;
