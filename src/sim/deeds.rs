//! What can be done to hosts and their processes.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Deed, DiskState, HostId, Platter, Power, Process, Seen, World,
    disk::SimDisk,
    outputs::write_group,
    process::{Ends, Waiting},
    tape::{Fed, Tape},
    world::Happening,
};
use crate::{
    catalog::{Publisher, Snapshot},
    core::{Core, Settings, io::CommandId, part::Part, time::Moment},
    model::{Command, InstanceId, Status, node::NodeInfo},
    store::{Begun, Contents, Store},
    wire::{Versions, codec::state_to_wire, message::MemberEntry, seal::Seal},
};

/// How long an agent that restarts announces to be away, as the agent's own lifecycle has it.
const GRACE: Duration = Duration::from_secs(15);

impl World {
    /// Starts an agent. It fails where its data folder is of no use, which is seen and told.
    ///
    /// # Errors
    /// Why the agent does not start.
    pub fn start(&mut self, id: HostId) -> Result<(), String> {
        let result = self.begin_process(id);
        if let Err(error) = &result {
            self.show(id, &Seen::Failed(error));
        }
        result
    }

    fn begin_process(&mut self, id: HostId) -> Result<(), String> {
        let mut rng = StdRng::seed_from_u64(self.rng.random());
        let host = &mut self.hosts[id.0];
        self.has_secrets |= host.options.versions != Versions::SPOKEN;
        if host.power == Power::Off {
            host.power = Power::On;
            host.boots += 1;
        }
        if host.process.is_some() {
            return Err("another agent has the data folder open".into());
        }
        host.platter.release();
        let octets = host.platter.read();
        let disk = SimDisk::new(std::mem::take(&mut host.platter));
        let opened = Store::on(disk.clone(), octets, Path::new("tidings.journal"), &host.options.cluster, &mut rng).and_then(
            |(mut store, mut contents)| {
                let before = contents.clone();
                let begun = store.begin(&mut contents, &host.boots.to_le_bytes(), &mut rng)?;
                Ok((store, contents, before, begun))
            },
        );
        let (store, contents, before, begun) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                host.platter = disk.with(std::mem::take);
                return Err(error.to_string());
            }
        };
        let local = contents.node_id;
        let settings = settings(host, contents, begun, rng.random(), (self.now, self.processes));
        let tape = self.keeps_tapes.then(|| Tape::new(settings.clone()));
        let core = Core::new(settings);
        self.processes += 1;
        host.process =
            Some(Process::new(self.processes, self.now, core, Publisher::new(local), (store, disk), tape, host.options.keys.shown()));
        self.show(id, &Seen::Started { life: begun.life, contents: &before });
        if let Some(process) = &mut self.hosts[id.0].process {
            process.feed(self.now, Fed::Start);
        }
        self.carry_out(id);
        Ok(())
    }

    /// Has agents that were just started know each other, as if they had synced.
    pub fn acquaint(&mut self, hosts: &[HostId]) {
        let own = |id: &HostId| {
            let core = &self.hosts[id.0].process.as_ref()?.core;
            let identity = core.identity();
            let entry = MemberEntry { identity, incarnation: 0, state: state_to_wire(foca::State::Alive), grace_ms: 0 };
            Some((entry, core.replica(identity.node())?.shown.clone()?))
        };
        let all: Vec<(MemberEntry, Arc<Part>)> = hosts.iter().filter_map(own).collect();
        let mut views = BTreeMap::new();
        let mut last: Option<Arc<Snapshot>> = None;
        for id in hosts {
            if let Some(process) = &mut self.hosts[id.0].process {
                last.iter().for_each(|last| process.publisher.begin_as(last));
                let now = Moment::default() + (self.now - process.started);
                process.core.know(now, &all, &mut views);
            }
            self.carry_out(*id);
            last = self.hosts[id.0].process.as_ref().map(|process| process.catalog.load()).or(last);
        }
    }

    /// Hands a command to an agent; none where no agent runs.
    pub fn submit(&mut self, id: HostId, command: Command) -> Option<CommandId> {
        self.submit_and(id, command, Ends::Never)
    }

    fn submit_and(&mut self, id: HostId, command: Command, ends: Ends) -> Option<CommandId> {
        let process = self.hosts[id.0].process.as_mut()?;
        self.commands += 1;
        let command_id = CommandId(self.commands);
        process.commands.insert(command_id, (command.clone(), ends));
        let number = process.number;
        self.show(id, &Seen::Submitted { id: command_id, command: &command });
        self.input(id, number, Waiting::Command(command_id, command));
        Some(command_id)
    }

    /// Has an agent leave the cluster, and end when it did.
    pub fn leave(&mut self, id: HostId) -> Option<CommandId> {
        self.submit_and(id, Command::Leave, Ends::WhenDone)
    }

    /// SIGTERM: the agent leaves, or announces a short absence, and ends.
    pub fn terminate(&mut self, id: HostId, restart: bool) -> Option<CommandId> {
        let command = if restart { Command::Absent(GRACE) } else { Command::Leave };
        self.submit_and(id, command, Ends::Always)
    }

    /// SIGKILL: the process is gone between two steps of whatever it did, and its kernel closes what it had open.
    pub fn kill(&mut self, id: HostId) {
        self.end_process(id);
    }

    /// The process is gone. What it wrote stays; a write that was under way is there, or a part of it.
    pub(super) fn end_process(&mut self, id: HostId) {
        let Some(mut process) = self.hosts[id.0].process.take() else { return };
        self.interrupt_write(id, &mut process);
        for (connection, side) in std::mem::take(&mut process.streams).into_values() {
            self.end_side(connection, side);
        }
        self.hosts[id.0].platter = process.disk.with(std::mem::take);
        self.show(id, &Seen::Ended);
    }

    fn interrupt_write(&mut self, _id: HostId, process: &mut Process) {
        if process.writing && self.rng.random_bool(0.5) {
            process.disk.with(|platter| platter.cut_off(&mut self.rng));
            // Nobody hears how it went.
            let _ = write_group(process);
        }
    }

    /// The power goes: nothing is said, and what was not synced may be lost.
    pub fn lose_power(&mut self, id: HostId) {
        if let Some(mut process) = self.hosts[id.0].process.take() {
            self.interrupt_write(id, &mut process);
            for (connection, side) in std::mem::take(&mut process.streams).into_values() {
                self.drop_side(connection, side);
            }
            self.hosts[id.0].platter = process.disk.with(std::mem::take);
        }
        let host = &mut self.hosts[id.0];
        host.platter.lose_power(&mut self.rng);
        host.power = Power::Off;
        self.show(id, &Seen::Ended);
    }

    /// SIGSTOP: the process stands still, its kernel does not.
    pub fn pause(&mut self, id: HostId) {
        if let Some(process) = &mut self.hosts[id.0].process {
            process.paused = true;
        }
        self.show(id, &Seen::Done(Deed::Paused));
    }

    /// SIGCONT.
    pub fn resume(&mut self, id: HostId) {
        if let Some(process) = &mut self.hosts[id.0].process {
            process.paused = false;
        }
        self.show(id, &Seen::Done(Deed::Resumed));
        self.wake(id);
    }

    /// The host stands still, its kernel with it, as a virtual machine that is suspended.
    pub fn freeze(&mut self, id: HostId) {
        if self.hosts[id.0].power == Power::On {
            self.hosts[id.0].power = Power::Frozen;
            self.show(id, &Seen::Done(Deed::Frozen));
        }
    }

    /// It goes on. Its clock has gone on meanwhile.
    pub fn thaw(&mut self, id: HostId) {
        if self.hosts[id.0].power == Power::Frozen {
            self.hosts[id.0].power = Power::On;
            self.show(id, &Seen::Done(Deed::Thawed));
            self.wake(id);
        }
    }

    fn wake(&mut self, id: HostId) {
        if let Some(process) = &mut self.hosts[id.0].process {
            process.due = None;
            self.catch_up(id);
            self.carry_out(id);
        }
    }

    /// The host has another address from now on; nobody has its earlier one.
    pub fn readdress(&mut self, id: HostId, address: SocketAddr) {
        let host = &mut self.hosts[id.0];
        let before = std::mem::replace(&mut host.options.address, address);
        if self.at_address(before) == Some(id) {
            self.withdraw(before);
        }
        self.give(address, id);
        self.show(id, &Seen::Done(Deed::Readdressed));
    }

    /// What its data folder holds now, as a backup would have it; an agent may run meanwhile.
    pub fn backup(&mut self, id: HostId) -> Platter {
        self.hosts[id.0].with_platter(|platter| platter.clone())
    }

    /// Puts another data folder in the place of a host's. No agent may run.
    pub fn restore(&mut self, id: HostId, platter: Platter) {
        let host = &mut self.hosts[id.0];
        debug_assert!(host.process.is_none(), "an agent has the folder");
        host.platter = platter;
        self.show(id, &Seen::FolderReplaced);
    }

    /// The disk is so from now on.
    pub fn set_disk(&mut self, id: HostId, state: DiskState) {
        self.hosts[id.0].with_platter(|platter| platter.state = state);
        self.show(id, &Seen::Done(Deed::Disk(state)));
    }

    /// The program behind an instance is so from now on; its checks find out at once.
    pub fn set_health(&mut self, id: HostId, instance: &InstanceId, status: Status) {
        self.hosts[id.0].health.insert(instance.clone(), status);
        let number = self.number_of(id);
        self.plan(Duration::ZERO, Happening::Checks(id, number, instance.clone()));
    }
}

fn settings(host: &super::Host, contents: Contents, begun: Begun, random_seed: u64, (now, number): (Moment, u64)) -> Settings {
    let options = &host.options;
    Settings {
        cluster: options.cluster.clone(),
        node: contents.node_id,
        life: begun.life,
        address: options.address,
        info: NodeInfo {
            name: options.node_name.clone(),
            addresses: vec![options.address.ip()],
            zone: options.zone.clone(),
            meta: Default::default(),
            agent_version: env!("CARGO_PKG_VERSION").into(),
            wire_versions: (options.versions.lowest, options.versions.highest),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: options.keys.shown(),
        },
        // Some hosts begin without an idea of the time.
        seconds: if number.is_multiple_of(2) { now.since_start().as_secs() as u32 } else { 0 },
        seal: Seal::new(options.keys.mode, &options.keys.keyring),
        seeds: options.seeds.len(),
        peers: contents.peers,
        members: contents.members,
        records: contents.records,
        graves: contents.graves,
        node_checks: Vec::new(),
        host_rebooted: begun.host_rebooted,
        random_seed,
        reap_after: options.reap_after,
    }
}
