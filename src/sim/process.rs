//! A process: a core with its store and its catalog, and what waits for it.

use std::collections::{BTreeMap, VecDeque};

use std::net::SocketAddr;

use super::{
    Mark, Place,
    disk::SimDisk,
    tape::{Fed, Tape},
};
use crate::{
    catalog::{Catalog, Publisher},
    core::{
        Core,
        io::{CloseCause, CommandId, Input, StreamId, Ticket},
        time::Moment,
    },
    keyring::Keys,
    model::{Change, Command, StoreOp, encryption::Encryption},
    store::Store,
    wire::seal::Seal,
};

/// Octets of datagrams that a socket keeps for a process that does not read: Linux's `net.core.rmem_default`.
const SOCKET_OCTETS: usize = 212_992;
/// What a datagram takes there beside its own octets.
const DATAGRAM_COST: usize = 576;

/// A running agent.
pub struct Process {
    /// Its protocol.
    pub core: Core,
    /// What it shows to readers.
    pub catalog: Catalog,
    pub(super) publisher: Publisher,
    /// What is to be published with what follows.
    pub(super) changes: Vec<Change>,
    pub(super) store: Store<SimDisk>,
    pub(super) disk: SimDisk,
    /// Tells it from the processes before it.
    pub(super) number: u64,
    /// When it began: its clock's start.
    pub(super) started: Moment,
    /// When the world looks at its timers next.
    pub(super) due: Option<Moment>,
    /// It is stopped by a signal.
    pub paused: bool,
    pub(super) inbox: Inbox,
    /// Writes that wait for the disk, and whether it is at work.
    pub(super) writes: VecDeque<(Ticket, Vec<StoreOp>)>,
    pub(super) writing: bool,
    /// Commands without an answer; with each, whether the process ends with it.
    pub(super) commands: BTreeMap<CommandId, (Command, Ends)>,
    /// Connection and side of each open stream.
    pub(super) streams: BTreeMap<StreamId, (u64, usize)>,
    pub(super) accepted: u64,
    /// What its core was told last of keys.
    pub encryption: Encryption,
    /// The last version of its own that was seen.
    pub(super) version: u64,
    /// All that its core was told, where that is kept.
    pub(super) tape: Option<Tape>,
}

impl Process {
    /// One that was told nothing yet, does nothing and has no streams.
    pub(super) fn new(
        number: u64,
        started: Moment,
        core: Core,
        (publisher, catalog): (Publisher, Catalog),
        (store, disk): (Store<SimDisk>, SimDisk),
        tape: Option<Tape>,
        encryption: Encryption,
    ) -> Process {
        Process {
            core,
            catalog,
            publisher,
            changes: Vec::new(),
            store,
            disk,
            number,
            started,
            due: None,
            paused: false,
            inbox: Inbox::default(),
            writes: VecDeque::new(),
            writing: false,
            commands: BTreeMap::new(),
            streams: BTreeMap::new(),
            accepted: 0,
            encryption,
            version: 0,
            tape,
        }
    }

    /// What time it is by its own clock.
    pub(super) fn clock(&self, now: Moment) -> Moment {
        now - (self.started - Moment::default())
    }

    /// Tells the core something.
    pub(super) fn feed(&mut self, now: Moment, fed: Fed) {
        let now = self.clock(now);
        if let Fed::Other(Waiting::Keys(keys)) = &fed {
            self.encryption = keys.shown();
        }
        fed.to(&mut self.core, now);
        if let Some(tape) = &mut self.tape {
            tape.record(now, fed);
        }
    }
}

/// Whether a process ends when a command is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Never,
    /// When it was done.
    WhenDone,
    /// However it is answered.
    Always,
}

/// What came while the process did not read.
#[derive(Debug, Clone, Default)]
pub(super) struct Inbox {
    datagrams: VecDeque<(SocketAddr, Vec<u8>, Mark)>,
    octets: usize,
    pub(super) others: VecDeque<Waiting>,
}

/// What else may wait.
#[derive(Debug, Clone)]
pub(super) enum Waiting {
    Accepted { stream: StreamId, from: SocketAddr },
    Connected(StreamId),
    Received { stream: StreamId, bytes: Vec<u8>, mark: Mark, place: Place },
    Sent { stream: StreamId, octets: usize },
    Closed { stream: StreamId, cause: CloseCause, reason: String },
    Stored { ticket: Ticket, result: Result<(), String> },
    Resolved { seed: usize, addresses: Vec<SocketAddr> },
    Keys(Keys),
    Command(CommandId, Command),
}

impl Inbox {
    /// Keeps a datagram, if there is room.
    pub(super) fn keep(&mut self, from: SocketAddr, bytes: Vec<u8>, mark: Mark) {
        if self.octets + bytes.len() + DATAGRAM_COST <= SOCKET_OCTETS {
            self.octets += bytes.len() + DATAGRAM_COST;
            self.datagrams.push_back((from, bytes, mark));
        }
    }

    pub(super) fn next_datagram(&mut self) -> Option<(SocketAddr, Vec<u8>, Mark)> {
        let (from, bytes, mark) = self.datagrams.pop_front()?;
        self.octets -= bytes.len() + DATAGRAM_COST;
        Some((from, bytes, mark))
    }
}

impl Waiting {
    /// As the core is told of it.
    pub(super) fn as_input(&self) -> Input<'_> {
        match self {
            Waiting::Accepted { stream, from } => Input::Accepted { stream: *stream, from: *from },
            Waiting::Connected(stream) => Input::Connected(*stream),
            Waiting::Received { stream, bytes, .. } => Input::Received { stream: *stream, bytes },
            Waiting::Sent { stream, octets } => Input::Sent { stream: *stream, octets: *octets },
            Waiting::Closed { stream, cause, reason } => Input::Closed { stream: *stream, cause: *cause, reason: reason.clone() },
            Waiting::Stored { ticket, result } => Input::Stored { ticket: *ticket, result: result.clone() },
            Waiting::Resolved { seed, addresses } => Input::Resolved { seed: *seed, addresses: addresses.clone() },
            Waiting::Keys(keys) => Input::Seal { seal: Seal::new(keys.mode, &keys.keyring), shown: keys.shown() },
            Waiting::Command(id, command) => Input::Command { id: *id, command: command.clone() },
        }
    }

    /// The stream that has to be open for it to be of use.
    pub(super) fn stream(&self) -> Option<StreamId> {
        match self {
            Waiting::Accepted { stream, .. }
            | Waiting::Connected(stream)
            | Waiting::Received { stream, .. }
            | Waiting::Sent { stream, .. }
            | Waiting::Closed { stream, .. } => Some(*stream),
            Waiting::Stored { .. } | Waiting::Resolved { .. } | Waiting::Keys(_) | Waiting::Command(..) => None,
        }
    }
}
