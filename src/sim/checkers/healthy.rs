//! Promise 6: no healthy node is shown as down.

use super::{
    super::{Deed, HostId, Process, Seen, Watcher, World},
    excuses::{Excuses, LOSS},
};
use crate::model::{Change, MemberState};

#[derive(Default)]
pub(super) struct Healthy(Excuses);

impl Watcher for Healthy {
    fn name(&self) -> &'static str {
        "healthy"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let now = world.now();
        if world.network.faults().next().is_some() || world.network.conditions.loss > LOSS {
            self.0.network_is_ill(now);
        }
        match seen {
            Seen::Started { .. } | Seen::Ended | Seen::Done(Deed::Readdressed) | Seen::FolderReplaced | Seen::ImageResumed { .. } => {
                self.0.is_ill(host, now);
            }
            Seen::Done(Deed::Paused | Deed::Frozen) => self.0.stands_still(host, now),
            // A process that is paused on a host that is frozen stands still until both are over.
            Seen::Done(Deed::Resumed | Deed::Thawed) if world.host(host).is_running() => {
                self.0.goes_on(host, now);
            }
            Seen::Changing(Change::Node(node)) if node.state == MemberState::Down => return self.judge(world, host, node),
            _ => {}
        }
        Ok(())
    }
}

impl Healthy {
    fn judge(&self, world: &World, reader: HostId, node: &crate::model::Node) -> Result<(), String> {
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
        if self.0.excuse(reader, id, world.now()) {
            return Ok(());
        }
        Err(format!("{} is healthy, and is shown as down: {}", node.info.name, node.reason))
    }
}
