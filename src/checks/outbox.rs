//! What waits to be reported: the newest verdict of each check, so that it is bounded by what is watched.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{CheckId, CheckState, Command, InstanceId};

/// Reports that wait for a place in the registrar's queue.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    verdicts: BTreeMap<(InstanceId, CheckId), CheckState>,
    expired: BTreeSet<InstanceId>,
}

impl Outbox {
    /// Reports a verdict, in place of one of the same check that still waits.
    pub(super) fn verdict(&mut self, instance: InstanceId, check: CheckId, state: CheckState) {
        self.verdicts.insert((instance, check), state);
    }

    /// Has an instance deregistered.
    pub(super) fn deregister(&mut self, instance: InstanceId) {
        self.expired.insert(instance);
    }

    /// Drops what waits about an instance, but for verdicts of the checks that `keep` names.
    pub(super) fn retain(&mut self, instance: &InstanceId, keep: impl Fn(&CheckId) -> bool) {
        self.expired.remove(instance);
        self.verdicts.retain(|(of, check), _| of != instance || keep(check));
    }

    /// What is to be reported next. It waits on until [`Outbox::reported`].
    pub(super) fn next(&self) -> Option<Command> {
        if let Some(((instance, check), state)) = self.verdicts.first_key_value() {
            return Some(Command::Verdict { instance: instance.clone(), check: check.clone(), state: state.clone() });
        }
        self.expired.first().cloned().map(Command::Deregister)
    }

    /// What [`Outbox::next`] gave was taken.
    pub(super) fn reported(&mut self) {
        if self.verdicts.pop_first().is_none() {
            self.expired.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

    #[test]
    fn only_the_newest_verdict_of_a_check_waits() {
        let mut outbox = Outbox::default();
        outbox.verdict(id("web"), check("a"), state("one"));
        outbox.verdict(id("web"), check("b"), state("two"));
        outbox.verdict(id("web"), check("a"), state("three"));
        outbox.deregister(id("web"));
        let verdict = |check, state| Command::Verdict { instance: id("web"), check, state };
        let expected = [verdict(check("a"), state("three")), verdict(check("b"), state("two")), Command::Deregister(id("web"))];
        assert_eq!(drain(&mut outbox), expected);
    }

    #[test]
    fn nothing_is_reported_of_what_is_not_watched_any_more() {
        let mut outbox = Outbox::default();
        for instance in ["db", "web"] {
            outbox.verdict(id(instance), check("a"), state("one"));
            outbox.verdict(id(instance), check("b"), state("two"));
        }
        outbox.deregister(id("db"));
        outbox.retain(&id("db"), |_| false);
        outbox.retain(&id("web"), |kept| *kept == check("b"));
        assert_eq!(drain(&mut outbox), [Command::Verdict { instance: id("web"), check: check("b"), state: state("two") }]);
    }

    fn drain(outbox: &mut Outbox) -> Vec<Command> {
        std::iter::from_fn(|| outbox.next().inspect(|_| outbox.reported())).collect()
    }

    fn id(text: &str) -> InstanceId {
        InstanceId::new(text).unwrap()
    }

    fn check(text: &str) -> CheckId {
        CheckId::new(text).unwrap()
    }

    fn state(reason: &str) -> CheckState {
        CheckState { status: Status::Critical, reason: reason.into() }
    }
}
