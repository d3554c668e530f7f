//! Promise 6: no healthy node is shown as down.

use std::{collections::BTreeMap, time::Duration};

use super::super::{Deed, HostId, Process, Seen, Watcher, World};
use crate::{
    core::time::Moment,
    model::{Change, MemberState},
};

/// A process that stood still for no longer is healthy all the same. The promise has a second; detection does better.
const SHORT: Duration = Duration::from_secs(2);
/// How long after a fault of the network what was decided during it may still come to light.
const AFTERMATH: Duration = Duration::from_secs(60);
/// The same after a host was ill: its process began or ended, or stood still for long.
const RECOVERY: Duration = Duration::from_secs(20);
/// The loss each way up to which the promise holds.
const LOSS: f64 = 0.2;

#[derive(Default)]
pub(super) struct Healthy {
    /// When something was last wrong with each host.
    ill: BTreeMap<HostId, Moment>,
    /// Since when a process stands still.
    still: BTreeMap<HostId, Moment>,
    /// When the network last had a fault beyond the promise.
    network: Option<Moment>,
}

impl Watcher for Healthy {
    fn name(&self) -> &'static str {
        "healthy"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let now = world.now();
        if world.network.faults().next().is_some() || world.network.conditions.loss > LOSS {
            self.network = Some(now);
        }
        match seen {
            Seen::Started { .. } | Seen::Ended | Seen::Done(Deed::Readdressed) | Seen::FolderReplaced | Seen::ImageResumed { .. } => {
                self.ill.insert(host, now);
            }
            Seen::Done(Deed::Paused | Deed::Frozen) => drop(self.still.entry(host).or_insert(now)),
            // A process that is paused on a host that is frozen stands still until both are over.
            Seen::Done(Deed::Resumed | Deed::Thawed) if world.host(host).is_running() => {
                let since = self.still.remove(&host).filter(|since| now - *since > SHORT);
                self.ill.extend(since.map(|_| (host, now)));
            }
            Seen::Changing(Change::Node(node)) if node.state == MemberState::Down => return self.judge(world, host, node),
            _ => {}
        }
        Ok(())
    }
}

impl Healthy {
    fn judge(&self, world: &World, reader: HostId, node: &crate::model::Node) -> Result<(), String> {
        let now = world.now();
        let within = |at: Option<&Moment>, time| at.is_some_and(|at| now - *at < time);
        let is_it = |(_, host): &(HostId, &super::super::Host)| {
            host.is_running()
                && host
                    .process
                    .as_ref()
                    .is_some_and(|process| (process.core.identity().node(), process.core.identity().life()) == (node.id, node.life))
        };
        let Some((id, _)) = world.hosts().find(is_it) else { return Ok(()) };
        // Who is kept out for its name is no member; and of two copies of a folder everybody keeps one.
        let under_the_id = world.hosts().filter_map(|(_, host)| host.process.as_ref()).filter(|it| it.core.identity().node() == node.id);
        if world.is_refused(id) || under_the_id.count() > 1 {
            return Ok(());
        }
        // It came back from the past, and it is its future that is down, as somebody remembers who meets the others only now.
        let is_of_the_past = |process: &Process| process.core.life_of(node.id).is_some_and(|life| life > node.life);
        if world.host(reader).process.as_ref().is_some_and(is_of_the_past) {
            return Ok(());
        }
        if within(self.network.as_ref(), AFTERMATH)
            || within(self.ill.get(&id), RECOVERY)
            || within(self.ill.get(&reader), RECOVERY)
            || self.still.contains_key(&id)
        {
            return Ok(());
        }
        Err(format!("{} is healthy, and is shown as down: {}", node.info.name, node.reason))
    }
}
