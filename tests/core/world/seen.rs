//! What tests ask of the world.

use super::*;

impl World {
    pub(crate) fn open_streams(&self, agent: Agent) -> usize {
        self.hosts[agent].streams.len()
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = Agent> {
        (0..self.hosts.len()).filter(|agent| self.hosts[*agent].core.is_some())
    }

    /// Whether all that run hold the same, as their own digests have it.
    pub(crate) fn all_equal(&self) -> bool {
        let digests: BTreeSet<u64> = self.hosts.iter().filter_map(|host| host.core.as_ref()).map(|core| core.digest().total()).collect();
        digests.len() == 1
    }

    pub(crate) fn differences(&self) -> String {
        let lines = self.running().map(|agent| {
            let digest = self.hosts[agent].core.as_ref().map(Core::digest);
            format!("{} {:?} {digest:?} {}", self.hosts[agent].name, self.nodes(agent), self.hosts[agent].catalog.load().instances().len())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn shows(&self, reader: Agent, owner: &str, id: &str) -> bool {
        let snapshot = self.hosts[reader].catalog.load();
        let id = InstanceId::new(id).expect("an id");
        snapshot.holder(owner).is_some_and(|node| snapshot.instance(node.node.id, &id).is_some())
    }

    pub(crate) fn status(&self, reader: Agent, owner: &str, id: &str) -> Option<Status> {
        let snapshot = self.hosts[reader].catalog.load();
        let node = snapshot.holder(owner)?.node.id;
        Some(snapshot.instance(node, &InstanceId::new(id).expect("an id"))?.status)
    }

    /// The port of one of the agent's own instances, and whether it is in maintenance.
    pub(crate) fn own(&self, agent: Agent, id: &InstanceId) -> Option<(u16, bool)> {
        let snapshot = self.hosts[agent].catalog.load();
        let entry = snapshot.instance(snapshot.local, id)?;
        Some((entry.instance.port, entry.health.maintenance.is_some()))
    }

    /// Why it is held back, in words.
    pub(crate) fn held_back(&self, reader: Agent, owner: &str, id: &str) -> Option<String> {
        let snapshot = self.hosts[reader].catalog.load();
        let node = snapshot.holder(owner)?.node.id;
        let why = held_back(&snapshot, snapshot.instance(node, &InstanceId::new(id).expect("an id"))?)?;
        Some(format!("{why:?}"))
    }

    pub(crate) fn node_state(&self, reader: Agent, name: &str) -> Option<MemberState> {
        self.hosts[reader].catalog.load().holder(name).map(|entry| entry.node.state)
    }

    pub(crate) fn life_of(&self, reader: Agent, name: &str) -> Option<Life> {
        self.hosts[reader].catalog.load().holder(name).map(|entry| entry.node.life)
    }

    pub(crate) fn id_of(&self, agent: Agent) -> NodeId {
        self.hosts[agent].catalog.load().local
    }

    pub(crate) fn nodes(&self, reader: Agent) -> Vec<String> {
        let mut names: Vec<String> = self.hosts[reader].catalog.load().nodes().map(|entry| entry.node.info.name.to_string()).collect();
        names.sort();
        names
    }

    pub(crate) fn instances_of(&self, agent: Agent) -> Vec<InstanceId> {
        let snapshot = self.hosts[agent].catalog.load();
        snapshot.instances_of(snapshot.local).map(|entry| entry.instance.id.clone()).collect()
    }

    pub(crate) fn ready(&self, agent: Agent) -> bool {
        self.hosts[agent].catalog.load().ready
    }

    pub(crate) fn address(&self, agent: Agent) -> String {
        self.hosts[agent].address.to_string()
    }

    pub(crate) fn address_of(&self, name: &str) -> String {
        self.hosts.iter().find(|host| host.name == name).expect("is there").address.to_string()
    }

    pub(crate) fn dropped(&self, agent: Agent) -> usize {
        self.hosts[agent].dropped
    }

    pub(crate) fn refusals(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Refused { detail, .. } => Some(detail.clone()),
                _ => None,
            })
            .collect()
    }

    /// The names of all who were ever shown as down, by whomever.
    pub(crate) fn taken_for_down(&self) -> BTreeSet<String> {
        let down = |(_, event): &(Agent, Event)| match event {
            Event::Member { name, state, .. } if state.starts_with("down") => Some(name.clone()),
            _ => None,
        };
        self.events.iter().filter_map(down).collect()
    }

    pub(crate) fn counters(&self, agent: Agent) -> Counters {
        self.hosts[agent].core.as_ref().expect("runs").counters()
    }

    pub(crate) fn history(&self) -> (u64, Vec<Event>) {
        (self.sent, self.events.iter().map(|(_, event)| event.clone()).collect())
    }
}
