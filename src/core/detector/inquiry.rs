//! A probe of one node: datagrams first, then a stream, then others.

use std::{collections::BTreeSet, time::Duration};

use rand::RngExt as _;

use super::{
    super::{
        io::{CloseCause, StreamId},
        time::Moment,
        timers::Alarm,
    },
    Action, Detector, Due, Fault, Purpose, Told,
    evidence::Evidence,
    probe,
};
use crate::{
    model::NodeId,
    planted::{Planted, is_planted},
    wire::{
        Identity,
        message::{Found, ProbeReport, ProbeRequest},
    },
};

/// Inquiries at once. Where more nodes than that die together, the rest are found when their turn comes.
const INQUIRIES: usize = 64;
/// Others that are asked when a probe is about to fail.
const HELPERS: usize = 3;
/// A stream and others are called in when so many tries are left, but never before the second has failed: where little is lost, the
/// first goes astray too often.
const TRIES_LEFT: u32 = 2;
/// Beyond the tries that a helper makes, its answer may take so many time-outs.
const HELPERS_TAKE: u32 = 3;

/// How an inquiry begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// With a question of ours.
    Ask,
    /// With all means at once: a watch stream broke.
    AtOnce,
}

/// What we want to know about one member.
#[derive(Debug)]
pub(super) struct Inquiry {
    pub(super) target: Identity,
    /// Stands in all of its probes.
    pub(super) nonce: u32,
    /// When the first question was sent.
    pub(super) began: Moment,
    how: How,
    /// Datagrams sent.
    pub(super) tries: u32,
    pub(super) evidence: Evidence,
    pub(super) streams: BTreeSet<StreamId>,
    pub(super) stage: Stage,
    pub(super) alarm: Alarm,
}

/// How far it has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// A probe: nothing is wrong yet.
    Probing {
        /// When it fails, whoever has not answered by then. None before others were asked.
        fails_at: Option<Moment>,
        /// How often we looked since.
        looks: u32,
    },
    /// The probe failed.
    Suspecting {
        /// How often we asked again.
        steps: u32,
    },
}

impl Inquiry {
    pub(super) fn is_suspicion(&self) -> bool {
        matches!(self.stage, Stage::Suspecting { .. })
    }

    /// Whether nothing speaks against the node but that an answer of it was not read in time.
    pub(super) fn is_mere_silence(&self) -> bool {
        !self.is_suspicion() && self.how != How::AtOnce && !self.evidence.refused
    }

    /// The node is given so much more time.
    pub(super) fn put_off(&mut self, by: Duration) {
        self.began = self.began + by;
        if let Stage::Probing { fails_at: Some(fails_at), .. } = &mut self.stage {
            *fails_at = *fails_at + by;
        }
    }
}

impl Detector {
    /// Begins to find out whether a member is there, unless that is under way.
    pub(super) fn inquire(&mut self, now: Moment, target: Identity, how: How) {
        let node = target.node();
        if self.inquiries.contains_key(&node) {
            if how == How::AtOnce {
                self.inquiries.entry(node).and_modify(|inquiry| inquiry.how = how);
                self.call_in(now, node);
            }
            return;
        }
        if !self.ring.is_present(target) || self.inquiries.len() >= INQUIRIES {
            return;
        }
        let nonce = self.rng.random();
        let alarm = self.timers.alarm(now + self.time_out(), Due::Inquiry(node));
        let stage = Stage::Probing { fails_at: None, looks: 0 };
        let (evidence, streams) = (Evidence::default(), BTreeSet::new());
        self.inquiries.insert(node, Inquiry { target, nonce, began: now, how, tries: 1, evidence, streams, stage, alarm });
        self.counters.probes += 1;
        self.tell(target.address(), probe(target, nonce, false));
        if how == How::AtOnce {
            self.call_in(now, node);
        }
    }

