//! Agents, as they begin and end, and stand still meanwhile.

use std::{ops::Deref, rc::Rc, time::Duration};

use rustix::process::Signal;
use tidings::{
    core::time::Moment,
    sim::{
        runner::{Entry, Failure},
        scenario::{Expectation, Nodes, Step, What, action::Disk},
    },
};
use tokio::task::AbortHandle;

use super::{
    super::{follow, site::Process},
    Player,
};

/// How long agents may take until they are there.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host as it goes on.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) process: Option<Followed>,
    pub(super) is_paused: bool,
    pub(super) frozen_until: Option<Moment>,
    /// It lost its power.
    pub(super) is_dark: bool,
    pub(super) is_full: bool,
    /// It is to end: it was told to.
    pub(super) is_ending: bool,
    /// It is to be started again when it has ended.
    pub(super) restarts: bool,
    /// What it said when it ended by itself.
    pub(super) error: Option<String>,
}

/// An agent that was started, and those who follow what it shows.
#[derive(Debug)]
pub(super) struct Followed {
    process: Box<dyn Process>,
    followers: [AbortHandle; 2],
}

impl Deref for Followed {
    type Target = dyn Process;

    fn deref(&self) -> &(dyn Process + 'static) {
        &*self.process
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.followers.iter().for_each(AbortHandle::abort);
    }
}

