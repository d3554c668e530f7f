//! Steps of a scenario as they are done to hosts and agents.

use std::process::Command;

use tidings::sim::{
    HostId,
    runner::Failure,
    scenario::{Action, Link, Nodes, Step, action::Disk},
};

use super::{super::site::DATA, Player};

impl<'s> Player<'s> {
    /// Does what a step says.
    pub(super) async fn act(&mut self, step: &'s Step, action: &'s Action) -> Result<(), Failure> {
        match action {
            Action::Start(nodes) => self.start_all(nodes).await,
            Action::Stop(nodes) => nodes.iter().try_for_each(|place| self.terminate(step, place, false)),
            Action::Restart(nodes) => nodes.iter().try_for_each(|place| self.terminate(step, place, true)),
            Action::Kill(nodes) => self.kill(step, nodes).await,
            Action::Pause(nodes) => self.each(nodes, Player::pause),
            Action::Resume(nodes) => self.each(nodes, Player::resume),
            Action::Freeze(nodes, time) => nodes.iter().try_for_each(|place| self.freeze(place, *time)),
            Action::LosePower(nodes) => self.lose_power(nodes).await,
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
                let idle = idle.or(self.passage.change(&*self.site, change, about(step)));
                self.must_have_acted(idle)
            }
            Action::Link(link) => {
                self.count_hits()?;
                self.link(link, about(step))?;
                self.change_network()
            }
            Action::ChangeAddress(nodes) => {
                for place in nodes.iter() {
                    self.board.promises.borrow_mut().excuses.is_ill(HostId(place), self.board.now());
                    self.site.change_address(place).map_err(|why| self.failed(why))?;
                }
                self.renew_rules()
            }
            Action::TakeAddress { node, of } => {
                self.site.take_address(*node, *of).map_err(|why| self.failed(why))?;
                self.renew_rules()
            }
            Action::CopyData { from, to } => {
                let source = self.site.host(*from).file(DATA);
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
            Action::Record(way) => self.site.record(way).map_err(|why| self.failed(why)),
            Action::Replay { to, from } => {
                let replay = self.site.replay(to, from.as_ref()).map_err(|why| self.failed(why))?;
                self.replays.push((about(step), tokio::task::spawn_local(replay)));
                Ok(())
            }
            // Such scenarios are not begun.
            Action::Suspend(..) => Err(self.failed(format!("{} can't be played", step.text))),
        }
    }

    fn each(&mut self, nodes: &Nodes, deed: impl Fn(&mut Player<'s>, usize) -> Result<(), Failure>) -> Result<(), Failure> {
        nodes.iter().try_for_each(|place| deed(self, place))
    }

    pub(super) fn link(&mut self, link: &Link, what: String) -> Result<(), Failure> {
        if link.way.to.len() == self.lives.len() {
            for place in link.way.from.iter() {
                self.site.set_rate(place, link.rate).map_err(|why| self.failed(why))?;
            }
        }
        let idle = self.faults.link(link, what.clone());
        let idle = idle.or(self.passage.link(&*self.site, link, what));
        self.must_have_acted(idle)
    }

    fn must_have_acted(&mut self, idle: Option<String>) -> Result<(), Failure> {
        match idle {
            Some(what) => Err(self.failed(what)),
            None => self.change_network(),
        }
    }

    pub(super) fn change_network(&mut self) -> Result<(), Failure> {
        self.faults.apply(&*self.site).map_err(|why| self.failed(why))
    }

    /// Addresses have changed, which rules may name.
    fn renew_rules(&mut self) -> Result<(), Failure> {
        self.count_hits()?;
        self.change_network()
    }

    pub(super) fn count_hits(&mut self) -> Result<(), Failure> {
        let counted = self.faults.count(&*self.site);
        counted.map_err(|why| self.failed(why))
    }

    pub(super) fn set_disk(&mut self, place: usize, disk: Disk) -> Result<(), Failure> {
        self.lives[place].is_full = disk == Disk::Full;
        let done = self.lives[place].process.as_ref().map_or(Ok(()), |process| process.limit_files(disk == Disk::Full));
        done.map_err(|why| self.failed(why))
    }

    fn replace_data(&mut self, place: usize, script: &str) -> Result<(), Failure> {
        if self.lives[place].process.is_some() {
            return Err(self.failed(format!("the agent of {} has its data folder open", self.name(place))));
        }
        self.board.promises.borrow_mut().replaces(place, self.board.now());
        self.shell(place, &format!("find DATA -mindepth 1 -delete; {script}"))
    }

    /// Runs a script outside, where the folders of all hosts are seen.
    fn shell(&self, place: usize, script: &str) -> Result<(), Failure> {
        let folder = |name| format!("'{}'", self.site.host(place).file(name).display());
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
