//! What this agent can be told to write, and what comes of it.

use std::{fmt, time::Duration};

use super::{Check, CheckId, CheckState, InstanceId, NodeId, Registration, check::Subject, instance::Flaw};

/// A write to what this node owns. It is answered when it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Registers or replaces an instance, unless a file defines it.
    Register(Registration),
    /// Removes an instance.
    Deregister {
        /// Which.
        instance: InstanceId,
        /// Why.
        cause: Cause,
    },
    /// Makes what files define be what they define, all or nothing: what they define no more is removed, what came by the
    /// API stays, unless a file defines the same id now.
    Configure {
        /// The instances, each with its file.
        services: Vec<Registration>,
        /// The checks of the node.
        checks: Vec<Check>,
    },
    /// A check came to a verdict. It is told to everyone before it is on disk: a full disk must not silence it.
    Verdict {
        /// Of what.
        subject: Subject,
        /// Which check.
        check: CheckId,
        /// What it is now.
        state: CheckState,
    },
    /// A program says how something is, for a check with a ttl.
    Heartbeat {
        /// What.
        subject: Subject,
        /// Which check.
        check: CheckId,
        /// How it is.
        state: CheckState,
        /// What it says of it, in full: for those beside it alone.
        output: String,
    },
    /// Takes an instance, or the whole node, out of discovery, for a reason, or lets it back in.
    Maintain {
        /// What.
        subject: Subject,
        /// Why; none ends it.
        reason: Option<String>,
    },
    /// Forgets a node that is down or left, here and, as news of it spreads, everywhere.
    Forget(NodeId),
    /// Takes leave of the cluster: peers stop handing out this node's instances. Answered when peers confirmed it.
    Leave,
    /// Announces an absence of at most this long, during which peers go on handing out this node's instances.
    Absent(Duration),
}

/// Why an instance is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it by the API, which has no say where a file defines the instance.
    Asked,
    /// It has been critical for as long as its definition allows.
    Critical,
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// There was no such instance before.
    Created,
    /// There was another definition before.
    Replaced,
    /// The definition was there already: nothing was written.
    Unchanged,
    /// The instance, or the node, is gone.
    Removed,
    /// It is taken note of.
    Noted,
    /// What the files define is in effect.
    Configured {
        /// Instances that are new.
        created: usize,
        /// Instances that were defined in another way before.
        replaced: usize,
        /// Instances that no file defines any more.
        removed: usize,
    },
    /// Peers know, or were given their time to; how many confirmed it.
    Announced {
        /// Peers that confirmed.
        confirmed: usize,
        /// Peers that were asked.
        asked: usize,
    },
}

/// Why a command was not carried out. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The definition breaks limits.
    Invalid(Vec<Flaw>),
    /// No such instance on this node.
    NotFound(InstanceId),
    /// No such node in the cluster.
    NoSuchNode(NodeId),
    /// The node is up, so it is not forgotten.
    NodeIsUp(NodeId),
    /// As many nodes are being kept from coming back as may be.
    GravesFull {
        /// The limit.
        limit: usize,
    },
    /// A file of the configuration defines the instance.
    DefinedByFile {
        /// Which instance.
        instance: InstanceId,
        /// Which file.
        file: String,
    },
    /// There is no such check of it.
    NoSuchCheck(Subject, CheckId),
    /// The check finds out by itself and takes no heartbeats.
    NoHeartbeats(CheckId),
    /// The definition is larger than what may be gossiped.
    TooLarge {
        /// Its size when encoded.
        octets: usize,
        /// The limit.
        limit: usize,
    },
    /// The node owns as many instances as it may.
    Full {
        /// The limit.
        limit: usize,
    },
    /// This agent is taking its leave, or did.
    Leaving,
    /// The disk did not take it.
    Storage(String),
    /// The agent is stopping.
    Stopping,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Invalid(flaws) => {
                f.write_str("the definition is invalid")?;
                flaws.iter().try_for_each(|flaw| write!(f, "; {}: {}", flaw.pointer, flaw.detail))
            }
            Refusal::NotFound(id) => write!(f, "no instance {id} is registered with this agent"),
            Refusal::NoSuchNode(id) => write!(f, "no node {id} is in the cluster"),
            Refusal::NodeIsUp(id) => {
                write!(f, "node {id} is up, and only what is down or left can be forgotten: to take it out of the cluster, have it leave")
            }
            Refusal::GravesFull { limit } => write!(
                f,
                "this agent keeps {limit} nodes from coming back already, which is the limit: it lets go of the first of them within two days, \
                 and of this one by itself once it has been down for a day"
            ),
            Refusal::DefinedByFile { instance, file } => write!(
                f,
                "instance {instance} is defined by {file} on the agent's host: change it there and reload the agent, by systemctl reload or SIGHUP"
            ),
            Refusal::NoSuchCheck(subject, id) => write!(f, "{subject} has no check {id}"),
            Refusal::NoHeartbeats(id) => write!(f, "the check {id} finds out by itself; only one with a ttl takes heartbeats"),
            Refusal::TooLarge { octets, limit } => {
                write!(f, "the definition takes {octets} octets when encoded; at most {limit} are allowed")
            }
            Refusal::Full { limit } => write!(f, "this node owns {limit} instances already, which is the limit"),
            Refusal::Leaving => f.write_str("this agent is leaving the cluster and takes no more writes"),
            Refusal::Storage(why) => write!(f, "the data folder did not take the write: {why}"),
            Refusal::Stopping => f.write_str("the agent is stopping"),
        }
    }
}

impl std::error::Error for Refusal {}

/// How a command ended.
pub type Reply = Result<Done, Refusal>;
