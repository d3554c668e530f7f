//! Promise 9: one name, one holder, and everybody names the same one: of those that are up, the lowest id.

use std::collections::BTreeMap;

use super::super::{Host, HostId, Seen, Watcher, World};
use crate::model::{ClusterName, NodeId, NodeName};

#[derive(Default)]
pub(super) struct Names;

impl Watcher for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn see(&mut self, _world: &World, _host: HostId, _seen: &Seen<'_>) -> Result<(), String> {
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Result<(), String> {
        let mut holders: BTreeMap<(&ClusterName, &NodeName), NodeId> = BTreeMap::new();
        for host in members(world) {
            let Some(process) = &host.process else { continue };
            let id = process.core.identity().node();
            let holder = holders.entry((&host.options.cluster, &host.options.node_name)).or_insert(id);
            *holder = (*holder).min(id);
        }
        for host in members(world) {
            let Some(process) = &host.process else { continue };
            let snapshot = process.catalog.load();
            for ((cluster, name), holder) in &holders {
                if **cluster != host.options.cluster {
                    continue;
                }
                let named = snapshot.holder(name.as_str()).map(|entry| entry.node.id);
                if named != Some(*holder) {
                    return Err(format!("{name} is held by {holder}, and {} says by {named:?}", host.options.node_name));
                }
            }
        }
        Ok(())
    }
}

/// Hosts whose agents run and are not kept out.
fn members(world: &World) -> impl Iterator<Item = &Host> {
    world.running().filter(|id| !world.is_refused(*id)).map(|id| world.host(id))
}
