//! What readers are told: which nodes and instances there are, as differences.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use super::{
    Core,
    detector::Fault,
    io::{Event, Output},
    known::Known,
    replica::{Replica, Shift},
    time::Moment,
};
use crate::{
    model::{
        Change, Health, Instance, InstanceId, Life, MemberState, Node, NodeId,
        node::NodeInfo,
        record::{Body, Key, Kind},
    },
    planted::{Planted, is_planted},
    wire::body,
};

/// What was published about a node.
#[derive(Debug)]
pub(super) struct Shown {
    node: Arc<Node>,
    /// The bodies of the node's record that `node` was read from: most changes leave them as they are.
    record: (Body, Body),
    instances: BTreeSet<InstanceId>,
}

impl Shown {
    /// The same node, held by others, too.
    pub(super) fn share(&mut self, node: &Arc<Node>) {
        debug_assert_eq!(self.node, *node);
        self.node = Arc::clone(node);
    }

    fn is_read_from(&self, (definition, status): (&Body, &Body)) -> bool {
        Arc::ptr_eq(&self.record.0, definition) && Arc::ptr_eq(&self.record.1, status)
    }
}

impl Known {
    fn node_record(&self) -> Option<(&Body, &Body)> {
        self.replica.shown.as_ref()?.get(&Key::node())
    }

    /// What was published, if the node's record is still the one that it was read from.
    fn shown_as_it_is(&self) -> Option<&Shown> {
        let record = self.node_record()?;
        self.shown.as_ref().filter(|shown| shown.is_read_from(record))
    }

    /// What the node says of itself, in the life that is shown.
    pub(super) fn node_info(&self) -> Option<Cow<'_, NodeInfo>> {
        match self.shown_as_it_is() {
            Some(shown) => Some(Cow::Borrowed(&shown.node.info)),
            None => body::decode_node(self.node_record()?.0).ok().map(Cow::Owned),
        }
    }

    /// The node as readers see it.
    pub(super) fn as_shown(&self) -> Option<&Node> {
        self.shown.as_ref().map(|shown| shown.node.as_ref())
    }

    fn node_health(&self) -> Health {
        match (self.shown_as_it_is(), self.node_record()) {
            (Some(shown), _) => shown.node.health.clone(),
            (None, Some((_, status))) => body::decode_health(status).unwrap_or_default(),
            (None, None) => Health::default(),
        }
    }
}

impl Core {
    /// Something about a node changed: it is published when the input is done with.
    pub(super) fn touch(&mut self, node: NodeId, shift: Shift) {
        let dirty = self.dirty.entry(node).or_default();
        dirty.promoted |= shift.promoted;
        dirty.keys.extend(shift.keys);
        self.recount(node);
    }

    /// foca holds something else of a member than before.
    pub(super) fn on_member_changed(&mut self, now: Moment, node: NodeId) {
        self.touch(node, Shift::default());
        self.show_detector(now, node);
        let Some(member) = self.membership.get(node).copied() else {
            return;
        };
        let life = member.identity.life();
        if self.graves.buries(node, life.generation) {
            let effects = self.membership.bury(node);
            return self.apply(now, effects);
        }
        let known = self.known.entry(node).or_default();
        if life > known.life {
            // What readers were told last: foca holds the later life already.
            known.bridged = known.shown.as_ref().is_some_and(|shown| shown.node.state.is_up());
            known.life = life;
            known.gone_since = None;
            known.twin = known.identity.filter(|before| before.life().generation == life.generation).map(Box::new);
        }
        known.identity = Some(member.identity);
        known.gone_since = if member.is_up() { None } else { known.gone_since.or(Some(now)) };
        known.replica.drop_above(life);
        self.recount(node);
        // A life that left stays so, whatever foca hears of it.
        self.on_records_changed(now, node);
        if member.is_up() {
            self.remember_peers(now);
        }
        self.remember_members(now);
    }

    /// A time of grace may be over. That there was one is kept, so that the same life gets no second one.
    pub(super) fn end_grace(&mut self, now: Moment, node: NodeId) {
        if let Some(grace) = self.known.get_mut(&node).and_then(|known| known.grace.as_mut())
            && grace.until.is_some_and(|until| until <= now)
        {
            grace.until = None;
            self.touch(node, Shift::default());
            self.show_detector(now, node);
        }
    }

    /// Whether a node's instances are handed out, and why (the first rule that matches holds).
    /// `None` where the node is not shown at all.
    fn state_of(&self, node: NodeId, life: Life, info: &NodeInfo) -> Option<(MemberState, &'static str)> {
        if node == self.me() {
            let state = if info.left { MemberState::Left } else { MemberState::Alive };
            return Some((state, "this agent"));
        }
        let (known, member) = (self.known.get(&node)?, self.membership.get(node)?);
        if info.left && !is_planted(Planted::LeftUndone) {
            return Some((MemberState::Left, "it left the cluster"));
        }
        let grace = known.absent_until(life).is_some();
        let waiting = life < member.identity.life();
        if !member.is_up() {
            return Some(match grace {
                true => (MemberState::Restarting, "it announced a short absence"),
                false => (MemberState::Down, "it did not answer, nor did others reach it"),
            });
        }
        if waiting && !known.bridged {
            return Some((MemberState::Down, "it started again and its records have not arrived yet"));
        }
        Some(match member.state {
            _ if grace => (MemberState::Restarting, "it announced a short absence"),
            foca::State::Suspect => (MemberState::Suspect, "it did not answer a probe of another agent"),
            _ if let Some(fault) = self.detector.suspects(member.identity) => (MemberState::Suspect, said_of(fault)),
            _ if waiting => (MemberState::Alive, "it started again; the records of its earlier start are shown"),
            _ => (MemberState::Alive, "it answers"),
        })
    }

