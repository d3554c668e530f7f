//! What changed lately, in order, for those who follow instead of reading again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::snapshot::{Entry, NodeEntry, Snapshot};
use crate::model::{Change, MemberState, Node, NodeId, ServiceName};

/// Changes that are kept. Who falls further behind has to begin anew. Each holds at most a definition, and mostly one
/// that the catalog has, too.
pub const HISTORY: usize = 2_048;

/// One difference between two snapshots as readers see them. Each stands for itself: what of a node shows in its
/// instances is told of each of them.
#[derive(Debug, Clone)]
pub enum Event {
    /// A node is new, or something about it is.
    Node(NodeEntry),
    /// A node was forgotten.
    NodeGone(NodeEntry),
    /// An instance is new, or something that it is shown with is.
    Instance {
        /// The instance.
        entry: Arc<Entry>,
        /// Its node at that moment.
        owner: Option<NodeEntry>,
    },
    /// An instance is gone, or is one of another service now.
    InstanceGone {
        /// As it was.
        entry: Arc<Entry>,
        /// Its node at that moment.
        owner: Option<NodeEntry>,
    },
    /// Whether this agent knows what the cluster knows.
    Ready(bool),
}

impl Event {
    /// The node that it is about; `None` where it is about none, or an instance.
    pub fn node(&self) -> Option<&NodeEntry> {
        match self {
            Event::Node(entry) | Event::NodeGone(entry) => Some(entry),
            Event::Instance { .. } | Event::InstanceGone { .. } | Event::Ready(_) => None,
        }
    }

    /// The instance that it is about.
    pub fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Event::Instance { entry, .. } | Event::InstanceGone { entry, .. } => Some(entry),
            Event::Node(_) | Event::NodeGone(_) | Event::Ready(_) => None,
        }
    }

    /// The service of that instance.
    pub fn service(&self) -> Option<&ServiceName> {
        self.entry().map(|entry| &entry.instance.service)
    }
}

/// Applies a change, and tells how what readers see differs: not at all where it came again.
pub(super) fn apply(snapshot: &mut Snapshot, change: Change, now: SystemTime, events: &mut Vec<Event>) {
    match change {
        Change::Node(node) => {
            let (id, before) = (node.id, snapshot.node(node.id).cloned());
            snapshot.apply(Change::Node(node), now);
            let Some(after) = snapshot.node(id).cloned().filter(|after| before.as_ref().is_none_or(|it| it.node != after.node)) else {
                return;
            };
            events.push(Event::Node(after.clone()));
            if before.is_none_or(|before| shows_in_instances(&before.node) != shows_in_instances(&after.node)) {
                events.extend(snapshot.instances_of(id).map(|entry| instance_event(snapshot, entry)));
            }
        }
        Change::NodeGone(id) => {
            events.extend(snapshot.instances_of(id).map(|entry| gone_event(snapshot, entry)));
            events.extend(snapshot.node(id).cloned().map(Event::NodeGone));
            snapshot.apply(Change::NodeGone(id), now);
        }
        Change::Instance { node, instance, health } => {
            let id = instance.id.clone();
            let before = snapshot.instance(node, &id).cloned();
            snapshot.apply(Change::Instance { node, instance, health }, now);
            let Some(after) = snapshot.instance(node, &id) else { return };
            match before {
                Some(before) if before.health == after.health && before.instance == after.instance => {}
                Some(before) if before.instance.service != after.instance.service => {
                    events.extend([gone_event(snapshot, &before), instance_event(snapshot, after)]);
                }
                _ => events.push(instance_event(snapshot, after)),
            }
        }
        Change::Registered(registration) => {
            let id = registration.instance.id.clone();
            let came_back = snapshot.has_come_back(&id);
            // Its checks alone are others: then nothing else tells. What else is new shows with its instance, which follows.
            let checks_alone =
                snapshot.registered(&id).is_some_and(|before| before.instance == registration.instance && **before != *registration);
            snapshot.apply(Change::Registered(registration), now);
            if checks_alone && let Some(entry) = snapshot.instance(snapshot.local, &id) {
                events.push(instance_event(snapshot, entry));
            }
            events.extend(came_back.then(|| own_event(snapshot)).flatten());
        }
        Change::CameBack(instances) => {
            snapshot.apply(Change::CameBack(instances), now);
            events.extend(own_event(snapshot));
        }
        Change::InstanceGone { node, id } => {
            let came_back = node == snapshot.local && snapshot.has_come_back(&id);
            events.extend(snapshot.instance(node, &id).map(|entry| gone_event(snapshot, entry)));
            snapshot.apply(Change::InstanceGone { node, id }, now);
            events.extend(came_back.then(|| own_event(snapshot)).flatten());
        }
        Change::Ready(ready) => {
            events.extend((snapshot.ready != ready).then_some(Event::Ready(ready)));
            snapshot.apply(Change::Ready(ready), now);
        }
    }
}

