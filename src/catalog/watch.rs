//! Waiting for a change without asking for it again and again. Who waits says what it shows; a publication wakes
//! those alone whose reads it may have changed. Whether one did, the reader sees when it reads again.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::history::Event;
use crate::model::{NodeId, ServiceName};

/// What a read depends on. Readiness is part of each: it decides whether an absence can be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interest {
    /// The instances of one service, and of their nodes what shows in them.
    Service(ServiceName),
    /// The instances that this agent's own node has.
    Own,
    /// The nodes, apart from what they own.
    Nodes,
    /// Anything at all.
    Everything,
}

/// Who waits, and for what. It costs a few dozen octets for each; its users bound how many there are.
#[derive(Debug, Default)]
pub(super) struct Watch {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    slots: BTreeMap<Interest, BTreeMap<u64, Slot>>,
}

#[derive(Debug)]
enum Slot {
    /// Nothing happened since the waiter last looked; whom to wake when it does, once that is known.
    Still(Option<Waker>),
    /// Something happened.
    Moved,
}

impl Watch {
    /// Begins to wait: what is published from now on is not missed.
    pub(super) fn register(self: &Arc<Self>, interest: Interest) -> Waiter {
        let mut waiting = self.lock();
        waiting.last += 1;
        let id = waiting.last;
        waiting.slots.entry(interest.clone()).or_default().insert(id, Slot::Still(None));
        drop(waiting);
        Waiter { watch: Arc::clone(self), interest, id }
    }

