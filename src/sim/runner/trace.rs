//! The story of a run in few lines: what several agents do or tell within a second is told once, with all their names.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use super::{
    super::{
        HostId, Seen, Watcher, World,
        scenario::{Node, Nodes, cast},
        story,
    },
    outcome::Entry,
};
use crate::{
    core::{io::Event, time::Moment},
    model::NodeId,
};

/// How long lines that say the same are put together.
const TOGETHER: Duration = Duration::from_secs(1);

/// A trace, shared by who watches and who plays.
#[derive(Debug, Clone)]
pub(super) struct Trace(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    names: Vec<String>,
    /// Whether more than the steps is told.
    whole: bool,
    entries: Vec<Entry>,
    /// Since when lines are put together.
    since: Option<Moment>,
    /// Who said or did something, and which entry it will be.
    said: BTreeMap<String, (usize, BTreeSet<usize>)>,
    /// Who sees whom in some state, and which entry it will be.
    seen: BTreeMap<(String, NodeId), (usize, BTreeSet<usize>)>,
}

/// Who sees a node in some state, and which entry it will be.
struct Sight {
    state: String,
    place: usize,
    node: NodeId,
    /// The host that is this node.
    subject: Option<usize>,
    observers: BTreeSet<usize>,
}

impl Trace {
    pub(super) fn new(nodes: &[Node], whole: bool) -> Trace {
        let names = nodes.iter().map(|node| node.host.to_string()).collect();
        let (entries, said, seen) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Trace(Rc::new(RefCell::new(Inner { names, whole, entries, since: None, said, seen })))
    }

    /// Tells of a step. `ids` say which node each host is.
    pub(super) fn step(&self, entry: Entry, ids: &[Option<NodeId>]) {
        let mut inner = self.0.borrow_mut();
        inner.put_together(ids);
        inner.entries.push(entry);
    }

    /// All that was told.
    pub(super) fn take(&self, ids: &[Option<NodeId>]) -> Vec<Entry> {
        let mut inner = self.0.borrow_mut();
        inner.put_together(ids);
        std::mem::take(&mut inner.entries)
    }

    /// Puts together what has waited for long enough.
    pub(super) fn tick(&self, now: Moment, ids: &[Option<NodeId>]) {
        let mut inner = self.0.borrow_mut();
        if inner.since.is_some_and(|since| now - since >= TOGETHER) {
            inner.put_together(ids);
        }
    }
}

impl Watcher for Trace {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let mut inner = self.0.borrow_mut();
        if !inner.whole {
            return Ok(());
        }
        let (place, at) = (inner.entries.len(), world.now());
        match seen {
            Seen::Told(Event::Member { node, state, .. }) => {
                inner.seen.entry((state.clone(), *node)).or_insert((place, BTreeSet::new())).1.insert(host.0);
            }
            other => {
                let Some(line) = story::line(world, host, other) else { return Ok(()) };
                inner.said.entry(line.what).or_insert((place, BTreeSet::new())).1.insert(host.0);
            }
        }
        inner.since.get_or_insert(at);
        // Filled in when it is known who else is to be named; left out where another line says it.
        inner.entries.push(Entry { at, is_step: false, text: String::new() });
        Ok(())
    }
}

impl Inner {
    fn put_together(&mut self, ids: &[Option<NodeId>]) {
        self.since = None;
        for (text, (place, hosts)) in std::mem::take(&mut self.said) {
            self.entries[place].text = format!("{}: {text}", self.names_of(&hosts));
        }
        let sights = std::mem::take(&mut self.seen).into_iter().map(|((state, node), (place, observers))| {
            let subject = ids.iter().position(|id| *id == Some(node));
            Sight { state, place, node, subject, observers }
        });
        let rest = self.mutual(sights.collect());
        self.one_sided(rest);
        self.entries.retain(|entry| !entry.text.is_empty());
    }

    /// Tells of those who all see each other in one state; what is left is not told yet.
    fn mutual(&mut self, sights: Vec<Sight>) -> Vec<Sight> {
        let mut circles: BTreeMap<(String, BTreeSet<usize>), Vec<Sight>> = BTreeMap::new();
        for sight in sights {
            let circle = sight.observers.iter().copied().chain(sight.subject).collect();
            circles.entry((sight.state.clone(), circle)).or_default().push(sight);
        }
        let mut rest = Vec::new();
        for ((state, circle), sights) in circles {
            let subjects: BTreeSet<usize> = sights.iter().filter_map(|sight| sight.subject).collect();
            match sights.iter().map(|sight| sight.place).min().filter(|_| subjects == circle && circle.len() > 1) {
                Some(first) => self.entries[first].text = format!("{}: see each other {state}", self.names_of(&circle)),
                None => rest.extend(sights),
            }
        }
        rest
    }

    /// Tells of those who see the same others in one state.
    fn one_sided(&mut self, sights: Vec<Sight>) {
        let mut views: BTreeMap<(String, BTreeSet<usize>), Vec<Sight>> = BTreeMap::new();
        for sight in sights {
            views.entry((sight.state.clone(), sight.observers.clone())).or_default().push(sight);
        }
        for ((state, observers), sights) in views {
            let known: BTreeSet<usize> = sights.iter().filter_map(|sight| sight.subject).collect();
            let others = sights.iter().filter(|sight| sight.subject.is_none()).map(|sight| format!("node {}", sight.node));
            let names: Vec<String> = Some(self.names_of(&known)).filter(|names| !names.is_empty()).into_iter().chain(others).collect();
            let first = sights.iter().map(|sight| sight.place).min().unwrap_or_default();
            self.entries[first].text = format!("{}: sees {} {state}", self.names_of(&observers), names.join(", "));
        }
    }

    fn names_of(&self, hosts: &BTreeSet<usize>) -> String {
        let nodes: Nodes = hosts.iter().copied().collect();
        cast::said(&nodes, |host| &self.names[host])
    }
}