/// Everything of a node that a search for its instances goes by or shows. That one which is up is suspected is not.
fn shows_in_instances(node: &Node) -> impl PartialEq + '_ {
    let state: Option<(MemberState, &str)> = (!node.state.is_up()).then_some((node.state, node.reason));
    (&node.info.name, &node.info.addresses, &node.info.zone, &node.info.maintenance, node.health.critical(), state)
}

/// What came back is shown with the node.
fn own_event(snapshot: &Snapshot) -> Option<Event> {
    snapshot.node(snapshot.local).cloned().map(Event::Node)
}

fn instance_event(snapshot: &Snapshot, entry: &Arc<Entry>) -> Event {
    Event::Instance { entry: Arc::clone(entry), owner: owner(snapshot, entry.node) }
}

fn gone_event(snapshot: &Snapshot, entry: &Arc<Entry>) -> Event {
    Event::InstanceGone { entry: Arc::clone(entry), owner: owner(snapshot, entry.node) }
}

fn owner(snapshot: &Snapshot, node: NodeId) -> Option<NodeEntry> {
    snapshot.node(node).cloned()
}

/// The last changes. Each has a number, from 1 up without a gap.
#[derive(Debug, Default)]
pub(super) struct History {
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    events: VecDeque<Event>,
    /// The number of the last one.
    last: u64,
}

impl Default for Kept {
    /// With its room from the start: the system gives memory to what is used of it, and growth would leave holes.
    fn default() -> Self {
        Kept { events: VecDeque::with_capacity(HISTORY), last: 0 }
    }
}

impl History {
    /// Keeps these, and gives the number of the last.
    pub(super) fn add(&self, events: &[Event]) -> u64 {
        let mut kept = self.lock();
        kept.last += events.len() as u64;
        let excess = (kept.events.len() + events.len()).saturating_sub(HISTORY);
        let dropped = excess.min(kept.events.len());
        kept.events.drain(..dropped);
        kept.events.extend(events[excess - dropped..].iter().cloned());
        kept.last
    }

