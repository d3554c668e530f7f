//! What goes into the core and what comes out of it. All of the world that it has.

use std::{net::SocketAddr, ops::Range, time::Duration};

use super::meeting::{Cause, Copied};
use crate::{
    model::{
        Change, CheckId, CheckOrder, CheckState, Command, InstanceId, Life, NodeId, Reply, StoreOp, check::Subject, encryption::Encryption,
    },
    wire::{Versions, message::RefuseCode, seal::Seal},
};

/// Names a stream for as long as it is open. The shell gives out those of streams it accepted, with the highest bit set;
/// the core those that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u64);

impl StreamId {
    /// The id of the `n`th stream that the shell accepted.
    pub fn accepted(n: u64) -> StreamId {
        StreamId(n | 1 << 63)
    }

    /// Whether the core asked for it.
    pub(super) fn is_ours(self) -> bool {
        self.0 >> 63 == 0
    }

    /// The id of the `n`th stream that the core's detector asks for.
    pub(super) fn of_detector(n: u64) -> StreamId {
        StreamId(n | 1 << 62)
    }
}

/// Names a command until it is answered. Given out by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandId(pub u64);

/// Names a write to disk until it is done. Given out by the core, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Why a stream is over, as far as the network tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCause {
    /// Nobody listens there: the peer's host answered with a reset (RFC 9293, 3.10.7.1).
    Refused,
    /// It was open, and the peer ended it or its host reset it.
    Ended,
    /// No answer came in time.
    TimedOut,
    /// The network knows no way there.
    Unreachable,
    /// Anything else, such as a fault on this side.
    Other,
}

/// What happened in the world.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came.
    Datagram {
        /// From where.
        from: SocketAddr,
        /// What.
        bytes: &'a [u8],
    },
    /// A peer opened a stream.
    Accepted {
        /// Its new id.
        stream: StreamId,
        /// From where.
        from: SocketAddr,
    },
    /// A stream that the core asked for is open.
    Connected(StreamId),
    /// Octets came by a stream.
    Received {
        /// Which.
        stream: StreamId,
        /// What.
        bytes: &'a [u8],
    },
    /// So many octets that the core gave to a stream were handed to the network.
    Sent {
        /// Which.
        stream: StreamId,
        /// How many.
        octets: usize,
    },
    /// A stream could not be opened, broke, or was closed by the peer.
    Closed {
        /// Which.
        stream: StreamId,
        /// Why, as far as the network tells.
        cause: CloseCause,
        /// The same for people.
        reason: String,
    },
    /// The addresses of a seed's name; none where it has none.
    Resolved {
        /// The seed's place in the list.
        seed: usize,
        /// Its addresses.
        addresses: Vec<SocketAddr>,
    },
    /// Gossip is encrypted otherwise from now on.
    Seal {
        /// So.
        seal: Seal,
        /// What everybody may know of it.
        shown: Encryption,
    },
    /// The seeds are others now: those with these places in the list. A place is never given to another seed.
    Seeds(Range<usize>),
    /// Somebody wants something written.
    Command {
        /// Under what the answer is expected.
        id: CommandId,
        /// What.
        command: Command,
    },
    /// A write is durable, or failed. Comes for each ticket, in their order.
    Stored {
        /// Which.
        ticket: Ticket,
        /// Why not.
        result: Result<(), String>,
    },
}

