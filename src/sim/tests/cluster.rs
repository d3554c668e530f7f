//! What tests do with a cluster, and what they ask.

use std::time::Duration;

use super::super::*;
use crate::{
    core::{Core, io::CommandId},
    model::{Command, InstanceId, MemberState, NodeId, ServiceName, Status},
};

pub(super) use super::super::Cluster;

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Cluster {
    pub(super) fn started(size: usize, seed: u64, conditions: Conditions) -> Cluster {
        let mut cluster = Cluster::new(size, seed, conditions);
        cluster.start_all();
        cluster
    }

    /// Started, and settled.
    pub(super) fn formed(size: usize, seed: u64, conditions: Conditions) -> Cluster {
        let mut cluster = Cluster::started(size, seed, conditions);
        cluster.until(seconds(60), "all know all", |cluster| (0..size).all(|n| cluster.shown_nodes(n) == size) && cluster.all_equal());
        cluster
    }

    /// Lets time pass until something holds.
    pub(super) fn until(&mut self, patience: Duration, what: &str, condition: impl Fn(&Cluster) -> bool) {
        let end = self.world.now() + patience;
        while !condition(self) {
            assert!(self.world.now() < end, "at {} it still does not hold: {what}", self.world.now());
            self.world.run_for(Duration::from_millis(5));
        }
    }

    pub(super) fn submit_registration(&mut self, at: usize, id: &str) -> CommandId {
        let (id, service) = (InstanceId::new(id).expect("an id"), ServiceName::new("web").expect("a name"));
        let registration = registration::checked(registration::instance(id, service, 80));
        self.world.submit(self.hosts[at], Command::Register(registration)).expect("an agent runs")
    }

    pub(super) fn register(&mut self, at: usize, id: &str) {
        let command = self.submit_registration(at, id);
        self.until(seconds(5), "it is answered", |cluster| cluster.world.reply(command).is_some());
        let (reply, _) = self.world.reply(command).expect("answered");
        assert!(reply.is_ok(), "{reply:?}");
    }

    fn core(&self, at: usize) -> Option<&Core> {
        self.world.host(self.hosts[at]).process.as_ref().map(|process| &process.core)
    }

    pub(super) fn all_equal(&self) -> bool {
        let mut digests = (0..self.hosts.len()).filter_map(|n| self.core(n)).map(|core| core.digest().total());
        let first = digests.next();
        digests.all(|digest| Some(digest) == first)
    }

    pub(super) fn node_id(&self, at: usize) -> Option<NodeId> {
        Some(self.core(at)?.identity().node())
    }

    pub(super) fn shows(&self, reader: usize, owner: usize, id: &str) -> bool {
        self.status(reader, owner, id).is_some()
    }

    pub(super) fn status(&self, reader: usize, owner: usize, id: &str) -> Option<Status> {
        let snapshot = self.world.host(self.hosts[reader]).process.as_ref()?.catalog.load();
        Some(snapshot.instance(self.node_id(owner)?, &InstanceId::new(id).expect("an id"))?.status)
    }

    pub(super) fn state(&self, reader: usize, of: usize) -> Option<MemberState> {
        self.state_of(reader, self.node_id(of)?)
    }

    pub(super) fn state_of(&self, reader: usize, node: NodeId) -> Option<MemberState> {
        let snapshot = self.world.host(self.hosts[reader]).process.as_ref()?.catalog.load();
        Some(snapshot.node(node)?.node.state)
    }

    pub(super) fn shown_nodes(&self, reader: usize) -> usize {
        self.world.host(self.hosts[reader]).process.as_ref().map_or(0, |process| process.catalog.load().nodes().len())
    }
}
