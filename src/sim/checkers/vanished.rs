//! No instance vanishes that nobody removed: not by a restart that kept it, nor by a sync that is on its way.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{HostId, Seen, Watcher, World};
use crate::model::{Change, Command, InstanceId, NodeId};

#[derive(Default)]
pub(super) struct Vanished {
    /// Whoever was asked to remove, whether it was answered or not.
    asked: BTreeSet<(NodeId, InstanceId)>,
    /// Whose data folder was replaced: what it had is void.
    replaced: BTreeSet<NodeId>,
    ids: BTreeMap<HostId, NodeId>,
    /// Hosts whose folder was replaced since their last start: by one of another node, perhaps, which has a copy then.
    to_start: BTreeSet<HostId>,
}

impl Watcher for Vanished {
    fn name(&self) -> &'static str {
        "vanished"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Started { contents, .. } => {
                self.ids.insert(host, contents.node_id);
                if self.to_start.remove(&host) {
                    self.replaced.insert(contents.node_id);
                }
            }
            Seen::FolderReplaced => {
                self.replaced.extend(self.ids.get(&host));
                self.to_start.insert(host);
            }
            Seen::ImageResumed { node, .. } => {
                self.ids.insert(host, *node);
                self.replaced.insert(*node);
            }
            Seen::Submitted { command: Command::Deregister { instance, .. }, .. } => {
                if let Some(process) = &world.host(host).process {
                    self.asked.insert((process.core.identity().node(), instance.clone()));
                }
            }
            Seen::Changing(Change::InstanceGone { node, id })
                if !self.replaced.contains(node) && !self.asked.contains(&(*node, id.clone())) =>
            {
                return Err(format!("{id} of {node} is gone, and nobody ever asked for that"));
            }
            _ => {}
        }
        Ok(())
    }
}
