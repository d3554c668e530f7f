//! Beginning among others without a conversation with each: large simulated clusters would spend their time on forming.

use super::{Core, join::LOOK_EVERY, part::Part, replica::Shift, time::Moment};
use crate::wire::message::MemberEntry;

impl Core {
    /// Knows from now on who these are and what they wrote, as after a full sync with each of them. To be called right after
    /// [`Core::start`].
    pub fn know(&mut self, now: Moment, others: &[(MemberEntry, Part)]) {
        let me = self.me();
        let entries: Vec<MemberEntry> = others.iter().map(|(entry, _)| *entry).filter(|entry| entry.identity.node() != me).collect();
        let effects = self.membership.merge(&entries, false);
        self.apply(now, effects);
        for (entry, part) in others.iter().filter(|(entry, _)| entry.identity.node() != me) {
            let node = entry.identity.node();
            self.known.entry(node).or_default().replica.shown = Some(part.clone());
            self.touch(node, Shift { promoted: true, ..Shift::default() });
        }
        self.join.has_joined();
        self.become_ready();
        let jitter = self.jitter(LOOK_EVERY);
        self.look_for_peers_at(now + LOOK_EVERY + jitter);
        self.finish();
    }
}
