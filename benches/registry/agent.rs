//! One agent by itself.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{
    http::{Connection, put},
    process::Process,
    system::System as _,
    tidings::Tidings,
};

/// How long it may take to be ready.
const START: Duration = Duration::from_secs(20);

/// It is gone with all that it kept when this is dropped.
pub(crate) struct Agent {
    // Before the folder, so that nobody writes into it any more when it is removed.
    pub(crate) process: Process,
    pub(crate) http: SocketAddr,
    pub(crate) folder: TempDir,
}

impl Agent {
    /// Starts it and waits until it is ready. `last` is the end of its address, which no other agent of this run has.
    pub(crate) async fn start(last: u8) -> Result<Agent, String> {
        let folder =
            tempfile::Builder::new().prefix("tidings-bench-").tempdir().map_err(|error| format!("can't make a folder: {error}"))?;
        let address = Ipv4Addr::new(127, 61, 0, last);
        let command = Tidings::command("bench", address, None, &folder.path().join("data"));
        let process = Process::start(command, &folder.path().join("log"))?;
        let mut agent = Agent { process, http: (address, 8780).into(), folder };
        let begun = Instant::now();
        loop {
            let ready = async { Connection::open(agent.http).await?.get("/health/ready", &[]).await };
            match ready.await {
                Ok(answer) if answer.status == 200 => return Ok(agent),
                _ if begun.elapsed() < START => sleep(Duration::from_millis(20)).await,
                other => return Err(format!("the agent is not ready: {:?}", other.map(|answer| answer.status))),
            }
            agent.process.check()?;
        }
    }

    /// Registers instances, one after the other.
    pub(crate) async fn register(&self, definitions: impl IntoIterator<Item = (String, Value)>) -> Result<(), String> {
        let mut connection = Connection::open(self.http).await?;
        for (id, definition) in definitions {
            let answer = connection.exchange(&put(&id, &definition)).await?;
            if !(200..300).contains(&answer.status) {
                return Err(format!("{id} is refused: {}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
            }
        }
        Ok(())
    }
}

/// Octets of a process's memory, as far as the kernel tells.
pub(crate) fn resident(process: &Process) -> Result<f64, String> {
    process.resident().map(|octets| octets as f64).ok_or_else(|| "can't read in /proc what memory an agent uses".to_owned())
}

/// The share of one processor that it uses for as long as something takes.
pub(crate) async fn processor(process: &Process, meanwhile: impl Future<Output = ()>) -> Result<f64, String> {
    let unreadable = || "can't read in /proc what time an agent uses".to_owned();
    let (begun, before) = (Instant::now(), process.processor_time().ok_or_else(unreadable)?);
    meanwhile.await;
    let after = process.processor_time().ok_or_else(unreadable)?;
    Ok((after - before).as_secs_f64() / begun.elapsed().as_secs_f64())
}
