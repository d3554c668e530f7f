//! What all agents show at this moment.

use std::{
    cell::{Cell, Ref, RefCell},
    collections::BTreeMap,
    mem,
};

use tidings::{
    core::time::Moment,
    model::{InstanceId, NodeId},
};
use tokio::{sync::Notify, time::Instant};

use super::{
    promises::Promises,
    view::{Instance, Node, View},
};

/// One agent, as far as it has answered since its start.
#[derive(Debug, Default)]
struct Place {
    nodes: Option<BTreeMap<NodeId, Node>>,
    instances: Option<BTreeMap<(NodeId, InstanceId), Instance>>,
    view: Option<View>,
}

/// All of them, who they are, and what was promised.
#[derive(Debug)]
pub(crate) struct Board {
    begun: Cell<Instant>,
    places: RefCell<Vec<Place>>,
    ids: RefCell<Vec<Option<NodeId>>>,
    processes: RefCell<Vec<Option<u32>>>,
    pub(crate) promises: RefCell<Promises>,
    /// Something is to be looked at.
    pub(crate) changed: Notify,
}

impl Board {
    /// Nobody shows anything yet.
    pub(crate) fn new(count: usize, promises: Promises) -> Board {
        Board {
            begun: Cell::new(Instant::now()),
            places: RefCell::new((0..count).map(|_| Place::default()).collect()),
            ids: RefCell::new(vec![None; count]),
            processes: RefCell::new(vec![None; count]),
            promises: RefCell::new(promises),
            changed: Notify::new(),
        }
    }

    /// How many they are.
    pub(crate) fn count(&self) -> u32 {
        self.places.borrow().len() as u32
    }

    /// Time is counted from now on.
    pub(crate) fn begin(&self) {
        self.begun.set(Instant::now());
    }

    /// Since the beginning.
    pub(crate) fn now(&self) -> Moment {
        Moment::after_start(self.begun.get().elapsed())
    }

    /// When a moment is, on the clock.
    pub(crate) fn instant(&self, at: Moment) -> Instant {
        self.begun.get() + at.since_start()
    }

    /// The agent of a host is this node.
    pub(crate) fn is(&self, place: usize, id: NodeId) {
        self.ids.borrow_mut()[place] = Some(id);
        self.changed.notify_one();
    }

    /// Who each host was, when its agent started last.
    pub(crate) fn ids(&self) -> Ref<'_, Vec<Option<NodeId>>> {
        self.ids.borrow()
    }

    /// The process of a host is this one, or there is none.
    pub(crate) fn runs(&self, place: usize, process: Option<u32>) {
        self.processes.borrow_mut()[place] = process;
    }

    /// The number of the process of a host, where there is one.
    pub(crate) fn process(&self, place: usize) -> Option<u32> {
        self.processes.borrow()[place]
    }

    /// What an agent shows, if it shows anything.
    pub(crate) fn view(&self, place: usize) -> Option<Ref<'_, View>> {
        Ref::filter_map(self.places.borrow(), |places| places[place].view.as_ref()).ok()
    }

    /// An agent shows nothing any more.
    pub(crate) fn clear(&self, place: usize) {
        self.places.borrow_mut()[place] = Place::default();
        self.changed.notify_one();
    }

    pub(crate) fn show_nodes(&self, place: usize, nodes: Option<BTreeMap<NodeId, Node>>) {
        self.change(place, |it| it.nodes = nodes);
    }

    pub(crate) fn show_instances(&self, place: usize, instances: Option<BTreeMap<(NodeId, InstanceId), Instance>>) {
        self.change(place, |it| it.instances = instances);
    }

    fn change(&self, place: usize, change: impl FnOnce(&mut Place)) {
        let mut places = self.places.borrow_mut();
        let it = &mut places[place];
        change(it);
        let both = it.nodes.clone().zip(it.instances.clone());
        let view = both.map(|(nodes, instances)| View { nodes, instances });
        let before = mem::replace(&mut it.view, view);
        if it.view != before {
            let mut promises = self.promises.borrow_mut();
            promises.see(place, before.as_ref(), it.view.as_ref(), &self.ids.borrow(), self.now());
        }
        self.changed.notify_one();
    }
}
