//! Promise 5: what was deregistered, and who left or was forgotten, does not come back by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Host, HostId, Seen, Watcher, World};
use crate::catalog::NodeEntry;
use crate::core::{io::CommandId, time::Moment};
use crate::model::{Change, Command, Done, InstanceId, Life, MemberState, NodeId, record::Key};

/// A definition's version, in which life.
type Version = (Life, u64);

#[derive(Default)]
pub(super) struct Removals {
    /// What each process has shown last of an instance, and whether it was removed since.
    shown: BTreeMap<(HostId, NodeId, InstanceId), (Version, bool)>,
    /// Lives that each process has shown as left.
    left: BTreeMap<(HostId, NodeId), Life>,
    /// What owners removed, up to which version of which life; and whether everybody knew once.
    removed: BTreeMap<(NodeId, InstanceId), (Version, bool)>,
    /// Nodes that were forgotten, up to which generation; and whether everybody knew once.
    forgotten: BTreeMap<NodeId, (u32, bool, HostId)>,
    /// What those who were asked to forget knew of a node then.
    asked: BTreeMap<CommandId, u32>,
    /// Since when a process is asked to leave.
    leaving: BTreeMap<HostId, Moment>,
    /// Lives that went on from an image: they have two histories, and may have left in one of them and go on in the other.
    forked: BTreeSet<(NodeId, Life)>,
    /// When the process of each host began, or was resumed from an image.
    began: BTreeMap<HostId, Moment>,
    /// Who is on which host.
    ids: BTreeMap<HostId, NodeId>,
    /// The same for those that left.
    gone: BTreeMap<NodeId, (Life, bool)>,
}

impl Watcher for Removals {
    fn name(&self) -> &'static str {
        "removals"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::FolderReplaced => {
                self.come_back(host);
                Ok(())
            }
            Seen::ImageResumed { node, life } => {
                self.ids.insert(host, *node);
                self.forked.insert((*node, *life));
                self.come_back(host);
                self.begin(world, host);
                Ok(())
            }
            Seen::Started { contents, .. } => {
                self.ids.insert(host, contents.node_id);
                self.begin(world, host);
                Ok(())
            }
            Seen::Submitted { command: Command::Leave, .. } => {
                self.leaving.entry(host).or_insert(world.now());
                Ok(())
            }
            Seen::Submitted { id, command: Command::Forget(node) } => {
                let snapshot = world.host(host).process.as_ref().map(|process| process.catalog.load());
                let known = snapshot.and_then(|snapshot| Some(snapshot.node(*node)?.node.life.generation));
                self.asked.extend(known.map(|generation| (*id, generation)));
                Ok(())
            }
            Seen::Answered { id, command, reply: Ok(done) } => {
                self.note(world, host, *id, command);
                self.on_farewell(world, host, command, *done)
            }
            Seen::Changing(Change::Instance { node, instance, .. }) => self.on_instance(world, host, *node, &instance.id),
            Seen::Changing(Change::InstanceGone { node, id }) => {
                if let Some((_, removed)) = self.shown.get_mut(&(host, *node, id.clone())) {
                    *removed = true;
                }
                Ok(())
            }
            Seen::Changing(Change::Node(node)) => self.on_node(world, host, node.id, node.life, node.state),
            Seen::Changing(Change::NodeGone(node)) => {
                self.shown.retain(|(of, owner, _), _| (*of, *owner) != (host, *node));
                self.left.remove(&(host, *node));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, world: &World) -> Result<(), String> {
        for reader in world.running() {
            let Some(process) = &world.host(reader).process else { continue };
            let (snapshot, name) = (process.catalog.load(), &world.host(reader).options.node_name);
            for ((node, id), (mark, _)) in &self.removed {
                // An owner that is gone may have told nobody.
                if runs(world, *node)
                    && snapshot.instance(*node, id).is_some()
                    && version_of(world, reader, *node, id).is_some_and(|shown| shown <= *mark && !is_a_copy(world, *node, shown.0, mark.0))
                {
                    return Err(format!("{id} of {node} was deregistered, and {name} shows it"));
                }
            }
            for (node, (generation, _, by)) in &self.forgotten {
                // Who forgot it may have told nobody since.
                if !world.host(*by).is_running() {
                    continue;
                }
                if snapshot.node(*node).is_some_and(|entry| entry.node.life.generation <= *generation) {
                    return Err(format!("{node} was forgotten, and {name} shows it"));
                }
            }
            for (node, (life, _)) in &self.gone {
                // Who left while nobody could be told is shown as down.
                let shown = snapshot.node(*node).filter(|entry| entry.node.life <= *life && entry.node.state.is_up());
                if shown.is_some_and(|entry| !is_a_copy(world, *node, entry.node.life, *life)) {
                    return Err(format!("{node} left, and {name} shows it otherwise"));
                }
            }
        }
        self.removed.values_mut().for_each(|(_, known)| *known = true);
        self.forgotten.values_mut().for_each(|(_, known, by)| *known = world.host(*by).is_running());
        self.gone.values_mut().for_each(|(_, known)| *known = true);
        Ok(())
    }
}

impl Removals {
    /// What a host has on its disk, or in its memory, is of the past: what was removed since comes back; and so does who was forgotten,
    /// where nobody is left who knows.
    fn come_back(&mut self, host: HostId) {
        if let Some(node) = self.ids.get(&host) {
            self.removed.retain(|(of, _), _| of != node);
            self.gone.remove(node);
            self.forgotten.remove(node);
            self.forgotten.retain(|_, (.., by)| *by != host);
        }
    }

