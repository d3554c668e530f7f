//! What this node owns: commands, their way to disk, and the versions that they take when they are there.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    Core,
    climb::Climb,
    io::{CommandId, Event, Output, Ticket},
    part::{Part, Write},
    replica::Shift,
    time::Moment,
};
use crate::{
    model::{
        Change, Check, CheckOrder, Command, Done, Health, InstanceId, NodeId, Refusal, Registration, Reply, StoreOp,
        check::Subject,
        command::Cause,
        limits,
        node::NodeInfo,
        record::{Body, Key, Kind},
    },
    planted::{Planted, is_planted},
    wire::{body, local},
};

/// What this node registered of an instance, beside its record.
#[derive(Debug)]
pub(super) struct Registered {
    /// All of it.
    pub registration: Registration,
    /// What is kept of it on disk and told to nobody.
    pub local: Body,
}

/// What is to be done when a write is on disk.
#[derive(Debug)]
pub(super) enum Act {
    /// Nothing but to answer.
    Nothing(Done),
    /// An instance is there, with these bodies.
    Register {
        /// What was asked for.
        registration: Box<Registration>,
        /// The body of its definition.
        definition: Body,
        /// The body that is kept beside it.
        local: Body,
        /// The health that was written with it.
        stored: Body,
    },
    /// An instance is gone.
    Remove(InstanceId),
    /// An instance, or the node, is taken out of discovery for a reason, or let back in.
    Maintain {
        /// Which, or the whole node.
        subject: Subject,
        /// Why.
        reason: Option<String>,
        /// The health that was written.
        stored: Body,
    },
    /// The node has these checks.
    Watch {
        /// All of them.
        checks: Vec<Check>,
        /// The health that was written with them.
        stored: Body,
    },
    /// What files define is in effect.
    Configure(Vec<Act>),
    /// A generation of a node is given up.
    Forget {
        /// Which node.
        node: NodeId,
        /// This generation and all below.
        generation: u32,
    },
    /// The node is another life.
    Climb(Climb),
    /// The node says farewell.
    Farewell,
}

/// An instance as it is, or is to be: what was asked for, and the bodies that this makes.
type ToBe<'a> = (&'a Registration, &'a Body, &'a Body);

impl Act {
    /// What it makes of an instance: `Some(None)` where it is gone then.
    fn on(&self, id: &InstanceId) -> Option<Option<ToBe<'_>>> {
        match self {
            Act::Register { registration, definition, local, .. } if registration.instance.id == *id => {
                Some(Some((&**registration, definition, local)))
            }
            Act::Remove(removed) if removed == id => Some(None),
            Act::Configure(acts) => acts.iter().rev().find_map(|act| act.on(id)),
            _ => None,
        }
    }

    /// What it makes of an instance's maintenance.
    fn maintains(&self, id: &InstanceId) -> Option<&Option<String>> {
        match self {
            Act::Maintain { subject: Subject::Instance(instance), reason, .. } if instance == id => Some(reason),
            Act::Remove(removed) if removed == id => Some(&None),
            Act::Configure(acts) => acts.iter().rev().find_map(|act| act.maintains(id)),
            _ => None,
        }
    }

    /// Takes note of what it makes of all instances.
    fn note<'a>(&'a self, instances: &mut BTreeMap<&'a InstanceId, &'a Registration>) {
        match self {
            Act::Register { registration, .. } => drop(instances.insert(&registration.instance.id, registration)),
            Act::Remove(id) => drop(instances.remove(id)),
            Act::Configure(acts) => acts.iter().for_each(|act| act.note(instances)),
            Act::Nothing(_) | Act::Maintain { .. } | Act::Watch { .. } | Act::Forget { .. } | Act::Climb(_) | Act::Farewell => {}
        }
    }
}

/// A write that is on its way to disk.
#[derive(Debug)]
pub(super) struct Pending {
    ticket: Ticket,
    /// Who waits for it; nobody for what the core writes for itself.
    command: Option<CommandId>,
    act: Act,
}

