//! How a conversation begins: who each side is, and whether they may go on.

use std::net::SocketAddr;

use super::{
    Core,
    conversation::Purpose,
    io::{Event, StreamId},
    time::Moment,
};
use crate::{
    planted::{Planted, is_planted},
    wire::{
        Identity, WireError, limits,
        message::{Hello, Refuse, RefuseCode, Standing},
    },
};

impl Core {
    pub(super) fn say_hello(&mut self, now: Moment, stream: StreamId) {
        let hello = Hello {
            cluster: self.settings.cluster.to_string(),
            lowest: self.versions.lowest,
            highest: self.versions.highest,
            from: self.membership.me(),
            name: self.settings.info.name.to_string(),
            digest: self.digest(),
            standing: self.standing(now),
        };
        self.say(stream, &hello);
    }

    pub(super) fn on_hello(&mut self, now: Moment, stream: StreamId, hello: &Hello) {
        let Some(conversation) = self.conversations.get(&stream) else {
            return;
        };
        let ours = conversation.is_ours();
        if hello.from.node() == self.me() && hello.cluster == self.settings.cluster.as_str() {
            return self.on_meeting_ourselves(now, stream, hello);
        }
        if conversation.purpose == Some(Purpose::Itself) {
            return self.fail(now, stream, "somebody else is there");
        }
        if self.turns_away(now, stream, hello) {
            return;
        }
        if ours {
            // Who refused us before refuses no more, or says so now.
            self.kept_out.clear();
        }
        if self.is_buried(hello.from) {
            return self.answer_with_grave(now, stream, hello.from);
        }
        let is_present = self.is_present(stream);
        if is_present {
            self.on_present(now, hello.from);
        }
        if is_planted(Planted::ReadyEarly) {
            self.become_ready();
        }
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.peer = Some(hello.from);
            conversation.is_unproven = !is_present;
            conversation.peer_digest = hello.digest.total();
            conversation.version = self.versions.common(hello.versions()).unwrap_or(conversation.version);
        }
        self.learn_versions(hello.from.node(), hello.from.life(), hello.versions());
        if !ours {
            self.say_hello(now, stream);
        }
        let equal = self.digest().total() == hello.digest.total() || is_planted(Planted::NoSync);
        match (equal, ours) {
            (false, _) => self.say_buckets(stream),
            (true, true) => self.end(now, stream),
            // The peer compares with what our hello says, and closes the stream if it finds the same.
            (true, false) => {}
        }
    }

    /// Somebody is there in person.
    fn on_present(&mut self, now: Moment, peer: Identity) {
        self.heard_somebody(now);
        let effects = self.membership.met(peer);
        self.apply(now, effects);
    }

    /// A frame came: if it is the first that is bound to what we said, whoever said hello is no recording.
    pub(super) fn prove(&mut self, now: Moment, stream: StreamId) {
        let is_present = self.is_present(stream);
        let unproven = self.conversations.get_mut(&stream).filter(|conversation| conversation.is_unproven && is_present);
        if let Some(peer) = unproven.and_then(|conversation| {
            conversation.is_unproven = false;
            conversation.peer
        }) {
            self.on_present(now, peer);
        }
    }

    /// Ends the conversation where one of the two is not to take part in the cluster with the other. Whether that is so.
    fn turns_away(&mut self, now: Moment, stream: StreamId, hello: &Hello) -> bool {
        let Some(conversation) = self.conversations.get(&stream) else {
            return true;
        };
        let (at, ours) = (conversation.at, conversation.is_ours());
        let is_kept_out = !ours && self.is_kept_out(now);
        let by = if let Standing::KeptOut(by) = &hello.standing { Some(by) } else { None };
        let may_refuse = !is_kept_out && (by.is_none() || !ours);
        let reason = self.reason_to_part(hello, at).or_else(|| if may_refuse { self.reason_to_refuse(hello, ours) } else { None });
        match (reason, by) {
            (Some((code, detail)), _) => {
                if code == RefuseCode::Version {
                    self.dropped(at, WireError::Version.as_str());
                }
                self.event(Event::Refused { peer: at, by_us: true, code, detail: detail.clone() });
                self.say(stream, &Refuse { code, detail });
                self.fail(now, stream, "refused");
                self.is_no_member(now, hello.from, |before| before < hello.from.life());
            }
            (None, _) if is_kept_out => {
                self.say_hello(now, stream);
                self.fail(now, stream, "this agent is kept out of the cluster, since another node holds its name");
            }
            // It can't take us in. Nor can we take it in while we are new: whoever does has to know the cluster.
            (None, Some(by)) if ours || !self.join.was_established() => {
                self.fail(now, stream, "it is kept out of the cluster, since another node holds its name");
                self.on_kept_out(now, at, hello.from, by);
            }
            (None, _) => return false,
        }
        true
    }

    /// Why the two do not understand each other, whatever else they are.
    fn reason_to_part(&self, hello: &Hello, at: SocketAddr) -> Option<(RefuseCode, String)> {
        let cluster = self.settings.cluster.as_str();
        if hello.cluster != cluster {
            let theirs: String = hello.cluster.chars().take(80).collect();
            return Some((RefuseCode::Cluster, format!("this agent belongs to cluster {cluster:?}, the other to {theirs:?}")));
        }
        let theirs = hello.versions();
        let at = SocketAddr::new(at.ip(), hello.from.address().port());
        self.versions.common(theirs).is_none().then(|| (RefuseCode::Version, self.versions.apart(theirs, at)))
    }

    fn reason_to_refuse(&self, hello: &Hello, ours: bool) -> Option<(RefuseCode, String)> {
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
        (hello.standing != Standing::Member && another).then(|| {
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
            let peer = conversation.peer.map_or(conversation.at, |peer| peer.address());
            let detail = refuse.detail.chars().take(400).collect();
            if conversation.purpose == Some(Purpose::Join) {
                conversation.purpose = Some(Purpose::Look);
            }
            self.event(Event::Refused { peer, by_us: false, code: refuse.code, detail });
            self.fail(now, stream, "refused");
            self.refused_by(now, peer, refuse.code);
        }
    }
}
