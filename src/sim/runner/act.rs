//! Steps of a scenario as calls of the world's methods.

use std::time::Duration;

use super::{
    Player, address,
    agenda::Due,
    outcome::{Entry, Failure},
};
use crate::{
    config::OnTerm,
    sim::{
        DiskState, HostId, Platter,
        scenario::{Action, Expectation, Nodes, Step, What, action::Disk},
    },
};

/// What a disk takes for a write where nothing is said.
const DISK_LATENCY: Duration = Duration::from_millis(1);

impl<'s> Player<'s> {
    /// Does what a step says.
    pub(super) fn act(&mut self, step: &'s Step, action: &'s Action) -> Result<(), Failure> {
        match action {
            Action::Start(nodes) => hosts(nodes).for_each(|host| self.start(host)),
            Action::Stop(nodes) => return hosts(nodes).try_for_each(|host| self.terminate(step, host)),
            Action::Restart(nodes) => {
                for host in hosts(nodes) {
                    self.terminate(step, host)?;
                    self.restarts.push(host);
                }
            }
            Action::Kill(nodes) => {
                for host in hosts(nodes) {
                    if self.world.host(host).process.is_none() {
                        return Err(self.not_running(step, host));
                    }
                    self.world.kill(host);
                }
            }
            Action::Pause(nodes) => hosts(nodes).for_each(|host| self.world.pause(host)),
            Action::Resume(nodes) => hosts(nodes).for_each(|host| self.world.resume(host)),
            // To those who are asleep the two are one: a clock that counts suspension goes on in both.
            Action::Freeze(nodes, time) | Action::Suspend(nodes, time) => {
                let end = self.world.now() + *time;
                for host in hosts(nodes) {
                    self.world.freeze(host);
                    self.agenda.add(end, Due::Thaw(host));
                }
            }
            Action::LosePower(nodes) => hosts(nodes).for_each(|host| self.world.lose_power(host)),
            Action::Partition(parts) => {
                let ended = self.world.change_network(|network| self.knobs.partition(network, parts, about(step)));
                return self.must_have_acted(ended);
            }
            Action::Cut(way) => self.world.change_network(|network| self.knobs.cut(network, way, about(step))),
            Action::Heal => {
                let ended = self.world.change_network(|network| self.knobs.heal(network));
                return self.must_have_acted(ended);
            }
            Action::Network(change) => {
                let ended = self.world.change_network(|network| self.knobs.change(network, change, about(step)));
                return self.must_have_acted(ended);
            }
            Action::Link(link) => {
                let ended = self.world.change_network(|network| self.knobs.link(network, link, about(step)));
                return self.must_have_acted(ended);
            }
            Action::ChangeAddress(nodes) => {
                for host in hosts(nodes) {
                    self.world.readdress(host, address(self.addresses));
                    self.addresses += 1;
                }
            }
            Action::TakeAddress { node, of } => self.take_address(HostId(*node), HostId(*of)),
            Action::CopyData { from, to } => {
                let copy = self.world.backup(HostId(*from));
                return self.replace_data(step, HostId(*to), copy);
            }
            Action::Backup(nodes) => {
                for host in hosts(nodes) {
                    self.backups[host.0] = Some(self.world.backup(host));
                }
            }
            Action::Restore(nodes) => {
                for host in hosts(nodes) {
                    let backup = self.backups[host.0].clone().unwrap_or_default();
                    self.replace_data(step, host, backup)?;
                }
            }
            Action::Wipe(nodes) => return hosts(nodes).try_for_each(|host| self.replace_data(step, host, Platter::default())),
            Action::Disk(nodes, disk) => hosts(nodes).for_each(|host| self.set_disk(host, *disk)),
            Action::Health { nodes, instance, status } => hosts(nodes).for_each(|host| self.world.set_health(host, instance, *status)),
            Action::Keys(nodes, change) => hosts(nodes).for_each(|host| self.change_keys(host, change)),
            Action::Record(way) => self.record(way),
            Action::Replay { to, from } => return self.replay(step, to, from.as_ref()),
            Action::Write(write, answer) => return self.write(step, write, answer),
        }
        Ok(())
    }

    /// Starts an agent. That it does not run is seen, noted, and judged there.
    pub(super) fn start(&mut self, host: HostId) {
        let _ = self.world.start(host);
    }

