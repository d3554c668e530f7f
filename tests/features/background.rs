//! A command that goes on while the scenario does.

use std::{
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

use super::{wait::DEADLINE, world::Run};

/// The command and what it printed so far, each stream through a pipe, as into another program.
#[derive(Debug)]
pub(crate) struct Background {
    line: String,
    child: Child,
    stdout: Printed,
    stderr: Printed,
}

impl Background {
    pub(crate) fn start(line: String, mut command: Command) -> Background {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started");
        let stdout = Printed::new(child.stdout.take().expect("it is piped"));
        let stderr = Printed::new(child.stderr.take().expect("it is piped"));
        Background { line, child, stdout, stderr }
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap_or_else(|| panic!("`{}` has ended:\n{}", self.line, self.stderr()));
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().await;
        assert!(sent.as_ref().is_ok_and(ExitStatus::success), "kill -{signal} {pid}: {sent:?}");
    }

    /// Closes the reading end of its standard output.
    pub(crate) async fn read_no_more(&mut self) {
        let reading = self.stdout.reading.take().expect("it is read until now");
        reading.abort();
        // Once it has ended, what it held is closed.
        reading.await.ok();
    }

    /// Waits until it ended by itself.
    pub(crate) async fn end(mut self) -> Run {
        match timeout(DEADLINE, self.child.wait()).await {
            Ok(status) => self.run(status.expect("a child can be waited for").code()).await,
            Err(_) => panic!("`{}` did not end within {DEADLINE:?}:\n{}\n{}", self.line, self.stdout(), self.stderr()),
        }
    }

    pub(crate) async fn kill(mut self) -> Run {
        self.child.kill().await.ok();
        self.run(None).await
    }

    async fn run(mut self, code: Option<i32>) -> Run {
        // All that it printed is read when the pipes have ended.
        for reading in [self.stdout.reading.take(), self.stderr.reading.take()].into_iter().flatten() {
            reading.await.ok();
        }
        Run { line: self.line, code, stdout: self.stdout.text(), stderr: self.stderr.text() }
    }
}

#[derive(Debug)]
struct Printed {
    octets: Arc<Mutex<Vec<u8>>>,
    reading: Option<JoinHandle<()>>,
}

impl Printed {
    fn new(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> Printed {
        let octets = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&octets);
        let reading = tokio::spawn(async move {
            let mut part = [0; 4_096];
            while let Ok(length @ 1..) = pipe.read(&mut part).await {
                kept.lock().expect("nobody panics with it").extend_from_slice(&part[..length]);
            }
        });
        Printed { octets, reading: Some(reading) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets.lock().expect("nobody panics with it")).into_owned()
    }
}
