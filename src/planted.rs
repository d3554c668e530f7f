//! Faults that tests plant to see that the simulator finds them. In a program there are none: what asks for them is compiled to nothing.

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Planted {
    /// A write is acknowledged before it is on disk.
    AcknowledgedEarly,
    /// A start speaks under the generation of the start before.
    GenerationReused,
    /// A start speaks before its generation is on disk.
    GenerationUnwritten,
    /// No sync ever begins.
    NoSync,
    /// Now and then a timer is lost.
    TimerDropped,
    /// A pushed write is taken whatever is known already.
    OldVersionTaken,
    /// A status is taken for any definition.
    LateStatusTaken,
    /// An answer that comes after the first question ran out is not heard.
    RefutationIgnored,
    /// A node that leaves does not say so.
    LeftUnsaid,
    /// Nothing is ever given up from what waits to be pushed.
    QueueUnbounded,
    /// A removal by push is not remembered while versions before it are missing.
    RemovalForgotten,
    /// The highest version that is held counts as complete.
    CompleteByHighest,
    /// What a peer holds and we removed is taken back.
    RemovedTakenBack,
    /// The union takes records whatever their stamps.
    UnionWithoutStamps,
    /// What an answer does not name as living is kept.
    UnlistedKept,
    /// A later life is shown from its first record on.
    LaterLifeAtOnce,
    /// Records of earlier lives are taken.
    EarlierLifeTaken,
    /// A later life replaces what is shown before its beginning is whole.
    BaseIgnored,
    /// Whoever hears that peers remember more of it than it does goes on as before.
    ClimbSkipped,
    /// What was forgotten is dug no grave.
    GraveUndug,
    /// A life that left counts as up again when foca hears of it.
    LeftUndone,
    /// An agent says that it knows all as soon as it knows anybody.
    ReadyEarly,
    /// An agent says that it knows all as soon as it has synced with one, whoever was there before.
    OthersNotAwaited,
    /// The higher id holds a name.
    HigherHoldsName,
    /// A write is synced to disk never.
    NeverSynced,
    /// What was said in the clear is taken though encryption is required.
    PlainTaken,
    /// What was said in another cluster is taken.
    ClusterUnbound,
    /// A frame opens at any place of any stream.
    FrameUnbound,
    /// A key that was removed still opens.
    RemovedKeyOpens,
    /// A datagram is taken however old it is.
    OldTaken,
    /// Everybody is spoken to in the highest version that this agent speaks.
    HighestSpoken,
}

#[cfg(test)]
impl Planted {
    /// All of them.
    pub(crate) const ALL: [Planted; 31] = [
        Planted::AcknowledgedEarly,
        Planted::GenerationReused,
        Planted::GenerationUnwritten,
        Planted::NoSync,
        Planted::TimerDropped,
        Planted::OldVersionTaken,
        Planted::LateStatusTaken,
        Planted::RefutationIgnored,
        Planted::LeftUnsaid,
        Planted::QueueUnbounded,
        Planted::RemovalForgotten,
        Planted::CompleteByHighest,
        Planted::RemovedTakenBack,
        Planted::UnionWithoutStamps,
        Planted::UnlistedKept,
        Planted::LaterLifeAtOnce,
        Planted::EarlierLifeTaken,
        Planted::BaseIgnored,
        Planted::ClimbSkipped,
        Planted::GraveUndug,
        Planted::LeftUndone,
        Planted::ReadyEarly,
        Planted::OthersNotAwaited,
        Planted::HigherHoldsName,
        Planted::NeverSynced,
        Planted::PlainTaken,
        Planted::ClusterUnbound,
        Planted::FrameUnbound,
        Planted::RemovedKeyOpens,
        Planted::OldTaken,
        Planted::HighestSpoken,
    ];
}

/// Whether a fault is planted.
#[cfg(not(test))]
pub(crate) const fn is_planted(_: Planted) -> bool {
    false
}

#[cfg(test)]
pub(crate) use testing::{is_planted, with};

#[cfg(test)]
mod testing {
    use std::cell::Cell;

    use super::Planted;

    thread_local! {
        static PLANTED: Cell<Option<Planted>> = const { Cell::new(None) };
    }

    pub(crate) fn is_planted(fault: Planted) -> bool {
        PLANTED.get() == Some(fault)
    }

    /// Runs something on this thread with a fault planted.
    pub(crate) fn with<T>(fault: Planted, run: impl FnOnce() -> T) -> T {
        PLANTED.set(Some(fault));
        let result = run();
        PLANTED.set(None);
        result
    }
}
