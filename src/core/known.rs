//! What is held of a node: its records, who it is as a member, and whether it announced that it is away.

use std::time::Duration;

use super::{Core, replica::Replica, time::Moment, timers::Timer, view::Shown};
use crate::{
    model::{Life, NodeId},
    wire::Identity,
};

/// What is known about one node, this one included.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its records.
    pub replica: Replica,
    /// The highest life that it had as a member.
    pub life: Life,
    /// Who it was last, as a member.
    pub identity: Option<Identity>,
    /// Another life of the same generation that came before this one, until the node was told of it: one of the two began with a
    /// data folder of the past.
    pub twin: Option<Box<Identity>>,
    /// The earlier life was handed out when the later one was first heard of, so it goes on being so until that is whole.
    pub bridged: bool,
    /// The version of the wire format in which it is spoken to; 0 while nothing is known of that.
    pub speaks: u8,
    /// Since when it is down or left.
    pub gone_since: Option<Moment>,
    /// The announced absence; in a box, since most nodes never had one.
    pub grace: Option<Box<Grace>>,
    /// What readers were told.
    pub shown: Option<Shown>,
    /// What its records add to the digest of all, as last counted.
    pub counted: u64,
}

/// An absence that a node announced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grace {
    /// Of which life.
    pub of: Life,
    /// When it ends here, unless it did.
    pub until: Option<Moment>,
}

impl Known {
    /// When the announced absence of a life ends, unless it did.
    pub(super) fn absent_until(&self, life: Life) -> Option<Moment> {
        self.grace.as_ref().filter(|grace| grace.of == life)?.until
    }

    /// What its records add to the digest of all.
    pub(super) fn contribution(&self, node: NodeId) -> u64 {
        self.replica.digest(node).map_or(0, |digest| digest as u64)
    }
}

impl Core {
    /// A node announced an absence, of which so much is left. A life has one at most.
    pub(super) fn begin_absence(&mut self, now: Moment, node: NodeId, of: Life, left: Duration) {
        let is_news = |known: &Grace| known.of < of;
        let Some(known) = self.known.get_mut(&node).filter(|known| known.grace.as_deref().is_none_or(is_news)) else {
            return;
        };
        let until = now + left;
        known.grace = Some(Box::new(Grace { of, until: Some(until) }));
        self.timers.set(until, Timer::Grace(node));
        self.show_detector(now, node);
    }
}
