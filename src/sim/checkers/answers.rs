//! Promise 7, its first half: an agent that runs answers every write, whatever becomes of the network.

use std::{collections::BTreeMap, time::Duration};

use super::super::{Deed, DiskState, HostId, Seen, Watcher, World};
use crate::{
    core::{io::CommandId, time::Moment},
    model::{Command, Refusal},
};

/// A farewell takes its time, and a slow disk, too.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Answers {
    open: BTreeMap<CommandId, (HostId, Moment)>,
    /// When each disk was last found or left full.
    full: BTreeMap<HostId, Moment>,
}

impl Watcher for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Submitted { id, .. } if world.host(host).is_running() => drop(self.open.insert(*id, (host, world.now()))),
            Seen::Done(Deed::Disk(_)) => drop(self.full.insert(host, world.now())),
            Seen::Answered { id, command, reply } => {
                self.open.remove(id);
                return self.judge(world, host, command, reply.as_ref().err());
            }
            Seen::Ended | Seen::Done(Deed::Paused | Deed::Frozen) => self.open.retain(|_, (at, _)| *at != host),
            _ => {}
        }
        self.overdue(world)
    }

    fn at_rest(&mut self, world: &World) -> Result<(), String> {
        self.overdue(world)
    }
}

impl Answers {
    fn overdue(&mut self, world: &World) -> Result<(), String> {
        // Ids ascend with time: the first one is the oldest.
        let Some((id, (host, at))) = self.open.first_key_value().map(|(id, open)| (*id, *open)) else { return Ok(()) };
        if world.now() - at < PATIENCE {
            return Ok(());
        }
        self.open.remove(&id);
        Err(format!("{} has not answered a write since {at}", world.host(host).options.node_name))
    }

    fn judge(&self, world: &World, host: HostId, command: &Command, refusal: Option<&Refusal>) -> Result<(), String> {
        let is_excused = match &world.host(host).process {
            Some(process) => process.disk.with(|platter| platter.state == DiskState::Full),
            None => true,
        };
        // What was refused while it was full may be answered a moment later.
        let is_excused = is_excused || self.full.get(&host).is_some_and(|at| world.now() - *at < PATIENCE);
        match refusal {
            Some(refusal @ Refusal::Storage(_)) if !is_excused => Err(format!("a healthy disk, and {command:?} was refused: {refusal}")),
            _ => Ok(()),
        }
    }
}