    /// At most so many of those that follow on a number, with theirs; `None` where the first of them is not kept any more,
    /// or the number is one that was not given out yet.
    pub(super) fn after(&self, number: u64, most: usize) -> Option<Vec<(u64, Event)>> {
        let kept = self.lock();
        let missing = kept.last.checked_sub(number)?;
        let start = kept.events.len().checked_sub(usize::try_from(missing).ok()?)?;
        Some((number + 1..).zip(kept.events.range(start..).take(most).cloned()).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here can panic half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::fixture::{at, catalog, instance, node, on},
        model::{InstanceId, Status},
    };

    #[test]
    fn each_change_is_told_once_and_as_readers_see_it() {
        let web = |port| on(2, instance("web", "x", &[], port), Status::Passing);
        let b = |state| node(2, "b", &["10.0.0.2"], state);
        check([b(MemberState::Alive)], &["node b alive"]);
        check([b(MemberState::Alive), b(MemberState::Alive)], &["node b alive"]);
        check([b(MemberState::Alive), web(80), web(80), web(81)], &["node b alive", "web x b:80", "web x b:81"]);
        check([b(MemberState::Alive), web(80), b(MemberState::Suspect)], &["node b alive", "web x b:80", "node b suspect"]);
        check([b(MemberState::Alive), web(80), b(MemberState::Down)], &["node b alive", "web x b:80", "node b down", "web x b:80"]);
        check([web(80), b(MemberState::Alive)], &["web x ?:80", "node b alive", "web x b:80"]);
        check([web(80), on(2, instance("db", "x", &[], 80), Status::Passing)], &["web x ?:80", "web x gone", "db x ?:80"]);
        check([web(80), Change::InstanceGone { node: NodeId(2), id: InstanceId::new("x").unwrap() }], &["web x ?:80", "web x gone"]);
        check([b(MemberState::Alive), web(80), Change::NodeGone(NodeId(2))], &["node b alive", "web x b:80", "web x gone", "node b gone"]);
        check([Change::Ready(true), Change::Ready(false)], &["ready false"]);
    }

    #[test]
    fn the_last_are_kept_under_their_numbers() {
        let history = History::default();
        assert_eq!(history.add(&[]), 0);
        assert_eq!(numbers(&history, 0), Some(vec![]));
        assert_eq!(numbers(&history, 1), None, "not given out yet");
        assert_eq!(history.add(&vec![Event::Ready(true); 3]), 3);
        assert_eq!(numbers(&history, 1), Some(vec![2, 3]));
        assert_eq!(history.after(0, 2).unwrap().len(), 2);
        assert_eq!(history.add(&vec![Event::Ready(true); HISTORY - 1]), HISTORY as u64 + 2);
        assert_eq!(numbers(&history, 1), None, "2 is gone");
        assert_eq!(numbers(&history, 2).map(|numbers| (numbers[0], numbers.len())), Some((3, HISTORY)));
        let last = history.add(&vec![Event::Ready(true); 3 * HISTORY]);
        assert_eq!(numbers(&history, last - HISTORY as u64).map(|numbers| numbers.len()), Some(HISTORY));
        assert_eq!(numbers(&history, last - HISTORY as u64 - 1), None);
    }

    #[test]
    fn a_snapshot_knows_the_last_change_that_is_in_it() {
        let (mut publisher, catalog) = catalog([]);
        let before = catalog.load().last_event;
        publisher.publish([on(1, instance("web", "x", &[], 80), Status::Passing)], at(2));
        assert_eq!(catalog.load().last_event, before + 1);
        assert_eq!(catalog.events_after(before, 9).unwrap().len(), 1);
    }

    fn numbers(history: &History, after: u64) -> Option<Vec<u64>> {
        Some(history.after(after, usize::MAX)?.into_iter().map(|(number, _)| number).collect())
    }

    /// What is told of some changes, in a catalog that is ready.
    #[track_caller]
    fn check(changes: impl IntoIterator<Item = Change>, told: &[&str]) {
        let (mut publisher, catalog) = catalog([]);
        let before = catalog.load().last_event;
        publisher.publish(changes, at(2));
        let name = |owner: &Option<NodeEntry>| owner.as_ref().map_or("?".to_owned(), |owner| owner.node.info.name.to_string());
        let text = |event: &Event| match event {
            Event::Node(entry) => format!("node {} {}", entry.node.info.name, entry.node.state),
            Event::NodeGone(entry) => format!("node {} gone", entry.node.info.name),
            Event::Instance { entry, owner } => {
                format!("{} {} {}:{}", entry.instance.service, entry.instance.id, name(owner), entry.instance.port)
            }
            Event::InstanceGone { entry, .. } => format!("{} {} gone", entry.instance.service, entry.instance.id),
            Event::Ready(ready) => format!("ready {ready}"),
        };
        let seen: Vec<String> = catalog.events_after(before, usize::MAX).unwrap().iter().map(|(_, event)| text(event)).collect();
        assert_eq!(seen, told);
    }
}
