//! This node's own id, met elsewhere: peers remember more of it than it does itself, or another process speaks under it.
//!
//! How that comes about: its data folder was restored from a backup, or copied, or a virtual machine was resumed from an image.
//! Lives are compared, and whether the other one still answers is asked of it. The node that is behind takes a
//! generation above all that was seen (`climb.rs`), unless the other answers: of two processes the one with the lower life stops.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use super::{
    Core,
    conversation::Purpose,
    io::{Output, StreamId},
    meeting::{Cause, Copied},
    part::{Have, Part, Slot},
    time::Moment,
};
use crate::{
    model::{
        InstanceId, Life,
        record::{Key, Kind},
    },
    wire::{
        Identity, limits,
        message::{Hello, MemberEntry},
    },
};

/// Between two questions about the same thing: they are led by what comes from the network.
const ASK_GAP: Duration = Duration::from_secs(1);

/// What a peer holds of this node, as it was heard in one conversation.
#[derive(Debug, Default, Clone)]
pub(super) struct Heard {
    /// Another life of at least our generation, as a member.
    other: Option<Identity>,
    /// That our generation, or a later one, is not to come back.
    grave: Option<u32>,
    /// That the peer's copy can't have come from us as we are: of which life of ours, and why.
    forked: Option<(Life, Cause)>,
    /// The instances in what it holds.
    instances: Option<BTreeSet<InstanceId>>,
}

/// Another process that may speak under our id is being asked whether it does.
#[derive(Debug)]
pub(super) struct Asking {
    stream: StreamId,
    who: Identity,
    heard: Heard,
    /// Who told of it.
    teller: Option<SocketAddr>,
}

/// Whether a copy of our own life can't have come from us as we are now: its owner has written nothing that it does not hold.
/// `digest` is that of the peer's part when it made the answer.
fn fork(own: &Part, have: &Have, digest: u128) -> Option<Cause> {
    let complete = have.end.as_ref().map(|(complete, _)| *complete)?;
    let highest = have.slots.values().map(Slot::stamp).max().unwrap_or_default().max(complete);
    match () {
        () if have.life != own.life => None,
        () if highest > own.complete => Some(Cause::Ahead { theirs: highest, ours: own.complete }),
        () if complete == own.complete && digest != own.digest() => Some(Cause::Forked { version: complete }),
        () => None,
    }
}

/// The instances of the part that an answer was made from, where it is whole and tells of what is unknown here.
fn instances_held(own: &Part, have: &Have) -> Option<BTreeSet<InstanceId>> {
    let same = have.life == own.life;
    let mut part = if same { own.clone() } else { Part::new(have.life, have.base) };
    part.on_have(have, &mut BTreeSet::new());
    (part.is_whole() && (!same || part.complete > own.complete)).then(|| instances_in(&part))
}

/// The instances that live in a part.
pub(super) fn instances_in(part: &Part) -> BTreeSet<InstanceId> {
    let is_instance = |key: &&Key| key.kind == Kind::INSTANCE && part.get(key).is_some();
    part.slots().keys().filter(is_instance).filter_map(|key| InstanceId::new(&key.id).ok()).collect()
}

impl Heard {
    /// What of it still calls for another generation, given who we are by now: above which one, and why.
    fn reason(&self, own: Life) -> Option<(u32, Cause)> {
        let forked = self.forked.clone().filter(|(life, _)| *life == own).map(|(life, cause)| (life.generation, cause));
        let grave = self.grave.filter(|generation| *generation >= own.generation);
        let grave = grave.map(|generation| (generation, Cause::Buried { generation }));
        forked.into_iter().chain(grave).max_by_key(|(generation, _)| *generation)
    }

    /// Whether another life of ours was heard of.
    pub(super) fn is_of_another_life(&self) -> bool {
        self.other.is_some()
    }

    /// The other life that has to be asked, given who we are by now.
    fn other(&self, own: Life) -> Option<Identity> {
        self.other.filter(|other| other.life() != own && other.life().generation >= own.generation)
    }
}

impl Core {
    /// A member that is ourselves, as somebody holds it. foca may hear of it only if it is who we are now.
    pub(super) fn is_other_self(&self, identity: &Identity) -> bool {
        identity.node() == self.me() && *identity != self.membership.me()
    }

    pub(super) fn hear_of_member(&mut self, now: Moment, stream: StreamId, entry: &MemberEntry) {
        let (own, seen) = (self.membership.me(), entry.identity);
        if seen.life() == own.life() {
            return self.rejoin_above(now, seen);
        }
        if let Some(conversation) = self.conversations.get_mut(&stream)
            && seen.life().generation >= own.life().generation
        {
            let heard = &mut conversation.heard;
            heard.other = heard.other.into_iter().chain([seen]).max_by(Identity::cmp_age);
        }
    }