impl Pending {
    /// Whom it is to bury.
    pub(super) fn buries(&self) -> Option<(NodeId, u32)> {
        match self.act {
            Act::Forget { node, generation } => Some((node, generation)),
            _ => None,
        }
    }

    /// The checks that the node is to have.
    pub(super) fn watches(&self) -> Option<&[Check]> {
        let Act::Configure(acts) = &self.act else { return None };
        acts.iter().find_map(|act| match act {
            Act::Watch { checks, .. } => Some(checks.as_slice()),
            _ => None,
        })
    }
}

impl Core {
    /// The records that this life begins with take the versions 1 to base.
    pub(super) fn stamp_records(&mut self) {
        let mut records = std::mem::take(&mut self.settings.records);
        let node_record = self.begin_node(records.remove(&Key::node()));
        let mut locals: BTreeMap<Key, Body> = BTreeMap::new();
        records.retain(|key, (definition, _)| {
            let is_local = key.kind == Kind::LOCAL;
            if is_local {
                locals.insert(key.clone(), definition.clone());
            }
            !is_local
        });
        let mut part = Part::new(self.settings.life, records.len() as u64 + 1);
        part.write(Key::node(), node_record);
        for (key, (definition, mut status)) in records {
            if let Some(local) = locals.remove(&Key { kind: Kind::LOCAL, id: key.id.clone() }) {
                status = self.take_up(&key, &definition, status, local);
            }
            part.write(key, Write::Definition { definition, status });
        }
        part.base = part.complete;
        let node = self.me();
        let known = self.known.entry(node).or_default();
        known.life = part.life;
        self.own_version = part.complete;
        known.replica.shown = Some(Arc::new(part));
        self.touch(node, Shift { promoted: true, ..Shift::default() });
    }

    /// The node's record, with what an earlier life left: maintenance, and what its checks had found.
    fn begin_node(&mut self, stored: Option<(Body, Body)>) -> Write {
        let mut health = Health::initial(&self.settings.node_checks);
        let is_stored = stored.is_some();
        if let Some((definition, status)) = stored {
            self.settings.info.maintenance = body::decode_node(&definition).ok().and_then(|info| info.maintenance);
            health = body::decode_health(&status).unwrap_or_default().following(&self.settings.node_checks, &self.settings.node_checks);
        }
        if self.settings.host_rebooted {
            health.distrust();
        }
        let (definition, status) = (body::encode_node(&self.settings.info), body::encode_health(&health));
        if !is_stored {
            // What is written later of its health needs a record to be written to.
            let op = StoreOp::Put { key: Key::node(), definition: definition.clone(), status: status.clone() };
            self.store(None, vec![op], Act::Nothing(Done::Unchanged));
        }
        if !self.settings.node_checks.is_empty() {
            self.watch_node(health);
        }
        Write::Definition { definition, status }
    }

    /// An instance of an earlier life: its checks run again. It has its last status, unless the host started anew: then
    /// nothing is known of it before its checks have run.
    fn take_up(&mut self, key: &Key, definition: &Body, status: Body, local: Body) -> Body {
        let registration = body::decode_instance(&key.id, definition).and_then(|instance| local::decode(instance, &local));
        let Ok(registration) = registration else {
            return status;
        };
        // A loss of power may have left a health of the definition before.
        let stored = body::decode_health(&status).unwrap_or_default();
        let mut health = stored.following(&registration.checks, &registration.checks);
        health.maintenance = stored.maintenance;
        if self.settings.host_rebooted {
            health.distrust();
        }
        self.begin_checks(&registration, &health);
        self.registered.insert(registration.instance.id.clone(), Registered { registration, local });
        body::encode_health(&health)
    }

    fn begin_checks(&mut self, registration: &Registration, health: &Health) {
        self.outputs.push_back(Output::Change(Change::Registered(registration.clone().into())));
        let Registration { instance, checks, deregister_after, file: _ } = registration.clone();
        let subject = Subject::Instance(instance.id);
        self.outputs.push_back(Output::Check(CheckOrder::Start { subject, checks, deregister_after, health: health.clone() }));
    }

