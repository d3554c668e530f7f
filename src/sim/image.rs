//! Images of virtual machines: memory and disk of a host that runs, which is resumed from them later, perhaps more than once. It does
//! not notice: its clock goes on where it stood, and its connections are dead.

use std::{collections::VecDeque, net::SocketAddr, path::Path, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    HostId, Platter, Power, Process, Seen, World,
    disk::SimDisk,
    process::{Inbox, Waiting},
    tape::Tape,
    world::Happening,
};
use crate::{
    catalog::Publisher,
    core::{
        io::{CloseCause, Output, StreamId, Ticket},
        time::Moment,
    },
    keyring::Keys,
    model::{StoreOp, encryption::Encryption},
    store::Store,
};

/// How long it takes until a kernel that sends by a dead connection is told so.
const RESET_AFTER: Duration = Duration::from_millis(2);
/// A connection that there is not.
const DEAD: (u64, usize) = (u64::MAX, 0);

/// A host that runs, as it was at one moment.
#[derive(Debug, Clone)]
pub struct Image {
    tape: Tape,
    platter: Platter,
    /// What time it was by the clock of the process.
    at: Moment,
    boots: u64,
    address: SocketAddr,
    /// Its file of keys.
    keys: Keys,
    /// What the process had been told of keys.
    encryption: Encryption,
    inbox: Inbox,
    writes: VecDeque<(Ticket, Vec<StoreOp>)>,
    writing: bool,
    streams: Vec<StreamId>,
    accepted: u64,
}

impl World {
    /// Has what processes are told from their start on be kept, so that images can be taken of them.
    pub fn keep_tapes(&mut self) {
        self.keeps_tapes = true;
    }

    /// Takes an image of a host; none where no agent runs, or it is at work on a command: who waits for the answer is not in it.
    pub fn image(&mut self, id: HostId) -> Option<Image> {
        let host = &self.hosts[id.0];
        let process = host.process.as_ref().filter(|process| host.is_running() && process.commands.is_empty())?;
        Some(Image {
            tape: process.tape.clone()?,
            platter: process.disk.with(|platter| platter.clone()),
            at: process.clock(self.now),
            boots: host.boots,
            address: host.options.address,
            keys: host.options.keys.clone(),
            encryption: process.encryption.clone(),
            inbox: process.inbox.clone(),
            writes: process.writes.clone(),
            writing: process.writing,
            streams: process.streams.keys().copied().collect(),
            accepted: process.accepted,
        })
    }

    /// A host goes on as it was when an image was taken of it. What it was until now is gone without a word. One that has
    /// another address by now does not: it would have to have that of then.
    pub fn resume_image(&mut self, id: HostId, image: &Image) {
        if self.hosts[id.0].options.address != image.address {
            return;
        }
        let state = self.hosts[id.0].with_platter(|platter| platter.state);
        self.lose_power(id);
        let mut rng = StdRng::seed_from_u64(self.rng.random());
        let host = &mut self.hosts[id.0];
        (host.power, host.boots, host.options.keys) = (Power::On, image.boots, image.keys.clone());
        let mut platter = image.platter.clone();
        platter.state = state;
        let disk = SimDisk::new(platter);
        let octets = disk.with(|platter| platter.read());
        let opened = Store::on(disk.clone(), octets, Path::new("tidings.journal"), &host.options.cluster, &mut rng);
        let (store, contents) = opened.expect("a process had it open");
        let (mut publisher, catalog) = Publisher::new(contents.node_id);
        let started = self.now - (image.at - Moment::default());
        let core = image.tape.play(|at, output| {
            if let Output::Change(change) = output {
                publisher.publish([change], std::time::SystemTime::UNIX_EPOCH + (started + at.since_start()).since_start());
            }
        });
        let life = core.identity().life();
        let instances: Vec<_> = catalog.load().instances_of(contents.node_id).map(|entry| entry.instance.id.clone()).collect();
        let version = core.own_version();
        self.processes += 1;
        let number = self.processes;
        self.hosts[id.0].process = Some(Process {
            inbox: image.inbox.clone(),
            writes: image.writes.clone(),
            writing: image.writing,
            streams: image.streams.iter().map(|stream| (*stream, DEAD)).collect(),
            accepted: image.accepted,
            version,
            ..Process::new(number, started, core, (publisher, catalog), (store, disk), Some(image.tape.clone()), image.encryption.clone())
        });
        self.show(id, &Seen::ImageResumed { node: contents.node_id, life });
        if image.writing {
            self.plan(self.hosts[id.0].disk_latency, Happening::Written(id, number));
        }
        for stream in &image.streams {
            let closed = Waiting::Closed { stream: *stream, cause: CloseCause::Ended, reason: "connection reset by peer".into() };
            self.plan(RESET_AFTER, Happening::Input(id, number, closed));
        }
        // The checks of its instances run on.
        for instance in instances {
            self.plan(Duration::ZERO, Happening::Checks(id, number, instance));
        }
        self.catch_up(id);
        self.carry_out(id);
    }
}
