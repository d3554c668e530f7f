//! Steps of a scenario as they are done to hosts and agents.

use std::{process::Command, time::Duration};

use rustix::process::Signal;
use tidings::{
    config::OnTerm,
    sim::{
        HostId,
        runner::{Entry, Failure},
        scenario::{Action, Expectation, Link, Nodes, Step, What, action::Disk},
    },
};

use super::{
    super::{
        agent::{self, DATA, Process},
        follow,
    },
    Player,
};

impl<'s> Player<'s> {
    /// Does what a step says.
    pub(super) async fn act(&mut self, step: &'s Step, action: &'s Action) -> Result<(), Failure> {
        match action {
            Action::Start(nodes) => nodes.iter().try_for_each(|place| self.start(place)),
            Action::Stop(nodes) => nodes.iter().try_for_each(|place| self.terminate(step, place, false)),
            Action::Restart(nodes) => nodes.iter().try_for_each(|place| self.terminate(step, place, true)),
            Action::Kill(nodes) => self.kill(step, nodes).await,
            Action::Pause(nodes) => self.each(nodes, Player::pause),
            Action::Resume(nodes) => self.each(nodes, Player::resume),
            Action::Freeze(nodes, time) => nodes.iter().try_for_each(|place| self.freeze(place, *time)),
            Action::LosePower(nodes) => {
                for place in nodes.iter() {
                    // First, so that nobody hears of it by the kernel.
                    self.unplug(place, true)?;
                    self.lives[place].is_dark = true;
                }
                self.end(nodes).await;
                Ok(())
            }
            Action::Partition(parts) => {
                self.count_hits()?;
                let idle = self.faults.partition(parts, about(step));
                self.must_have_acted(idle)
            }
            Action::Cut(way) => {
                self.count_hits()?;
                self.faults.cut(way, about(step));
                self.change_network()
            }
            Action::Heal => {
                self.count_hits()?;
                let idle = self.faults.heal();
                self.must_have_acted(idle)
            }
            Action::Network(change) => {
                self.count_hits()?;
                let idle = self.faults.change(change, about(step));
                self.must_have_acted(idle)
            }
            Action::Link(link) => {
                self.count_hits()?;
                self.link(link, about(step))?;
                self.change_network()
            }
            Action::ChangeAddress(nodes) => nodes.iter().try_for_each(|place| {
                self.board.promises.borrow_mut().excuses.is_ill(HostId(place), self.board.now());
                self.site.change_address(place).map_err(|why| self.failed(why))
            }),
            Action::TakeAddress { node, of } => self.site.take_address(*node, *of).map_err(|why| self.failed(why)),
            Action::CopyData { from, to } => {
                let source = agent::file(self.site.host(*from), DATA);
                self.replace_data(*to, &format!("cp -a '{}'/. DATA", source.display()))
            }
            Action::Backup(nodes) => self.each(nodes, |player, place| player.shell(place, "rm -rf BACKUP; cp -a DATA BACKUP")),
            Action::Restore(nodes) => self.each(nodes, |player, place| player.replace_data(place, "cp -a BACKUP/. DATA")),
            Action::Wipe(nodes) => self.each(nodes, |player, place| player.replace_data(place, "true")),
            Action::Disk(nodes, disk) => nodes.iter().try_for_each(|place| self.set_disk(place, *disk)),
            Action::Health { nodes, instance, status } => {
                nodes.iter().for_each(|place| self.heartbeats.set(place, instance, *status));
                Ok(())
            }
            Action::Keys(nodes, change) => self.change_keys(nodes, change).await,
            Action::Write(write, answer) => self.write(step, write, answer),
            // Such scenarios are not begun.
            Action::Suspend(..) | Action::Record(_) | Action::Replay { .. } => Err(self.failed(format!("{} can't be played", step.text))),
        }
    }

