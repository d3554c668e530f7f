//! Being kept out: peers refuse this agent, because a live node holds its name.
//!
//! An agent that is kept out is no member, whatever it and others have heard of each other: it has dropped that, goes by an identity
//! that nobody has heard of, and takes nobody in. Whoever takes it for a member probes who it was before, is answered by who it is now,
//! asks by stream what that means, and is told. It asks those who refused it, who know the holder, until they let it in, and
//! nobody else, unless they have been silent for a while: one who knows no holder of the name would let it in at once.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{Core, time::Moment};
use crate::{
    model::Life,
    wire::{
        Identity,
        message::{RefuseCode, Standing},
    },
};

/// How long a refusal holds: longer than the longest time between two questions to who refused.
const HOLDS: Duration = Duration::from_secs(30);
/// Who refused, at most.
const REFUSERS: usize = 8;

/// Who refuses this agent for its name.
#[derive(Debug, Default)]
pub(super) struct KeptOut {
    /// Where each of them is, and when it last did.
    by: BTreeMap<SocketAddr, Moment>,
}

impl KeptOut {
    fn note(&mut self, now: Moment, refuser: SocketAddr) {
        self.by.retain(|_, at| now - *at < HOLDS);
        if self.by.len() < REFUSERS || self.by.contains_key(&refuser) {
            self.by.insert(refuser, now);
        }
    }

    /// Those whose refusals hold.
    pub(super) fn by(&self, now: Moment) -> Vec<SocketAddr> {
        self.by.iter().filter(|(_, at)| now - **at < HOLDS).map(|(refuser, _)| *refuser).collect()
    }

    /// What was said before is void.
    pub(super) fn clear(&mut self) {
        self.by.clear();
    }
}

impl Core {
    /// Whether peers keep this agent out.
    pub(super) fn is_kept_out(&self, now: Moment) -> bool {
        !self.join.was_established() && !self.kept_out.by(now).is_empty()
    }

    /// What this agent is to its cluster.
    pub(super) fn standing(&self, now: Moment) -> Standing {
        match () {
            () if self.join.was_established() => Standing::Member,
            () if self.is_kept_out(now) => Standing::KeptOut(self.kept_out.by(now)),
            () => Standing::Newcomer,
        }
    }

    /// A peer refused us.
    pub(super) fn refused_by(&mut self, now: Moment, refuser: SocketAddr, code: RefuseCode) {
        if code == RefuseCode::NameTaken && !self.join.was_established() {
            let news = !self.is_kept_out(now);
            self.kept_out.note(now, refuser);
            if news {
                self.keep_to_itself();
            }
        }
    }

    /// A peer is kept out. If we took it for a member, it is none; and where we are new ourselves we have to ask those who are not.
    pub(super) fn on_kept_out(&mut self, now: Moment, at: SocketAddr, peer: Identity, by: &[SocketAddr]) {
        self.join.refer(now, at, by.iter().take(REFUSERS).copied());
        self.is_no_member(now, peer, |life| life <= peer.life());
    }

    /// Somebody at this place is not, or not yet, part of the cluster: whoever was a member there, in a life of which that is known, is
    /// so no more. Elsewhere one may be, that has a copy of its data folder.
    pub(super) fn is_no_member(&mut self, now: Moment, peer: Identity, is_over: impl FnOnce(Life) -> bool) {
        let member = self.membership.get(peer.node()).map(|member| member.identity);
        if let Some(member) = member.filter(|member| member.address() == peer.address() && is_over(member.life())) {
            let effects = self.membership.down(member);
            self.apply(now, effects);
        }
    }
}
