//! The agents of one trial.

use std::{marker::PhantomData, net::Ipv4Addr};

use tempfile::TempDir;

use super::{process::Process, system::System};

/// A cluster of one system. All is gone when this is dropped.
pub(crate) struct Agents<S> {
    // Before the folder, so that nobody writes into it any more when it is removed.
    processes: Vec<Option<Process>>,
    folder: TempDir,
    system: PhantomData<S>,
}

impl<S: System> Agents<S> {
    pub(crate) fn new() -> Result<Agents<S>, String> {
        let folder = tempfile::Builder::new().prefix("tidings-bench-").tempdir();
        let folder = folder.map_err(|error| format!("can't make a folder for the agents: {error}"))?;
        Ok(Agents { processes: Vec::new(), folder, system: PhantomData })
    }

    /// Starts one more, which joins through the first.
    pub(crate) fn start(&mut self) -> Result<usize, String> {
        let index = self.processes.len();
        let folder = self.folder.path().join(name(index));
        std::fs::create_dir(&folder).map_err(|error| format!("can't make {}: {error}", folder.display()))?;
        let seed = (index > 0).then(|| address::<S>(0));
        let command = S::command(&name(index), address::<S>(index), seed, &folder);
        self.processes.push(Some(Process::start(command, &folder.join("log"))?));
        Ok(index)
    }

    /// Kills one as a host dies: without a word.
    pub(crate) fn kill(&mut self, index: usize) {
        self.processes[index] = None;
    }

    /// Sees to it that no agent ended unasked.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        self.processes.iter_mut().flatten().try_for_each(|process| process.check().map_err(|error| format!("{}: {error}", S::NAME)))
    }

    /// The indices of those that run.
    pub(crate) fn running(&self) -> Vec<usize> {
        (0..self.processes.len()).filter(|&index| self.processes[index].is_some()).collect()
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().flatten()
    }

    pub(crate) fn address(&self, index: usize) -> Ipv4Addr {
        address::<S>(index)
    }

    pub(crate) fn client(&self, index: usize) -> S::Client {
        S::client(address::<S>(index))
    }
}

impl<S> Drop for Agents<S> {
    fn drop(&mut self) {
        // All at once first: one by one, the last would spend much work on the death of the others.
        self.processes.iter_mut().flatten().for_each(Process::kill);
    }
}

pub(crate) fn name(index: usize) -> String {
    format!("agent-{index}")
}

fn address<S: System>(index: usize) -> Ipv4Addr {
    let [first, second] = S::NET;
    Ipv4Addr::new(first, second, (index / 250) as u8, (index % 250 + 1) as u8)
}
