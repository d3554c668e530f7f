//! Plays a scenario: its steps become processes, signals, rules and requests, and what it expects is read from what agents show.

mod act;
mod life;
mod secrets;
mod time;

use std::{collections::BTreeSet, rc::Rc, time::Duration};

use tidings::{
    core::time::Moment,
    sim::{
        checkers::excuses,
        runner::{Entry, Failure, Outcome},
        scenario::{Expectation, Scenario, Step, Term, What, When, quantity},
    },
};

use tokio::task::JoinHandle;

use super::{
    board::Board,
    expect::{Watch, in_groups},
    faults::Faults,
    heartbeats::Heartbeats,
    names,
    passage::Passage,
    promises::Promises,
    site::Site,
    writes::Writes,
};
use life::Life;
use secrets::Secrets;

/// How long agents may take to come to rest after the last step.
const REST: Duration = Duration::from_secs(60);
/// Lines that agents said last, in a failure.
const LINES: usize = 15;

pub(crate) struct Player<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) site: Box<dyn Site>,
    pub(crate) board: Rc<Board>,
    lives: Vec<Life>,
    faults: Faults,
    passage: Passage,
    heartbeats: Heartbeats,
    secrets: Secrets,
    writes: Writes,
    watches: Vec<Watch<'s>>,
    /// What is said again, by the steps that had it said.
    replays: Vec<(String, JoinHandle<Result<usize, String>>)>,
    entries: Vec<Entry>,
    waits: Vec<(usize, Duration)>,
    /// Tells of each step at once.
    tell: fn(&Entry),
}

/// Plays a scenario on hosts that are there already.
pub(crate) async fn play(scenario: &Scenario, site: Box<dyn Site>, tell: fn(&Entry)) -> (Outcome, Vec<String>) {
    play_beside(scenario, site, tell, |_| ()).await
}

