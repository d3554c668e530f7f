//! Promise 3 and the invariants of replication: what anybody holds of an owner is what the owner wrote, and it never goes back.
//!
//! Each owner's log is kept: which records it held at which version. A copy that is complete up to a version is that of the log, and
//! each single record of it was written so by its owner, status and definition together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{HostId, Seen, Watcher, World};
use crate::{
    core::{
        digest,
        part::{Part, Slot},
    },
    model::{Change, Life, NodeId, record::Key},
};

#[derive(Default)]
struct Log {
    /// By complete version.
    digests: BTreeMap<u64, BTreeSet<u128>>,
    /// Hashes of all slots that ever were.
    slots: BTreeSet<u128>,
    highest: u64,
}

#[derive(Default)]
pub(super) struct Records {
    logs: BTreeMap<(NodeId, Life), Log>,
    /// Lives that went on from an image: they have two histories, and what a peer holds may be of both until the owner finds out.
    forked: BTreeSet<(NodeId, Life)>,
    /// What each process holds of each node: it only grows, until it is dropped.
    held: BTreeMap<(HostId, NodeId), (Life, u64)>,
}

impl Watcher for Records {
    fn name(&self) -> &'static str {
        "records"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Started { .. } => {
                self.held.retain(|(of, _), _| *of != host);
                Ok(())
            }
            Seen::ImageResumed { node, life } => {
                self.held.retain(|(of, _), _| *of != host);
                self.forked.insert((*node, *life));
                Ok(())
            }
            Seen::Wrote => {
                self.note(world, host);
                Ok(())
            }
            Seen::Changing(Change::Node(node)) => self.compare(world, host, node.id, &Key::node()),
            Seen::Changing(Change::Instance { node, instance, .. }) => self.compare(world, host, *node, &Key::instance(&instance.id)),
            Seen::Changing(Change::InstanceGone { node, id }) => self.compare(world, host, *node, &Key::instance(id)),
            Seen::Changing(Change::NodeGone(node)) => {
                self.held.remove(&(host, *node));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Records {
    /// The owner wrote.
    fn note(&mut self, world: &World, host: HostId) {
        let Some(process) = &world.host(host).process else { return };
        let node = process.core.identity().node();
        let Some(part) = process.core.replica(node).and_then(|replica| replica.shown.as_ref()) else { return };
        let log = self.logs.entry((node, part.life)).or_default();
        log.digests.entry(part.complete).or_default().insert(part.digest());
        log.highest = log.highest.max(part.complete);
        log.slots.extend(part.slots().iter().map(|(key, slot)| digest::slot(key, slot)));
    }

    fn compare(&mut self, world: &World, host: HostId, node: NodeId, key: &Key) -> Result<(), String> {
        let Some(process) = &world.host(host).process else { return Ok(()) };
        if process.core.identity().node() == node {
            self.note(world, host);
        }
        let Some(part) = process.core.replica(node).and_then(|replica| replica.shown.as_ref()) else { return Ok(()) };
        let Some(log) = self.logs.get(&(node, part.life)) else {
            return Err(format!("it shows {node} in the life {}, which nobody began", part.life));
        };
        let held = (part.life, part.complete);
        if let Some(before) = self.held.insert((host, node), held).filter(|before| *before > held) {
            return Err(format!("its copy of {node} went back from {before:?} to {held:?}"));
        }
        compare_part(node, part, log, if self.forked.contains(&(node, part.life)) { None } else { Some(key) })
    }
}

/// Compares a copy with what its owner wrote; without a key only that there is no more of it.
fn compare_part(node: NodeId, part: &Part, log: &Log, key: Option<&Key>) -> Result<(), String> {
    if part.complete > log.highest {
        return Err(format!("its copy of {node} claims version {}, and the owner wrote {} only", part.complete, log.highest));
    }
    let Some(key) = key else { return Ok(()) };
    if let Some(slot @ Slot::Live { d, s, .. }) = part.slots().get(key)
        && !log.slots.contains(&digest::slot(key, slot))
    {
        return Err(format!("it holds {key:?} of {node} with definition {d} and status {s}, which the owner never wrote so"));
    }
    if part.highest() > part.complete {
        return Ok(());
    }
    match log.digests.get(&part.complete) {
        Some(digests) if !digests.contains(&part.digest()) => {
            Err(format!("its copy of {node} is complete up to {}, and is not what the owner held then", part.complete))
        }
        _ => Ok(()),
    }
}
