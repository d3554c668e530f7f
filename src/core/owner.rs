//! What this node owns: commands, their way to disk, and the versions that they take when they are there.

use super::{
    Core,
    io::{CommandId, Output, Ticket},
    part::{Part, Write},
    replica::{Replica, Shift},
    time::Moment,
};
use crate::{
    model::{
        Command, Done, Instance, Life, Refusal, Reply, Status, StoreOp, limits,
        record::{Body, Key},
    },
    wire::body,
};

/// What is known about one node, this one included.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its records.
    pub replica: Replica,
    /// The highest life that it had as a member.
    pub life: Life,
    /// The earlier life was handed out when the later one was first heard of, so it goes on being so until that is whole.
    pub bridged: bool,
    /// Since when it is down or left.
    pub gone_since: Option<Moment>,
    /// The announced absence: of which life, and when it ends here.
    pub grace: Option<(Life, Moment)>,
    /// What readers were told.
    pub shown: Option<super::view::Shown>,
}

/// A write that is on its way to disk.
#[derive(Debug)]
pub(super) struct Pending {
    ticket: Ticket,
    /// Who waits for it; nobody for what the core writes for itself.
    command: Option<CommandId>,
    write: Option<(Key, Write)>,
    done: Done,
    farewell: bool,
}

impl Core {
    /// The records that this life begins with take the versions 1 to base.
    pub(super) fn stamp_records(&mut self) {
        let records = std::mem::take(&mut self.settings.records);
        let base = records.len() as u64 + 1;
        let mut part = Part::new(self.settings.life, base);
        part.write(Key::node(), self.node_record());
        for (key, (definition, status)) in records.into_iter().filter(|(key, _)| *key != Key::node()) {
            part.write(key, Write::Definition { definition, status });
        }
        part.base = part.complete;
        let node = self.me();
        let known = self.known.entry(node).or_default();
        known.life = part.life;
        known.replica.shown = Some(part);
        self.touch(node, Shift { promoted: true, ..Shift::default() });
    }

    pub(super) fn node_record(&self) -> Write {
        Write::Definition { definition: body::encode_node(&self.settings.info), status: body::encode_status(Status::Passing) }
    }

    pub(super) fn own_part(&self) -> &Part {
        self.known.get(&self.settings.node).and_then(|known| known.replica.shown.as_ref()).expect("stamped at the start")
    }

    pub(super) fn on_command(&mut self, id: CommandId, command: Command) {
        if self.farewell.is_some() || self.pending.iter().any(|pending| pending.farewell) {
            return self.answer(id, Err(Refusal::Leaving));
        }
        match command {
            Command::Register(instance) => self.register(id, &instance),
            Command::Deregister(instance) => {
                let key = Key::instance(&instance);
                if self.definition_to_be(&key).is_none() {
                    return self.answer(id, Err(Refusal::NotFound(instance)));
                }
                self.store(Some(id), vec![StoreOp::Delete(key.clone())], Some((key, Write::Gone)), Done::Removed, false);
            }
            Command::Leave => self.bid_farewell(id, None),
            Command::Absent(grace) => self.bid_farewell(id, Some(grace)),
        }
    }

    fn register(&mut self, id: CommandId, instance: &Instance) {
        let flaws = instance.validate();
        if !flaws.is_empty() {
            return self.answer(id, Err(Refusal::Invalid(flaws)));
        }
        let key = Key::instance(&instance.id);
        let definition = body::encode_instance(instance);
        if definition.len() > limits::DEFINITION_OCTETS {
            let (octets, limit) = (definition.len(), limits::DEFINITION_OCTETS);
            return self.answer(id, Err(Refusal::TooLarge { octets, limit }));
        }
        match self.definition_to_be(&key) {
            // One that is only on its way to disk may not get there: then this one has to.
            Some(before) if before == definition && !self.is_pending(&key) => self.store(Some(id), vec![], None, Done::Unchanged, false),
            None if self.instances_to_be() >= limits::INSTANCES_PER_NODE => {
                self.answer(id, Err(Refusal::Full { limit: limits::INSTANCES_PER_NODE }));
            }
            before => {
                let done = if before.is_some() { Done::Replaced } else { Done::Created };
                let status = body::encode_status(Status::Passing);
                let op = StoreOp::Put { key: key.clone(), definition: definition.clone(), status: status.clone() };
                self.store(Some(id), vec![op], Some((key, Write::Definition { definition, status })), done, false);
            }
        }
    }