    /// That an agent did not start, or ended by itself, is a failure, unless the scenario has an expectation for it.
    pub(super) fn judge_failed(&mut self) -> Result<(), Failure> {
        for failed in self.notes.take_failed() {
            if !self.scenario.steps.iter().any(|step| expects_end(step, failed)) {
                let what = format!("the agent of {} does not run", self.name(failed));
                let error = self.notes.error_of(failed).unwrap_or_default();
                return Err(Failure::new(self.world.now(), None, what, vec![error]));
            }
        }
        Ok(())
    }

    /// Starts agents that have ended by now and were to be started again.
    pub(super) fn start_what_has_ended(&mut self) {
        let restarts = std::mem::take(&mut self.restarts);
        let (ended, open): (Vec<HostId>, _) = restarts.into_iter().partition(|host| self.world.host(*host).process.is_none());
        self.restarts = open;
        ended.into_iter().for_each(|host| self.start(host));
    }

    /// Does what the agenda has for this moment.
    pub(super) fn do_what_is_due(&mut self) -> Result<(), Failure> {
        while let Some(due) = self.agenda.pop(self.world.now()) {
            match due {
                Due::Thaw(host) => {
                    let text = format!("{} is awake again", self.name(host));
                    self.trace.step(Entry { at: self.world.now(), is_step: true, text }, &self.ids);
                    self.world.thaw(host);
                }
                Due::Answer(command) => self.miss_answer(command)?,
            }
        }
        Ok(())
    }

    fn terminate(&mut self, step: &Step, host: HostId) -> Result<(), Failure> {
        let restart = self.scenario.nodes[host.0].on_term == OnTerm::Restart;
        match self.world.terminate(host, restart) {
            Some(_) => Ok(()),
            None => Err(self.not_running(step, host)),
        }
    }

    fn take_address(&mut self, host: HostId, of: HostId) {
        // Who has moved already has left its first one.
        let first = address(of.0);
        let now = self.world.host(of).options.address;
        let is_free = self.world.hosts().all(|(other, it)| other == of || it.options.address != first);
        self.world.readdress(host, if is_free { first } else { now });
    }

    fn replace_data(&mut self, step: &Step, host: HostId, platter: Platter) -> Result<(), Failure> {
        if self.world.host(host).process.is_some() {
            let why = format!("the agent of {} has its data folder open", self.name(host));
            return Err(Failure::of(self.world.now(), step, &why, Vec::new()));
        }
        let state = self.world.host_mut(host).with_platter(|platter| platter.state);
        self.world.restore(host, platter);
        self.world.host_mut(host).with_platter(|platter| platter.state = state);
        Ok(())
    }

    fn set_disk(&mut self, host: HostId, disk: Disk) {
        let (state, latency) = match disk {
            Disk::Healthy => (DiskState::Healthy, DISK_LATENCY),
            Disk::Full => (DiskState::Full, DISK_LATENCY),
            Disk::Slow(latency) => (DiskState::Healthy, latency),
        };
        self.world.host_mut(host).disk_latency = latency;
        self.world.set_disk(host, state);
    }

    fn must_have_acted(&self, idle: Option<String>) -> Result<(), Failure> {
        idle.map_or(Ok(()), |what| Err(Failure::new(self.world.now(), None, what, Vec::new())))
    }

    pub(super) fn not_running(&self, step: &Step, host: HostId) -> Failure {
        let ended = self.notes.error_of(host).map(|error| format!("it ended by itself: {error}"));
        Failure::of(self.world.now(), step, &format!("no agent runs on {}", self.name(host)), ended.into_iter().collect())
    }

    pub(super) fn name(&self, host: HostId) -> &'s str {
        self.scenario.nodes[host.0].host.as_str()
    }
}

pub(super) fn hosts(nodes: &Nodes) -> impl Iterator<Item = HostId> + '_ {
    nodes.iter().map(HostId)
}

/// A step as a knob is called by it.
fn about(step: &Step) -> String {
    format!("line {}: {}", step.line, step.text)
}

fn expects_end(step: &Step, host: HostId) -> bool {
    matches!(&step.what, What::Expect(Expectation::Stopped(nodes, _), _) if nodes.has(host.0))
}
