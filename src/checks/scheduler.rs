//! Runs what is due, each run in a task of its own, and carries verdicts to the registrar. When something is due, and what comes of it,
//! is for `roster.rs` to say.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use rand::rngs::StdRng;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, error, info};

use super::{
    outbox::Outbox,
    output::Outputs,
    roster::{Act, MakeAsk, Roster, Slot},
};
use crate::{
    kinds::{self, Ask, Finding, Tools},
    metrics::CheckMetrics,
    model::{CheckOrder, Command},
    registrar::Registrar,
    store::Leases,
};

/// Runs at the same time. One more waits until another ends, which its time-out sees to.
pub const RUNS: usize = 256;

/// How often it is written what is left of leases: a killed agent gives them back at most so much.
const LEASES_EVERY: Duration = Duration::from_secs(5);

/// Runs the checks of this agent's instances.
///
/// Its memory is bounded by what is watched, at most 4 KiB of output a check included; the queue of orders is bounded by those who
/// give them: an order follows from a command, and is taken without waiting for anything.
pub struct Scheduler {
    registrar: Registrar,
    orders: mpsc::UnboundedReceiver<CheckOrder>,
    roster: Roster,
    tools: Arc<Tools>,
    runs: JoinSet<Ran>,
    running: BTreeMap<Slot, AbortHandle>,
    ready: VecDeque<Ready>,
    outbox: Outbox,
    outputs: Outputs,
    metrics: CheckMetrics,
    leases: Option<Leases>,
    /// When they are to be written next, and whether there were any the last time.
    write_at: Instant,
    leases_written: bool,
}

/// A run that waits for its place among [`RUNS`].
struct Ready {
    slot: Slot,
    ask: Arc<dyn Ask>,
    patience: Duration,
    due: Instant,
}

/// A run that has ended.
struct Ran {
    slot: Slot,
    finding: Finding,
    duration: Duration,
}

impl Scheduler {
    /// A scheduler that watches nothing yet, and where its orders go. It ends when that sender, and all its clones, are dropped.
    /// Leases are kept where `leases` says, and go on as they were left there.
    pub fn new(registrar: Registrar, metrics: CheckMetrics, leases: Leases) -> (Scheduler, mpsc::UnboundedSender<CheckOrder>) {
        let (mut scheduler, orders) = Scheduler::with(registrar, metrics, Box::new(kinds::ask), rand::make_rng());
        scheduler.roster.resume(leases.read());
        scheduler.leases = Some(leases);
        (scheduler, orders)
    }

    fn with(registrar: Registrar, metrics: CheckMetrics, make_ask: MakeAsk, rng: StdRng) -> (Scheduler, mpsc::UnboundedSender<CheckOrder>) {
        let (order, orders) = mpsc::unbounded_channel();
        let scheduler = Scheduler {
            registrar,
            orders,
            roster: Roster::new(make_ask, rng),
            tools: Arc::default(),
            runs: JoinSet::new(),
            running: BTreeMap::new(),
            ready: VecDeque::new(),
            outbox: Outbox::default(),
            outputs: Outputs::default(),
            metrics,
            leases: None,
            write_at: Instant::now() + LEASES_EVERY,
            leases_written: false,
        };
        (scheduler, order)
    }

    /// Where the last outputs can be read.
    pub fn outputs(&self) -> Outputs {
        self.outputs.clone()
    }

