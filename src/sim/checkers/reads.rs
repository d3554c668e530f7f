//! Promise 1: an agent that knows of peers says that it does not know everything before it has had a first full sync, and before it knows of those
//! who were there when it last ran, if they are there.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{HostId, Seen, Watcher, World};
use crate::{
    core::{io::Event, roster::PATIENCE, time::Moment},
    model::{Change, NodeId},
};

/// What a process said of itself.
#[derive(Default)]
struct Start {
    knows_peers: bool,
    /// Members of before that it has not shown yet.
    unseen: BTreeSet<NodeId>,
    joined: Option<Moment>,
    ready: Option<Moment>,
}

#[derive(Default)]
pub(super) struct Reads {
    starts: BTreeMap<HostId, Start>,
}

impl Watcher for Reads {
    fn name(&self) -> &'static str {
        "reads"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let start = self.starts.entry(host).or_default();
        match seen {
            Seen::Started { contents, .. } => {
                let options = &world.host(host).options;
                let others = options.seeds.iter().any(|seed| *seed != host) || contents.peers.iter().any(|peer| *peer != options.address);
                *start = Start { knows_peers: others, unseen: contents.members.iter().copied().collect(), ..Start::default() };
            }
            // It says what it had said before.
            Seen::ImageResumed { .. } => *start = Start::default(),
            Seen::Told(Event::Joined { .. }) => start.joined = Some(world.now()),
            Seen::Changing(Change::Node(node)) => drop(start.unseen.remove(&node.id)),
            Seen::Changing(Change::Ready(true)) => {
                start.ready = Some(world.now());
                start.judge_unseen(world, host)?;
            }
            _ => {}
        }
        start.judge(world.now())
    }

    fn at_rest(&mut self, world: &World) -> Result<(), String> {
        self.starts.values().try_for_each(|start| start.judge(world.now()))
    }
}

impl Start {
    /// What is told in the same breath may follow on the change.
    fn judge(&self, now: Moment) -> Result<(), String> {
        let too_early = self.knows_peers && self.joined.is_none() && self.ready.is_some_and(|ready| ready < now);
        if too_early {
            Err("it says that it knows what the cluster knows, and has had no full sync since its start".into())
        } else {
            Ok(())
        }
    }

    /// Who says that it knows the cluster denies what those have of whom it knows nothing.
    fn judge_unseen(&self, world: &World, host: HostId) -> Result<(), String> {
        let Some((joined, process)) = self.joined.zip(world.host(host).process.as_ref()) else { return Ok(()) };
        let runs =
            |node: &NodeId| world.hosts().any(|(_, other)| other.process.as_ref().is_some_and(|it| it.core.identity().node() == *node));
        // Somebody may have told that it is down or buried, and have no records of it.
        let is_unknown = |node: NodeId| !process.core.has_grave_for(node) && process.core.life_of(node).is_none();
        let unseen = self.unseen.iter().find(|node| runs(node) && is_unknown(**node));
        match unseen.filter(|_| world.now() - joined < PATIENCE) {
            Some(node) => {
                Err(format!("it says that it knows what the cluster knows, and shows nothing of {node}, which runs and was there before"))
            }
            None => Ok(()),
        }
    }
}
