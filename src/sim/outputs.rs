//! What a process wants done in the world.

use std::{net::SocketAddr, time::Duration};

use rand::RngExt as _;

use super::{HostId, Mark, Power, Seen, World, mark::sealed_with, network::DATAGRAM_HEAD, process::Waiting, world::Happening};
use crate::{
    core::io::{Event, Output, Ticket},
    model::{CheckOrder, CheckState, Command, InstanceId, Status, StoreOp, check::Subject},
    wire::limits::ENVELOPE_OCTETS,
};

/// How long it takes to look a name up.
const NAME_SERVICE: Duration = Duration::from_millis(1);
/// Checks that begin run within this time, so that not all run at once.
const CHECKS_SPREAD_MS: u64 = 1_000;
/// Writes that are put together at most, as the agent's disk thread has it.
const GROUP: usize = 1_024;

impl World {
    /// Does what the core of a process asked for, in order.
    pub(super) fn carry_out(&mut self, id: HostId) {
        let number = self.number_of(id);
        while let Some(output) = self.hosts[id.0].process.as_mut().filter(|p| p.number == number).and_then(|p| p.core.poll_output()) {
            self.carry_out_one(id, number, output);
        }
        self.publish(id, number);
        self.show_writes(id);
        self.set_timer(id);
    }

    fn carry_out_one(&mut self, id: HostId, number: u64, output: Output) {
        match output {
            Output::Datagram { to, bytes } => self.send_datagram(id, to, bytes),
            Output::Connect { stream, to } => self.connect(id, stream, to),
            Output::Send { stream, bytes } => self.send(id, stream, bytes),
            Output::Close(stream) => self.close(id, stream),
            Output::Resolve(seed) => {
                let seeds = &self.hosts[id.0].options.seeds;
                let addresses = seeds.get(seed).map(|host| self.hosts[host.0].options.address).into_iter().collect();
                self.plan(NAME_SERVICE, Happening::Input(id, number, Waiting::Resolved { seed, addresses }));
            }
            Output::Store { ticket, ops } => self.store(id, ticket, ops),
            Output::Check(order) => self.order_checks(id, number, order),
            Output::Change(change) => {
                self.show(id, &Seen::Changing(&change));
                self.hosts[id.0].process.iter_mut().for_each(|process| process.changes.push(change.clone()));
            }
            Output::Answer { id: command, reply } => {
                self.publish(id, number);
                self.show_writes(id);
                self.answered(id, command, reply);
            }
            Output::Stop(copied) => {
                self.publish(id, number);
                self.show(id, &Seen::Failed(&copied.to_string()));
                self.end_process(id);
            }
            Output::Event(event) => {
                self.show(id, &Seen::Told(&event));
                debug_assert!(!matches!(event, Event::Internal(_)), "{event:?}");
            }
        }
    }

    /// What has changed is shown to readers, together, as the agent's shell has it: before an answer, and when all is done.
    fn publish(&mut self, id: HostId, number: u64) {
        let clock = self.wall_clock();
        let process = self.hosts[id.0].process.as_mut().filter(|process| process.number == number && !process.changes.is_empty());
        if let Some(process) = process {
            process.publisher.publish(std::mem::take(&mut process.changes), clock);
        }
    }

    fn show_writes(&mut self, id: HostId) {
        let Some(process) = &mut self.hosts[id.0].process else { return };
        let version = process.core.own_version();
        if version != process.version {
            process.version = version;
            self.show(id, &Seen::Wrote);
        }
    }

    fn set_timer(&mut self, id: HostId) {
        let now = self.now;
        let host = &mut self.hosts[id.0];
        let Some(process) = host.process.as_mut().filter(|process| !process.paused) else { return };
        if host.power != Power::On {
            return;
        }
        let Some(due) = process.core.poll_timeout() else { return };
        let due = (process.started + due.since_start()).max(now);
        if process.due.is_none_or(|set| due < set) {
            process.due = Some(due);
            let number = process.number;
            self.queue.plan(due, Happening::Timer(id, number));
        }
    }

