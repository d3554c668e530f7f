//! What one agent knows, as an immutable snapshot that is swapped atomically. Readers load it and never wait.

#[cfg(test)]
pub(crate) mod fixture;
pub mod select;
pub mod snapshot;

use std::{sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;

pub use snapshot::{Entry, NodeEntry, ServiceEntry, Snapshot};

use crate::model::{Change, NodeId};

/// Where the newest snapshot is found. Cheap to clone; every reader holds one.
#[derive(Clone)]
pub struct Catalog {
    current: Arc<ArcSwap<Snapshot>>,
}

impl Catalog {
    /// The newest snapshot. It never changes: a reader that loads once sees one state throughout.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }
}

/// The single writer. It holds a snapshot of its own, which shares all that did not change with the published one.
pub struct Publisher {
    next: Snapshot,
    current: Arc<ArcSwap<Snapshot>>,
}

impl Publisher {
    /// An empty catalog as `local` sees it, and its writer.
    pub fn new(local: NodeId) -> (Publisher, Catalog) {
        let next = Snapshot::empty(local);
        let current = Arc::new(ArcSwap::from_pointee(next.clone()));
        (Publisher { next, current: Arc::clone(&current) }, Catalog { current })
    }

    /// Applies changes that were seen at `now` and publishes the result at once.
    pub fn publish(&mut self, changes: impl IntoIterator<Item = Change>, now: SystemTime) {
        let mut any = false;
        for change in changes {
            self.next.apply(change, now);
            any = true;
        }
        if any {
            self.next.revision += 1;
            self.current.store(Arc::new(self.next.clone()));
        }
    }
}