    /// Runs checks until nobody gives orders any more, or the agent takes no more commands. Runs that go on then are dropped.
    pub async fn run(mut self) {
        loop {
            let report = self.outbox.next();
            let deadline = self.roster.next_deadline().map_or_else(Instant::now, Instant::from_std);
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.roster.handle_order(now(), order),
                    None => return,
                },
                Some(ended) = self.runs.join_next() => self.ended(ended),
                taken = report_to(&self.registrar, report.clone()), if report.is_some() => match taken {
                    Ok(()) => self.outbox.reported(),
                    Err(Stopping) => return,
                },
                () = sleep_until(self.write_at), if self.leases.is_some() => {
                    self.write_at = Instant::now() + LEASES_EVERY;
                    self.write_leases();
                }
                () = sleep_until(deadline), if self.roster.next_deadline().is_some() => self.roster.handle_timeout(now()),
            }
            self.act();
        }
    }

    /// Leaves for the next start what is left of leases. It blocks, for as long as the system takes to copy some octets.
    fn write_leases(&mut self) {
        let Some(leases) = &self.leases else { return };
        let left = self.roster.left(now());
        if (!left.is_empty() || self.leases_written)
            && let Err(error) = leases.write(&left)
        {
            debug!(%error, "what is left of leases could not be written");
        }
        self.leases_written = !left.is_empty();
    }

    fn ended(&mut self, ended: Result<Ran, JoinError>) {
        let Ran { slot, finding, duration } = match ended {
            Ok(ran) => ran,
            Err(error) if error.is_cancelled() => return,
            Err(error) => match self.running.iter().find(|(_, handle)| handle.id() == error.id()) {
                Some((slot, _)) => {
                    error!(%error, "a check broke off; this is a mistake in the agent");
                    Ran { slot: *slot, finding: Finding::critical("the agent could not run this check"), duration: Duration::ZERO }
                }
                None => return,
            },
        };
        self.running.remove(&slot);
        self.roster.found(now(), slot, &finding, duration);
    }

    fn act(&mut self) {
        while let Some(act) = self.roster.poll_act() {
            match act {
                Act::Run { slot, ask, patience, due } => self.ready.push_back(Ready { slot, ask, patience, due: due.into() }),
                Act::Abandon(slot) => {
                    self.ready.retain(|ready| ready.slot != slot);
                    if let Some(handle) = self.running.remove(&slot) {
                        handle.abort();
                    }
                }
                Act::Keep { subject, check, text, took, kind, status } => {
                    if let Some(kind) = kind {
                        self.metrics.result(kind, status);
                        took.into_iter().for_each(|took| self.metrics.ran(kind, took));
                    }
                    self.outputs.put(&subject, &check, text, took.unwrap_or_default());
                }
                Act::Tell { subject, check, state } => {
                    debug!(%subject, %check, status = %state.status, reason = state.reason, "a check came to a verdict");
                    self.outbox.verdict(subject, check, state);
                }
                Act::Deregister(instance) => {
                    info!(%instance, "the instance has been critical for too long and is deregistered");
                    self.outbox.deregister(instance);
                }
                Act::Retain { subject, checks } => {
                    self.outbox.retain(&subject, |check| checks.contains(check));
                    self.outputs.retain(&subject, |check| checks.contains(check));
                }
            }
        }
        while self.runs.len() < RUNS
            && let Some(ready) = self.ready.pop_front()
        {
            let slot = ready.slot;
            self.metrics.began(Instant::now().saturating_duration_since(ready.due));
            let handle = self.runs.spawn(run(ready, Arc::clone(&self.tools)));
            self.running.insert(slot, handle);
        }
    }
}

impl Drop for Scheduler {
    /// However the agent ends, short of being killed.
    fn drop(&mut self) {
        self.write_leases();
    }
}

async fn run(Ready { slot, ask, patience, .. }: Ready, tools: Arc<Tools>) -> Ran {
    let begun = Instant::now();
    let finding = timeout(patience, ask.ask(&tools, patience)).await;
    let finding = finding.unwrap_or_else(|_| Finding::critical(format!("no answer within {patience:?}")));
    Ran { slot, finding, duration: begun.elapsed() }
}

/// The agent takes no more commands.
struct Stopping;

/// Waits for a place in the queue, not for the answer: that waits for the disk, and a disk that stalls must not silence checks.
async fn report_to(registrar: &Registrar, report: Option<Command>) -> Result<(), Stopping> {
    let Some(report) = report else { return Ok(()) };
    registrar.enqueue(report).await.map(drop).map_err(|_| Stopping)
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
mod tests;
