//! Promise 1: an agent that knows of peers says that it does not know everything before it has had a first full sync.

use std::collections::BTreeMap;

use super::super::{HostId, Seen, Watcher, World};
use crate::{
    core::{io::Event, time::Moment},
    model::Change,
};

/// What a process said of itself.
#[derive(Default)]
struct Start {
    knows_peers: bool,
    joined: bool,
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
                *start = Start { knows_peers: others, ..Start::default() };
            }
            // It says what it had said before.
            Seen::ImageResumed { .. } => *start = Start::default(),
            Seen::Told(Event::Joined { .. }) => start.joined = true,
            Seen::Changing(Change::Ready(true)) => start.ready = Some(world.now()),
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
        let too_early = self.knows_peers && !self.joined && self.ready.is_some_and(|ready| ready < now);
        if too_early {
            Err("it says that it knows what the cluster knows, and has had no full sync since its start".into())
        } else {
            Ok(())
        }
    }
}
