//! What one agent knows, as an immutable snapshot that is swapped atomically. Readers load it and never wait.

#[cfg(test)]
pub(crate) mod fixture;
pub mod history;
pub mod select;
pub mod service;
mod shared;
pub mod snapshot;
pub mod watch;

use std::{sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;

pub use history::{Event, HISTORY};
pub use service::{Row, ServiceEntry};
pub use snapshot::{Entry, NodeEntry, Place, Snapshot};
pub use watch::{Interest, Waiter};

use crate::model::{Change, NodeId};
use history::History;
use shared::Shared;
use watch::Watch;

/// Where the newest snapshot is found. Cheap to clone; every reader holds one.
#[derive(Clone)]
pub struct Catalog {
    current: Arc<ArcSwap<Snapshot>>,
    history: Arc<History>,
    watch: Arc<Watch>,
}

impl Catalog {
    /// The newest snapshot. It never changes: a reader that loads once sees one state throughout.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Begins to wait for changes. What is loaded after this and is found unchanged changes no more unnoticed.
    pub fn wait_for(&self, interest: Interest) -> Waiter {
        self.watch.register(interest)
    }

    /// At most so many of the changes that follow on this one ([`Snapshot::last_event`]), each with its number; `None`
    /// where they are not kept any more ([`HISTORY`]), or there never was such a number.
    pub fn events_after(&self, number: u64, most: usize) -> Option<Vec<(u64, Event)>> {
        self.history.after(number, most)
    }
}

/// The single writer. It holds a snapshot of its own, which shares all that did not change with the published one.
pub struct Publisher {
    next: Snapshot,
    shared: Shared,
    readers: Catalog,
}

impl Publisher {
    /// An empty catalog as `local` sees it, and its writer.
    pub fn new(local: NodeId) -> (Publisher, Catalog) {
        let next = Snapshot::empty(local);
        let current = Arc::new(ArcSwap::from_pointee(next.clone()));
        let readers = Catalog { current, history: Arc::default(), watch: Arc::default() };
        (Publisher { next, shared: Shared::default(), readers: readers.clone() }, readers)
    }

    /// Begins with what another agent of this process shows. For one that is about to be told the same: thousands of simulated
    /// agents hold once what is equal. Nobody is told.
    pub fn begin_as(&mut self, other: &Snapshot) {
        self.next = other.as_seen_by(&self.next);
        self.readers.current.store(Arc::new(self.next.clone()));
    }

    /// Applies changes that were seen at `now`, publishes the result at once and tells those who wait for any of it.
    pub fn publish(&mut self, changes: impl IntoIterator<Item = Change>, now: SystemTime) {
        let (mut any, mut events) = (false, Vec::new());
        for change in changes {
            history::apply(&mut self.next, self.shared.share(change), now, &mut events);
            any = true;
        }
        if any {
            self.next.revision += 1;
            self.next.last_event = self.readers.history.add(&events);
            self.readers.current.store(Arc::new(self.next.clone()));
            // Last, so that who is woken finds what it is woken for.
            self.readers.watch.tell(&events, self.next.local);
        }
    }
}
