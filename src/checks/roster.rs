//! What is watched, and when something is due. Time and randomness are passed in; what follows is polled as [`Act`]s.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use litemap::LiteMap;
use rand::{RngExt as _, rngs::StdRng};

use super::{lease::Lease, verdict::Verdict};
use crate::{
    kinds::{self, Ask, Finding},
    model::{
        Check, CheckId, CheckOrder, CheckState, Health, InstanceId, Status,
        check::{Left, Probe, Subject},
    },
};

/// The first runs of checks are spread over this time, or over their interval where that is shorter.
const SPREAD: Duration = Duration::from_secs(1);
/// An interval is this much shorter or longer, at random, so that checks that once ran together drift apart.
const JITTER: f64 = 0.05;
/// A deregistration that did not take effect is asked for again after this time.
const DEREGISTER_AGAIN: Duration = Duration::from_secs(60);

/// One check from when it is watched until it is not, or its definition changes: never used twice, so that the end of an old run
/// is not taken for that of another.
pub(super) type Slot = u64;

/// What has to be done.
pub(super) enum Act {
    /// Run a check, and bring what it found to [`Roster::found`].
    Run { slot: Slot, ask: Arc<dyn Ask>, patience: Duration, due: Instant },
    /// End its run, if there is one: nobody waits for it any more.
    Abandon(Slot),
    /// Keep the output of a result for its owner, and count it for the kind at this place of the table. Only a run takes time.
    Keep { subject: Subject, check: CheckId, text: String, took: Option<Duration>, kind: Option<usize>, status: Status },
    /// Tell everyone.
    Tell { subject: Subject, check: CheckId, state: CheckState },
    /// It was critical for too long.
    Deregister(InstanceId),
    /// Forget reports and outputs of the subject, but for these checks.
    Retain { subject: Subject, checks: BTreeSet<CheckId> },
}

/// Makes what is run of a probe.
pub(super) type MakeAsk = Box<dyn Fn(&Probe) -> Arc<dyn Ask> + Send>;

/// What has checks: the node and its instances, and one queue of timers for them all.
pub(super) struct Roster {
    make_ask: MakeAsk,
    rng: StdRng,
    subjects: BTreeMap<Subject, Watched>,
    slots: BTreeMap<Slot, (Subject, CheckId)>,
    last_slot: Slot,
    timers: BTreeSet<(Instant, Timer)>,
    acts: VecDeque<Act>,
    /// What was left of leases when the agent ended, until their checks are watched again.
    resumed: BTreeMap<(Subject, CheckId), Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// When a run is due, or a lease may have run out.
    Check(Slot),
    /// When an subject will have been critical for too long.
    Deregister(Subject),
}

#[derive(Default)]
struct Watched {
    /// Mostly there is one, of which a tree would take ten times as much.
    checks: LiteMap<CheckId, Watch>,
    deregister_after: Option<Duration>,
    /// Since when it is critical, as far as this start of the agent knows.
    critical_since: Option<Instant>,
    deregister_at: Option<Instant>,
    /// When its deregistration was asked for last, since it is critical.
    asked_at: Option<Instant>,
}

struct Watch {
    slot: Slot,
    check: Check,
    way: Way,
    verdict: Verdict,
    running: bool,
    due: Option<Instant>,
}

/// How a check comes to its findings.
enum Way {
    /// It is run, each interval anew.
    Asks(Arc<dyn Ask>),
    /// It is told, in time or else.
    Waits(Lease),
}

impl Roster {
    /// Watches nothing yet.
    pub(super) fn new(make_ask: MakeAsk, rng: StdRng) -> Roster {
        Roster {
            make_ask,
            rng,
            subjects: BTreeMap::new(),
            slots: BTreeMap::new(),
            last_slot: 0,
            timers: BTreeSet::new(),
            acts: VecDeque::new(),
            resumed: BTreeMap::new(),
        }
    }

    /// Leases go on with what was left of them.
    pub(super) fn resume(&mut self, left: Vec<Left>) {
        self.resumed = left.into_iter().map(|Left { subject, check, left }| ((subject, check), left)).collect();
    }

    /// What is left of each lease that has not run out.
    pub(super) fn left(&self, now: Instant) -> Vec<Left> {
        let of = |subject: &Subject, id: &CheckId, watch: &Watch| match &watch.way {
            Way::Waits(lease) => Some(Left { subject: subject.clone(), check: id.clone(), left: lease.left(now)? }),
            Way::Asks(_) => None,
        };
        let all = self.subjects.iter().flat_map(|(subject, watched)| watched.checks.iter().map(move |(id, watch)| (subject, id, watch)));
        all.filter_map(|(subject, id, watch)| of(subject, id, watch)).collect()
    }

