//! Watch streams: idle connections between ring neighbours. The kernel of a process that dies ends them at once.
//!
//! Both ends say who they are, and from then on each looks after the other. Who has no more use for a stream says so before it
//! closes it; an end without that is news.

use std::time::Duration;

use super::{
    super::{
        io::{CloseCause, StreamId},
        time::Moment,
        timers::Alarm,
    },
    Action, Detector, Due, Line, Purpose, Told,
    inquiry::How,
};
use crate::{
    model::NodeId,
    wire::{Identity, frame::FrameBuffer, message::Watch},
};

/// Members behind us to which we keep a stream.
const WATCHED: usize = 3;
/// Streams that others may keep to us: some more than the three before us, whose view of the ring may differ from ours.
pub(super) const WATCHERS: usize = 16;
/// How long both ends may take to say who they are.
const GREETING_PATIENCE: Duration = Duration::from_secs(3);
/// How long a member is left in peace that could not be watched.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// A watch stream.
#[derive(Debug)]
pub(super) struct Watching {
    /// Who is at the other end, or should be.
    pub(super) peer: Identity,
    /// We opened it.
    ours: bool,
    /// Until the peer has said who it is.
    greeting: Option<Alarm>,
}

#[cfg(test)]
impl Watching {
    /// One that we opened, and whose peer said who it is.
    pub(super) fn established(peer: Identity) -> Watching {
        Watching { peer, ours: true, greeting: None }
    }
}

impl Detector {
    pub(super) fn watches(&self) -> impl Iterator<Item = (StreamId, &Watching)> {
        self.lines.iter().filter_map(|(stream, line)| match &line.purpose {
            Purpose::Watch(watching) => Some((*stream, watching)),
            Purpose::Inquiry(_) | Purpose::Errand(_) => None,
        })
    }

    /// Watch streams that are open, by whoever opened them.
    pub(super) fn count_watches(&self) -> usize {
        self.watches().filter(|(_, watching)| watching.greeting.is_none()).count()
    }

    /// Opens streams to the next in the ring, and closes those to others. One that was next in the last round already is watched:
    /// while a cluster forms, neighbours change all the time.
    pub(super) fn see_to_watches(&mut self, now: Moment) {
        let wanted = self.next_in_ring(WATCHED);
        let is_wanted = |peer: Identity| wanted.contains(&peer);
        let of_no_use: Vec<StreamId> =
            self.watches().filter(|(_, watching)| watching.ours && !is_wanted(watching.peer)).map(|(stream, _)| stream).collect();
        for stream in of_no_use {
            self.end_watch(stream);
        }
        for peer in &wanted {
            let is_watched = self.watches().any(|(_, watching)| watching.peer == *peer);
            if !is_watched && self.watched.get(&peer.node()).is_some_and(|not_before| *not_before <= now) {
                let stream = self.connect(peer.address(), Purpose::Watch(Watching { peer: *peer, ours: true, greeting: None }));
                self.await_greeting(now, stream);
            }
        }
        let nodes = wanted.iter().map(Identity::node);
        self.watched = nodes.map(|node| (node, self.watched.get(&node).copied().unwrap_or_default())).collect();
    }

    fn await_greeting(&mut self, now: Moment, stream: StreamId) {
        let alarm = self.timers.alarm(now + GREETING_PATIENCE, Due::Greeting(stream));
        if let Some(watching) = self.watching_mut(stream) {
            watching.greeting = Some(alarm);
        }
    }

    fn watching_mut(&mut self, stream: StreamId) -> Option<&mut Watching> {
        match self.lines.get_mut(&stream).map(|line| &mut line.purpose) {
            Some(Purpose::Watch(watching)) => Some(watching),
            _ => None,
        }
    }

    pub(super) fn greet(&mut self, stream: StreamId, peer: Identity) {
        let watch = Watch { from: self.me, to: peer.short().to_be_bytes() };
        self.say(stream, Told::Watch(watch));
    }