    /// Hands a write to the disk. It takes its version when it is there, not before: a version is never missing.
    pub(super) fn store(&mut self, command: Option<CommandId>, ops: Vec<StoreOp>, write: Option<(Key, Write)>, done: Done, farewell: bool) {
        let ticket = self.ticket();
        self.pending.push_back(Pending { ticket, command, write, done, farewell });
        self.outputs.push_back(Output::Store { ticket, ops });
    }

    pub(super) fn on_stored(&mut self, now: Moment, ticket: Ticket, result: Result<(), String>) {
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.ticket <= ticket) {
            match &result {
                Ok(()) => self.complete(now, pending),
                Err(why) => {
                    if pending.farewell {
                        self.undo_farewell();
                    }
                    if let Some(id) = pending.command {
                        self.answer(id, Err(Refusal::Storage(why.clone())));
                    }
                }
            }
        }
    }

    fn complete(&mut self, now: Moment, pending: Pending) {
        let mut done = pending.done;
        if let Some((key, write)) = pending.write {
            done = self.done_by(&key, &write).unwrap_or(done);
            if done != Done::Unchanged || pending.farewell {
                self.write(now, key, write);
            }
        }
        match pending.command {
            Some(id) if pending.farewell => self.begin_farewell(now, id),
            Some(id) => self.answer(id, Ok(done)),
            None => {}
        }
    }

    /// What a definition that is on disk now does. Told from what stands, since a write before it may have failed.
    fn done_by(&self, key: &Key, write: &Write) -> Option<Done> {
        let Write::Definition { definition, .. } = write else {
            return None;
        };
        Some(match self.own_part().get(key) {
            None => Done::Created,
            Some((before, _)) if before == definition => Done::Unchanged,
            Some(_) => Done::Replaced,
        })
    }

    fn is_pending(&self, key: &Key) -> bool {
        self.pending.iter().any(|pending| pending.write.as_ref().is_some_and(|(pending_key, _)| pending_key == key))
    }

    /// The next version of this node's records: applied, shown and pushed.
    fn write(&mut self, now: Moment, key: Key, write: Write) {
        let node = self.me();
        let Some(part) = self.known.get_mut(&node).and_then(|known| known.replica.shown.as_mut()) else {
            return;
        };
        let Some(version) = part.write(key.clone(), write.clone()) else {
            return;
        };
        let (life, base) = (part.life, part.base);
        self.touch(node, Shift { promoted: false, keys: [key.clone()].into() });
        self.spread(now, node, life, base, version, key, write);
        self.changed(now);
    }

    pub(super) fn answer(&mut self, id: CommandId, reply: Reply) {
        self.answers.push((id, reply));
    }

    /// The definition that stands when all pending writes are done.
    fn definition_to_be(&self, key: &Key) -> Option<Body> {
        let last = self.pending.iter().rev().find_map(|pending| match &pending.write {
            Some((pending_key, write)) if pending_key == key => Some(write),
            _ => None,
        });
        match last {
            Some(Write::Definition { definition, .. }) => Some(definition.clone()),
            Some(_) => None,
            None => self.own_part().get(key).map(|(definition, _)| definition.clone()),
        }
    }

    fn instances_to_be(&self) -> usize {
        let pending: std::collections::BTreeMap<&Key, bool> = self
            .pending
            .iter()
            .filter_map(|pending| pending.write.as_ref())
            .map(|(key, write)| (key, matches!(write, Write::Definition { .. })))
            .collect();
        let live = self.own_part().slots().keys().filter(|key| !pending.contains_key(key) && **key != Key::node()).count();
        live + pending.iter().filter(|(key, lives)| **lives && ***key != Key::node()).count()
    }
}
