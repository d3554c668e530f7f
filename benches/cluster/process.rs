//! An agent's process, and what the kernel says of it.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// What `/proc/PID/stat` counts in; the same on every Linux that is asked.
const TICK: Duration = Duration::from_millis(10);
/// Lines of a log that are shown when its agent ended unasked.
const LOG_LINES: usize = 5;

/// A running agent. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it. What it prints goes to the file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Process, String> {
        let failed = |error| format!("can't start {command:?}: {error}");
        let file = File::create(log).map_err(failed)?;
        let copy = file.try_clone().map_err(failed)?;
        // A group of its own keeps a Ctrl-C, which goes to a whole group, from it: it is ended by us.
        let spawned = command.stdin(Stdio::null()).stdout(file).stderr(copy).process_group(0).spawn();
        let child = spawned.map_err(|error| format!("can't start {command:?}: {error}"))?;
        Ok(Process { child, log: log.to_owned() })
    }

    /// Sees to it that it did not end unasked.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let Ok(Some(status)) = self.child.try_wait() else {
            return Ok(());
        };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
        Err(format!("an agent ended ({status}); the last that it said, in {}:\n{}", self.log.display(), last.join("\n")))
    }

    /// Kills it with SIGKILL, and does not wait for its end.
    pub(crate) fn kill(&mut self) {
        // That it has ended already is no error.
        let _ = self.child.kill();
    }

    /// Octets of its memory that are in use (VmRSS).
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }

    /// Files, sockets among them, that it has open.
    #[allow(dead_code, reason = "not every bench looks at it")]
    pub(crate) fn open_files(&self) -> Option<usize> {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok().map(Iterator::count)
    }

    /// Processor time that it has used so far.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // Behind the name, which may hold anything: user and system time are the 12th and 13th.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u32>().ok();
        Some(TICK * (ticks()? + ticks()?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}
