//! What comes of a node that meets itself, for whoever has to judge it.

use std::{fmt, net::SocketAddr};

use crate::model::Life;

/// Two processes spoke under one node's id, so one of them works on a copy of the other's data folder. This one stops, since its
/// life is the lower one: everybody keeps the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Where this one was reached.
    pub here: SocketAddr,
    /// Its life.
    pub life: Life,
    /// Where the other one answers.
    pub there: SocketAddr,
    /// Its life.
    pub other: Life,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Copied { here, life, there, other } = self;
        write!(
            f,
            "two agents run on copies of one data folder: this one at {here} (generation {}), and one at {there} (generation {}), \
             which everybody keeps; this one stops and leaves its folder as it is. If it is the one to keep, end the other first. \
             If both are to run, give one of them an empty folder with --data-dir",
            life.generation, other.generation
        )
    }
}

/// Why a node takes another generation without a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Peers hold later versions of its life than it has written.
    Ahead {
        /// The highest that a peer holds.
        theirs: u64,
        /// The last that was written here.
        ours: u64,
    },
    /// A peer holds other records than it has at the same version.
    Forked {
        /// Which.
        version: u64,
    },
    /// Peers hold another life of at least its generation, and where that should be it does not answer.
    AnotherLife {
        /// Which life.
        life: Life,
        /// Where it was.
        address: SocketAddr,
    },
    /// It was forgotten or reaped, up to a generation that is not below its own.
    Buried {
        /// Which.
        generation: u32,
    },
}

impl Cause {
    /// Its place in [`super::counters::CLIMB_CAUSES`].
    pub(super) fn place(&self) -> usize {
        match self {
            Cause::Ahead { .. } => 0,
            Cause::Forked { .. } => 1,
            Cause::AnotherLife { .. } => 2,
            Cause::Buried { .. } => 3,
        }
    }
}

impl fmt::Display for Cause {
    /// What was seen, and what it means.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Ahead { theirs, ours } => write!(
                f,
                "peers hold version {theirs} of what this agent has written up to version {ours}: it was resumed from an image of the past, as that of a \
                 virtual machine"
            ),
            Cause::Forked { version } => write!(
                f,
                "a peer holds other records than this agent at the same version, {version}: it was resumed from an image of the past, as that of a \
                 virtual machine, and wrote something else than before"
            ),
            Cause::AnotherLife { life, address } => write!(
                f,
                "peers know of generation {} of it, at {address}, where it does not answer: its data folder was restored from a backup, or is a copy",
                life.generation
            ),
            Cause::Buried { generation } => write!(
                f,
                "it was out of reach for so long that peers let go of it, or it was forgotten on request, up to generation {generation}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::counters::CLIMB_CAUSES;

    #[test]
    fn each_cause_is_counted_under_its_own_name() {
        let (life, address) = (Life::default(), ([10, 0, 0, 1], 1).into());
        let causes = [
            (Cause::Ahead { theirs: 2, ours: 1 }, "ahead"),
            (Cause::Forked { version: 1 }, "forked"),
            (Cause::AnotherLife { life, address }, "another_life"),
            (Cause::Buried { generation: 1 }, "buried"),
        ];
        assert_eq!(causes.len(), CLIMB_CAUSES.len());
        for (cause, name) in causes {
            assert_eq!(CLIMB_CAUSES[cause.place()], name);
        }
    }
}
