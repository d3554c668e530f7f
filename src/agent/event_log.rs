//! What the core tells the operator, as lines of the log. No flood from the network makes a flood of lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use tracing::{debug, error, info, warn};

use super::families::Families;
use crate::{
    core::io::Event,
    metrics::GossipMetrics,
    model::{InstanceId, Status, check::Subject},
    wire::WireError,
};

/// Refusals that are remembered, to be logged once each.
const REMEMBERED: usize = 1_024;

/// Counts what may come in masses, and logs the counts at intervals.
#[derive(Debug)]
pub(super) struct EventLog {
    metrics: GossipMetrics,
    dropped: BTreeMap<&'static str, Dropped>,
    refused: BTreeSet<(IpAddr, bool, String)>,
    unreachable: BTreeSet<SocketAddr>,
    out_of_reach: BTreeSet<SocketAddr>,
}

#[derive(Debug, Default)]
struct Dropped {
    total: u64,
    logged: u64,
    last_from: Option<SocketAddr>,
    /// What else there is to say of the last one.
    what: String,
}

impl EventLog {
    /// Nothing was told yet.
    pub(super) fn new(metrics: GossipMetrics) -> EventLog {
        EventLog {
            metrics,
            dropped: BTreeMap::new(),
            refused: BTreeSet::new(),
            unreachable: BTreeSet::new(),
            out_of_reach: BTreeSet::new(),
        }
    }

    pub(super) fn log(&mut self, event: Event) {
        match event {
            Event::Dropped { from, reason } => self.count(from, reason, String::new()),
            Event::OtherVersion { from, version, ours } => {
                let what = format!(
                    ": it is of version {version} of the wire format, and this agent speaks {ours} (which releases work together: docs/installing.md)"
                );
                self.count(from, WireError::Version.as_str(), what);
            }
            Event::News { age } => self.metrics.news_age.observe(age),
            Event::Refused { peer, by_us, code: _, detail } => {
                // Who opened a stream comes from another port each time.
                if self.refused.len() < REMEMBERED && self.refused.insert((peer.ip(), by_us, detail.clone())) {
                    match by_us {
                        true => warn!(%peer, "refused a peer: {detail}"),
                        false => error!(%peer, "refused by a peer: {detail}"),
                    }
                }
            }
            Event::Joined { peer, members } => {
                self.unreachable.clear();
                info!(%peer, members, "joined the cluster");
            }
            Event::JoinFailed { peer, reason } => {
                if self.unreachable.len() < REMEMBERED && self.unreachable.insert(peer) {
                    warn!(%peer, "could not join by this peer, and keep trying: {reason}");
                } else {
                    debug!(%peer, "could not join by this peer: {reason}");
                }
            }
            Event::Member { node, name, address, state } => info!(%node, name, %address, "member {state}"),
            Event::Own { subject: Subject::Instance(instance), what } => info!(%instance, "{what}"),
            Event::Own { subject: Subject::Node, what } => info!("this node is {what}"),
            Event::Verdict { subject, check, state } => match (subject, state.status) {
                (Subject::Instance(instance), Status::Passing) => info!(%instance, %check, "the check is passing"),
                (Subject::Instance(instance), status) => warn!(%instance, %check, "the check is {status}: {}", state.reason),
                (Subject::Node, Status::Passing) => info!(%check, "the check of this node is passing"),
                (Subject::Node, status) => warn!(%check, "the check of this node is {status}: {}", state.reason),
            },
            Event::Rejoined => warn!("the cluster took this agent for down; it is back"),
            Event::Climbed { before, now, cause, came_back, missing } => {
                warn!(before = before.generation, generation = now.generation, "this agent takes another generation: {cause}");
                if !came_back.is_empty() {
                    warn!("instances came back that had been removed, and are handed out again: {}", list(&came_back));
                }
                if !missing.is_empty() {
                    warn!("instances that were registered with this agent are not in its data folder: {}", list(&missing));
                }
            }
            Event::Stale { silent, nodes } => warn!(
                silent = ?silent,
                nodes,
                "nobody was heard for so long that what this agent knew of others is dropped; it joins the cluster anew"
            ),
            Event::NotHeardOf { nodes } => warn!(
                nodes = nodes.len(),
                "members that were there before this start are not: names that only they have are denied from now on"
            ),
            Event::NotClimbed { why } => error!("this agent needs another generation to be heard, and the disk did not take it: {why}"),
            Event::Internal(what) => error!("internal error: {what}"),
        }
    }

    /// A peer is where no datagram of ours gets.
    pub(super) fn out_of_reach(&mut self, peer: SocketAddr, families: Families) {
        if self.out_of_reach.len() < REMEMBERED && self.out_of_reach.insert(peer) {
            warn!(%peer, "no datagram of this agent gets to the peer: {}", families.advice());
        }
    }

    fn count(&mut self, from: SocketAddr, reason: &'static str, what: String) {
        self.metrics.dropped(reason);
        let dropped = self.dropped.entry(reason).or_default();
        dropped.total += 1;
        dropped.last_from = Some(from);
        dropped.what = what;
        if dropped.logged == 0 {
            dropped.logged = dropped.total;
            warn!(%from, reason, count = 1, "dropped what came from the network{}", dropped.what);
        }
    }

    /// Logs what was counted since the last time. Called at intervals.
    pub(super) fn flush(&mut self) {
        for (reason, dropped) in &mut self.dropped {
            let count = dropped.total - dropped.logged;
            if count > 0
                && let Some(from) = dropped.last_from
            {
                dropped.logged = dropped.total;
                warn!(last_from = %from, reason, count, total = dropped.total, "dropped what came from the network{}", dropped.what);
            }
        }
    }
}

/// So many ids that a line can be read.
fn list(ids: &[InstanceId]) -> String {
    const MOST: usize = 100;
    let mut text = ids.iter().take(MOST).map(InstanceId::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > MOST {
        text += &format!(" and {} more", ids.len() - MOST);
    }
    text
}
