//! For how long readers are wrong about who is there: about an instance of each host, which is to be handed out while its agent runs or
//! has announced a short absence, and not once it has ended in another way.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use super::{HostId, Seen, Watcher, World};
use crate::{
    catalog::{Snapshot, select::held_back},
    core::time::Moment,
    model::{Change, Command, InstanceId, NodeId},
};

/// How a reader is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It hands out what is gone.
    Stale,
    /// It does not yet hand out what is there again, or what was there before it could know.
    Late,
    /// It hands out no more what it handed out before and what is still there.
    Vanished,
}

/// All readers that were wrong in the same way about a host, from the same moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapse {
    /// How they were wrong.
    pub wrong: Wrong,
    /// About whom.
    pub subject: HostId,
    /// Since when.
    pub since: Moment,
    /// How long until the last of them was right.
    pub lasted: Duration,
    /// Which was the last.
    pub reader: HostId,
    /// How it showed the node when it began to be wrong, and why.
    pub shown: String,
}

/// What all agents that know their cluster show, held against what is so after each thing that happens. To be watched from before the
/// first agent starts.
#[derive(Debug, Clone)]
pub struct Views(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    /// Which instance it is on each host.
    instance: InstanceId,
    hosts: BTreeMap<NodeId, HostId>,
    truths: BTreeMap<HostId, Truth>,
    /// Since when each reader says that it knows its cluster.
    ready: BTreeMap<HostId, Moment>,
    /// Readers, and hosts about which they may show something else now.
    touched: BTreeSet<(HostId, HostId)>,
    wrong: BTreeMap<(HostId, HostId), (Moment, Wrong, String)>,
    lapses: BTreeMap<(HostId, Moment, Wrong), (Duration, HostId, String)>,
    /// Whether it is looked at what they show.
    is_judging: bool,
}

/// What is so.
#[derive(Debug, Clone, Copy)]
struct Truth {
    node: NodeId,
    presence: Presence,
    since: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    /// It will end, and be there again soon.
    Absent,
    /// It takes its leave: some know already.
    Leaving,
    Gone,
}

impl Views {
    /// Of the instance with this id on each host.
    pub fn of(instance: InstanceId) -> Views {
        Views(Rc::new(RefCell::new(Inner {
            instance,
            hosts: BTreeMap::new(),
            truths: BTreeMap::new(),
            ready: BTreeMap::new(),
            touched: BTreeSet::new(),
            wrong: BTreeMap::new(),
            lapses: BTreeMap::new(),
            is_judging: false,
        })))
    }

    /// From now on is looked at what they show, which should be right now.
    pub fn judge(&self, world: &World) {
        let mut inner = self.0.borrow_mut();
        inner.is_judging = true;
        inner.touch(world, |_| true, |_| true);
        inner.look(world);
    }

    /// Lets time pass until then, and looks at whatever changes.
    pub fn run_until(&self, world: &mut World, end: Moment) {
        self.0.borrow_mut().look(world);
        while world.next_at().is_some_and(|at| at <= end) {
            world.step();
            self.0.borrow_mut().look(world);
        }
        world.run_until(end);
    }

    /// Who was wrong until now, in the order of who it was about. Who still is has been until now.
    pub fn lapses(&self, world: &World) -> Vec<Lapse> {
        let mut inner = self.0.borrow_mut();
        let open: Vec<_> = inner.wrong.keys().copied().collect();
        open.into_iter().for_each(|(reader, subject)| inner.is_right(world.now(), reader, subject));
        let lapse = |(&(subject, since, wrong), (lasted, reader, shown)): (&_, &(_, _, String))| Lapse {
            wrong,
            subject,
            since,
            lasted: *lasted,
            reader: *reader,
            shown: shown.clone(),
        };
        inner.lapses.iter().map(lapse).collect()
    }
}

impl Watcher for Views {
    fn name(&self) -> &'static str {
        "views"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        self.0.borrow_mut().see(world, host, seen);
        Ok(())
    }
}

