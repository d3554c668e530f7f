//! Promise 8: nothing grows without end, and what is at rest holds no queue.

use super::super::{HostId, Seen, Watcher, World};

/// Records that may wait to be pushed.
const PUSHES: usize = 4_096;

#[derive(Default)]
pub(super) struct Bounded;

impl Watcher for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        // What was pushed last is given up a few rounds later.
        let Seen::Changing(_) = seen else { return Ok(()) };
        let waiting = world.host(host).process.as_ref().map_or(0, |process| process.core.push_queue());
        if waiting > PUSHES { Err(format!("{waiting} records wait to be pushed")) } else { Ok(()) }
    }

    fn at_rest(&mut self, world: &World) -> Result<(), String> {
        for (_, host) in world.hosts() {
            let Some(process) = &host.process else { continue };
            let waiting = process.core.push_queue();
            let has_peers = process.catalog.load().nodes().filter(|entry| entry.node.state.is_up()).count() > 1;
            if waiting > 0 && has_peers {
                return Err(format!("nothing moves, and {waiting} records wait to be pushed by {}", host.options.node_name));
            }
        }
        Ok(())
    }
}
