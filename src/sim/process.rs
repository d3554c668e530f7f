//! A process: a core with its store and its catalog, and what waits for it.

use std::collections::{BTreeMap, VecDeque};

use std::net::SocketAddr;

use super::disk::SimDisk;
use crate::{
    catalog::{Catalog, Publisher},
    core::{
        Core,
        io::{CloseCause, CommandId, StreamId, Ticket},
        time::Moment,
    },
    model::{Change, Command, StoreOp},
    store::Store,
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
    /// The last version of its own that was seen.
    pub(super) version: u64,
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
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    octets: usize,
    pub(super) others: VecDeque<Waiting>,
}

/// What else may wait.
#[derive(Debug)]
pub(super) enum Waiting {
    Accepted { stream: StreamId, from: SocketAddr },
    Connected(StreamId),
    Received { stream: StreamId, bytes: Vec<u8> },
    Sent { stream: StreamId, octets: usize },
    Closed { stream: StreamId, cause: CloseCause, reason: String },
    Stored { ticket: Ticket, result: Result<(), String> },
    Resolved { seed: usize, addresses: Vec<SocketAddr> },
    Command(CommandId, Command),
}

impl Inbox {
    /// Keeps a datagram, if there is room.
    pub(super) fn keep(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        if self.octets + bytes.len() + DATAGRAM_COST <= SOCKET_OCTETS {
            self.octets += bytes.len() + DATAGRAM_COST;
            self.datagrams.push_back((from, bytes));
        }
    }

    pub(super) fn next_datagram(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let (from, bytes) = self.datagrams.pop_front()?;
        self.octets -= bytes.len() + DATAGRAM_COST;
        Some((from, bytes))
    }
}
