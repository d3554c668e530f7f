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
        let mut sights: BTreeMap<(String, BTreeSet<usize>), Vec<(usize, NodeId, BTreeSet<usize>)>> = BTreeMap::new();
        for ((state, node), (place, observers)) in std::mem::take(&mut self.seen) {
            let subject = ids.iter().position(|id| *id == Some(node));
            let all = observers.iter().copied().chain(subject).collect();
            sights.entry((state, all)).or_default().push((place, node, observers));
        }
        let mut rest: BTreeMap<(String, BTreeSet<usize>), Vec<(usize, NodeId)>> = BTreeMap::new();
        for ((state, all), mut lines) in sights {
            lines.sort_by_key(|(place, ..)| *place);
            if lines.len() == all.len() && all.len() > 1 {
                self.entries[lines[0].0].text = format!("{}: each sees all others {state}", self.names_of(&all));
                continue;
            }
            for (place, node, observers) in lines {
                rest.entry((state.clone(), observers)).or_default().push((place, node));
            }
        }
        for ((state, observers), lines) in rest {
            let first = lines.iter().map(|(place, _)| *place).min().unwrap_or_default();
            let host = |node: &NodeId| ids.iter().position(|id| *id == Some(*node));
            let known: BTreeSet<usize> = lines.iter().filter_map(|(_, node)| host(node)).collect();
            let others = lines.iter().filter(|(_, node)| host(node).is_none()).map(|(_, node)| format!("node {node}"));
            let seen: Vec<String> = std::iter::once(self.names_of(&known)).chain(others).filter(|name| !name.is_empty()).collect();
            self.entries[first].text = format!("{}: sees {} {state}", self.names_of(&observers), seen.join(", "));
        }
        self.entries.retain(|entry| !entry.text.is_empty());
    }

    fn names_of(&self, hosts: &BTreeSet<usize>) -> String {
        let nodes: Nodes = hosts.iter().copied().collect();
        cast::said(&nodes, |host| &self.names[host])
    }
}
