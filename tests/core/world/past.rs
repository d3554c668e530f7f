//! What comes back from the past: folders restored from backups, copies of folders, images of machines, hosts that were suspended.

use tidings::{
    core::{
        io::Event,
        meeting::{Cause, Copied},
    },
    model::InstanceId,
};

use super::*;

/// What was on an agent's disk at one moment, and who it was then.
#[derive(Clone)]
pub(crate) struct Past {
    node: NodeId,
    name: String,
    life: Life,
    generation: u32,
    disk: BTreeMap<Key, (Body, Body)>,
    peers: Vec<SocketAddr>,
    members: Vec<NodeId>,
    graves: Vec<StoredGrave>,
}

/// Another generation that an agent took without a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Climb {
    pub(crate) cause: Cause,
    pub(crate) generation: u32,
    pub(crate) came_back: Vec<InstanceId>,
    pub(crate) missing: Vec<InstanceId>,
}

impl Past {
    pub(crate) fn is_same_disk(&self, other: &Past) -> bool {
        (self.generation, &self.disk, &self.graves) == (other.generation, &other.disk, &other.graves)
    }
}

impl World {
    pub(crate) fn past(&self, agent: Agent) -> Past {
        let host = &self.hosts[agent];
        Past {
            node: host.catalog.load().local,
            name: host.name.clone(),
            life: host.life,
            generation: host.generation,
            disk: host.disk.clone(),
            peers: host.peers.clone(),
            members: host.members.clone(),
            graves: host.graves.clone(),
        }
    }

    /// Starts an agent on its folder as it was.
    pub(crate) fn restore(&mut self, agent: Agent, past: &Past) {
        self.kill(agent);
        self.put_back(agent, past);
        self.boot(agent, past.node, &past.name);
    }

    /// An agent goes on as if it had never been interrupted: its memory is what it was, its life the same. Right if nothing
    /// was written between its start and that moment.
    pub(crate) fn resume_image(&mut self, agent: Agent, past: &Past) {
        self.kill(agent);
        self.put_back(agent, past);
        let random_seed = self.rng.random();
        self.boot_as(agent, past.node, &past.name, past.life, random_seed);
    }

    /// Starts another agent on a copy of a folder.
    pub(crate) fn start_copy(&mut self, host: &str, past: &Past, seeds: &[&str]) -> Agent {
        let agent = self.start(host, seeds);
        self.end(agent);
        self.put_back(agent, past);
        self.boot(agent, past.node, &past.name);
        agent
    }

    /// Starts an agent on the address of one that has ended.
    pub(crate) fn start_in_place_of(&mut self, ended: Agent, name: &str, seeds: &[&str]) -> Agent {
        let agent = self.start(name, &[]);
        let (node, address) = (self.hosts[agent].catalog.load().local, self.hosts[ended].address);
        self.end(agent);
        let host = &mut self.hosts[agent];
        (host.address, host.seeds) = (address, seeds.iter().map(ToString::to_string).collect());
        self.boot(agent, node, name);
        agent
    }

    fn put_back(&mut self, agent: Agent, past: &Past) {
        self.past_is_back = true;
        let host = &mut self.hosts[agent];
        (host.generation, host.disk) = (past.generation, past.disk.clone());
        (host.peers, host.members, host.graves) = (past.peers.clone(), past.members.clone(), past.graves.clone());
    }

    /// The whole host stands still.
    pub(crate) fn suspend(&mut self, agent: Agent) {
        self.hosts[agent].suspended = true;
    }

    /// It goes on: its connections are broken, its clock tells how long it was away.
    pub(crate) fn resume(&mut self, agent: Agent) {
        self.hosts[agent].suspended = false;
        for (ticket, result) in std::mem::take(&mut self.hosts[agent].stored_meanwhile) {
            self.at(Duration::ZERO, agent, Happening::Stored { ticket, result });
        }
        for (stream, (peer, theirs)) in std::mem::take(&mut self.hosts[agent].streams) {
            self.hosts[peer].streams.remove(&theirs);
            self.at(Duration::ZERO, agent, Happening::Closed { stream, cause: CloseCause::Ended });
        }
        self.hosts[agent].due = Some(self.now);
        self.at(Duration::ZERO, agent, Happening::Timeout);
    }

    /// Who stopped because another process goes on under its id.
    pub(crate) fn stops(&self) -> &[(Agent, Copied)] {
        &self.stops
    }

    /// How often an agent dropped what others had told.
    pub(crate) fn stale_drops(&self, agent: Agent) -> usize {
        self.events.iter().filter(|(of, event)| *of == agent && matches!(event, Event::Stale { .. })).count()
    }

    pub(crate) fn climbs(&self, agent: Agent) -> Vec<Climb> {
        let events = self.events.iter().filter(|(of, _)| *of == agent);
        events
            .filter_map(|(_, event)| match event.clone() {
                Event::Climbed { cause, now, came_back, missing, .. } => {
                    Some(Climb { cause, generation: now.generation, came_back, missing })
                }
                _ => None,
            })
            .collect()
    }

    pub(crate) fn failed_climbs(&self, agent: Agent) -> usize {
        self.events.iter().filter(|(of, event)| *of == agent && matches!(event, Event::NotClimbed { .. })).count()
    }

    /// The generation on an agent's disk.
    pub(crate) fn generation(&self, agent: Agent) -> u32 {
        self.hosts[agent].generation
    }

    /// What an agent says came back.
    pub(crate) fn came_back(&self, agent: Agent) -> Vec<InstanceId> {
        self.hosts[agent].catalog.load().came_back().cloned().collect()
    }

    pub(crate) fn runs(&self, agent: Agent) -> bool {
        self.hosts[agent].core.is_some()
    }
}
