//! Promise 2: what was acknowledged is on disk, whatever happened to process and power; and no start speaks under a generation that
//! was spoken under before.

use std::collections::BTreeMap;

use super::super::{HostId, Seen, Watcher, World};
use crate::{
    core::io::CommandId,
    model::{Command, Instance, InstanceId, check::Subject, record::Kind},
    store::Contents,
    wire::body,
};

/// What an instance is, as far as it must survive.
type Kept = Option<(Instance, Option<String>)>;

#[derive(Default)]
struct Folder {
    generation: u32,
    instances: BTreeMap<InstanceId, (Instance, Option<String>)>,
    node_maintenance: Option<String>,
    /// Asked for and not answered: it may be on disk or not.
    open: Vec<(CommandId, Command)>,
    /// What it holds is not what was acknowledged here.
    replaced: bool,
}

#[derive(Default)]
pub(super) struct Durable {
    folders: BTreeMap<HostId, Folder>,
}

impl Watcher for Durable {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn see(&mut self, _world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let folder = self.folders.entry(host).or_default();
        match seen {
            Seen::Started { life, contents } => {
                let result = if folder.replaced { Ok(()) } else { folder.compare(contents, life.generation) };
                *folder = Folder { generation: life.generation, node_maintenance: node_maintenance(contents), ..Folder::default() };
                folder.instances = instances(contents);
                result
            }
            Seen::FolderReplaced | Seen::ImageResumed { .. } => {
                folder.replaced = true;
                Ok(())
            }
            Seen::Submitted { id, command } => {
                if matches!(command, Command::Register(_) | Command::Deregister { .. } | Command::Maintain { .. }) {
                    folder.open.push((*id, (*command).clone()));
                }
                Ok(())
            }
            Seen::Answered { id, command, reply } => {
                folder.open.retain(|(open, _)| open != id);
                if reply.is_ok() {
                    folder.apply(command);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Folder {
    fn apply(&mut self, command: &Command) {
        match command {
            Command::Register(registration) => {
                let maintenance = self.instances.get(&registration.instance.id).and_then(|(_, reason)| reason.clone());
                self.instances.insert(registration.instance.id.clone(), (registration.instance.clone(), maintenance));
            }
            Command::Deregister { instance, .. } => drop(self.instances.remove(instance)),
            Command::Maintain { subject: Subject::Instance(instance), reason } => {
                if let Some((_, maintenance)) = self.instances.get_mut(instance) {
                    maintenance.clone_from(reason);
                }
            }
            Command::Maintain { subject: Subject::Node, reason } => self.node_maintenance.clone_from(reason),
            _ => {}
        }
    }

    fn compare(&self, contents: &Contents, generation: u32) -> Result<(), String> {
        if generation <= self.generation {
            return Err(format!("it speaks under generation {generation}, and has spoken under {} before", self.generation));
        }
        let found = instances(contents);
        // What was asked for and not answered may be there up to any of its commands.
        let mut possible = vec![(self.instances.clone(), self.node_maintenance.clone())];
        let mut folder = Folder { instances: self.instances.clone(), node_maintenance: self.node_maintenance.clone(), ..Folder::default() };
        for (_, command) in &self.open {
            folder.apply(command);
            possible.push((folder.instances.clone(), folder.node_maintenance.clone()));
        }
        for id in self.instances.keys().chain(found.keys()) {
            let is: Kept = found.get(id).cloned();
            if !possible.iter().any(|(instances, _)| instances.get(id).cloned() == is) {
                let acknowledged = self.instances.get(id);
                return Err(format!("acknowledged of {id}: {acknowledged:?}; on disk: {is:?}; without an answer: {:?}", self.open));
            }
        }
        let is = node_maintenance(contents);
        if possible.iter().any(|(_, reason)| *reason == is) {
            return Ok(());
        }
        Err(format!("acknowledged of the node's maintenance: {:?}; on disk: {is:?}", self.node_maintenance))
    }
}

fn instances(contents: &Contents) -> BTreeMap<InstanceId, (Instance, Option<String>)> {
    let of_instances = contents.records.iter().filter(|(key, _)| key.kind == Kind::INSTANCE);
    let decoded = of_instances.filter_map(|(key, (definition, status))| {
        let instance = body::decode_instance(&key.id, definition).ok()?;
        let maintenance = body::decode_health(status).ok()?.maintenance;
        Some((instance.id.clone(), (instance, maintenance)))
    });
    decoded.collect()
}

fn node_maintenance(contents: &Contents) -> Option<String> {
    let (_, (definition, _)) = contents.records.iter().find(|(key, _)| key.kind == Kind::NODE)?;
    body::decode_node(definition).ok()?.maintenance
}
