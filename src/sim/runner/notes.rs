//! What the player has to know of what happens in the world.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    mem,
    rc::Rc,
};

use super::super::{HostId, Seen, Watcher, World};
use crate::{core::io::CommandId, model::NodeId};

/// Notes, shared by who watches and who plays.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Hosts of which readers may see something else now.
    touched: BTreeSet<usize>,
    started: Vec<(HostId, NodeId)>,
    answered: Vec<CommandId>,
    /// Those that did not start, or ended by themselves, until they start again.
    failed: BTreeMap<HostId, String>,
    newly_failed: Vec<HostId>,
}

impl Notes {
    pub(super) fn take_touched(&self) -> BTreeSet<usize> {
        mem::take(&mut self.0.borrow_mut().touched)
    }

    pub(super) fn touch_all(&self, count: usize) {
        self.0.borrow_mut().touched.extend(0..count);
    }

    pub(super) fn take_started(&self) -> Vec<(HostId, NodeId)> {
        mem::take(&mut self.0.borrow_mut().started)
    }

    pub(super) fn take_answered(&self) -> Vec<CommandId> {
        mem::take(&mut self.0.borrow_mut().answered)
    }

    pub(super) fn take_failed(&self) -> Vec<HostId> {
        mem::take(&mut self.0.borrow_mut().newly_failed)
    }

    /// With which error the agent of a host ended by itself.
    pub(super) fn error_of(&self, host: HostId) -> Option<String> {
        self.0.borrow().failed.get(&host).cloned()
    }
}

impl Watcher for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn see(&mut self, _world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        let mut notes = self.0.borrow_mut();
        match seen {
            Seen::Started { contents, .. } => {
                notes.started.push((host, contents.node_id));
                notes.failed.remove(&host);
            }
            Seen::Failed(error) => {
                notes.failed.insert(host, (*error).to_owned());
                notes.newly_failed.push(host);
            }
            Seen::Answered { id, .. } => {
                return {
                    notes.answered.push(*id);
                    Ok(())
                };
            }
            Seen::Ended | Seen::Changing(_) | Seen::Done(_) => {}
            Seen::Submitted { .. }
            | Seen::Wrote
            | Seen::Told(_)
            | Seen::FolderReplaced
            | Seen::ImageResumed { .. }
            | Seen::Network
            | Seen::Took { .. } => {
                return Ok(());
            }
        }
        notes.touched.insert(host.0);
        Ok(())
    }
}
