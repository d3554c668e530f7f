//! What is done to a world, at random.

use std::{collections::BTreeSet, time::Duration};

use rand::RngExt as _;

use super::{
    super::{DiskState, Fault, FaultId, Group, HostId, Image, Platter, Power, registration},
    Kind, Swarm,
};
use crate::{
    core::time::Moment,
    model::{Command, InstanceId, NodeId, Registration, ServiceName, Status, check::Subject, command::Cause},
};

/// What ends something that was begun.
#[derive(Debug)]
pub(super) enum End {
    Fault(FaultId),
    Start(HostId),
    Resume(HostId),
    Thaw(HostId),
    Disk(HostId),
    Restore(HostId, Box<Platter>),
    /// It is given the keys that it is to have.
    Keys(HostId),
    /// From the image, and so many times more.
    Image(HostId, Box<Image>, u32),
}

/// Faults of the network at once: with more of them nothing arrives anywhere.
const FAULTS: usize = 2;
/// More than a farewell takes.
const FAREWELL: Duration = Duration::from_secs(5);
/// Ids of instances on each host: few, so that they are registered, removed and registered again.
const IDS: usize = 4;

impl Swarm {
    /// Starts an agent, of any of the releases that there are.
    pub(super) fn start(&mut self, host: HostId) -> Result<(), String> {
        let releases = &self.options.releases;
        if self.hosts.contains(&host) && releases.len() > 1 {
            self.world.host_mut(host).options.versions = releases[self.rng.random_range(0..releases.len())];
        }
        self.world.start(host)
    }

    pub(super) fn do_something(&mut self) {
        // Half of all deeds are work, or there would be little to lose.
        let work = self.rng.random_bool(0.5);
        let kinds: Vec<Kind> = self.options.kinds.iter().copied().filter(|kind| kind.is_work() == work).collect();
        let Some(kind) = kinds.get(self.rng.random_range(0..kinds.len().max(1))).copied() else { return };
        let host = self.hosts[self.rng.random_range(0..self.hosts.len())];
        match kind {
            Kind::Register => self.register(host),
            Kind::Deregister => {
                let instance = self.instance_id();
                self.world.submit(host, Command::Deregister { instance, cause: Cause::Asked });
            }
            Kind::Health => {
                let status = [Status::Passing, Status::Warning, Status::Critical][self.rng.random_range(0..3_usize)];
                let instance = self.instance_id();
                self.world.set_health(host, &instance, status);
            }
            Kind::Maintenance => {
                let subject = if self.rng.random_bool(0.7) { Subject::Instance(self.instance_id()) } else { Subject::Node };
                let reason = self.rng.random_bool(0.6).then(|| "it is repaired".to_owned());
                self.world.submit(host, Command::Maintain { subject, reason });
            }
            Kind::Kill => {
                self.world.kill(host);
                self.later(8_000, End::Start(host));
            }
            Kind::Restart => {
                self.world.terminate(host, true);
                self.later(12_000, End::Start(host));
            }
            Kind::Power => {
                self.world.lose_power(host);
                self.later(8_000, End::Start(host));
            }
            Kind::Pause => {
                self.world.pause(host);
                // Half of them are so short that nobody may be taken for dead.
                let most_ms = if self.rng.random_bool(0.5) { 1_900 } else { 4_000 };
                self.later(most_ms, End::Resume(host));
            }
            Kind::Freeze => {
                self.world.freeze(host);
                self.later(20_000, End::Thaw(host));
            }
            Kind::Partition => {
                let group: Group = self.some_hosts();
                self.begin(Fault::Partition(vec![group]), 30_000);
            }
            Kind::OneWay => {
                let (from, to) = (self.some_hosts(), self.some_hosts());
                self.begin(Fault::Cut { from, to }, 20_000);
            }
            Kind::Burst => {
                let (from, to, share) = (self.some_hosts(), self.some_hosts(), self.rng.random_range(0.3..1.0));
                let streams = self.rng.random_bool(0.5);
                self.begin(Fault::Loss { from, to, share, streams }, 10_000);
            }
            Kind::Disk => self.trouble_disk(host),
            Kind::Leave => {
                self.world.leave(host);
                self.later(20_000, End::Start(host));
            }
            Kind::Forget => self.forget(host),
            Kind::Readdress => self.readdress(host),
            Kind::NameTwice => {}
            Kind::Backup => {
                let folder = self.world.backup(host);
                self.later(15_000, End::Restore(host, Box::new(folder)));
            }
            Kind::LongGone => self.lose_for_long(host),
            Kind::Image => {
                if let Some(image) = self.world.image(host) {
                    let again = self.rng.random_range(0..2);
                    self.later(20_000, End::Image(host, Box::new(image), again));
                }
            }
            Kind::Copy => self.copy(host),
            Kind::Keys => self.change_keys(),
            Kind::Replay => self.replay(),
            Kind::RestartAll => self.restart_all(),
        }
    }

