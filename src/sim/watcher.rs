//! Those who look on and say when a promise is broken.

use super::{DiskState, HostId, Mark, Place, World};
use crate::{
    core::io::{CommandId, Event},
    model::{Change, Command, Life, NodeId, Reply},
    store::Contents,
};

/// What is seen of a host.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A process began, on what it found on its disk.
    Started {
        /// Its life.
        life: Life,
        /// What the disk held, before the life began.
        contents: &'a Contents,
    },
    /// A process could not begin, or ended by itself, with this error.
    Failed(&'a str),
    /// A process ended: it was killed or stopped, or the power went.
    Ended,
    /// A command was handed to the process.
    Submitted {
        /// Its id, unique in the world.
        id: CommandId,
        /// What it asks for.
        command: &'a Command,
    },
    /// A command was answered. What it did is published.
    Answered {
        /// Its id.
        id: CommandId,
        /// What it asked for.
        command: &'a Command,
        /// How it ended.
        reply: &'a Reply,
    },
    /// The process wrote records of its own: they have their versions now.
    Wrote,
    /// The process publishes a difference; its catalog does not show it yet.
    Changing(&'a Change),
    /// The process tells its operator.
    Told(&'a Event),
    /// Another data folder was put in the place of the host's own.
    FolderReplaced,
    /// The host goes on from an image of its memory and its disk, with this process.
    ImageResumed {
        /// Which node it is.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// Something was done to the host.
    Done(Deed),
    /// The process took a datagram, or a frame of a stream, for what it says. Not shown where no host has keys and all are of one cluster.
    Took {
        /// How it was said.
        mark: &'a Mark,
        /// Of a frame, its place where it was said first, and the one at which it came.
        places: Option<(Place, Place)>,
    },
    /// The network changes now: seen once before, and once as it is then. Of no host.
    Network,
}

/// What was done to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Its process stands still.
    Paused,
    /// Its process goes on.
    Resumed,
    /// It stands still as a whole.
    Frozen,
    /// It goes on.
    Thawed,
    /// It has another address.
    Readdressed,
    /// Its disk has another state.
    Disk(DiskState),
    /// Its keys, or its mode, are others; its process is about to be told.
    Rekeyed,
}

/// Looks on. A fault of its own invention may not enter the world: it sees, and judges.
pub trait Watcher {
    /// What it watches over.
    fn name(&self) -> &'static str;

    /// Something is seen.
    ///
    /// # Errors
    /// In words, what should not have been.
    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String>;

    /// The last fault ended long ago, and nothing moves any more.
    ///
    /// # Errors
    /// In words, what is not as it should be.
    fn at_rest(&mut self, _world: &World) -> Result<(), String> {
        Ok(())
    }
}
