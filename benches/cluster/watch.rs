//! Finds out when each agent has come to know something.
//!
//! Agents are asked in turn, at a constant rate for all of them together, so that being asked costs them the same at every
//! size and leaves the machine to them: those that know are asked no more, so the last ones are asked most often. What is
//! measured for an agent may be late by as long as a round takes: (agents that don't know yet) / [`RATE`], 25 ms while all of
//! a hundred don't, 1 ms for the last one. It is never early.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    agents::{Agents, name},
    system::{Client, Result as Asked, Standing, System},
};

/// Questions a second, to all agents together.
const RATE: u32 = 4_000;
const TICK: Duration = Duration::from_millis(1);
const QUESTIONS_PER_TICK: u32 = RATE / 1_000;
/// How long an agent may take to answer before it is asked anew.
const ANSWER: Duration = Duration::from_secs(5);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(180);
const CHECK_EVERY: Duration = Duration::from_millis(250);

/// What an agent is to know.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// So many members, all of them alive.
    Members(usize),
    Alive(String),
    Down(String),
    Change {
        member: String,
        value: String,
    },
}

/// The agents that are asked.
pub(crate) struct Watch<C> {
    watchers: VecDeque<Watcher<C>>,
}

struct Watcher<C> {
    index: usize,
    client: C,
    /// A member that was missing: it is asked for alone until it is there, which is cheaper than all of them.
    missing: Option<String>,
}

impl<C: Client> Watch<C> {
    /// Of these agents, whether they answer yet or not.
    pub(crate) fn new<S: System<Client = C>>(agents: &Agents<S>, indices: impl IntoIterator<Item = usize>) -> Watch<C> {
        let watcher = |index| Watcher { index, client: agents.client(index), missing: None };
        Watch { watchers: indices.into_iter().map(watcher).collect() }
    }

    /// Connects to all of them, so that this is not measured.
    pub(crate) async fn connect(mut self) -> Result<Watch<C>, String> {
        for watcher in &mut self.watchers {
            let connected = timeout(ANSWER, watcher.client.standing(&name(watcher.index))).await;
            let failed = |error: &dyn std::fmt::Display| format!("{} does not answer: {error}", name(watcher.index));
            connected.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        }
        Ok(self)
    }

    /// How long after `start` each of them knew it, in order of time.
    pub(crate) async fn until<S: System>(self, news: News, start: Instant, agents: &mut Agents<S>) -> Result<Vec<Duration>, String> {
        let count = self.watchers.len();
        let known = self.within(PATIENCE, news.clone(), start, agents).await?;
        match count - known.len() {
            0 => Ok(known),
            left => Err(format!("{}: after {} s, {left} of {count} did not know of {news:?}", S::NAME, PATIENCE.as_secs())),
        }
    }

    /// The same, leaving out those that did not know it within the limit.
    pub(crate) async fn within<S: System>(
        self,
        limit: Duration,
        news: News,
        start: Instant,
        agents: &mut Agents<S>,
    ) -> Result<Vec<Duration>, String> {
        let (mut waiting, mut asked, mut known) = (self.watchers, JoinSet::new(), Vec::new());
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut check = interval(CHECK_EVERY);
        while !(waiting.is_empty() && asked.is_empty()) && start.elapsed() < limit {
            tokio::select! {
                _ = tick.tick() => for _ in 0..QUESTIONS_PER_TICK {
                    if let Some(watcher) = waiting.pop_front() {
                        asked.spawn_local(ask(watcher, news.clone()));
                    }
                },
                Some(answered) = asked.join_next() => match answered {
                    Ok((_, Some(at))) => known.push(at - start),
                    Ok((watcher, None)) => waiting.push_back(watcher),
                    Err(error) => return Err(format!("a question failed: {error}")),
                },
                _ = check.tick() => agents.check()?,
            }
        }
        known.sort_unstable();
        Ok(known)
    }
}

/// Asks once; says when the answer came if it was a yes.
async fn ask<C: Client>(mut watcher: Watcher<C>, news: News) -> (Watcher<C>, Option<Instant>) {
    // No answer is a no: an agent that is starting does not answer yet.
    let knows = matches!(timeout(ANSWER, knows(&mut watcher, &news)).await, Ok(Ok(true)));
    let at = knows.then(Instant::now);
    (watcher, at)
}

async fn knows<C: Client>(watcher: &mut Watcher<C>, news: &News) -> Asked<bool> {
    let client = &mut watcher.client;
    match news {
        News::Alive(member) => Ok(client.standing(member).await? == Standing::Alive),
        News::Down(member) => Ok(client.standing(member).await? == Standing::Down),
        News::Change { member, value } => client.shows(member, value).await,
        News::Members(count) => {
            if let Some(missing) = &watcher.missing
                && client.standing(missing).await? != Standing::Alive
            {
                return Ok(false);
            }
            let alive = client.alive().await?;
            // The last ones first: they are likely to come last.
            watcher.missing = (0..*count).rev().map(name).find(|name| !alive.contains(name));
            Ok(watcher.missing.is_none() && alive.len() == *count)
        }
    }
}
