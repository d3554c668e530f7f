//! How a conversation begins: who each side is, and whether they may go on.

use super::{
    Core,
    conversation::Purpose,
    io::{Event, StreamId},
    time::Moment,
};
use crate::{
    planted::{Planted, is_planted},
    wire::{
        HIGHEST_VERSION, Identity, LOWEST_VERSION, limits,
        message::{Hello, Refuse, RefuseCode},
    },
};

impl Core {
    pub(super) fn say_hello(&mut self, stream: StreamId) {
        let hello = Hello {
            cluster: self.settings.cluster.to_string(),
            lowest: LOWEST_VERSION,
            highest: HIGHEST_VERSION,
            from: self.membership.me(),
            name: self.settings.info.name.to_string(),
            digest: self.digest(),
            established: self.join.was_established(),
        };
        self.say(stream, &hello);
    }

    pub(super) fn on_hello(&mut self, now: Moment, stream: StreamId, hello: &Hello) {
        let Some(conversation) = self.conversations.get(&stream) else {
            return;
        };
        let (at, ours) = (conversation.at, conversation.is_ours());
        if hello.from.node() == self.me() && hello.cluster == self.settings.cluster.as_str() {
            return self.on_meeting_ourselves(now, stream, hello);
        }
        if conversation.purpose == Some(Purpose::Itself) {
            return self.fail(now, stream, "somebody else is there");
        }
        if let Some((code, detail)) = self.reason_to_refuse(hello, ours) {
            self.event(Event::Refused { peer: at, by_us: true, code, detail: detail.clone() });
            self.say(stream, &Refuse { code, detail });
            self.fail(now, stream, "refused");
            return self.end_life_before(now, hello.from);
        }
        if self.is_buried(hello.from) {
            return self.answer_with_grave(now, stream, hello.from);
        }
        self.heard_somebody(now);
        let effects = self.membership.met(hello.from);
        self.apply(now, effects);
        if is_planted(Planted::ReadyEarly) {
            self.become_ready();
        }
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.peer = Some(hello.from);
            conversation.peer_digest = hello.digest.total();
        }
        if !ours {
            self.say_hello(stream);
        }
        let equal = self.digest().total() == hello.digest.total() || is_planted(Planted::NoSync);
        match (equal, ours) {
            (false, _) => self.say_buckets(stream),
            (true, true) => self.end(now, stream),
            // The peer compares with what our hello says, and closes the stream if it finds the same.
            (true, false) => {}
        }
    }

    /// A node that is refused started anew: the life under which it was a member is over.
    fn end_life_before(&mut self, now: Moment, refused: Identity) {
        let member = self.membership.get(refused.node()).map(|member| member.identity);
        if let Some(before) = member.filter(|before| before.life() < refused.life()) {
            let effects = self.membership.down(before);
            self.apply(now, effects);
        }
    }

    pub(super) fn reason_to_refuse(&self, hello: &Hello, ours: bool) -> Option<(RefuseCode, String)> {
        let cluster = self.settings.cluster.as_str();
        if hello.cluster != cluster {
            let theirs: String = hello.cluster.chars().take(80).collect();
            return Some((RefuseCode::Cluster, format!("this agent belongs to cluster {cluster:?}, the other to {theirs:?}")));
        }
        if hello.highest < LOWEST_VERSION || hello.lowest > HIGHEST_VERSION {
            let detail = format!(
                "this agent speaks versions {LOWEST_VERSION} to {HIGHEST_VERSION} of the wire format, the other {} to {}",
                hello.lowest, hello.highest
            );
            return Some((RefuseCode::Version, detail));
        }
        if self.has_left() && !ours {
            return Some((RefuseCode::Leaving, "this agent is leaving the cluster".into()));
        }
        if !self.has_room_for(hello.from) {
            let detail = format!(
                "this agent knows of {} members, those that are down included, which is as many as a cluster may have: forget some that are gone for \
                 good, or wait until they are let go of",
                limits::MEMBERS
            );
            return Some((RefuseCode::Full, detail));
        }
        let holder = self.live_holder(&hello.name)?;
        let another = holder.id != hello.from.node() && holder.gossip != hello.from.address();
        (!hello.established && another).then(|| {
            let detail = format!(
                "the name {:?} is held by the node at {}; the other at {} asks for it",
                hello.name,
                holder.gossip,
                hello.from.address()
            );
            (RefuseCode::NameTaken, detail)
        })
    }

    pub(super) fn on_refuse(&mut self, now: Moment, stream: StreamId, refuse: &Refuse) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            let peer = conversation.at;
            let detail = refuse.detail.chars().take(400).collect();
            if conversation.purpose == Some(Purpose::Join) {
                conversation.purpose = Some(Purpose::Look);
            }
            self.event(Event::Refused { peer, by_us: false, code: refuse.code, detail });
            self.fail(now, stream, "refused");
            if refuse.code == RefuseCode::NameTaken && !self.join.is_established() {
                self.keep_to_itself();
            }
        }
    }
}
