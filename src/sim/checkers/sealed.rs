//! What is taken for what it says: with encryption required nothing that was said in the clear, nothing that was sealed with a key that the
//! receiver does not hold, nothing of another cluster, no frame of a stream in another stream or at another place, no datagram of long ago.
//! And who has no key, or speaks other versions alone, gets in nowhere, and learns of nobody.
//!
//! It is judged by who said it and how ([`Mark`]), so it does not depend on any cipher.

use std::{collections::BTreeMap, time::Duration};

use super::super::{Deed, Host, HostId, Mark, Place, Seen, Watcher, World, keys::takes_sealed_alone};
use crate::{
    core::{WINDOW, time::Moment},
    model::{Change, NodeId, encryption::Encryption},
    wire::envelope::ClusterTag,
};

/// Time is counted in whole seconds on both sides.
const ROUNDING: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Sealed {
    /// What each process took last of each other one: when it was said, and when it was taken.
    last: BTreeMap<(HostId, u64), (Moment, Moment)>,
    /// Of each stream that frames of another one were taken in, by the side that they came from: which one.
    taken_in: BTreeMap<(u64, usize), u64>,
    /// Nodes whose processes have no key and no version that anybody else has.
    strangers: BTreeMap<NodeId, HostId>,
}

impl Watcher for Sealed {
    fn name(&self) -> &'static str {
        "sealed"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Took { mark, places } => self.judge(world, host, mark, *places),
            Seen::Started { contents, .. } => {
                self.last.retain(|(of, _), _| *of != host);
                self.strangers.retain(|_, of| *of != host);
                let is_known = |other: &Host| other.process.as_ref().is_some_and(|it| it.catalog.load().node(contents.node_id).is_some());
                let is_new = contents.peers.is_empty() && !world.hosts().any(|(id, other)| id != host && is_known(other));
                if is_new && is_strange(world, host) {
                    self.strangers.insert(contents.node_id, host);
                }
                Ok(())
            }
            Seen::ImageResumed { .. } | Seen::FolderReplaced => {
                self.last.retain(|(of, _), _| *of != host);
                self.strangers.retain(|_, of| *of != host);
                Ok(())
            }
            Seen::Done(Deed::Rekeyed) => {
                self.strangers.retain(|_, of| is_strange(world, *of));
                Ok(())
            }
            Seen::Changing(Change::Node(node)) => self.meet(world, host, node.id),
            _ => Ok(()),
        }
    }
}

impl Sealed {
    fn judge(&mut self, world: &World, host: HostId, mark: &Mark, places: Option<(Place, Place)>) -> Result<(), String> {
        let Host { options, process: Some(process), .. } = world.host(host) else { return Ok(()) };
        let own: &Encryption = &process.encryption;
        if mark.cluster != ClusterTag::of(&options.cluster) {
            return Err(format!("it took what was said in another cluster: {mark:?}"));
        }
        let Some((key, fingerprint)) = mark.key else {
            return if takes_sealed_alone(own) { Err(format!("it took what was said in the clear: {mark:?}")) } else { Ok(()) };
        };
        if !own.keys.contains(&(key, fingerprint)) {
            return Err(format!("it took what was sealed with a key that it does not hold: {mark:?}"));
        }
        match places {
            Some((said, came)) => self.judge_frame(mark, said, came),
            None if takes_sealed_alone(own) => self.judge_age(world.now(), host, mark),
            None => Ok(()),
        }
    }

    /// Before who opened a stream has heard an answer its frames may be said again in another one, in their order.
    fn judge_frame(&mut self, mark: &Mark, said: Place, came: Place) -> Result<(), String> {
        let of = self.taken_in.entry((came.connection, came.side)).or_insert(said.connection);
        let is_in_order = *of == said.connection && said.side == came.side && said.before == came.before;
        let is_of_it = said.connection == came.connection || (said.side == 0 && !said.has_heard);
        if is_in_order && is_of_it { Ok(()) } else { Err(format!("it took a frame of {said:?} at {came:?}: {mark:?}")) }
    }

    /// What somebody said after it was taken, and both clocks have gone on since.
    fn judge_age(&mut self, now: Moment, host: HostId, mark: &Mark) -> Result<(), String> {
        let last = self.last.entry((host, mark.process)).or_insert((mark.at, now));
        let behind = (last.0 - mark.at) + (now - last.1);
        if mark.at >= last.0 {
            *last = (mark.at, now);
        } else if behind > WINDOW + ROUNDING {
            return Err(format!("it took a datagram that is {behind:?} behind what it had heard: {mark:?}"));
        }
        Ok(())
    }

    /// A host shows a node.
    fn meet(&self, world: &World, host: HostId, node: NodeId) -> Result<(), String> {
        let Some(own) = world.host(host).process.as_ref().map(|process| process.core.identity().node()) else { return Ok(()) };
        match own == node {
            true => Ok(()),
            false if self.strangers.contains_key(&own) => Err(format!("it has no key or version that anybody has, and shows {node}")),
            false if self.strangers.contains_key(&node) => Err(format!("{node} has no key or version that anybody has, and is shown")),
            false => Ok(()),
        }
    }
}

/// Whether nobody of a host's cluster speaks a version that it does and has a key of its, or takes anything in the clear.
fn is_strange(world: &World, host: HostId) -> bool {
    let options = &world.host(host).options;
    let own = options.keys.shown();
    let is_closed = |theirs: &Encryption| takes_sealed_alone(theirs) && !theirs.keys.iter().any(|key| own.keys.contains(key));
    let is_of_cluster =
        |other: &Host| other.options.cluster == options.cluster && other.options.versions.common(options.versions).is_some();
    let mut others = world.hosts().filter(|(id, other)| *id != host && is_of_cluster(other)).map(|(_, other)| other);
    others.all(|other| is_closed(&other.options.keys.shown()) && other.process.as_ref().is_none_or(|it| is_closed(&it.encryption)))
}