impl Player<'_> {
    /// Starts those that are to run from the beginning. Time is counted from when they are there.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        let nodes: Nodes = (0..self.lives.len()).filter(|place| self.scenario.nodes[*place].started).collect();
        self.start_all(&nodes).await?;
        self.board.begin();
        let now = self.board.now();
        nodes.iter().for_each(|place| self.board.promises.borrow_mut().begins(place, now));
        Ok(())
    }

    /// Starts agents, and waits until they are there, whatever they do then.
    pub(super) async fn start_all(&mut self, nodes: &Nodes) -> Result<(), Failure> {
        nodes.iter().try_for_each(|place| self.start(place))?;
        let end = self.board.now() + PATIENCE;
        while let Some(late) = nodes.iter().find(|place| self.lives[*place].process.as_ref().is_some_and(|process| !process.has_started()))
        {
            if self.board.now() >= end {
                return Err(self.failed(format!("the agent of {} has not started within {} s", self.name(late), PATIENCE.as_secs())));
            }
            self.breathe(end).await?;
        }
        Ok(())
    }

    /// Starts an agent, on a host that is there again if it was off.
    fn start(&mut self, place: usize) -> Result<(), Failure> {
        if std::mem::take(&mut self.lives[place].is_dark) {
            self.unplug(place, false)?;
        }
        self.write_files(place)?;
        let board = self.board.clone();
        board.clear(place);
        board.promises.borrow_mut().begins(place, board.now());
        let (host, told) = (Rc::clone(self.site.host(place)), board.clone());
        let process = host.start(Rc::new(move || told.changed.notify_one()));
        let process = process.map_err(|error| self.failed(format!("can't start the agent of {}: {error}", self.name(place))))?;
        let nodes = tokio::task::spawn_local(follow::nodes(board.clone(), place, Rc::clone(&host)));
        let instances = tokio::task::spawn_local(follow::instances(board, place, host));
        let life = &mut self.lives[place];
        (life.is_ending, life.restarts, life.is_paused, life.error) = (false, false, false, None);
        let is_full = life.is_full;
        self.board.runs(place, process.id());
        life.process = Some(Followed { process, followers: [nodes.abort_handle(), instances.abort_handle()] });
        if is_full { self.set_disk(place, Disk::Full) } else { Ok(()) }
    }

    pub(super) fn terminate(&mut self, step: &Step, place: usize, restarts: bool) -> Result<(), Failure> {
        let life = &mut self.lives[place];
        let Some(process) = &life.process else { return Err(self.not_running(step, place)) };
        process.signal(Signal::TERM);
        (life.is_ending, life.restarts) = (true, restarts);
        self.board.promises.borrow_mut().ends(place, self.board.now());
        Ok(())
    }

    pub(super) async fn kill(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Failure> {
        if let Some(place) = nodes.iter().find(|place| self.lives[*place].process.is_none()) {
            return Err(self.not_running(step, place));
        }
        self.end(nodes).await;
        Ok(())
    }

    pub(super) async fn lose_power(&mut self, nodes: &Nodes) -> Result<(), Failure> {
        for place in nodes.iter() {
            // First, so that nobody hears of it by the kernel.
            self.unplug(place, true)?;
            self.lives[place].is_dark = true;
        }
        self.end(nodes).await;
        Ok(())
    }

    /// Kills agents, and waits until they are gone.
    async fn end(&mut self, nodes: &Nodes) {
        for place in nodes.iter() {
            self.lives[place].is_ending = true;
            if let Some(process) = &self.lives[place].process {
                process.signal(Signal::KILL);
            }
        }
        for place in nodes.iter() {
            while self.lives[place].process.as_ref().is_some_and(|process| !process.is_dead()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.gone(place);
        }
    }

    /// An agent is not there any more.
    fn gone(&mut self, place: usize) {
        let life = &mut self.lives[place];
        (life.process, life.is_paused) = (None, false);
        self.board.clear(place);
        self.board.runs(place, None);
        self.board.promises.borrow_mut().ends(place, self.board.now());
    }

    pub(super) fn pause(&mut self, place: usize) -> Result<(), Failure> {
        self.lives[place].is_paused = true;
        self.signal(place, Signal::STOP);
        self.board.promises.borrow_mut().stands_still(place, self.board.now());
        Ok(())
    }

    pub(super) fn resume(&mut self, place: usize) -> Result<(), Failure> {
        self.lives[place].is_paused = false;
        if self.lives[place].frozen_until.is_none() {
            self.signal(place, Signal::CONT);
            self.board.promises.borrow_mut().goes_on(place, self.board.now());
        }
        Ok(())
    }

    pub(super) fn freeze(&mut self, place: usize, time: Duration) -> Result<(), Failure> {
        self.unplug(place, true)?;
        self.signal(place, Signal::STOP);
        let now = self.board.now();
        self.lives[place].frozen_until = Some(now + time);
        self.board.promises.borrow_mut().stands_still(place, now);
        Ok(())
    }

    /// Hosts that were frozen for long enough go on.
    pub(super) fn thaw(&mut self) -> Result<(), Failure> {
        let now = self.board.now();
        for place in 0..self.lives.len() {
            if self.lives[place].frozen_until.is_none_or(|until| until > now) {
                continue;
            }
            self.lives[place].frozen_until = None;
            self.unplug(place, false)?;
            let entry = Entry { at: now, is_step: true, text: format!("{} is awake again", self.name(place)) };
            (self.tell)(&entry);
            self.entries.push(entry);
            if !self.lives[place].is_paused {
                self.signal(place, Signal::CONT);
                self.board.promises.borrow_mut().goes_on(place, now);
            }
        }
        Ok(())
    }

    pub(super) fn signal(&self, place: usize, signal: Signal) {
        if let Some(process) = &self.lives[place].process {
            process.signal(signal);
        }
    }

    /// Agents that have ended: some are started again; that one ended by itself is a failure, unless the scenario has an expectation for it.
    pub(super) fn take_note_of_ends(&mut self) -> Result<(), Failure> {
        for place in 0..self.lives.len() {
            let Some(status) = self.lives[place].process.as_ref().and_then(|process| process.ended()) else { continue };
            let (was_told, restarts) = (self.lives[place].is_ending, self.lives[place].restarts);
            self.gone(place);
            if restarts {
                self.start(place)?;
            } else if !was_told {
                let log = self.site.host(place).log();
                let error = log.lines().last().unwrap_or_default().to_owned();
                self.lives[place].error = Some(error.clone());
                if !self.scenario.steps.iter().any(|step| expects_end(step, place)) {
                    let what = format!("the agent of {} does not run ({status})", self.name(place));
                    return Err(Failure::new(self.board.now(), None, what, vec![error]));
                }
            }
        }
        Ok(())
    }

    /// An agent that takes its leave ends by that.
    pub(in super::super) fn is_leaving(&mut self, place: usize) {
        self.lives[place].is_ending = true;
        self.board.promises.borrow_mut().ends(place, self.board.now());
    }

    fn unplug(&self, place: usize, out: bool) -> Result<(), Failure> {
        self.site.unplug(place, out).map_err(|why| self.failed(why))
    }
}

fn expects_end(step: &Step, place: usize) -> bool {
    matches!(&step.what, What::Expect(Expectation::Stopped(nodes, _), _) if nodes.has(place))
}