    /// What is to be done next, until there is none.
    pub(super) fn poll_act(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// When [`Roster::handle_timeout`] is to be called.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Takes an order.
    pub(super) fn handle_order(&mut self, now: Instant, order: CheckOrder) {
        match order {
            CheckOrder::Start { subject, checks, deregister_after, health } => self.start(now, subject, checks, deregister_after, &health),
            CheckOrder::Stop(subject) => self.stop(&subject),
            CheckOrder::Heartbeat { subject, check, state, output } => self.heartbeat(now, &subject, &check, state, output),
        }
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            match self.timers.pop_first() {
                Some((at, Timer::Check(slot))) => self.check_due(now, at, slot),
                Some((_, Timer::Deregister(subject))) => self.deregister_due(now, subject),
                None => {}
            }
        }
    }

    /// A run has ended.
    pub(super) fn found(&mut self, now: Instant, slot: Slot, finding: &Finding, duration: Duration) {
        let Some((subject, check)) = self.slots.get(&slot).cloned() else { return };
        let Some(watch) = self.watch(&subject, &check) else { return };
        watch.running = false;
        self.judge(now, subject, check, finding, duration);
    }

    fn start(&mut self, now: Instant, subject: Subject, checks: Vec<Check>, deregister_after: Option<Duration>, health: &Health) {
        let mut watched = self.subjects.remove(&subject).unwrap_or_default();
        let mut known = std::mem::take(&mut watched.checks);
        let mut kept = BTreeSet::new();
        watched.checks = LiteMap::with_capacity(checks.len());
        for check in checks {
            let id = check.id.clone();
            let watch = match known.remove(&id) {
                Some(same) if same.check == check => {
                    kept.insert(id.clone());
                    same
                }
                other => {
                    other.into_iter().for_each(|old| self.drop_watch(old));
                    self.begin(now, &subject, check, health)
                }
            };
            watched.checks.insert(id, watch);
        }
        known.into_iter().for_each(|(_, old)| self.drop_watch(old));
        self.acts.push_back(Act::Retain { subject: subject.clone(), checks: kept });
        watched.deregister_after = deregister_after;
        self.subjects.insert(subject.clone(), watched);
        self.weigh(now, &subject);
    }

    fn stop(&mut self, subject: &Subject) {
        let Some(old) = self.subjects.remove(subject) else { return };
        old.checks.into_iter().for_each(|(_, watch)| self.drop_watch(watch));
        if let Some(at) = old.deregister_at {
            self.timers.remove(&(at, Timer::Deregister(subject.clone())));
        }
        self.acts.push_back(Act::Retain { subject: subject.clone(), checks: BTreeSet::new() });
    }

    fn begin(&mut self, now: Instant, subject: &Subject, check: Check, health: &Health) -> Watch {
        self.last_slot += 1;
        let slot = self.last_slot;
        self.slots.insert(slot, (subject.clone(), check.id.clone()));
        let mut way = match check.probe.ttl {
            Some(ttl) => Way::Waits(Lease::new(ttl)),
            None => Way::Asks((self.make_ask)(&check.probe)),
        };
        let due = match &mut way {
            Way::Asks(_) => now + SPREAD.min(check.interval).mul_f64(self.rng.random_range(0.0..1.0)),
            Way::Waits(lease) => match self.resumed.remove(&(subject.clone(), check.id.clone())) {
                Some(left) => lease.resume(now, left),
                None => lease.renew(now),
            },
        };
        self.timers.insert((due, Timer::Check(slot)));
        let initial = || CheckState { status: check.initial, reason: "not checked yet".into() };
        let state = health.checks.get(&check.id).cloned().unwrap_or_else(initial);
        Watch { slot, verdict: Verdict::new(&check, state), way, running: false, due: Some(due), check }
    }

    fn drop_watch(&mut self, watch: Watch) {
        self.slots.remove(&watch.slot);
        if let Some(due) = watch.due {
            self.timers.remove(&(due, Timer::Check(watch.slot)));
        }
        if watch.running {
            self.acts.push_back(Act::Abandon(watch.slot));
        }
    }