/// The same, beside something that is there as long as it goes on.
pub(crate) async fn play_beside<B>(
    scenario: &Scenario,
    site: Box<dyn Site>,
    tell: fn(&Entry),
    begin: impl FnOnce(&Player<'_>) -> B,
) -> (Outcome, Vec<String>) {
    let mut player = Player::new(scenario, site, tell);
    let _beside = begin(&player);
    let failure = player.go().await.err();
    let logs = if failure.is_some() { player.logs() } else { Vec::new() };
    let ended = player.board.now();
    (Outcome { entries: player.entries, failure, waits: player.waits, ended }, logs)
}

impl<'s> Player<'s> {
    fn new(scenario: &'s Scenario, site: Box<dyn Site>, tell: fn(&Entry)) -> Player<'s> {
        let count = scenario.nodes.len();
        let rivals = (0..count).filter(|place| {
            let it = &scenario.nodes[*place];
            scenario.nodes.iter().enumerate().any(|(other, node)| other != *place && node.name == it.name && node.cluster == it.cluster)
        });
        let promises = Promises::among(rivals.collect());
        let board = Rc::new(Board::new(count, promises));
        Player {
            scenario,
            passage: Passage::new(&*site, &scenario.network),
            site,
            lives: (0..count).map(|_| Life::default()).collect(),
            faults: Faults::new(&scenario.network, count),
            heartbeats: Heartbeats::new(Rc::clone(&board)),
            writes: Writes::new(Rc::clone(&board), count),
            secrets: Secrets::new(scenario),
            board,
            watches: Vec::new(),
            replays: Vec::new(),
            entries: Vec::new(),
            waits: Vec::new(),
            tell,
        }
    }

    async fn go(&mut self) -> Result<(), Failure> {
        let scenario = self.scenario;
        for link in &scenario.links {
            let way = format!("[[link]] from {} to {}", scenario.said(&link.way.from), scenario.said(&link.way.to));
            self.link(link, way)?;
        }
        self.change_network()?;
        self.begin().await?;
        let mut done = Moment::default();
        for step in &scenario.steps {
            let due = match step.when {
                When::At(at) => Moment::after_start(at),
                When::After(after) => done + after,
            };
            self.run_until(due).await?;
            self.step(step).await?;
            done = self.board.now();
        }
        while let Some(end) = self.watches.iter().map(|watch| watch.until).chain(self.writes.last_deadline()).max() {
            self.run_until(end.max(self.board.now())).await?;
        }
        self.end_replays().await?;
        self.rest().await?;
        self.count_hits()?;
        let idle = self.faults.idle().or_else(|| self.passage.end(&*self.site));
        idle.map_or(Ok(()), |what| Err(self.failed(what)))
    }

    /// Waits until all that was to be said again has been. That nothing was would show nothing.
    async fn end_replays(&mut self) -> Result<(), Failure> {
        for (what, replay) in std::mem::take(&mut self.replays) {
            while !replay.is_finished() {
                self.breathe(self.board.now() + Duration::from_millis(100)).await?;
            }
            let said = replay.await.map_err(|error| self.failed(format!("{what}: {error}")))?;
            match said {
                Ok(0) => return Err(self.failed(format!("{what} had no effect: nothing was said"))),
                Ok(_) => {}
                Err(why) => return Err(self.failed(format!("{what}: {why}"))),
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: &'s Step) -> Result<(), Failure> {
        match &step.what {
            What::Do(action) => {
                self.say(step, String::new());
                self.act(step, action).await?;
                self.after_something()
            }
            What::Expect(expectation, Term::Within(patience)) => self.wait(step, expectation, *patience).await,
            What::Expect(expectation, Term::Throughout(time)) => {
                self.say(step, format!("from now on, for {}", quantity::said(*time)));
                self.watches.push(Watch { step, expectation, until: self.board.now() + *time, throughout: true });
                self.after_something()
            }
        }
    }

    /// Lets time pass until something is so.
    async fn wait(&mut self, step: &'s Step, expectation: &'s Expectation, patience: Duration) -> Result<(), Failure> {
        let begun = self.board.now();
        let watch = Watch { step, expectation, until: begun + patience, throughout: false };
        loop {
            let now = self.board.now();
            match watch.look(self) {
                Ok(()) => {
                    self.waits.push((step.line, now - begun));
                    self.say(step, format!("holds after {} ms", (now - begun).as_millis()));
                    return self.compare_names(&watch).await;
                }
                Err(seen) if now >= watch.until => return Err(watch.failure(self, seen)),
                Err(_) => self.breathe(watch.until).await?,
            }
        }
    }

    /// What is handed out is found by DNS, too.
    async fn compare_names(&mut self, watch: &Watch<'s>) -> Result<(), Failure> {
        let Expectation::HandsOut { service, instances, by } = watch.expectation else { return Ok(()) };
        let readers = (0..self.lives.len()).filter(|place| self.is_running(*place) && by.as_ref().is_none_or(|by| by.has(*place)));
        for place in readers.collect::<Vec<_>>() {
            if self.board.view(place).is_none() {
                continue;
            }
            let found = names::ports(&**self.site.host(place), service.as_str()).await;
            let counted = found.as_ref().map_err(Clone::clone).map(Vec::len);
            // Something may have changed meanwhile: then nothing is wrong with that.
            if counted != Ok(instances.len()) && watch.look(self).is_ok() {
                let details = vec![format!("{}: DNS has {found:?} of {} instances", self.name(place), instances.len())];
                return Err(Failure::of(self.board.now(), watch.step, "holds, but not in DNS", details));
            }
        }
        Ok(())
    }

    /// In the end, where nobody is cut off, all agents of a cluster show what was acknowledged by those that run.
    async fn rest(&mut self) -> Result<(), Failure> {
        if self.faults.cut_off() {
            return Ok(());
        }
        let end = self.board.now() + REST;
        loop {
            match self.unrest() {
                None => break,
                Some(seen) if self.board.now() >= end => {
                    let what = format!("the promise \"converged\" is broken: {} s after the last step", REST.as_secs());
                    return Err(Failure::new(self.board.now(), None, what, in_groups(self, seen)));
                }
                Some(_) => self.breathe(end).await?,
            }
        }
        Ok(())
    }

    /// Who does not show what all are to show at rest.
    fn unrest(&self) -> Option<Vec<(usize, String)>> {
        let count = self.lives.len();
        let promises = self.board.promises.borrow();
        let mut seen = Vec::new();
        for reader in (0..count).filter(|place| self.is_running(*place) && !promises.rivals.contains(place)) {
            let Some(view) = self.board.view(reader) else { continue };
            let are_one = |place: &usize| {
                self.scenario.nodes[*place].cluster == self.scenario.nodes[reader].cluster && self.secrets.are_the_same(*place, reader)
            };
            let members: Vec<usize> = (0..count).filter(|place| self.is_running(*place)).filter(are_one).collect();
            seen.extend(promises.missing(&view, &self.board.ids(), &members).map(|what| (reader, what)));
        }
        if seen.is_empty() { None } else { Some(seen) }
    }

    /// Takes note of what has just happened, and judges it.
    fn after_something(&mut self) -> Result<(), Failure> {
        if self.faults.are_beyond(excuses::LOSS) || Passage::is_ill(&*self.site) {
            self.board.promises.borrow_mut().excuses.network_is_ill(self.board.now());
        }
        self.take_note_of_ends()?;
        self.thaw()?;
        self.writes.judge()?;
        if let Some((at, place, what)) = self.board.promises.borrow().broken() {
            return Err(Failure::new(*at, None, format!("a promise is broken: {what}"), vec![format!("seen at {}", self.name(*place))]));
        }
        let now = self.board.now();
        for watch in &self.watches {
            if let Err(seen) = watch.look(self) {
                return Err(watch.failure(self, seen));
            }
        }
        self.watches.retain(|watch| watch.until > now);
        Ok(())
    }

    /// Whether an agent is there and goes on.
    pub(crate) fn is_running(&self, place: usize) -> bool {
        let life = &self.lives[place];
        life.process.as_ref().is_some_and(|process| !process.is_dead()) && !life.is_paused && life.frozen_until.is_none()
    }

    pub(crate) fn has_stopped(&self, place: usize, text: &str) -> Result<(), String> {
        match &self.lives[place].error {
            Some(error) if error.contains(text) => Ok(()),
            Some(error) => Err(format!("ended by itself, but not because of {text:?}: {error}")),
            None if self.lives[place].process.is_some() => Err("runs on".to_owned()),
            None => Err("does not run, but did not end by itself".to_owned()),
        }
    }

    /// Whether a process is there, whatever it does.
    pub(crate) fn has_process(&self, place: usize) -> bool {
        self.lives[place].process.is_some()
    }

    pub(crate) fn writes(&self) -> &Writes {
        &self.writes
    }

    pub(crate) fn heartbeats(&self) -> &Heartbeats {
        &self.heartbeats
    }

    pub(crate) fn name(&self, place: usize) -> &'s str {
        self.scenario.nodes[place].host.as_str()
    }

    fn failed(&self, what: String) -> Failure {
        Failure::new(self.board.now(), None, what, Vec::new())
    }

    /// Adds a step to the report.
    fn say(&mut self, step: &Step, then: String) {
        let entry = Entry::step(self.board.now(), step, then);
        (self.tell)(&entry);
        self.entries.push(entry);
    }

    /// What agents said last.
    fn logs(&self) -> Vec<String> {
        let tail = |place: usize| {
            let log = self.site.host(place).log();
            let lines: Vec<&str> = log.lines().collect();
            format!("{}:\n    {}", self.name(place), lines[lines.len().saturating_sub(LINES)..].join("\n    "))
        };
        // Of many, those who were named first and last tell enough.
        let count = self.lives.len();
        let some: BTreeSet<usize> = (0..count.min(6)).chain(count.saturating_sub(2)..count).collect();
        some.into_iter().map(tail).collect()
    }
}
