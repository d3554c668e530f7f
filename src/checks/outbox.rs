//! What waits to be reported: the newest verdict of each check, so that it is bounded by what is watched.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{CheckId, CheckState, Command, InstanceId, check::Subject, command::Cause};

/// Reports that wait for a place in the registrar's queue.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    verdicts: BTreeMap<(Subject, CheckId), CheckState>,
    expired: BTreeSet<InstanceId>,
}

impl Outbox {
    /// Reports a verdict, in place of one of the same check that still waits.
    pub(super) fn verdict(&mut self, subject: Subject, check: CheckId, state: CheckState) {
        self.verdicts.insert((subject, check), state);
    }

    /// Has an instance deregistered.
    pub(super) fn deregister(&mut self, instance: InstanceId) {
        self.expired.insert(instance);
    }

    /// Drops what waits about something, but for verdicts of the checks that `keep` names.
    pub(super) fn retain(&mut self, subject: &Subject, keep: impl Fn(&CheckId) -> bool) {
        if let Subject::Instance(instance) = subject {
            self.expired.remove(instance);
        }
        self.verdicts.retain(|(of, check), _| of != subject || keep(check));
    }

    /// What is to be reported next. It waits on until [`Outbox::reported`].
    pub(super) fn next(&self) -> Option<Command> {
        if let Some(((subject, check), state)) = self.verdicts.first_key_value() {
            return Some(Command::Verdict { subject: subject.clone(), check: check.clone(), state: state.clone() });
        }
        let instance = self.expired.first().cloned()?;
        Some(Command::Deregister { instance, cause: Cause::Critical })
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
        outbox.verdict(of("web"), check("a"), state("one"));
        outbox.verdict(of("web"), check("b"), state("two"));
        outbox.verdict(of("web"), check("a"), state("three"));
        outbox.deregister(id("web"));
        let verdict = |check, state| Command::Verdict { subject: of("web"), check, state };
        let expected = [
            verdict(check("a"), state("three")),
            verdict(check("b"), state("two")),
            Command::Deregister { instance: id("web"), cause: Cause::Critical },
        ];
        assert_eq!(drain(&mut outbox), expected);
    }

    #[test]
    fn nothing_is_reported_of_what_is_not_watched_any_more() {
        let mut outbox = Outbox::default();
        for instance in ["db", "web"] {
            outbox.verdict(of(instance), check("a"), state("one"));
            outbox.verdict(of(instance), check("b"), state("two"));
        }
        outbox.deregister(id("db"));
        outbox.retain(&of("db"), |_| false);
        outbox.retain(&of("web"), |kept| *kept == check("b"));
        assert_eq!(drain(&mut outbox), [Command::Verdict { subject: of("web"), check: check("b"), state: state("two") }]);
    }

    fn drain(outbox: &mut Outbox) -> Vec<Command> {
        std::iter::from_fn(|| outbox.next().inspect(|_| outbox.reported())).collect()
    }

    fn of(instance: &str) -> Subject {
        Subject::Instance(id(instance))
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