    pub(super) fn node_record(&self) -> Write {
        let health = self.health_of(&Subject::Node).unwrap_or_default();
        let mut info = Cow::Borrowed(&self.settings.info);
        if self.pending.iter().any(|pending| matches!(pending.act, Act::Farewell)) {
            // What is not on disk yet is told to nobody: the disk may refuse it.
            let info = info.to_mut();
            (info.left, info.grace_seconds) = (false, None);
        }
        Write::Definition { definition: body::encode_node(&info), status: body::encode_health(&health) }
    }

    pub(super) fn own_part(&self) -> &Part {
        self.known.get(&self.settings.node).and_then(|known| known.replica.shown.as_ref()).expect("stamped at the start")
    }

    pub(super) fn on_command(&mut self, now: Moment, id: CommandId, command: Command) {
        if self.farewell.is_some() || self.pending.iter().any(|pending| matches!(pending.act, Act::Farewell)) {
            return self.answer(id, Err(Refusal::Leaving));
        }
        match command {
            Command::Register(registration) => self.register(id, registration),
            Command::Deregister { instance, cause } => self.deregister(id, instance, cause),
            Command::Configure { services, checks } => self.configure(id, services, checks),
            Command::Verdict { subject, check, state } => self.verdict(now, id, subject, check, state),
            Command::Heartbeat { subject, check, state, output } => self.heartbeat(id, subject, check, state, output),
            Command::Maintain { subject, reason } => self.maintain(id, subject, reason),
            Command::Forget(node) => self.forget_by_command(now, id, node),
            Command::Leave => self.bid_farewell(now, id, None),
            Command::Absent(grace) => self.bid_farewell(now, id, Some(grace)),
        }
    }

    fn register(&mut self, id: CommandId, registration: Registration) {
        let instance = &registration.instance.id;
        if let Err(refusal) = self.refuse_if_a_file_defines(instance) {
            return self.answer(id, Err(refusal));
        }
        let full = self.to_be(instance).is_none() && self.instances_to_be().len() >= limits::INSTANCES_PER_NODE;
        match self.plan(registration) {
            Err(refusal) => self.answer(id, Err(refusal)),
            Ok(None) => self.store(Some(id), vec![], Act::Nothing(Done::Unchanged)),
            Ok(Some(_)) if full => self.answer(id, Err(Refusal::Full { limit: limits::INSTANCES_PER_NODE })),
            Ok(Some((ops, act))) => self.store(Some(id), ops, act),
        }
    }