    /// A time-out has passed.
    pub(super) fn step_inquiry(&mut self, now: Moment, node: NodeId) {
        let (tries, time_out) = (self.loss.tries(), self.time_out());
        let Some(inquiry) = self.inquiries.get_mut(&node) else {
            return;
        };
        let Stage::Probing { fails_at, looks } = &mut inquiry.stage else {
            return self.step_suspicion(now, node);
        };
        let (target, nonce, failed) = (inquiry.target, inquiry.nonce, inquiry.tries);
        let again = fails_at.is_some();
        *looks += u32::from(again);
        // A question to a helper, or its answer, may have been lost.
        let ask_again = again && looks.is_multiple_of(2);
        if failed < tries {
            inquiry.tries += 1;
            self.tell(target.address(), probe(target, nonce, false));
        }
        if failed >= tries.saturating_sub(TRIES_LEFT).max(2).min(tries) {
            self.call_in(now, node);
        }
        if ask_again {
            self.ask_the_silent(node);
        }
        if !self.weigh(now, node) {
            self.set_alarm(node, now + time_out);
        }
    }

    /// Calls in a stream and other members.
    fn call_in(&mut self, now: Moment, node: NodeId) {
        let takes = self.time_out() * (self.loss.tries() + HELPERS_TAKE);
        let Some(inquiry) = self.inquiries.get_mut(&node) else {
            return;
        };
        let Stage::Probing { fails_at: fails_at @ None, .. } = &mut inquiry.stage else {
            return;
        };
        *fails_at = Some(now + takes);
        if inquiry.streams.is_empty() {
            self.probe_by_stream(node);
        }
        for helper in self.fresh_helpers(node, HELPERS) {
            self.ask_helper(node, helper);
        }
    }

    /// Sees whether a probe has failed for certain, or its time is over. True where it is one no more.
    fn weigh(&mut self, now: Moment, node: NodeId) -> bool {
        let (tries, helpers) = (self.loss.tries(), self.helpers_about(node));
        let Some(inquiry) = self.inquiries.get(&node) else {
            return true;
        };
        let Stage::Probing { fails_at: Some(fails_at), .. } = inquiry.stage else {
            return inquiry.is_suspicion();
        };
        let evidence = &inquiry.evidence;
        let (asked, reports) = (evidence.asked.len(), evidence.reports.len());
        let all_said = inquiry.tries >= tries && asked > 0 && reports == asked;
        let over = now >= fails_at;
        if !over && !all_said && evidence.fault(helpers) != Fault::Refused {
            return false;
        }
        if evidence.is_from_nobody() && !self.health.is_worst() {
            // Nobody at all is heard: that says more about us than about the node.
            self.health.worse(2);
            self.counters.inconclusive += 1;
            self.drop_inquiry(node);
            return true;
        }
        if over && reports * 2 < asked {
            self.health.worse(1);
        }
        self.suspect(now, node);
        true
    }

    /// It answered, or was heard of otherwise.
    pub(super) fn answered(&mut self, node: NodeId) {
        let Some(inquiry) = self.inquiries.get(&node) else {
            return;
        };
        if inquiry.tries > 1 && is_planted(Planted::RefutationIgnored) {
            return;
        }
        self.counters.refutations += u64::from(inquiry.is_suspicion());
        self.health.better();
        self.drop_inquiry(node);
    }

    /// Ends an inquiry without a result.
    pub(super) fn drop_inquiry(&mut self, node: NodeId) {
        let Some(inquiry) = self.inquiries.remove(&node) else {
            return;
        };
        self.timers.cancel(inquiry.alarm);
        inquiry.streams.iter().for_each(|stream| self.close(*stream));
        if inquiry.is_suspicion() {
            self.actions.push_back(Action::Suspects(node));
        }
    }

    /// Has the next step taken then.
    pub(super) fn set_alarm(&mut self, node: NodeId, at: Moment) {
        if let Some(inquiry) = self.inquiries.get_mut(&node) {
            self.timers.cancel(inquiry.alarm);
            inquiry.alarm = self.timers.alarm(at, Due::Inquiry(node));
        }
    }

    // The stream.

    pub(super) fn probe_by_stream(&mut self, node: NodeId) {
        let Some(target) = self.inquiries.get(&node).map(|inquiry| inquiry.target) else {
            return;
        };
        let stream = self.connect(target.address(), Purpose::Inquiry(node));
        if let Some(inquiry) = self.inquiries.get_mut(&node) {
            inquiry.streams.insert(stream);
        }
    }