    fn heartbeat(&mut self, now: Instant, subject: &Subject, check: &CheckId, state: CheckState, output: String) {
        let Some(watch) = self.subjects.get_mut(subject).and_then(|it| it.checks.get_mut(check)) else { return };
        // The core lets only those through that are for a check that waits.
        let Way::Waits(lease) = &mut watch.way else { return };
        let until = lease.renew(now);
        // The timer that is set already finds that there is more time, and sets itself anew: a program may send many heartbeats.
        if watch.due.is_none() {
            watch.due = Some(until);
            self.timers.insert((until, Timer::Check(watch.slot)));
        }
        let told = watch.verdict.judge(now, &Finding::new(state.status, state.reason.clone()));
        self.conclude(now, subject.clone(), check.clone(), told, (state.status, output), None);
    }

    fn check_due(&mut self, now: Instant, at: Instant, slot: Slot) {
        let Some((subject, id)) = self.slots.get(&slot).cloned() else { return };
        let Some(watch) = self.subjects.get_mut(&subject).and_then(|it| it.checks.get_mut(&id)) else { return };
        let mut expired = None;
        let next = match &mut watch.way {
            Way::Asks(ask) => {
                if !watch.running {
                    watch.running = true;
                    self.acts.push_back(Act::Run { slot, ask: Arc::clone(ask), patience: watch.check.timeout, due: at });
                }
                let interval = watch.check.interval.mul_f64(self.rng.random_range(1.0 - JITTER..1.0 + JITTER));
                // After a stall there is nothing to catch up with.
                Some(at + interval).filter(|next| *next > now).or(Some(now + interval))
            }
            Way::Waits(lease) => match lease.look(now) {
                Ok(finding) => {
                    expired = Some((watch.verdict.expire(now, &finding), finding));
                    None
                }
                Err(next) => next,
            },
        };
        watch.due = next;
        self.timers.extend(next.map(|next| (next, Timer::Check(slot))));
        if let Some((told, finding)) = expired {
            self.conclude(now, subject, id, told, (finding.status, finding.text()), None);
        }
    }

    fn judge(&mut self, now: Instant, subject: Subject, check: CheckId, finding: &Finding, duration: Duration) {
        let told = self.watch(&subject, &check).and_then(|watch| watch.verdict.judge(now, finding));
        self.conclude(now, subject, check, told, (finding.status, finding.text()), Some(duration));
    }

    fn conclude(
        &mut self,
        now: Instant,
        subject: Subject,
        check: CheckId,
        told: Option<CheckState>,
        (status, text): (Status, String),
        took: Option<Duration>,
    ) {
        if let Some(watch) = self.watch(&subject, &check) {
            let kind = kinds::place(&watch.check.probe.kind);
            self.acts.push_back(Act::Keep { subject: subject.clone(), check: check.clone(), text, took, kind, status });
        }
        if let Some(state) = told {
            self.acts.push_back(Act::Tell { subject: subject.clone(), check, state });
            self.weigh(now, &subject);
        }
    }

    /// Sees whether something is critical, and since when.
    fn weigh(&mut self, now: Instant, subject: &Subject) {
        let Some(watched) = self.subjects.get_mut(subject) else { return };
        let critical = watched.checks.values().any(|watch| watch.verdict.status() == Status::Critical);
        if critical {
            watched.critical_since.get_or_insert(now);
        } else {
            (watched.critical_since, watched.asked_at) = (None, None);
        }
        let at = watched.critical_since.zip(watched.deregister_after).map(|(since, after)| {
            let again = watched.asked_at.map(|at| at + DEREGISTER_AGAIN);
            again.map_or(since + after, |again| again.max(since + after))
        });
        let old = std::mem::replace(&mut watched.deregister_at, at);
        if old != at {
            self.timers.extend(at.map(|at| (at, Timer::Deregister(subject.clone()))));
            if let Some(old) = old {
                self.timers.remove(&(old, Timer::Deregister(subject.clone())));
            }
        }
    }

    fn deregister_due(&mut self, now: Instant, subject: Subject) {
        let Some(watched) = self.subjects.get_mut(&subject) else { return };
        (watched.deregister_at, watched.asked_at) = (None, Some(now));
        if let Subject::Instance(instance) = &subject {
            self.acts.push_back(Act::Deregister(instance.clone()));
        }
        self.weigh(now, &subject);
    }

    fn watch(&mut self, subject: &Subject, check: &CheckId) -> Option<&mut Watch> {
        self.subjects.get_mut(subject)?.checks.get_mut(check)
    }
}
