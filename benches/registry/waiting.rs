//! Clients that wait for what does not happen.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::{
    agent::{Agent, processor, resident},
    http::{Connection, get},
    report::Section,
};

const WAITING: usize = 1_000;
const FOLLOWING: usize = 60;
/// Until all that was sent is taken.
const SETTLE: Duration = Duration::from_secs(3);
const WINDOW: Duration = Duration::from_secs(20);

pub(crate) async fn run() -> Result<Section, String> {
    let mut section = Section::new("clients that wait while nothing changes", "without them");
    let path = "/v1/instances?service=web";
    let agent = with_service(3).await?;
    let tag = Connection::open(agent.http).await?.get(path, &[]).await?.tag.ok_or("a read has no tag")?;
    let request = get(path, &[("If-None-Match", &tag), ("Prefer", "wait=300")]);
    clients(&mut section, "reads that wait", &agent, WAITING, &request).await?;

    let agent = with_service(4).await?;
    clients(&mut section, "event streams", &agent, FOLLOWING, &get("/v1/events?service=web", &[])).await?;
    Ok(section)
}

async fn with_service(last: u8) -> Result<Agent, String> {
    let agent = Agent::start(last).await?;
    agent.register((0..3).map(|n| (format!("web-{n}"), json!({"service": "web", "port": 8_000 + n})))).await?;
    Ok(agent)
}

async fn clients(section: &mut Section, what: &str, agent: &Agent, count: usize, request: &[u8]) -> Result<(), String> {
    sleep(SETTLE).await;
    let before = resident(&agent.process)?;
    let idle = processor(&agent.process, sleep(WINDOW)).await?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Connection::open(agent.http).await?;
        client.send(request).await?;
        clients.push(client);
    }
    sleep(SETTLE).await;
    let after = resident(&agent.process)?;
    let busy = processor(&agent.process, sleep(WINDOW)).await?;
    section.add(format!("memory with {count} {what}"), "MB", after / 1e6, Some(before / 1e6));
    section.add("  each", "kB", (after - before) / 1e3 / count as f64, None);
    section.add("  processor meanwhile", "%", busy * 100.0, Some(idle * 100.0));
    Ok(())
}