impl Inner {
    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) {
        match seen {
            Seen::Started { contents, .. } => {
                self.hosts.insert(contents.node_id, host);
                self.becomes(world, host, contents.node_id, Presence::There);
            }
            Seen::Submitted { command: Command::Leave, .. } => self.goes(world, host, Presence::Leaving),
            Seen::Submitted { command: Command::Absent(_), .. } => self.goes(world, host, Presence::Absent),
            Seen::Ended => {
                if self.truths.get(&host).is_none_or(|truth| truth.presence != Presence::Absent) {
                    self.goes(world, host, Presence::Gone);
                }
                let of_reader: Vec<_> = self.wrong.range((host, HostId(0))..=(host, HostId(usize::MAX))).map(|(key, _)| *key).collect();
                of_reader.into_iter().for_each(|(reader, subject)| self.is_right(world.now(), reader, subject));
            }
            Seen::Changing(Change::Ready(_)) => {
                self.ready.insert(host, world.now());
                self.touch(world, |reader| reader == host, |_| true);
            }
            Seen::Changing(change) => match change {
                Change::Node(node) => self.touched.extend(self.hosts.get(&node.id).map(|subject| (host, *subject))),
                Change::NodeGone(node) | Change::Instance { node, .. } | Change::InstanceGone { node, .. } => {
                    self.touched.extend(self.hosts.get(node).map(|subject| (host, *subject)));
                }
                Change::Registered(_) | Change::CameBack(_) | Change::Ready(_) => {}
            },
            _ => {}
        }
    }

    fn goes(&mut self, world: &World, host: HostId, presence: Presence) {
        if let Some(node) = self.truths.get(&host).map(|truth| truth.node) {
            self.becomes(world, host, node, presence);
        }
    }

    fn becomes(&mut self, world: &World, host: HostId, node: NodeId, presence: Presence) {
        self.truths.insert(host, Truth { node, presence, since: world.now() });
        // What was wrong about it until now was wrong about another state.
        let of_subject: Vec<_> = self.wrong.keys().filter(|(_, subject)| *subject == host).copied().collect();
        of_subject.into_iter().for_each(|(reader, subject)| self.is_right(world.now(), reader, subject));
        self.touch(world, |_| true, |subject| subject == host);
    }

    fn touch(&mut self, world: &World, reads: impl Fn(HostId) -> bool, is_read: impl Fn(HostId) -> bool) {
        if !self.is_judging {
            return;
        }
        for reader in world.running().filter(|reader| reads(*reader)) {
            self.touched.extend(self.truths.keys().filter(|subject| is_read(**subject)).map(|subject| (reader, *subject)));
        }
    }

    /// Looks at what has been touched.
    fn look(&mut self, world: &World) {
        if !self.is_judging {
            return self.touched.clear();
        }
        let mut read: Option<(HostId, Arc<Snapshot>)> = None;
        for (reader, subject) in std::mem::take(&mut self.touched) {
            let host = world.host(reader);
            let Some(process) = host.process.as_ref().filter(|_| host.is_running()) else { continue };
            if read.as_ref().is_none_or(|(of, _)| *of != reader) {
                read = Some((reader, process.catalog.load()));
            }
            let Some(snapshot) = read.as_ref().map(|(_, snapshot)| snapshot).filter(|snapshot| snapshot.ready) else { continue };
            self.judge(world.now(), reader, subject, snapshot);
        }
    }

    fn judge(&mut self, now: Moment, reader: HostId, subject: HostId, snapshot: &Snapshot) {
        let Some(truth) = self.truths.get(&subject).copied() else { return };
        let entry = snapshot.instance(truth.node, &self.instance);
        let is_handed_out = entry.is_some_and(|entry| held_back(snapshot, entry).is_none());
        let wrong = match truth.presence {
            Presence::There | Presence::Absent if !is_handed_out => Wrong::Late,
            Presence::Gone if is_handed_out => Wrong::Stale,
            _ => return self.is_right(now, reader, subject),
        };
        let has_begun = truth.since == now || self.ready.get(&reader) == Some(&now);
        // Else it was right about this state before.
        let wrong = if wrong == Wrong::Late && !has_begun { Wrong::Vanished } else { wrong };
        let shown =
            || snapshot.node(truth.node).map_or("unknown".to_owned(), |entry| format!("{}: {}", entry.node.state, entry.node.reason));
        self.wrong.entry((reader, subject)).or_insert_with(|| (now, wrong, shown()));
    }

    fn is_right(&mut self, now: Moment, reader: HostId, subject: HostId) {
        let Some((since, wrong, shown)) = self.wrong.remove(&(reader, subject)) else { return };
        let lasted = now - since;
        let is_longest = self.lapses.get(&(subject, since, wrong)).is_none_or(|(longest, ..)| lasted > *longest);
        if is_longest && !lasted.is_zero() {
            self.lapses.insert((subject, since, wrong), (lasted, reader, shown));
        }
    }
}
