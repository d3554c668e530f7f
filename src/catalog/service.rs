//! The instances that share a service's name. They are changed as a tree and read as a row, in which stands what is read most: a look-up
//! touches a few lines of the cache in place of a few for each instance.

use std::{
    net::IpAddr,
    slice,
    sync::{Arc, OnceLock},
};

use imbl::OrdMap;

use super::{
    select::{node_is_fit, share},
    snapshot::{Entry, NodeEntry, Place},
};
use crate::model::{NodeId, Protocol};

/// An instance, and what is asked of it most.
#[derive(Debug)]
pub struct Row {
    /// All of it.
    pub entry: Arc<Entry>,
    /// Its owner.
    pub node: NodeId,
    /// Where it listens.
    pub port: u16,
    /// Its share of the load: see [`share`].
    pub share: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// Neither in maintenance nor critical by itself.
    well: bool,
    /// Its own address, where it has one alone.
    address: Option<IpAddr>,
}

impl Row {
    fn of(entry: &Arc<Entry>) -> Row {
        let instance = &entry.instance;
        Row {
            entry: Arc::clone(entry),
            node: entry.node,
            port: instance.port,
            share: share(entry),
            protocol: instance.protocol,
            well: entry.health.maintenance.is_none() && entry.health.critical().is_none(),
            address: if let [address] = instance.addresses[..] { Some(address) } else { None },
        }
    }

    /// True when it is handed out, where its node is this one.
    pub fn is_handed_out(&self, owner: &NodeEntry) -> bool {
        self.well && node_is_fit(owner)
    }

    /// Where it is found: its own addresses, else those of its node, which is this one.
    pub fn addresses<'a>(&'a self, owner: &'a NodeEntry) -> &'a [IpAddr] {
        self.address.as_ref().map_or_else(|| self.entry.addresses(owner), slice::from_ref)
    }
}

/// The instances of a service, in the order of node and id.
#[derive(Debug, Clone, Default)]
pub struct ServiceEntry {
    instances: OrdMap<Place, Arc<Entry>>,
    /// The same in a row, made by the first who looks them up in this version.
    row: OnceLock<Arc<[Row]>>,
}

impl ServiceEntry {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.instances.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.instances.values()
    }

    /// Those from a place on: after it, or including it.
    pub(super) fn range(&self, range: impl std::ops::RangeBounds<Place>) -> impl Iterator<Item = &Arc<Entry>> {
        self.instances.range(range).map(|(_, entry)| entry)
    }

    pub(super) fn insert(&mut self, place: Place, entry: Arc<Entry>) {
        self.row = OnceLock::new();
        self.instances.insert(place, entry);
    }

    pub(super) fn remove(&mut self, place: &Place) {
        self.row = OnceLock::new();
        self.instances.remove(place);
    }

    /// The same, to be read by many. Nobody waits for whoever makes it: of two who do at once, one does it in vain.
    pub fn rows(&self) -> &[Row] {
        if self.row.get().is_none() {
            let _ = self.row.set(self.instances.values().map(Row::of).collect());
        }
        self.row.get().expect("it was just made")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{
        catalog::{
            fixture::{at, catalog, instance, many, node, on, passing},
            select::{held_back, share},
        },
        model::{Change, MemberState, NodeId, Status},
    };

    #[test]
    fn a_row_says_of_an_instance_what_the_instance_says() {
        let fit = |id, state| node(id, &format!("n{id}"), &[&format!("10.0.0.{id}")], state);
        let Change::Node(mut resting) = fit(4, MemberState::Alive) else { unreachable!() };
        Arc::make_mut(&mut resting).info.maintenance = Some("new disk".into());
        let nodes = [fit(2, MemberState::Suspect), fit(3, MemberState::Down), Change::Node(resting), fit(5, MemberState::Left)];
        let places: [&[&str]; 3] = [&[], &["10.0.9.1"], &["10.0.9.2", "fd00::2"]];
        let statuses = [Status::Passing, Status::Warning, Status::Critical];
        let instances = (1..=5).flat_map(|owner| places.into_iter().flat_map(move |place| statuses.map(|status| (owner, place, status))));
        let instances =
            instances.enumerate().map(|(n, (owner, place, status))| on(owner, instance("web", &format!("i{n}"), place, 80), status));
        let (_publisher, catalog) = catalog(nodes.into_iter().chain(instances));
        let snapshot = catalog.load();
        let rows = snapshot.service("web").unwrap().rows();
        assert_eq!(rows.len(), 45);
        for row in rows {
            let (owner, entry) = (snapshot.node(row.node).unwrap(), &row.entry);
            assert_eq!(row.is_handed_out(owner), held_back(&snapshot, entry).is_none(), "{entry:?}");
            assert_eq!(row.addresses(owner), snapshot.addresses_of(entry));
            assert_eq!(
                (row.node, row.port, row.share, row.protocol),
                (entry.node, entry.instance.port, share(entry), entry.instance.protocol)
            );
        }
    }

    #[test]
    fn a_row_has_what_the_tree_has_after_each_change() {
        for count in [1, 16, 17, 100] {
            let (mut publisher, catalog) = catalog(many(count));
            let ids = || -> Vec<String> {
                catalog.load().service("web").unwrap().rows().iter().map(|row| row.entry.instance.id.to_string()).collect()
            };
            let mut expected: Vec<String> = (0..count).map(|n| format!("web-{n}")).collect();
            expected.sort();
            assert_eq!(ids(), expected);
            publisher.publish([passing(instance("web", "a", &["10.0.0.5"], 80))], at(2));
            expected.insert(0, "a".into());
            assert_eq!(ids(), expected);
            publisher.publish([Change::InstanceGone { node: NodeId(1), id: instance("web", "web-0", &[], 1).id }], at(3));
            expected.retain(|id| id != "web-0");
            assert_eq!(ids(), expected);
        }
    }
}