    /// What is known of something that a process says now.
    pub(super) fn mark(&self, id: HostId) -> Mark {
        let host = &self.hosts[id.0];
        let process = host.process.as_ref();
        let key = process.filter(|_| self.has_secrets).and_then(|process| sealed_with(&process.encryption));
        let number = process.map_or(0, |process| process.number);
        Mark { host: id, process: number, at: self.now, cluster: host.tag, key, again: false }
    }

    fn send_datagram(&mut self, id: HostId, to: SocketAddr, bytes: Vec<u8>) {
        let mark = self.mark(id);
        let host = &mut self.hosts[id.0];
        let from = host.options.address;
        let octets = bytes.len() + DATAGRAM_HEAD;
        host.traffic.datagrams += 1;
        host.traffic.datagram_octets += octets as u64;
        self.network.count(&bytes, ENVELOPE_OCTETS, octets);
        let Some(peer) = self.at_address(to) else { return };
        self.overhear_datagram((id, from), (peer, to), &bytes, mark);
        let Some((delay, again)) = self.network.datagram(self.now, &mut self.rng, (id, peer), octets) else { return };
        if let Some(again) = again {
            self.plan(again, Happening::Datagram { to: peer, at: to, from, bytes: bytes.clone(), mark });
        }
        self.plan(delay, Happening::Datagram { to: peer, at: to, from, bytes, mark });
    }

    fn store(&mut self, id: HostId, ticket: Ticket, ops: Vec<StoreOp>) {
        if let Some(process) = &mut self.hosts[id.0].process {
            process.writes.push_back((ticket, ops));
        }
        self.begin_write(id);
    }

    fn begin_write(&mut self, id: HostId) {
        let host = &mut self.hosts[id.0];
        let latency = host.disk_latency;
        let Some(process) = host.process.as_mut().filter(|process| !process.writing && !process.writes.is_empty()) else { return };
        process.writing = true;
        let number = process.number;
        self.plan(latency, Happening::Written(id, number));
    }

    /// The disk takes a group of writes, as the agent's disk thread hands them over.
    pub(super) fn on_written(&mut self, id: HostId, number: u64) {
        let Some(process) = self.hosts[id.0].process.as_mut().filter(|process| process.number == number) else { return };
        process.writing = false;
        let (tickets, result) = write_group(process);
        for ticket in tickets {
            self.input(id, number, Waiting::Stored { ticket, result: result.clone() });
        }
        self.begin_write(id);
    }

    fn order_checks(&mut self, id: HostId, number: u64, order: CheckOrder) {
        if let CheckOrder::Start { subject: Subject::Instance(instance), checks, .. } = order
            && !checks.is_empty()
        {
            let after = Duration::from_millis(self.rng.random_range(0..CHECKS_SPREAD_MS));
            self.plan(after, Happening::Checks(id, number, instance));
        }
    }

    /// The checks of an instance find out how the program behind it is.
    pub(super) fn run_checks(&mut self, id: HostId, number: u64, instance: &InstanceId) {
        let host = &self.hosts[id.0];
        let Some(process) = host.process.as_ref().filter(|process| process.number == number) else { return };
        let status = host.health.get(instance).copied().unwrap_or_default();
        let snapshot = process.catalog.load();
        let Some(entry) = snapshot.instance(snapshot.local, instance) else { return };
        let others: Vec<_> =
            entry.health.checks.iter().filter(|(_, state)| state.status != status).map(|(check, _)| check.clone()).collect();
        for check in others {
            let reason = if status == Status::Passing { String::new() } else { format!("the program is {status}") };
            let subject = Subject::Instance(instance.clone());
            self.submit(id, Command::Verdict { subject, check, state: CheckState { status, reason } });
        }
    }
}

/// Appends what waits to the journal; the tickets of it, and how it went.
pub(super) fn write_group(process: &mut super::Process) -> (Vec<Ticket>, Result<(), String>) {
    let group: Vec<(Ticket, Vec<StoreOp>)> = process.writes.drain(..process.writes.len().min(GROUP)).collect();
    let (tickets, ops): (Vec<Ticket>, Vec<Vec<StoreOp>>) = group.into_iter().unzip();
    let ops = ops.concat();
    let result = if ops.is_empty() { Ok(()) } else { process.store.append(&ops).map_err(|error| error.to_string()) };
    (tickets, result)
}