    fn register(&mut self, host: HostId) {
        let id = self.instance_id();
        // Now and then the very same is registered again, which is to change nothing.
        if self.rng.random_bool(0.8) {
            self.port = self.port % 60_000 + 1;
        }
        let mut instance = registration::instance(id, ServiceName::new("web").expect("a name"), self.port);
        if self.rng.random_bool(0.2) {
            // Too large for a datagram: it travels by sync, and what follows on it by push.
            instance.meta = (0..6).map(|n| (format!("key-{n}"), "x".repeat(250))).collect();
        }
        let plain = Registration::plain(instance.clone());
        let registration = if self.rng.random_bool(0.7) { registration::checked(instance) } else { plain };
        self.world.submit(host, Command::Register(registration));
    }

    fn instance_id(&mut self) -> InstanceId {
        InstanceId::new(&format!("i{}", self.rng.random_range(0..IDS))).expect("an id")
    }

    fn some_hosts(&mut self) -> Group {
        let hosts = self.hosts.clone();
        hosts.into_iter().filter(|_| self.rng.random_bool(0.5)).collect()
    }

    fn begin(&mut self, fault: Fault, most_ms: u64) {
        if self.world.network.faults().count() >= FAULTS {
            return;
        }
        self.world.tell(|| format!("{fault}"));
        let id = self.world.network.begin(fault);
        self.later(most_ms, End::Fault(id));
    }

    fn trouble_disk(&mut self, host: HostId) {
        if self.rng.random_bool(0.5) {
            self.world.set_disk(host, DiskState::Full);
        } else {
            self.world.host_mut(host).disk_latency = Duration::from_millis(self.rng.random_range(10..500));
        }
        self.later(10_000, End::Disk(host));
    }

    /// An operator gives up a node that is shown as down, and runs nowhere: one that lives all the same is taken back after its next
    /// start only.
    fn forget(&mut self, host: HostId) {
        let Some(process) = &self.world.host(host).process else { return };
        let running: BTreeSet<NodeId> =
            self.world.hosts().filter_map(|(_, host)| host.process.as_ref()).map(|process| process.core.identity().node()).collect();
        let snapshot = process.catalog.load();
        let down = snapshot.nodes().filter(|entry| !entry.node.state.is_up()).map(|entry| entry.node.id);
        let down: Vec<NodeId> = down.filter(|node| !running.contains(node)).collect();
        if !down.is_empty() {
            let node = down[self.rng.random_range(0..down.len())];
            self.world.submit(host, Command::Forget(node));
        }
    }

    fn readdress(&mut self, host: HostId) {
        // An agent is bound to an address: it starts anew to have another one. Some reuse one that was another's.
        self.world.kill(host);
        let n = if self.rng.random_bool(0.5) { self.rng.random_range(100..110) } else { self.rng.random_range(0..self.hosts.len()) };
        if self.world.hosts().all(|(other, it)| other == host || it.options.address != super::address(n)) {
            self.world.readdress(host, super::address(n));
        }
        self.later(3_000, End::Start(host));
    }