    /// A process shows something else than the one before it.
    fn begin(&mut self, world: &World, host: HostId) {
        self.began.insert(host, world.now());
        self.shown.retain(|(of, ..), _| *of != host);
        self.left.retain(|(of, _), _| *of != host);
        self.leaving.remove(&host);
    }

    /// Something was acknowledged.
    fn note(&mut self, world: &World, host: HostId, id: CommandId, command: &Command) {
        let Some(process) = &world.host(host).process else { return };
        let me = process.core.identity();
        match command {
            Command::Deregister { instance, .. } => {
                let mark = (me.life(), process.core.own_version());
                self.removed.insert((me.node(), instance.clone()), (mark, false));
            }
            Command::Forget(node) => {
                if let Some(generation) = self.asked.remove(&id) {
                    self.forgotten.insert(*node, (generation, false, host));
                }
            }
            Command::Leave => drop(self.gone.insert(me.node(), (me.life(), false))),
            _ => {}
        }
    }

    /// Whoever confirmed that a node left shows it so.
    fn on_farewell(&self, world: &World, host: HostId, command: &Command, done: Done) -> Result<(), String> {
        let (Command::Leave, Done::Announced { confirmed, .. }, Some(process)) = (command, done, &world.host(host).process) else {
            return Ok(());
        };
        let me = process.core.identity();
        let knows = |(_, host): &(HostId, &Host)| {
            let snapshot = host.process.as_ref().map(|process| process.catalog.load());
            // Who leaves right after a backup was restored leaves in a life that peers know to be over.
            let is_over =
                |entry: &NodeEntry| entry.node.life > me.life() || (entry.node.life == me.life() && entry.node.state == MemberState::Left);
            snapshot.is_some_and(|it| it.node(me.node()).is_some_and(is_over))
        };
        let know = world.hosts().filter(|(id, _)| *id != host).filter(knows).count();
        if self.forgotten.get(&me.node()).is_some_and(|(generation, ..)| *generation >= me.life().generation) {
            // An operator was quicker than the last who was asked: it is shown by nobody.
            return Ok(());
        }
        // Those that ended since know nothing any more.
        let since = self.leaving.get(&host).copied().unwrap_or_default();
        let is_another = |(id, host): &(HostId, &Host)| host.process.is_none() || self.began.get(id).is_some_and(|began| *began >= since);
        let ended = world.hosts().filter(is_another).count();
        if know + ended >= confirmed { Ok(()) } else { Err(format!("{confirmed} agents confirmed that it left, and {know} show it")) }
    }

    fn on_instance(&mut self, world: &World, host: HostId, node: NodeId, id: &InstanceId) -> Result<(), String> {
        let Some(version) = version_of(world, host, node, id) else { return Ok(()) };
        if let Some((mark, true)) = self.removed.get(&(node, id.clone()))
            && version <= *mark
            && !is_a_copy(world, node, version.0, mark.0)
        {
            return Err(format!("{id} of {node} was deregistered and gone everywhere, and comes back as of {version:?}"));
        }
        if let Some((before, was_removed)) = self.shown.insert((host, node, id.clone()), (version, false)) {
            if version < before {
                return Err(format!("{id} of {node} goes back from {before:?} to {version:?}"));
            }
            if was_removed && version == before {
                return Err(format!("{id} of {node} was removed here, and comes back as of {version:?}"));
            }
        }
        Ok(())
    }

    fn on_node(&mut self, world: &World, host: HostId, node: NodeId, life: Life, state: MemberState) -> Result<(), String> {
        if state == MemberState::Left {
            self.left.insert((host, node), life);
        } else if state.is_up() && !self.forked.contains(&(node, life)) && self.left.get(&(host, node)).is_some_and(|left| life <= *left) {
            return Err(format!("{node} was shown as left, and is shown as {state} in the same life"));
        }
        if let Some((generation, true, _)) = self.forgotten.get(&node)
            && life.generation <= *generation
        {
            return Err(format!("{node} was forgotten and gone everywhere, and comes back in the life {life}"));
        }
        match self.gone.get(&node) {
            Some((left, true)) if life <= *left && state.is_up() && !is_a_copy(world, node, life, *left) => {
                Err(format!("{node} left, everywhere, and is shown as {state}"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a process runs under this id.
fn runs(world: &World, node: NodeId) -> bool {
    let members = world.running().filter(|id| !world.is_refused(*id));
    members.filter_map(|id| world.host(id).process.as_ref()).any(|process| process.core.identity().node() == node)
}

/// Whether a process runs in this life of a node, and it was another one, in a later life, that left or removed something: one of the two
/// had a copy of the other's data folder, and each folder holds what its own process was asked for.
fn is_a_copy(world: &World, node: NodeId, life: Life, later: Life) -> bool {
    let processes = world.running().filter_map(|id| world.host(id).process.as_ref());
    life < later && processes.map(|process| process.core.identity()).any(|it| (it.node(), it.life()) == (node, life))
}

/// The life and the version of the definition that a host holds.
fn version_of(world: &World, host: HostId, node: NodeId, id: &InstanceId) -> Option<Version> {
    let part = world.host(host).process.as_ref()?.core.replica(node)?.shown.as_ref()?;
    Some((part.life, part.definition_version(&Key::instance(id))?))
}
