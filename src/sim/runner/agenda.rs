//! What ends by itself, and when.

use std::collections::BTreeMap;

use super::super::HostId;
use crate::core::{io::CommandId, time::Moment};

/// Something that is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A host goes on.
    Thaw(HostId),
    /// A write must have been answered.
    Answer(CommandId),
}

/// What is due, in order.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    dues: BTreeMap<(Moment, u64), Due>,
    count: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at: Moment, due: Due) {
        self.count += 1;
        self.dues.insert((at, self.count), due);
    }

    pub(super) fn next_at(&self) -> Option<Moment> {
        self.dues.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next that is due by now.
    pub(super) fn pop(&mut self, now: Moment) -> Option<Due> {
        self.next_at().filter(|at| *at <= now)?;
        self.dues.pop_first().map(|(_, due)| due)
    }
}
