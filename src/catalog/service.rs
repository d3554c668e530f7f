//! The instances that share a service's name. They are changed as a tree and read as a list.

use std::sync::{Arc, OnceLock};

use imbl::OrdMap;

use super::snapshot::{Entry, Place};

/// Instances that a tree has in one piece: to walk those takes no memory, and no list is made of them.
const FEW: usize = 16;

/// The instances of a service, in the order of node and id.
#[derive(Debug, Clone, Default)]
pub struct ServiceEntry {
    instances: OrdMap<Place, Arc<Entry>>,
    /// The same in a row, made by the first who reads many of them in this version.
    row: OnceLock<Arc<[Arc<Entry>]>>,
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
        let many: Option<&[Arc<Entry>]> = (self.len() > FEW).then(|| self.row());
        let few = many.is_none().then(|| self.instances.values());
        many.into_iter().flatten().chain(few.into_iter().flatten())
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

    /// Nobody waits for whoever makes it: of two who do at once, one does it in vain.
    fn row(&self) -> &[Arc<Entry>] {
        if self.row.get().is_none() {
            let _ = self.row.set(self.instances.values().cloned().collect());
        }
        self.row.get().expect("it was just made")
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        catalog::fixture::{at, catalog, instance, many},
        model::{Change, NodeId},
    };

    #[test]
    fn a_list_has_what_the_tree_has_after_each_change() {
        for count in [1, 16, 17, 100] {
            let (mut publisher, catalog) = catalog(many(count));
            let ids =
                || -> Vec<String> { catalog.load().service("web").unwrap().values().map(|entry| entry.instance.id.to_string()).collect() };
            let mut expected: Vec<String> = (0..count).map(|n| format!("web-{n}")).collect();
            expected.sort();
            assert_eq!(ids(), expected);
            publisher.publish([crate::catalog::fixture::passing(instance("web", "a", &["10.0.0.5"], 80))], at(2));
            expected.insert(0, "a".into());
            assert_eq!(ids(), expected);
            publisher.publish([Change::InstanceGone { node: NodeId(1), id: instance("web", "web-0", &[], 1).id }], at(3));
            expected.retain(|id| id != "web-0");
            assert_eq!(ids(), expected);
        }
    }
}
