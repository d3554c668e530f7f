//! How news spreads: how long it takes until everyone who is to show something does.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use super::{HostId, Seen, Watcher, World};
use crate::{
    core::time::Moment,
    model::{Change, InstanceId, MemberState, NodeId},
};

/// What readers come to show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// A node is alive.
    Alive(NodeId),
    /// A node is down.
    Down(NodeId),
    /// A node has an instance.
    Instance(NodeId, InstanceId),
}

/// News that is waited for, shared by the world that it watches and whoever waits.
#[derive(Debug, Clone, Default)]
pub struct Spread(Rc<RefCell<BTreeMap<News, Awaited>>>);

#[derive(Debug)]
struct Awaited {
    since: Moment,
    missing: BTreeSet<HostId>,
    took: Option<Duration>,
}

impl Spread {
    /// Waits, from now on, for all these readers to show something.
    pub fn wait_for(&self, world: &World, news: News, readers: impl IntoIterator<Item = HostId>) {
        let missing: BTreeSet<HostId> = readers.into_iter().collect();
        let took = missing.is_empty().then_some(Duration::ZERO);
        let awaited = Awaited { since: world.now(), missing, took };
        self.0.borrow_mut().insert(news, awaited);
    }

    /// Lets time pass until all that is waited for is shown by everyone, or patience ends; how long each took, none where it
    /// still is not. Nothing is waited for any more then.
    pub fn end(&self, world: &mut World, patience: Duration) -> BTreeMap<News, Option<Duration>> {
        let end = world.now() + patience;
        while self.0.borrow().values().any(|awaited| awaited.took.is_none()) && world.next_at().is_some_and(|at| at <= end) {
            world.step();
        }
        self.0.take().into_iter().map(|(news, awaited)| (news, awaited.took)).collect()
    }
}

impl Watcher for Spread {
    fn name(&self) -> &'static str {
        "spread"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let mut awaited = self.0.borrow_mut();
        if let (false, Seen::Changing(change)) = (awaited.is_empty(), seen)
            && let Some(awaited) = news(change).and_then(|news| awaited.get_mut(&news))
            && awaited.missing.remove(&host)
            && awaited.missing.is_empty()
        {
            awaited.took = Some(world.now() - awaited.since);
        }
        Ok(())
    }
}

fn news(change: &Change) -> Option<News> {
    match change {
        Change::Node(node) if node.state == MemberState::Alive => Some(News::Alive(node.id)),
        Change::Node(node) if node.state == MemberState::Down => Some(News::Down(node.id)),
        Change::Instance { node, instance, .. } => Some(News::Instance(*node, instance.id.clone())),
        _ => None,
    }
}