    pub(super) fn inquiry_connected(&mut self, now: Moment, stream: StreamId, node: NodeId) {
        if let Some(inquiry) = self.inquiries.get_mut(&node) {
            (inquiry.evidence.connected, inquiry.evidence.refused) = (true, false);
            let message = probe(inquiry.target, inquiry.nonce, inquiry.is_suspicion());
            self.say(stream, message);
            self.new_evidence(now, node);
        }
    }

    pub(super) fn inquiry_closed(&mut self, now: Moment, stream: StreamId, node: NodeId, cause: CloseCause) {
        if let Some(inquiry) = self.inquiries.get_mut(&node) {
            inquiry.streams.remove(&stream);
            inquiry.evidence.connected = false;
            inquiry.evidence.refused |= cause == CloseCause::Refused;
            self.new_evidence(now, node);
        }
    }

    /// What is known of a node has changed.
    pub(super) fn new_evidence(&mut self, now: Moment, node: NodeId) {
        if self.inquiries.get(&node).is_some_and(Inquiry::is_suspicion) {
            self.hasten(now, node);
        } else {
            self.weigh(now, node);
        }
    }

    // Helpers.

    /// Members that could be asked about a node.
    pub(super) fn helpers_about(&self, node: NodeId) -> usize {
        let suspects = self.inquiries.iter().filter(|(other, inquiry)| **other == node || inquiry.is_suspicion()).count();
        self.ring.count_present().saturating_sub(suspects)
    }

    /// Some of those who were not asked yet, from a random point of the ring on: neighbours there are strangers to each other.
    pub(super) fn fresh_helpers(&mut self, node: NodeId, count: usize) -> Vec<Identity> {
        let point = self.rng.random();
        let Some(inquiry) = self.inquiries.get(&node) else {
            return Vec::new();
        };
        let is_fresh = |helper: &Identity| helper.node() != node && !inquiry.evidence.asked.contains_key(&helper.node());
        let helpers = self.ring.around(point).filter(|helper| is_fresh(helper) && self.suspects(*helper).is_none());
        helpers.take(count).collect()
    }

    pub(super) fn ask_helper(&mut self, node: NodeId, helper: Identity) {
        let nonce: u32 = self.rng.random();
        let Some(inquiry) = self.inquiries.get_mut(&node) else {
            return;
        };
        // Asked again, it may answer either question.
        let nonce = *inquiry.evidence.asked.entry(helper.node()).or_insert(nonce);
        let (to, nonce) = (inquiry.target.short().to_be_bytes(), nonce.to_be_bytes());
        self.tell(helper.address(), Told::Request(ProbeRequest { node: node.0.to_be_bytes(), to, nonce }));
        self.counters.requests += 1;
    }

    /// Asks those again who were asked and said nothing, but not many at once.
    pub(super) fn ask_the_silent(&mut self, node: NodeId) {
        let Some(inquiry) = self.inquiries.get(&node) else {
            return;
        };
        let Evidence { asked, reports, .. } = &inquiry.evidence;
        let silent: Vec<Identity> = asked
            .keys()
            .filter(|helper| !reports.contains_key(helper))
            .filter_map(|helper| self.ring.get(*helper).map(|seat| seat.identity))
            .take(HELPERS)
            .collect();
        silent.into_iter().for_each(|helper| self.ask_helper(node, helper));
    }

    /// A helper tells what it found.
    pub(in super::super) fn on_report(&mut self, now: Moment, report: &ProbeReport) {
        let nonce = u32::from_be_bytes(report.nonce);
        let asked = self.inquiries.iter().find_map(|(node, inquiry)| {
            let (helper, _) = inquiry.evidence.asked.iter().find(|(_, asked)| **asked == nonce)?;
            Some((*node, *helper))
        });
        let Some((node, helper)) = asked else {
            return;
        };
        match report.found {
            Found::Answered => self.answered(node),
            Found::Excused => self.drop_inquiry(node),
            found => {
                if let Some(inquiry) = self.inquiries.get_mut(&node) {
                    inquiry.evidence.reports.insert(helper, found);
                    self.new_evidence(now, node);
                }
            }
        }
    }
}
