//! What tests do to hosts and to the network.

use super::*;

impl World {
    pub(crate) fn set_node_checks(&mut self, agent: Agent, checks: Vec<Check>) {
        self.hosts[agent].checks = checks;
    }

    /// What an agent finds on its disk at its next start.
    pub(crate) fn set_graves(&mut self, agent: Agent, graves: Vec<StoredGrave>) {
        self.hosts[agent].graves = graves;
    }

    /// Whether an agent keeps any node from coming back.
    pub(crate) fn has_graves(&self, agent: Agent) -> bool {
        self.hosts[agent].core.as_ref().is_some_and(|core| core.digest().graves != 0)
    }

    /// Tells an agent to join by others than before.
    pub(crate) fn set_seeds(&mut self, agent: Agent, seeds: &[&str]) {
        let host = &mut self.hosts[agent];
        let first = host.seeds.len();
        host.seeds.extend(seeds.iter().map(ToString::to_string));
        let (now, end) = (self.now, host.seeds.len());
        host.core.as_mut().expect("runs").handle(now, Input::Seeds(first..end));
        self.carry_out(agent);
    }

    /// Tells an agent to join by nobody any more.
    pub(crate) fn set_seeds_to_none(&mut self, agent: Agent) {
        let now = self.now;
        self.hosts[agent].core.as_mut().expect("runs").handle(now, Input::Seeds(0..0));
        self.carry_out(agent);
    }

    pub(crate) fn kill(&mut self, agent: Agent) {
        let written = self.rng.random_range(0..=self.hosts[agent].unsynced.len());
        let unsynced = std::mem::take(&mut self.hosts[agent].unsynced);
        unsynced.into_iter().take(written).for_each(|(_, ops)| self.hosts[agent].store(ops));
        self.end(agent);
    }

    pub(crate) fn end(&mut self, agent: Agent) {
        self.hosts[agent].core = None;
        for (peer, theirs) in std::mem::take(&mut self.hosts[agent].streams).into_values() {
            self.hosts[peer].streams.remove(&theirs);
            if self.cut(agent, peer) {
                continue;
            }
            self.at_end_of(theirs, peer, Happening::Closed { stream: theirs, cause: CloseCause::Ended });
        }
    }

    pub(crate) fn restart(&mut self, agent: Agent) {
        let (node, name) = (self.hosts[agent].catalog.load().local, self.hosts[agent].name.clone());
        self.kill(agent);
        self.boot(agent, node, &name);
    }

    /// The host is gone from one moment to the next: nothing says so.
    pub(crate) fn go_dark(&mut self, agent: Agent) {
        self.dark.insert(agent);
    }

    pub(crate) fn come_back(&mut self, agent: Agent) {
        self.dark.remove(&agent);
    }

    /// A firewall lets streams pass, and nothing else.
    pub(crate) fn block_datagrams(&mut self, agent: Agent) {
        self.without_datagrams.insert(agent);
    }

    /// The process gets no time for so long.
    pub(crate) fn hold_up(&mut self, agent: Agent, time: Duration) {
        self.hosts[agent].held_up_until = self.now + time;
    }

    pub(crate) fn split(&mut self, apart: &[Agent]) {
        self.apart = apart.iter().copied().collect();
    }

    pub(crate) fn heal(&mut self) {
        self.apart.clear();
        self.walls.clear();
    }

    /// Two that reach everyone but each other.
    pub(crate) fn wall(&mut self, one: Agent, other: Agent) {
        self.walls.insert((one, other));
    }

    pub(crate) fn cut(&self, a: Agent, b: Agent) -> bool {
        let walled = self.walls.contains(&(a, b)) || self.walls.contains(&(b, a));
        walled || self.apart.contains(&a) != self.apart.contains(&b) || self.dark.contains(&a) || self.dark.contains(&b)
    }
}
