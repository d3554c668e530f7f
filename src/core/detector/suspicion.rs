//! A suspicion: private, ended by any sign of life, and a verdict in the end.

use std::time::Duration;

use super::{
    super::time::Moment,
    Action, Detector,
    evidence::Evidence,
    inquiry::{Inquiry, Stage},
    probe,
};
use crate::{model::NodeId, wire::Identity};

/// Between two questions to a suspect.
const STEP: Duration = Duration::from_millis(100);
/// Steps between two streams that are opened to it: sooner than TCP sends its first segment again (1 s, RFC 6298, 2.1).
const STREAM_EVERY: u32 = 3;
/// Streams to it at once.
const STREAMS: usize = 5;
/// Steps between two rounds of questions to others.
const HELPERS_EVERY: u32 = 2;
/// The same when [`HASTE`] steps are over.
const HELPERS_EVERY_LATER: u32 = 10;
const HASTE: u32 = 20;
/// Others that are asked in each round. Nobody else hears of the suspicion, so the question goes to ever more: one who reaches the
/// suspect is enough.
const HELPERS: usize = 2;

impl Detector {
    /// The probe of a node has failed.
    pub(super) fn suspect(&mut self, now: Moment, node: NodeId) {
        let Some(inquiry) = self.inquiries.get_mut(&node) else {
            return;
        };
        inquiry.stage = Stage::Suspecting { steps: 0 };
        self.counters.probes_failed += 1;
        self.counters.suspicions += 1;
        self.actions.push_back(Action::Suspects(node));
        self.step_suspicion(now, node);
        // Should it be one of those that are to be probed, the next one takes its place at once.
        self.probe_ring(now);
    }

    /// When a suspicion becomes a verdict, as things stand.
    fn due(&self, inquiry: &Inquiry) -> Moment {
        let patience = inquiry.evidence.patience(self.helpers_about(inquiry.target.node()));
        inquiry.began + self.health.stretch(patience)
    }

    pub(super) fn step_suspicion(&mut self, now: Moment, node: NodeId) {
        let Some(inquiry) = self.inquiries.get(&node) else {
            return;
        };
        if now >= self.due(inquiry) {
            if !inquiry.evidence.is_from_nobody() || self.health.is_worst() {
                return self.condemn(node);
            }
            self.health.worse(2);
        }
        let Some(inquiry) = self.inquiries.get_mut(&node) else {
            return;
        };
        let Stage::Suspecting { steps } = &mut inquiry.stage else {
            return;
        };
        let step = *steps;
        *steps += 1;
        let Evidence { refused, connected, .. } = inquiry.evidence;
        let another_stream = !refused && !connected && inquiry.streams.len() < STREAMS && step.is_multiple_of(STREAM_EVERY);
        let (target, nonce) = (inquiry.target, inquiry.nonce);
        self.tell(target.address(), probe(target, nonce, true));
        if another_stream && step > 0 {
            self.probe_by_stream(node);
        }
        if step.is_multiple_of(if step < HASTE { HELPERS_EVERY } else { HELPERS_EVERY_LATER }) {
            self.ask_others(node, step);
        }
        self.set_alarm(node, now + STEP);
        self.hasten(now, node);
    }

    /// New evidence may bring the verdict forward.
    pub(super) fn hasten(&mut self, now: Moment, node: NodeId) {
        if let Some(inquiry) = self.inquiries.get(&node) {
            let due = self.due(inquiry).max(now);
            if due < inquiry.alarm.at {
                self.set_alarm(node, due);
            }
        }
    }

    /// Asks others, and when all were asked, those again whose answers may be out of date.
    fn ask_others(&mut self, node: NodeId, step: u32) {
        self.ask_the_silent(node);
        let mut helpers = self.fresh_helpers(node, HELPERS);
        if helpers.is_empty()
            && let Some(inquiry) = self.inquiries.get(&node)
        {
            let reports = inquiry.evidence.reports.keys().filter_map(|helper| self.ring.get(*helper));
            let known: Vec<Identity> = reports.filter(|seat| !seat.away).map(|seat| seat.identity).collect();
            let skip = (step / HELPERS_EVERY) as usize * HELPERS % known.len().max(1);
            helpers = known.iter().cycle().skip(skip).take(HELPERS.min(known.len())).copied().collect();
        }
        helpers.into_iter().for_each(|helper| self.ask_helper(node, helper));
    }

    /// It did not show in time that it is there.
    fn condemn(&mut self, node: NodeId) {
        let Some(inquiry) = self.inquiries.get(&node) else {
            return;
        };
        let (identity, fault) = (inquiry.target, inquiry.evidence.fault(self.helpers_about(node)));
        self.counters.verdicts[fault as usize] += 1;
        self.drop_inquiry(node);
        self.actions.push_back(Action::Down { identity, fault });
    }
}
