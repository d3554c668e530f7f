//! Promises 4 and 7: once faults have stopped, all agents hold the same, and that is what the owners hold.

use super::super::{HostId, Process, Seen, Watcher, World};
use crate::{catalog::Snapshot, model::MemberState};

#[derive(Default)]
pub(super) struct Converged;

impl Watcher for Converged {
    fn name(&self) -> &'static str {
        "converged"
    }

    fn see(&mut self, _world: &World, _host: HostId, _seen: &Seen<'_>) -> Result<(), String> {
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Result<(), String> {
        for reader in world.running().filter(|reader| !world.is_refused(*reader)) {
            let Some(process) = &world.host(reader).process else { continue };
            let read = process.catalog.load();
            for owner in world.running().filter(|owner| !world.is_refused(*owner)) {
                let Some(own) = &world.host(owner).process else { continue };
                if own.core.identity().node() == process.core.identity().node()
                    || world.host(owner).options.cluster != world.host(reader).options.cluster
                {
                    continue;
                }
                compare(world, reader, owner, &read, &own.catalog.load())?;
            }
        }
        world.hosts().filter_map(|(_, host)| host.process.as_ref()).try_for_each(compare_digest)?;
        if world.all_agree() { Ok(()) } else { Err(format!("the digests differ: {}", digests(world))) }
    }
}

fn compare(world: &World, reader: HostId, owner: HostId, read: &Snapshot, own: &Snapshot) -> Result<(), String> {
    let (reader, owner) = (&world.host(reader).options.node_name, &world.host(owner).options.node_name);
    let node = own.local;
    match read.node(node).map(|entry| entry.node.state) {
        Some(MemberState::Alive) => {}
        state => return Err(format!("{owner} runs, and {reader} shows it as {state:?}")),
    }
    let mine: Vec<_> = read.instances_of(node).map(|entry| (&entry.instance, &entry.health)).collect();
    let theirs: Vec<_> = own.instances_of(node).map(|entry| (&entry.instance, &entry.health)).collect();
    if mine == theirs {
        return Ok(());
    }
    let ids = |entries: &[(_, _)]| -> Vec<String> {
        entries.iter().map(|(instance, _): &(&std::sync::Arc<crate::model::Instance>, _)| instance.id.to_string()).collect()
    };
    Err(format!("{owner} has {:?}, and {reader} shows {:?}, or others of the same names", ids(&theirs), ids(&mine)))
}

/// The digest that an agent keeps is that of what it holds.
fn compare_digest(process: &Process) -> Result<(), String> {
    let sum = process.core.replicas().filter_map(|(node, replica)| replica.digest(node));
    let counted = sum.fold(0_u64, |sum, digest| sum.wrapping_add(digest as u64));
    let kept = process.core.digest().owners;
    if counted == kept { Ok(()) } else { Err(format!("the digest {kept:x} is kept of what has {counted:x}")) }
}

fn digests(world: &World) -> String {
    let each = world.running().filter(|id| !world.is_refused(*id)).filter_map(|id| {
        let process = world.host(id).process.as_ref()?;
        Some(format!("{} {:?}", world.host(id).options.node_name, process.core.digest()))
    });
    each.collect::<Vec<_>>().join(", ")
}