    fn each(&mut self, nodes: &Nodes, deed: impl Fn(&mut Player<'s>, usize) -> Result<(), Failure>) -> Result<(), Failure> {
        nodes.iter().try_for_each(|place| deed(self, place))
    }

    /// Starts an agent, on a host that is there again if it was off.
    pub(super) fn start(&mut self, place: usize) -> Result<(), Failure> {
        if std::mem::take(&mut self.lives[place].is_dark) {
            self.unplug(place, false)?;
        }
        let flags = self.flags(place);
        let board = self.board.clone();
        board.clear(place);
        board.promises.borrow_mut().begins(place, board.now());
        let told = board.clone();
        let process = Process::start(self.site.host(place), &flags, move || told.changed.notify_one());
        let mut process = process.map_err(|error| self.failed(format!("can't start the agent of {}: {error}", self.name(place))))?;
        let host = self.site.host(place);
        let nodes = tokio::task::spawn_local(follow::nodes(board.clone(), place, host.clone()));
        let instances = tokio::task::spawn_local(follow::instances(board, place, host.clone()));
        process.tasks.extend([nodes.abort_handle(), instances.abort_handle()]);
        let life = &mut self.lives[place];
        (life.is_ending, life.restarts, life.is_paused, life.error) = (false, false, false, None);
        let is_full = life.is_full;
        life.process = Some(process);
        if is_full { self.set_disk(place, Disk::Full) } else { Ok(()) }
    }

    fn flags(&self, place: usize) -> Vec<String> {
        let node = &self.scenario.nodes[place];
        let on_term = if node.on_term == OnTerm::Restart { "restart" } else { "leave" };
        let address = |place: usize| agent::gossip(self.site.stations[place].address);
        let mut flags = vec![("--name", node.name.to_string()), ("--cluster", node.cluster.to_string()), ("--on-term", on_term.to_owned())];
        flags.extend([("--gossip", address(place)), ("--data-dir", agent::inside(DATA))]);
        flags.extend(node.zone.as_ref().map(|zone| ("--zone", zone.to_string())));
        flags.extend(node.join.iter().map(|seed| ("--join", address(seed))));
        flags.extend(self.secrets.flag());
        flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }

    fn terminate(&mut self, step: &Step, place: usize, restarts: bool) -> Result<(), Failure> {
        let life = &mut self.lives[place];
        let Some(process) = &life.process else { return Err(self.not_running(step, place)) };
        process.signal(Signal::TERM);
        (life.is_ending, life.restarts) = (true, restarts);
        self.board.promises.borrow_mut().ends(place, self.board.now());
        Ok(())
    }

    async fn kill(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Failure> {
        if let Some(place) = nodes.iter().find(|place| self.lives[*place].process.is_none()) {
            return Err(self.not_running(step, place));
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
            while self.lives[place].process.as_ref().is_some_and(|process| process.ended().is_none()) {
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
        self.board.promises.borrow_mut().ends(place, self.board.now());
    }

    fn pause(&mut self, place: usize) -> Result<(), Failure> {
        self.lives[place].is_paused = true;
        self.signal(place, Signal::STOP);
        self.board.promises.borrow_mut().stands_still(place, self.board.now());
        Ok(())
    }

    fn resume(&mut self, place: usize) -> Result<(), Failure> {
        self.lives[place].is_paused = false;
        if self.lives[place].frozen_until.is_none() {
            self.signal(place, Signal::CONT);
            self.board.promises.borrow_mut().goes_on(place, self.board.now());
        }
        Ok(())
    }

    fn freeze(&mut self, place: usize, time: Duration) -> Result<(), Failure> {
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
            let Some(status) = self.lives[place].process.as_ref().and_then(Process::ended) else { continue };
            let (was_told, restarts) = (self.lives[place].is_ending, self.lives[place].restarts);
            self.gone(place);
            if restarts {
                self.start(place)?;
            } else if !was_told {
                let log = agent::log(self.site.host(place));
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

    pub(super) fn link(&mut self, link: &Link, what: String) -> Result<(), Failure> {
        if link.way.to.len() == self.lives.len() {
            for place in link.way.from.iter() {
                self.site.set_rate(place, link.rate).map_err(|why| self.failed(why))?;
            }
        }
        let idle = self.faults.link(link, what);
        self.must_have_acted(idle)
    }

    fn must_have_acted(&mut self, idle: Option<String>) -> Result<(), Failure> {
        match idle {
            Some(what) => Err(self.failed(what)),
            None => self.change_network(),
        }
    }

    pub(super) fn change_network(&mut self) -> Result<(), Failure> {
        self.faults.apply(&self.site).map_err(|why| self.failed(why))
    }

    pub(super) fn count_hits(&mut self) -> Result<(), Failure> {
        let counted = self.faults.count(&self.site);
        counted.map_err(|why| self.failed(why))
    }

    fn unplug(&self, place: usize, out: bool) -> Result<(), Failure> {
        self.site.unplug(place, out).map_err(|why| self.failed(why))
    }

    fn set_disk(&mut self, place: usize, disk: Disk) -> Result<(), Failure> {
        self.lives[place].is_full = disk == Disk::Full;
        let done = self.lives[place].process.as_ref().map_or(Ok(()), |process| process.limit_files(disk == Disk::Full));
        done.map_err(|why| self.failed(why))
    }

    fn replace_data(&mut self, place: usize, script: &str) -> Result<(), Failure> {
        if self.lives[place].process.is_some() {
            return Err(self.failed(format!("the agent of {} has its data folder open", self.name(place))));
        }
        self.board.promises.borrow_mut().replaces(place, self.board.now());
        self.shell(place, &format!("rm -rf DATA; mkdir DATA; {script}"))
    }

    /// Runs a script outside, where the folders of all hosts are seen.
    fn shell(&self, place: usize, script: &str) -> Result<(), Failure> {
        let folder = |name| format!("'{}'", agent::file(self.site.host(place), name).display());
        let script = script.replace("DATA", &folder(DATA)).replace("BACKUP", &folder("backup"));
        let output = Command::new("sh").args(["-ec", &script]).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(self.failed(format!("{script}: {}", String::from_utf8_lossy(&output.stderr).trim()))),
            Err(error) => Err(self.failed(format!("can't run a shell: {error}"))),
        }
    }

    pub(in super::super) fn not_running(&self, step: &Step, place: usize) -> Failure {
        let ended = self.lives[place].error.as_ref().map(|error| format!("it ended by itself: {error}"));
        Failure::of(self.board.now(), step, &format!("no agent runs on {}", self.name(place)), ended.into_iter().collect())
    }
}

/// A step as a fault is called by it.
fn about(step: &Step) -> String {
    format!("line {}: {}", step.line, step.text)
}

fn expects_end(step: &Step, place: usize) -> bool {
    matches!(&step.what, What::Expect(Expectation::Stopped(nodes, _), _) if nodes.has(place))
}