    /// What a registration takes: writes to disk, and what follows when they are there. None where it is registered so already.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn plan(&self, registration: Registration) -> Result<Option<(Vec<StoreOp>, Act)>, Refusal> {
        let flaws = registration.validate();
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let (definition, local) = (body::encode_instance(&registration.instance), local::encode(&registration));
        let (octets, limit) = (definition.len().max(local.len()), limits::DEFINITION_OCTETS);
        if octets > limit {
            return Err(Refusal::TooLarge { octets, limit });
        }
        let instance = &registration.instance.id;
        // One that is only on its way to disk may not get there: then this one has to.
        if self.to_be(instance).is_some_and(|(_, d, l)| *d == definition && *l == local) && !self.is_pending(instance) {
            return Ok(None);
        }
        let stored = self.health_to_store(instance, self.health_of_new(&registration));
        let nothing = body::encode_health(&Health::default());
        let ops = vec![
            StoreOp::Put { key: Key::instance(instance), definition: definition.clone(), status: stored.clone() },
            StoreOp::Put { key: Key::local(instance), definition: local.clone(), status: nothing },
        ];
        Ok(Some((ops, Act::Register { registration: Box::new(registration), definition, local, stored })))
    }

    fn deregister(&mut self, id: CommandId, instance: InstanceId, cause: Cause) {
        if self.to_be(&instance).is_none() {
            return self.answer(id, Err(Refusal::NotFound(instance)));
        }
        if cause == Cause::Asked
            && let Err(refusal) = self.refuse_if_a_file_defines(&instance)
        {
            return self.answer(id, Err(refusal));
        }
        self.store(Some(id), removal_of(&instance), Act::Remove(instance));
    }

    fn refuse_if_a_file_defines(&self, instance: &InstanceId) -> Result<(), Refusal> {
        match self.to_be(instance).and_then(|(registration, ..)| registration.file.clone()) {
            Some(file) => Err(Refusal::DefinedByFile { instance: instance.clone(), file }),
            None => Ok(()),
        }
    }

    /// Hands a write to the disk. It takes its version when it is there, not before: a version is never missing.
    pub(super) fn store(&mut self, mut command: Option<CommandId>, ops: Vec<StoreOp>, act: Act) {
        if is_planted(Planted::AcknowledgedEarly)
            && let Some(id) = command.take_if(|_| matches!(act, Act::Register { .. } | Act::Remove(_)))
        {
            self.answer(id, Ok(Done::Created));
        }
        let ticket = self.ticket();
        self.pending.push_back(Pending { ticket, command, act });
        self.outputs.push_back(Output::Store { ticket, ops });
    }

    pub(super) fn on_stored(&mut self, now: Moment, ticket: Ticket, result: Result<(), String>) {
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.ticket <= ticket) {
            match &result {
                Ok(()) => self.complete(now, pending),
                Err(why) => {
                    self.roster.may_be_unwritten();
                    match pending.act {
                        Act::Farewell => self.undo_farewell(),
                        Act::Climb(climb) => self.not_climbed(now, climb, why),
                        _ => {}
                    }
                    if let Some(id) = pending.command {
                        self.answer(id, Err(Refusal::Storage(why.clone())));
                    }
                }
            }
        }
    }

    fn complete(&mut self, now: Moment, pending: Pending) {
        if matches!(pending.act, Act::Farewell) {
            if !is_planted(Planted::LeftUnsaid) {
                self.write(now, Key::node(), self.node_record());
            }
            return pending.command.into_iter().for_each(|id| self.begin_farewell(now, id));
        }
        let done = self.take_effect(now, pending.act);
        if let Some(id) = pending.command {
            self.answer(id, Ok(done));
        }
    }

    /// It is on disk.
    pub(super) fn take_effect(&mut self, now: Moment, act: Act) -> Done {
        match act {
            Act::Nothing(done) => done,
            Act::Register { registration, definition, local, stored } => self.registered(now, *registration, definition, local, &stored),
            Act::Remove(instance) => {
                self.registered.remove(&instance);
                self.event(Event::Own { subject: Subject::Instance(instance.clone()), what: "deregistered".into() });
                self.outputs.push_back(Output::Check(CheckOrder::Stop(Subject::Instance(instance.clone()))));
                self.write(now, Key::instance(&instance), Write::Gone);
                Done::Removed
            }
            Act::Maintain { subject, reason, stored } => self.maintained(now, subject, reason, &stored),
            Act::Watch { checks, stored } => self.node_watched(now, checks, &stored),
            Act::Configure(acts) => self.configured(now, acts),
            Act::Forget { node, generation } => self.forgotten(now, node, generation),
            Act::Climb(climb) => self.climbed(now, climb),
            Act::Farewell => Done::Noted,
        }
    }

    /// A definition is on disk. What that does is told from what stands, since a write before it may have failed.
    fn registered(&mut self, now: Moment, registration: Registration, definition: Body, local: Body, stored: &Body) -> Done {
        let id = registration.instance.id.clone();
        let key = Key::instance(&id);
        let done = match (self.own_part().get(&key), self.registered.get(&id)) {
            (None, _) => Done::Created,
            (Some((before, _)), Some(registered)) if *before == definition && registered.local == local => return Done::Unchanged,
            (Some(_), _) => Done::Replaced,
        };
        let what = if done == Done::Created { "registered" } else { "registered anew" };
        self.event(Event::Own { subject: Subject::Instance(id.clone()), what: what.into() });
        let health = self.health_of_new(&registration);
        self.begin_checks(&registration, &health);
        self.registered.insert(id.clone(), Registered { registration, local });
        self.write(now, key.clone(), Write::Definition { definition, status: body::encode_health(&health) });
        let status = self.health_to_store(&id, health);
        self.store_if_other(key, status, stored);
        done
    }

    /// What was written meanwhile, while the disk was busy, is written again.
    pub(super) fn store_if_other(&mut self, key: Key, status: Body, stored: &Body) {
        if status != *stored {
            self.store(None, vec![StoreOp::Status { key, status }], Act::Nothing(Done::Unchanged));
        }
    }

    /// A health as it is to be on disk behind all pending writes: maintenance that was asked for and is not acknowledged yet
    /// must not be overwritten by what was known before it.
    pub(super) fn health_to_store(&self, id: &InstanceId, mut health: Health) -> Body {
        if let Some(reason) = self.pending.iter().rev().find_map(|pending| pending.act.maintains(id)) {
            health.maintenance.clone_from(reason);
        }
        body::encode_health(&health)
    }

    /// What the node says of itself when all pending writes are done.
    pub(super) fn info_to_be(&self) -> NodeInfo {
        let mut info = self.settings.info.clone();
        let asked = self.pending.iter().rev().find_map(|pending| match &pending.act {
            Act::Maintain { subject: Subject::Node, reason, .. } => Some(reason),
            _ => None,
        });
        if let Some(reason) = asked {
            info.maintenance.clone_from(reason);
        }
        info
    }

    /// Whether the node's own record is on its way to disk.
    pub(super) fn is_node_pending(&self) -> bool {
        let writes_node = |act: &Act| matches!(act, Act::Maintain { subject: Subject::Node, .. } | Act::Farewell);
        self.pending.iter().any(|pending| writes_node(&pending.act) || pending.watches().is_some())
    }

    pub(super) fn is_pending(&self, id: &InstanceId) -> bool {
        self.pending.iter().any(|pending| pending.act.on(id).is_some())
    }

    /// The next version of this node's records: applied, shown and pushed.
    pub(super) fn write(&mut self, now: Moment, key: Key, write: Write) {
        let node = self.me();
        let Some(part) = self.known.get_mut(&node).and_then(|known| known.replica.shown.as_mut()).map(Arc::make_mut) else {
            return;
        };
        let Some(version) = part.write(key.clone(), write.clone()) else {
            return;
        };
        let (life, base) = (part.life, part.base);
        self.own_version = version;
        self.touch(node, Shift { promoted: false, keys: [key.clone()].into() });
        self.spread(now, node, life, base, version, key, write);
        self.changed(now);
    }

    pub(super) fn answer(&mut self, id: CommandId, reply: Reply) {
        self.answers.push((id, reply));
    }

    /// The definition of an instance, and what is kept beside it, when all pending writes are done.
    pub(super) fn to_be<'a>(&'a self, id: &InstanceId) -> Option<ToBe<'a>> {
        match self.pending.iter().rev().find_map(|pending| pending.act.on(id)) {
            Some(to_be) => to_be,
            None => {
                let registered = self.registered.get(id)?;
                Some((&registered.registration, self.own_part().get(&Key::instance(id))?.0, &registered.local))
            }
        }
    }

    /// The instances that there are when all pending writes are done.
    pub(super) fn instances_to_be(&self) -> BTreeMap<&InstanceId, &Registration> {
        let mut instances = self.registered.iter().map(|(id, registered)| (id, &registered.registration)).collect();
        self.pending.iter().for_each(|pending| pending.act.note(&mut instances));
        instances
    }
}

/// What takes an instance off the disk.
pub(super) fn removal_of(instance: &InstanceId) -> Vec<StoreOp> {
    vec![StoreOp::Delete(Key::instance(instance)), StoreOp::Delete(Key::local(instance))]
}