    pub(super) fn hear_of_grave(&mut self, stream: StreamId, generation: u32) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.heard.grave = conversation.heard.grave.max(Some(generation));
        }
    }

    /// What a peer holds of our own records.
    pub(super) fn hear_of_records(&mut self, stream: StreamId, have: &Have, digest: u128) {
        let own = self.own_part();
        let fork = fork(own, have, digest);
        let another = have.life != own.life && have.life.generation >= own.life.generation;
        let instances = if fork.is_some() || another { instances_held(own, have) } else { None };
        let life = own.life;
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            let heard = &mut conversation.heard;
            heard.forked = fork.map(|cause| (life, cause)).or(heard.forked.take());
            heard.instances = instances.or(heard.instances.take());
        }
    }

    /// A conversation is over: what was heard in it of ourselves is judged.
    pub(super) fn judge(&mut self, now: Moment, heard: Heard, teller: Option<SocketAddr>) {
        let own = self.settings.life;
        if self.farewell.is_some() {
            return;
        }
        if let Some(other) = heard.other(own).filter(|other| Some(other.life()) != self.answered) {
            self.ask(now, other, heard, teller);
        } else if let Some((above, cause)) = heard.reason(own) {
            self.climb(now, above, cause, heard.instances, teller);
        }
    }

    /// Asks another process whether it speaks under our id, where it should be.
    fn ask(&mut self, now: Moment, who: Identity, heard: Heard, teller: Option<SocketAddr>) {
        let soon = self.asked.is_some_and(|asked| now - asked < ASK_GAP);
        if self.asking.is_none() && !soon && self.settings.is_believable(who.life().generation) {
            self.asked = Some(now);
            let stream = self.open(now, who.address(), Purpose::Itself);
            self.asking = Some(Asking { stream, who, heard, teller });
        }
    }

    /// It does not: nobody is there, or somebody else. So its life is over, and ours goes on above it.
    pub(super) fn not_answered(&mut self, now: Moment, stream: StreamId) {
        let Some(Asking { who, heard, teller, .. }) = self.asking.take_if(|asking| asking.stream == stream) else {
            return;
        };
        if heard.other(self.settings.life).is_some() || who.life().generation >= self.settings.life.generation {
            let cause = Cause::AnotherLife { life: who.life(), address: who.address() };
            let (above, cause) = heard
                .reason(self.settings.life)
                .filter(|(above, _)| *above > who.life().generation)
                .unwrap_or((who.life().generation, cause));
            self.climb(now, above, cause, heard.instances, teller);
        }
    }

    /// Somebody under our id says hello.
    pub(super) fn on_meeting_ourselves(&mut self, now: Moment, stream: StreamId, hello: &Hello) {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return;
        };
        let (at, ours, own, other) = (conversation.at, conversation.is_ours(), self.settings.life, hello.from.life());
        let asked = self.asking.as_ref().is_some_and(|asking| asking.stream == stream);
        if other == own && ours {
            self.join.is_ourselves(at);
            self.look_for_peers_at(now);
        }
        if asked {
            return match other == own {
                true => self.fail(now, stream, "it is this agent itself"),
                false => self.on_answer_of_another(now, stream, hello.from),
            };
        }
        if other > own {
            // That somebody says so is not enough: it has to answer where it says that it is.
            self.ask(now, hello.from, Heard::default(), None);
        }
        if ours {
            // Meeting oneself is no failure to join.
            self.conversations.remove(&stream);
            self.outputs.push_back(Output::Close(stream));
        } else {
            self.say_hello(now, stream);
        }
    }

    /// Another process under our id answers. Of the two the one with the lower life stops.
    fn on_answer_of_another(&mut self, now: Moment, stream: StreamId, other: Identity) {
        self.conversations.remove(&stream);
        self.outputs.push_back(Output::Close(stream));
        self.count_conversation(Some(Purpose::Itself), true);
        let own = self.settings.life;
        if other.life() > own {
            return self.halt(other);
        }
        // It has our hello. Peers go on telling of it for a while.
        self.answered = Some(other.life());
        if let Some(Asking { heard, teller, .. }) = self.asking.take()
            && let Some((above, cause)) = heard.reason(own)
        {
            self.climb(now, above, cause, heard.instances, teller);
        }
    }

    /// A datagram tells of ourselves as we are not: who sent it has to say more, by stream.
    pub(super) fn sighted(&mut self, now: Moment, seen: Identity, teller: Identity) {
        let own = self.membership.me();
        let later = if seen.life() == own.life() { seen.rejoin() > own.rejoin() } else { seen.life().generation >= own.life().generation };
        if !later || self.farewell.is_some() {
            return;
        }
        if teller.node() == self.me() {
            self.ask(now, seen, Heard::default(), None);
        } else if self.membership.get(teller.node()).is_some_and(|member| member.identity == teller && member.is_up()) {
            self.sync_about_ourselves(now, teller);
        }
    }

    /// Has a peer say by stream what it holds of us.
    pub(super) fn sync_about_ourselves(&mut self, now: Moment, peer: Identity) {
        if self.sighted.is_none_or(|sighted| now - sighted >= ASK_GAP) {
            self.sighted = Some(now);
            self.open(now, peer.address(), Purpose::Sync);
        }
    }

    /// Another process goes on under our id, and it is the one that everybody keeps. Nothing is said or written any more.
    fn halt(&mut self, other: Identity) {
        if self.farewell.is_some() {
            return;
        }
        self.halted = true;
        let copied = Copied { here: self.settings.address, life: self.settings.life, there: other.address(), other: other.life() };
        self.outputs.push_back(Output::Stop(copied));
    }
}

impl super::Settings {
    /// Whether a generation of this node may be: nobody starts that often between a backup and its return.
    pub(super) fn is_believable(&self, generation: u32) -> bool {
        generation.saturating_sub(self.life.generation) <= limits::GENERATION_LEAP
    }
}

#[cfg(test)]
mod tests;
