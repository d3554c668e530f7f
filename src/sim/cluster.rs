//! A cluster to try things on: hosts `n0`, `n1`, … which join the first of them.

use std::{net::SocketAddr, time::Duration};

use super::{Conditions, Host, HostId, HostOptions, Traffic, World};
use crate::{
    keyring::Keys,
    model::{ClusterName, NodeId, NodeName},
    wire::Versions,
};

/// How long nodes that are gone are remembered.
const REAP_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// How long a cluster may take to form.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks at whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Hosts of one cluster, and the world in which they are.
pub struct Cluster {
    /// The world. It may hold other hosts, too.
    pub world: World,
    /// Those that belong to the cluster.
    pub hosts: Vec<HostId>,
}

impl Cluster {
    /// So many hosts, on which nothing runs yet.
    pub fn new(size: usize, seed: u64, conditions: Conditions) -> Cluster {
        let mut cluster = Cluster { world: World::new(seed, conditions), hosts: Vec::with_capacity(size) };
        for _ in 0..size {
            cluster.add();
        }
        cluster
    }

    /// One more host, on which nothing runs yet. It has a name and an address that no other has had.
    ///
    /// # Panics
    /// Beyond 16 million hosts, for which there are no addresses.
    pub fn add(&mut self) -> HostId {
        let n = self.world.hosts().len();
        let octet = |n: usize| u8::try_from(n % 250).expect("it is below 250");
        let block = u8::try_from(n / 62_500).expect("there are addresses");
        let host = self.world.add(HostOptions {
            address: SocketAddr::from(([10, block, octet(n / 250), octet(n) + 1], 8746)),
            node_name: NodeName::new(&format!("n{n}")).expect("a letter and digits are a name"),
            cluster: ClusterName::new("trial").expect("letters are a name"),
            zone: None,
            seeds: self.hosts.first().copied().into_iter().collect(),
            reap_after: REAP_AFTER,
            keys: Keys::default(),
            versions: Versions::SPOKEN,
        });
        self.hosts.push(host);
        host
    }

    /// Starts an agent on each host.
    ///
    /// # Panics
    /// When a data folder is of no use.
    pub fn start_all(&mut self) {
        for host in self.hosts.clone() {
            self.world.start(host).expect("the folder is sound");
        }
    }

    /// Starts an agent on each host, and has them know each other at once, as if each had synced with each. To form in the way in which
    /// clusters do takes long to simulate where they are large.
    ///
    /// # Panics
    /// When a data folder is of no use, or they do not come to agree.
    pub fn start_acquainted(&mut self) {
        self.start_all();
        let hosts = self.hosts.clone();
        self.world.acquaint(&hosts);
        self.wait_until_formed();
    }

    /// Lets time pass until all agents that run know all.
    ///
    /// # Panics
    /// When that takes more than ten minutes.
    pub fn wait_until_formed(&mut self) {
        let end = self.world.now() + PATIENCE;
        while !self.is_formed() {
            assert!(self.world.now() < end, "the cluster does not form");
            self.world.run_for(LOOK_EVERY);
        }
    }

    /// Whether all agents that run hold the same, and show all of them as being there.
    pub fn is_formed(&self) -> bool {
        let running = self.world.running().count();
        self.world.all_agree() && self.world.running().all(|host| shown_as_up(self.world.host(host)) == running)
    }

    /// The node whose agent runs on a host.
    ///
    /// # Panics
    /// When none does.
    pub fn node(&self, host: HostId) -> NodeId {
        self.world.host(host).process.as_ref().expect("an agent runs").core.identity().node()
    }

    /// What all hosts sent until now, together.
    pub fn traffic(&self) -> Traffic {
        self.world.hosts().map(|(_, host)| host.traffic).sum()
    }
}

fn shown_as_up(host: &Host) -> usize {
    host.process.as_ref().map_or(0, |process| process.catalog.load().nodes().filter(|entry| entry.node.state.is_up()).count())
}