/// What is to be done in the world, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send a datagram. It may get lost.
    Datagram {
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Open a stream.
    Connect {
        /// Under this id.
        stream: StreamId,
        /// Where to.
        to: SocketAddr,
    },
    /// Send by a stream, in order.
    Send {
        /// Which.
        stream: StreamId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close a stream when what was given to it is sent. Nothing is heard of it any more.
    Close(StreamId),
    /// Look up a seed's name.
    Resolve(usize),
    /// Make this durable, all or nothing, then say so.
    Store {
        /// Under this ticket.
        ticket: Ticket,
        /// What; may be nothing, to be answered in its turn all the same.
        ops: Vec<StoreOp>,
    },
    /// Tell those who run checks.
    Check(CheckOrder),
    /// Publish a difference.
    Change(Change),
    /// Answer a command. All changes that it made stand before this.
    Answer {
        /// Which.
        id: CommandId,
        /// How it ended.
        reply: Reply,
    },
    /// Tell the operator.
    Event(Event),
    /// End the agent, and leave its data folder as it is. Nothing comes behind this.
    Stop(Copied),
}

/// What an operator would want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something from the network was dropped. There may be many of these: count them, and log at a bounded rate.
    Dropped {
        /// From where.
        from: SocketAddr,
        /// Why.
        reason: &'static str,
    },
    /// Something was dropped because of its version, which counts as one dropped for that. There may be many of these, too.
    OtherVersion {
        /// From where.
        from: SocketAddr,
        /// The version that it is of.
        version: u8,
        /// Those that are spoken here.
        ours: Versions,
    },
    /// A record came by push and was news. There may be many of these, too.
    News {
        /// How long it was held by its owner and by those who forwarded it. The time on the wire is not in it.
        age: Duration,
    },
    /// A peer was refused, or refused us.
    Refused {
        /// Where it is.
        peer: SocketAddr,
        /// Whether it was refused by us.
        by_us: bool,
        /// Why.
        code: RefuseCode,
        /// What each side has: names of clusters, versions, who holds the name.
        detail: String,
    },
    /// The first full sync with a peer since the start.
    Joined {
        /// With whom.
        peer: SocketAddr,
        /// Members known now, this one included.
        members: usize,
    },
    /// A peer could not be reached to join.
    JoinFailed {
        /// Where it should be.
        peer: SocketAddr,
        /// Why.
        reason: String,
    },
    /// A member's state changed.
    Member {
        /// Which.
        node: NodeId,
        /// Its name, if known.
        name: String,
        /// Where it is.
        address: SocketAddr,
        /// Its new state, and why.
        state: String,
    },
    /// An instance of this node was registered, replaced or removed, or maintenance of one, or of the node, began or ended.
    Own {
        /// What changed.
        subject: Subject,
        /// What happened to it.
        what: String,
    },
    /// A check of this node, or of one of its instances, changed its status.
    Verdict {
        /// Whose check it is.
        subject: Subject,
        /// Which check.
        check: CheckId,
        /// What it is now.
        state: CheckState,
    },
    /// The cluster took this agent for dead and it came back by itself.
    Rejoined,
    /// This node took another generation without a start, above what peers remember of it.
    Climbed {
        /// Its life until then.
        before: Life,
        /// Its life from then on.
        now: Life,
        /// Why.
        cause: Cause,
        /// Instances that came back, as far as it is known what peers held: they had been removed since.
        came_back: Vec<InstanceId>,
        /// Instances that peers held and that are not here.
        missing: Vec<InstanceId>,
    },
    /// There was no contact to anybody for so long that what others had told was dropped.
    Stale {
        /// For how long.
        silent: Duration,
        /// How many nodes were let go of.
        nodes: usize,
    },
    /// Of these members of before nothing was heard since the start: they are waited for no longer.
    NotHeardOf {
        /// Which.
        nodes: Vec<NodeId>,
    },
    /// The disk did not take another generation, which this node needs to be heard.
    NotClimbed {
        /// Why not.
        why: String,
    },
    /// A command of foca's failed.
    Internal(String),
}

/// Every reason of [`Event::Dropped`].
pub const DROP_REASONS: [&str; 18] = [
    "malformed",
    "too_large",
    "version",
    "no_such_key",
    "not_encrypted",
    "forged",
    "too_old",
    "other_cluster",
    "unknown_kind",
    "not_for_us",
    "no_such_member",
    "too_many_members",
    "ahead_of_member",
    "buried",
    "rejoined_already",
    "too_many_streams",
    "half_open_stream",
    "more_than_asked",
];