    /// A peer wants to watch us by a stream that it opened, and to be watched. `is_present`: whether it can't be a recording that says so. `frames` holds what came behind its greeting,
    /// which was in `version`.
    pub(in super::super) fn on_watcher(&mut self, stream: StreamId, watch: &Watch, is_present: bool, version: u8, frames: FrameBuffer) {
        let peer = watch.from;
        let watching = Watching { peer, ours: false, greeting: None };
        self.lines.insert(stream, Line { purpose: Purpose::Watch(watching), version, frames });
        // Said in any case: should another one be meant, it learns who is here instead.
        self.greet(stream, peer);
        let theirs = |watching: &Watching| !watching.ours;
        let before = self.watches().find(|(other, watching)| *other != stream && theirs(watching) && watching.peer.node() == peer.node());
        if let Some(before) = before.map(|(before, _)| before) {
            self.end_watch(before);
        }
        let watchers = self.watches().filter(|(_, watching)| theirs(watching)).count();
        if watch.to != self.me.short().to_be_bytes() || !self.ring.is_present(peer) || watchers > WATCHERS {
            return self.end_watch(stream);
        }
        if is_present {
            self.heard(peer);
        }
    }

    /// The peer of a stream that we opened says who it is.
    pub(super) fn on_greeting(&mut self, now: Moment, stream: StreamId, watch: &Watch) {
        let Some(watching) = self.watching_mut(stream) else {
            return;
        };
        let peer = watching.peer;
        if let Some(alarm) = watching.greeting.take() {
            self.timers.cancel(alarm);
        }
        if watch.from == peer {
            return self.heard(peer);
        }
        self.end_watch(stream);
        self.leave_in_peace(now, peer.node());
        if watch.from.node() == peer.node() && watch.from.cmp_age(&peer).is_gt() {
            self.actions.push_back(Action::Meet(watch.from.address()));
        }
    }

    /// The peer did not say who it is. That is no evidence: probes see to that.
    pub(super) fn miss_greeting(&mut self, now: Moment, stream: StreamId) {
        if let Some(watching) = self.watching_mut(stream) {
            let node = watching.peer.node();
            watching.greeting = None;
            self.close(stream);
            self.leave_in_peace(now, node);
        }
    }

    /// The peer has no more use for the stream.
    pub(super) fn on_watch_end(&mut self, now: Moment, stream: StreamId) {
        let peer = self.watching_mut(stream).map(|watching| watching.peer);
        self.forget_watch(stream);
        if let Some(peer) = peer {
            self.leave_in_peace(now, peer.node());
        }
    }

    /// A stream ended without a word.
    pub(super) fn watch_closed(&mut self, now: Moment, watching: Watching, cause: CloseCause) {
        if let Some(alarm) = watching.greeting {
            self.timers.cancel(alarm);
        }
        self.leave_in_peace(now, watching.peer.node());
        if matches!(cause, CloseCause::Ended | CloseCause::Refused) {
            self.inquire(now, watching.peer, How::AtOnce);
        }
    }

    fn leave_in_peace(&mut self, now: Moment, node: NodeId) {
        if let Some(not_before) = self.watched.get_mut(&node) {
            *not_before = now + TRY_AGAIN_AFTER;
        }
    }

    /// Ends the streams to a node whose other end is one of these.
    pub(super) fn unwatch(&mut self, node: NodeId, which: impl Fn(Identity) -> bool) {
        let of_it = |watching: &Watching| watching.peer.node() == node && which(watching.peer);
        let streams: Vec<StreamId> = self.watches().filter(|(_, watching)| of_it(watching)).map(|(stream, _)| stream).collect();
        streams.into_iter().for_each(|stream| self.end_watch(stream));
    }

    /// Ends a stream in such a way that the peer does not take it for news.
    fn end_watch(&mut self, stream: StreamId) {
        self.say(stream, Told::WatchEnd);
        self.forget_watch(stream);
    }

    fn forget_watch(&mut self, stream: StreamId) {
        if let Some(alarm) = self.watching_mut(stream).and_then(|watching| watching.greeting.take()) {
            self.timers.cancel(alarm);
        }
        self.close(stream);
    }
}