    fn lose_for_long(&mut self, host: HostId) {
        if self.rng.random_bool(0.1) {
            self.world.lose_power(host);
            let least = 2 * self.options.reap_after.min(Duration::from_secs(300)).as_millis() as u64;
            self.ends.push((self.world.now() + Duration::from_millis(least), End::Start(host)));
        }
    }

    /// As where everything is upgraded at once, or the power goes. Seldom, since nothing else goes on meanwhile.
    fn restart_all(&mut self) {
        if !self.rng.random_bool(0.1) {
            return;
        }
        let is_announced = self.rng.random_bool(0.5);
        for host in self.hosts.clone() {
            if is_announced {
                self.world.terminate(host, true);
            } else {
                self.world.kill(host);
            }
            self.later(5_000, End::Start(host));
        }
    }

    /// Another host works on a copy of this one's data folder from now on. Seldom, since its own node is lost with that.
    fn copy(&mut self, host: HostId) {
        let (to, first) = (self.hosts[self.rng.random_range(0..self.hosts.len())], self.hosts[0]);
        // The first one is a seed of all others, so it must not be the one that stops.
        if to != host && to != first && host != first && self.rng.random_bool(0.1) {
            let folder = self.world.backup(host);
            self.world.kill(to);
            self.world.restore(to, folder);
            drop(self.start(to));
        }
    }

    fn later(&mut self, most_ms: u64, end: End) {
        let after = Duration::from_millis(self.rng.random_range(0..most_ms));
        self.ends.push((self.world.now() + after, end));
    }

    /// Ends what is over by then, each at its time.
    pub(super) fn end_what_is_over(&mut self, by: Moment) {
        while let Some(place) = (0..self.ends.len()).filter(|place| self.ends[*place].0 <= by).min_by_key(|place| self.ends[*place].0) {
            let (at, end) = self.ends.remove(place);
            self.world.run_until(at);
            self.end(end);
        }
    }

    fn end(&mut self, end: End) {
        match end {
            End::Fault(fault) => {
                let what = self.world.network.faults().find(|(id, ..)| *id == fault).map(|(_, fault, _)| fault.to_string());
                self.world.tell(|| format!("over: {}", what.unwrap_or_default()));
                self.world.network.end(fault);
            }
            // It runs already, or its folder is of no use, which is seen and told.
            End::Start(host) => drop(self.start(host)),
            End::Restore(host, folder) => {
                self.world.kill(host);
                self.world.restore(host, *folder);
                drop(self.start(host));
            }
            End::Image(host, image, again) => {
                self.world.resume_image(host, &image);
                if self.options.encrypted.is_some() {
                    self.later(5_000, End::Keys(host));
                }
                if again > 0 {
                    self.later(20_000, End::Image(host, image, again - 1));
                }
            }
            End::Keys(host) => self.give_keys(host),
            End::Resume(host) => self.world.resume(host),
            End::Thaw(host) => self.world.thaw(host),
            End::Disk(host) => {
                self.world.set_disk(host, DiskState::Healthy);
                self.world.host_mut(host).disk_latency = Duration::from_millis(1);
            }
        }
    }

    /// All faults end. Some hosts stay off for good: what is known of them is to be the same everywhere all the same.
    pub(super) fn end_all(&mut self) {
        self.world.tell(|| "all faults end".into());
        let ends = std::mem::take(&mut self.ends);
        for (_, end) in ends {
            if !matches!(end, End::Start(_) | End::Restore(..) | End::Image(..)) {
                self.end(end);
            }
        }
        self.world.network.conditions.loss = 0.0;
        for host in self.hosts.clone() {
            self.world.resume(host);
            self.world.thaw(host);
            self.end(End::Disk(host));
        }
        self.finish_keys();
        // Whoever is about to leave does so first.
        self.world.run_for(FAREWELL);
        for host in self.hosts.clone() {
            // The first one is a seed of all others: without it those whose peers have moved would find nobody.
            let stays_off = host != self.hosts[0] && self.world.host(host).process.is_none() && self.rng.random_bool(0.3);
            if !stays_off && (self.world.host(host).process.is_none() || self.world.host(host).power == Power::Off) {
                self.end(End::Start(host));
            }
        }
    }
}