    /// Wakes those who wait for any of this, after it was published.
    pub(super) fn tell(&self, events: &[Event], local: NodeId) {
        // Nobody is woken while the lock is held.
        let mut woken = Vec::new();
        self.lock().move_slots(events, local, &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here can panic half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn move_slots(&mut self, events: &[Event], local: NodeId, woken: &mut Vec<Waker>) {
        if events.iter().any(|event| matches!(event, Event::Ready(_))) {
            return self.slots.values_mut().for_each(|slots| move_all(slots, woken));
        }
        let (mut nodes, mut own) = (false, false);
        let mut services: Vec<&ServiceName> = Vec::new();
        for event in events {
            nodes |= event.node().is_some();
            own |= event.entry().is_some_and(|entry| entry.node == local);
            // Changes of one service tend to follow each other.
            services.extend(event.service().filter(|name| services.last() != Some(name)));
        }
        let concerned = services.into_iter().map(|name| Interest::Service(name.clone()));
        let concerned = concerned.chain(nodes.then_some(Interest::Nodes)).chain(own.then_some(Interest::Own));
        for interest in concerned.chain((!events.is_empty()).then_some(Interest::Everything)) {
            if let Some(slots) = self.slots.get_mut(&interest) {
                move_all(slots, woken);
            }
        }
    }
}

fn move_all(slots: &mut BTreeMap<u64, Slot>, woken: &mut Vec<Waker>) {
    for slot in slots.values_mut() {
        if let Slot::Still(Some(waker)) = mem::replace(slot, Slot::Moved) {
            woken.push(waker);
        }
    }
}

/// One who waits, until it is dropped.
#[derive(Debug)]
pub struct Waiter {
    watch: Arc<Watch>,
    interest: Interest,
    id: u64,
}

impl Waiter {
    /// Done when something of what is waited for was published since the waiter was made, or was last done. Any number
    /// of publications count as one.
    pub async fn changed(&mut self) {
        poll_fn(|context| self.poll_changed(context)).await;
    }

    /// The same for who polls.
    pub fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.watch.lock();
        let slot = waiting.slots.get_mut(&self.interest).and_then(|slots| slots.get_mut(&self.id));
        match slot.expect("it is there until the waiter is dropped") {
            slot @ Slot::Moved => {
                *slot = Slot::Still(None);
                Poll::Ready(())
            }
            Slot::Still(Some(waker)) if waker.will_wake(context.waker()) => Poll::Pending,
            slot => {
                *slot = Slot::Still(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.watch.lock();
        if let Some(slots) = waiting.slots.get_mut(&self.interest) {
            slots.remove(&self.id);
            if slots.is_empty() {
                waiting.slots.remove(&self.interest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use super::*;
    use crate::{
        catalog::{
            Catalog, Publisher,
            fixture::{at, catalog, instance, node, on, passing},
        },
        model::{Change, InstanceId, MemberState, Status},
    };

    #[test]
    fn a_change_of_a_service_wakes_who_waits_for_it_and_for_everything_and_nobody_else() {
        let (mut publisher, catalog) = cluster();
        let mut all = Waiting::all(&catalog);
        assert_eq!(all.woken_by(&mut publisher, on(2, instance("web", "x", &[], 81), Status::Passing)), ["web", "everything"]);
        assert_eq!(all.woken_by(&mut publisher, on(2, instance("web", "x", &[], 81), Status::Critical)), ["web", "everything"]);
        assert_eq!(all.woken_by(&mut publisher, passing(instance("api", "own", &[], 80))), ["own", "everything"]);
        let gone = Change::InstanceGone { node: NodeId(2), id: InstanceId::new("x").unwrap() };
        assert_eq!(all.woken_by(&mut publisher, gone), ["web", "everything"]);
    }

    #[test]
    fn what_comes_again_unchanged_wakes_nobody() {
        let (mut publisher, catalog) = cluster();
        let mut all = Waiting::all(&catalog);
        assert_eq!(all.woken_by(&mut publisher, on(2, instance("web", "x", &[], 80), Status::Passing)), [""; 0]);
        assert_eq!(all.woken_by(&mut publisher, node(2, "b", &["10.0.0.2"], MemberState::Alive)), [""; 0]);
        assert_eq!(all.woken_by(&mut publisher, Change::Ready(true)), [""; 0]);
    }

    #[test]
    fn a_node_wakes_who_waits_for_its_services_when_it_shows_in_them() {
        let (mut publisher, catalog) = cluster();
        let mut all = Waiting::all(&catalog);
        assert_eq!(all.woken_by(&mut publisher, node(2, "b", &["10.0.0.2"], MemberState::Suspect)), ["nodes", "everything"]);
        assert_eq!(all.woken_by(&mut publisher, node(2, "b", &["10.0.0.2"], MemberState::Down)), ["web", "nodes", "everything"]);
        assert_eq!(all.woken_by(&mut publisher, node(2, "c", &["10.0.0.2"], MemberState::Down)), ["web", "nodes", "everything"]);
        assert_eq!(all.woken_by(&mut publisher, Change::NodeGone(NodeId(2))), ["web", "nodes", "everything"]);
    }

    #[test]
    fn an_instance_that_changes_its_service_wakes_who_waits_for_either() {
        let (mut publisher, catalog) = cluster();
        let mut all = Waiting::all(&catalog);
        assert_eq!(all.woken_by(&mut publisher, on(2, instance("db", "x", &[], 80), Status::Passing)), ["web", "db", "everything"]);
    }

    #[test]
    fn readiness_wakes_all() {
        let (mut publisher, catalog) = cluster();
        let mut all = Waiting::all(&catalog);
        assert_eq!(all.woken_by(&mut publisher, Change::Ready(false)), ["web", "db", "own", "nodes", "everything"]);
    }

    #[test]
    fn what_is_published_before_the_first_look_is_not_missed() {
        let (mut publisher, catalog) = cluster();
        let mut waiter = catalog.wait_for(Interest::Own);
        publisher.publish([passing(instance("api", "own", &[], 80)), passing(instance("api", "own", &[], 81))], at(3));
        assert!(waiter.is_done() && !waiter.is_done());
    }

    #[test]
    fn nothing_is_left_of_a_waiter_that_is_dropped() {
        let (_, catalog) = cluster();
        let waiters = [catalog.wait_for(Interest::Own), catalog.wait_for(Interest::Own)];
        assert_eq!(catalog.watch.lock().slots.len(), 1);
        drop(waiters);
        assert!(catalog.watch.lock().slots.is_empty());
    }

    fn cluster() -> (Publisher, Catalog) {
        catalog([node(2, "b", &["10.0.0.2"], MemberState::Alive), on(2, instance("web", "x", &[], 80), Status::Passing)])
    }

    struct Waiting(Vec<(&'static str, Waiter, Arc<Bell>)>);

    impl Waiting {
        /// One waiter of each kind that has looked already.
        fn all(catalog: &Catalog) -> Waiting {
            let service = |name| Interest::Service(ServiceName::new(name).unwrap());
            let interests = [
                ("web", service("web")),
                ("db", service("db")),
                ("own", Interest::Own),
                ("nodes", Interest::Nodes),
                ("everything", Interest::Everything),
            ];
            let mut all = Waiting(interests.into_iter().map(|(name, it)| (name, catalog.wait_for(it), Arc::default())).collect());
            assert_eq!(all.done(), [""; 0]);
            all
        }

        fn woken_by(&mut self, publisher: &mut Publisher, change: Change) -> Vec<&'static str> {
            publisher.publish([change], at(2));
            let rung: Vec<_> = self.0.iter().filter(|(.., bell)| bell.0.swap(0, Ordering::Relaxed) > 0).map(|(name, ..)| *name).collect();
            assert_eq!(self.done(), rung, "woken and done are the same");
            rung
        }

        fn done(&mut self) -> Vec<&'static str> {
            let done = self.0.iter_mut().filter_map(|(name, waiter, bell)| {
                let waker = Waker::from(Arc::clone(bell));
                let mut context = Context::from_waker(&waker);
                let done = waiter.poll_changed(&mut context).is_ready();
                // Who was woken looks again, and waits on.
                let _ = waiter.poll_changed(&mut context);
                done.then_some(*name)
            });
            done.collect()
        }
    }

    impl Waiter {
        fn is_done(&mut self) -> bool {
            self.poll_changed(&mut Context::from_waker(Waker::noop())).is_ready()
        }
    }

    #[derive(Debug, Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