    /// Publishes the difference that the input made.
    pub(super) fn publish(&mut self) {
        for (node, shift) in std::mem::take(&mut self.dirty) {
            self.publish_node(node, shift);
            self.note_if_accounted_for(node);
        }
    }

    fn publish_node(&mut self, id: NodeId, shift: Shift) {
        let view = self.view_of(id);
        let Some(known) = self.known.get_mut(&id) else {
            return;
        };
        let Some((node, record)) = view else {
            if known.shown.take().is_some() {
                self.outputs.push_back(Output::Change(Change::NodeGone(id)));
            }
            if known.replica == Replica::default() && self.membership.get(id).is_none() {
                // It is forgotten. Were anything kept of it, each grave for it would bury it anew, and never end.
                self.known.remove(&id);
            }
            return;
        };
        let first = known.shown.is_none();
        let (before, instances) = known.shown.take().map(|shown| (shown.node, shown.instances)).unzip();
        let mut instances: BTreeSet<InstanceId> = instances.unwrap_or_default();
        let mut keys = shift.keys;
        if shift.promoted || first {
            keys.extend(instances.iter().map(Key::instance));
            keys.extend(known.replica.shown.iter().flat_map(|part| part.slots().keys().cloned()));
        }
        let mut changes = Vec::new();
        if before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, &node) && **before != *node) {
            changes.push(Change::Node(Arc::clone(&node)));
        }
        for key in keys.into_iter().filter(|key| key.kind == Kind::INSTANCE) {
            match instance_of(known, &key) {
                Some((instance, health)) => {
                    instances.insert(instance.id.clone());
                    changes.push(Change::Instance { node: id, instance: Arc::new(instance), health: Arc::new(health) });
                }
                None => {
                    if let Some(instance) = InstanceId::of(&key.id).ok().filter(|instance| instances.remove(instance)) {
                        changes.push(Change::InstanceGone { node: id, id: instance });
                    }
                }
            }
        }
        let event = (before.as_ref().map(|before| before.state) != Some(node.state) && id != self.settings.node).then(|| Event::Member {
            node: id,
            name: node.info.name.to_string(),
            address: node.gossip,
            state: format!("{}: {}", node.state, node.reason),
        });
        known.shown = Some(Shown { node, record, instances });
        self.outputs.extend(changes.into_iter().map(Output::Change));
        self.outputs.extend(event.map(Output::Event));
    }

    /// A node as readers are to see it, and the record that it is read from; `None` where it is not shown.
    fn view_of(&self, id: NodeId) -> Option<(Arc<Node>, (Body, Body))> {
        let known = self.known.get(&id)?;
        let life = known.replica.shown.as_ref()?.life;
        let (definition, status) = known.node_record()?;
        let info = known.node_info()?;
        let (state, reason) = self.state_of(id, life, &info)?;
        let gossip = if id == self.me() { self.settings.address } else { self.membership.get(id)?.identity.address() };
        let as_before = known.shown_as_it_is().map(|shown| &shown.node);
        let is_as_before = |node: &&Arc<Node>| (node.life, node.gossip, node.state, node.reason) == (life, gossip, state, reason);
        let node = match as_before.filter(is_as_before) {
            Some(node) => Arc::clone(node),
            None => Arc::new(Node { id, life, gossip, info: info.into_owned(), health: known.node_health(), state, reason }),
        };
        Some((node, (definition.clone(), status.clone())))
    }

    /// The node that is up and holds a name, by what it says of itself.
    pub(super) fn live_holder(&self, name: &str) -> Option<&Node> {
        self.known
            .values()
            .filter_map(|known| known.shown.as_ref())
            .map(|shown| shown.node.as_ref())
            .find(|node| node.state.is_up() && node.info.name.as_str() == name)
    }

    /// Whether a node took its leave.
    pub(super) fn is_left(&self, node: NodeId) -> bool {
        self.known.get(&node).and_then(|known| known.shown.as_ref()).is_some_and(|shown| shown.node.state == MemberState::Left)
    }
}

fn said_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Refused => "nobody listens at its address",
        Fault::Silent => "it does not answer",
        Fault::Stalled => "it takes connections and does not answer",
    }
}

fn instance_of(known: &Known, key: &Key) -> Option<(Instance, Health)> {
    let (definition, status) = known.replica.shown.as_ref()?.get(key)?;
    Some((body::decode_instance(&key.id, definition).ok()?, body::decode_health(status).ok()?))
}
