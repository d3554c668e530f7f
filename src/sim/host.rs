//! A host: a disk, an address, and at most one process.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{disk::Platter, network::Traffic, process::Process};
use crate::{
    keyring::Keys,
    model::{ClusterName, InstanceId, NodeName, Status, Zone},
    wire::{Versions, envelope::ClusterTag},
};

/// Names a host of a world, in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// What a host is to run.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Where its gossip is received.
    pub address: SocketAddr,
    /// The name of its node.
    pub node_name: NodeName,
    /// Its cluster.
    pub cluster: ClusterName,
    /// Its zone.
    pub zone: Option<Zone>,
    /// Hosts that it joins by; their names resolve to where they are then.
    pub seeds: Vec<HostId>,
    /// How long it remembers nodes that are gone: R.
    pub reap_after: Duration,
    /// How its gossip is encrypted, and with what.
    pub keys: Keys,
    /// The versions of the wire format that the agent speaks which is started there next.
    pub versions: Versions,
}

/// Whether the machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It does, and its kernel answers.
    On,
    /// It stands still: nothing is received, and time passes unnoticed.
    Frozen,
    /// It has no power.
    Off,
}

/// A host.
pub struct Host {
    /// What it runs.
    pub options: HostOptions,
    /// Its cluster, as its gossip bears it.
    pub(super) tag: ClusterTag,
    /// Whether it runs.
    pub power: Power,
    /// How often it was started: its boot id.
    pub boots: u64,
    /// What is on its disk while no process has it.
    pub(super) platter: Platter,
    /// How long the disk takes for a write.
    pub disk_latency: Duration,
    /// The process.
    pub process: Option<Process>,
    /// How the programs behind its instances are, which its checks find out.
    pub health: BTreeMap<InstanceId, Status>,
    /// What it sent.
    pub traffic: Traffic,
}

impl Host {
    pub(super) fn new(options: HostOptions) -> Host {
        Host {
            tag: ClusterTag::of(&options.cluster),
            options,
            power: Power::On,
            boots: 1,
            platter: Platter::default(),
            disk_latency: Duration::from_millis(1),
            process: None,
            health: BTreeMap::new(),
            traffic: Traffic::default(),
        }
    }

    /// Whether a process is there that is not held up.
    pub fn is_running(&self) -> bool {
        self.power == Power::On && self.process.as_ref().is_some_and(|process| !process.paused)
    }

    /// Looks at the disk, or changes it.
    pub fn with_platter<T>(&mut self, f: impl FnOnce(&mut Platter) -> T) -> T {
        match &self.process {
            Some(process) => process.disk.with(f),
            None => f(&mut self.platter),
        }
    }
}
