//! What speaks for a node being gone, and how long it has to show otherwise.

use std::{collections::BTreeMap, time::Duration};

use crate::{model::NodeId, wire::message::Found};

/// Where its host says that nobody listens, to two of us: long enough for a process that is started again at once.
const REFUSED_PATIENCE: Duration = Duration::from_millis(300);
/// Where it takes connections and says nothing: its host is there, so the process may only be held up.
const STALLED_PATIENCE: Duration = Duration::from_secs(5);
/// Where nothing is heard of it and [`CONFIRMATIONS`] others say the same. A host that is dark for less is not taken for dead.
const SILENT_PATIENCE_LEAST: Duration = Duration::from_millis(1_800);
/// The same where nobody says so yet.
const SILENT_PATIENCE_MOST: Duration = Duration::from_secs(5);
/// So many others are enough.
const CONFIRMATIONS: usize = 3;

/// What is wrong with a node, as far as the evidence goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nobody listens at its address.
    Refused,
    /// Nothing at all is heard of it.
    Silent,
    /// It takes connections and does not answer.
    Stalled,
}

impl Fault {
    /// All of them, in the order of their numbers.
    pub const ALL: [Fault; 3] = [Fault::Refused, Fault::Silent, Fault::Stalled];

    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Refused => "refused",
            Fault::Silent => "silent",
            Fault::Stalled => "stalled",
        }
    }
}

/// What was found out about a node since it was last heard of.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Our last stream was refused.
    pub(super) refused: bool,
    /// Our last stream was taken, and nothing is said in it.
    pub(super) connected: bool,
    /// Helpers that were asked, and under which nonce each was last.
    pub(super) asked: BTreeMap<NodeId, u32>,
    /// What each of them found last.
    pub(super) reports: BTreeMap<NodeId, Found>,
}

impl Evidence {
    /// What is wrong. `helpers`: how many others there are who could be asked.
    pub(super) fn fault(&self, helpers: usize) -> Fault {
        let refusals = usize::from(self.refused) + self.count(Found::Refused);
        if refusals >= 2 || (self.refused && helpers == 0) {
            Fault::Refused
        } else if self.connected || self.count(Found::Stalled) > 0 {
            Fault::Stalled
        } else {
            Fault::Silent
        }
    }

    /// For how long to wait, from the first question that was not answered.
    pub(super) fn patience(&self, helpers: usize) -> Duration {
        match self.fault(helpers) {
            Fault::Refused => REFUSED_PATIENCE,
            Fault::Stalled => STALLED_PATIENCE,
            Fault::Silent => {
                // As in Lifeguard, each further confirmation counts for less than the one before.
                let (enough, have) = (CONFIRMATIONS.min(helpers), self.reports.len());
                if have >= enough || self.refused {
                    return SILENT_PATIENCE_LEAST;
                }
                let share = ((have + 1) as f64).ln() / ((enough + 1) as f64).ln();
                SILENT_PATIENCE_MOST - (SILENT_PATIENCE_MOST - SILENT_PATIENCE_LEAST).mul_f64(share)
            }
        }
    }

    /// Helpers were asked and none answered, nor did the node's host: it may well be us who are cut off.
    pub(super) fn is_from_nobody(&self) -> bool {
        !self.asked.is_empty() && self.reports.is_empty() && !self.refused && !self.connected
    }

    fn count(&self, found: Found) -> usize {
        self.reports.values().filter(|report| **report == found).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(refused: bool, connected: bool, reports: &[Found]) -> Evidence {
        let reports: BTreeMap<NodeId, Found> = (0..).map(NodeId).zip(reports.iter().copied()).collect();
        Evidence { refused, connected, asked: reports.keys().map(|node| (*node, 1)).collect(), reports }
    }

    #[test]
    fn two_refusals_are_sure_and_one_is_where_nobody_can_be_asked() {
        let check = |refused, reports: &[Found], helpers, fault| assert_eq!(evidence(refused, false, reports).fault(helpers), fault);
        check(true, &[Found::Refused], 9, Fault::Refused);
        check(false, &[Found::Refused, Found::Refused], 9, Fault::Refused);
        check(true, &[], 0, Fault::Refused);
        check(true, &[], 1, Fault::Silent);
        check(false, &[Found::Refused], 9, Fault::Silent);
        // A refusal outweighs what accepts in its place, such as a proxy.
        check(true, &[Found::Refused, Found::Stalled], 9, Fault::Refused);
    }

    #[test]
    fn who_takes_connections_is_not_silent() {
        assert_eq!(evidence(false, true, &[Found::Silent; 3]).fault(9), Fault::Stalled);
        assert_eq!(evidence(false, false, &[Found::Silent, Found::Stalled]).fault(9), Fault::Stalled);
        assert_eq!(evidence(false, false, &[Found::Silent; 3]).fault(9), Fault::Silent);
    }

    #[test]
    fn the_surer_the_evidence_the_shorter_the_wait() {
        let silent = |count: usize, helpers| evidence(false, false, &[Found::Silent; 3][..count]).patience(helpers);
        assert_eq!(silent(0, 9), SILENT_PATIENCE_MOST);
        assert!(silent(1, 9) < silent(0, 9) && silent(2, 9) < silent(1, 9));
        assert_eq!(silent(3, 9), SILENT_PATIENCE_LEAST);
        assert_eq!(silent(1, 1), SILENT_PATIENCE_LEAST, "there is nobody else to ask");
        assert_eq!(silent(0, 0), SILENT_PATIENCE_LEAST);
        assert_eq!(evidence(true, false, &[Found::Refused]).patience(9), REFUSED_PATIENCE);
        assert_eq!(evidence(false, true, &[]).patience(9), STALLED_PATIENCE);
    }

    #[test]
    fn silence_of_everyone_is_from_nobody() {
        let mut evidence = evidence(false, false, &[]);
        assert!(!evidence.is_from_nobody(), "nobody was asked");
        evidence.asked.insert(NodeId(1), 1);
        assert!(evidence.is_from_nobody());
        evidence.refused = true;
        assert!(!evidence.is_from_nobody(), "its host answered");
    }
}
