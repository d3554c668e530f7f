//! Agents of a cluster with everything on, beside the same agents before.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::json;
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep, timeout},
};

use super::{
    agents::Agents,
    http::{Connection, get, put},
    process::Process,
    report::Section,
    tidings::Tidings,
    watch::{News, Watch},
};

const INSTANCES: usize = 10;
/// Between a change and a look.
const SETTLE: Duration = Duration::from_secs(20);
const WINDOW: Duration = Duration::from_secs(20);
/// `web.service.tidings.internal A`, as octets of a query.
const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x07service\x07tidings\x08internal\x00\x00\x01\x00\x01";

pub(crate) async fn run(n: usize) -> Result<Section, String> {
    let mut agents = Agents::<Tidings>::new()?;
    agents.start()?;
    sleep(Duration::from_secs(1)).await;
    for _ in 1..n {
        agents.start()?;
    }
    Watch::new(&agents, 0..n).until(News::Members(n), Instant::now(), &mut agents).await?;
    let before = look(&mut agents).await?;

    let mut clients = Vec::new();
    for index in 0..n {
        clients.push(everything_on(index).await?);
    }
    let after = look(&mut agents).await?;
    let mut section =
        Section::new(format!("at rest, {n} members, {INSTANCES} instances with a check each, one waiting client, DNS"), "members alone");
    section.add("memory, mean", "MB", after.memory / 1e6, Some(before.memory / 1e6));
    section.add("memory, most", "MB", after.most_memory / 1e6, Some(before.most_memory / 1e6));
    section.add("processor, mean", "%", after.processor * 1e2, Some(before.processor * 1e2));
    Ok(section)
}

/// At one agent; gives the client that waits there.
async fn everything_on(index: usize) -> Result<Connection, String> {
    // As the bench of clusters has them.
    let address = Ipv4Addr::new(127, 60, (index / 250) as u8, (index % 250 + 1) as u8);
    let http = SocketAddr::from((address, 8_780));
    let mut connection = Connection::open(http).await?;
    for n in 0..INSTANCES {
        let check = json!({"id": "port", "tcp": http.to_string(), "interval": "10s"});
        let answer = connection.exchange(&put(&format!("i-{n}"), &json!({"service": "web", "port": 8_000 + n, "checks": [check]}))).await?;
        if answer.status != 201 {
            return Err(format!("a registration is refused: {}", answer.status));
        }
    }
    let dns = UdpSocket::bind((address, 0)).await.map_err(|error| error.to_string())?;
    dns.send_to(QUERY, (address, 8_753)).await.map_err(|error| error.to_string())?;
    let answered = timeout(Duration::from_secs(5), dns.recv(&mut [0; 2_048])).await;
    answered.map_err(|_| "DNS does not answer".to_owned())?.map_err(|error| error.to_string())?;
    // A service that does not change: nobody has it.
    let path = "/v1/instances?service=nobody";
    let tag = connection.get(path, &[]).await?.tag.ok_or("a read has no tag")?;
    connection.send(&get(path, &[("If-None-Match", &tag), ("Prefer", "wait=300")])).await?;
    Ok(connection)
}

struct Rest {
    memory: f64,
    most_memory: f64,
    processor: f64,
}

async fn look(agents: &mut Agents<Tidings>) -> Result<Rest, String> {
    let unreadable = || "can't read in /proc what an agent uses".to_owned();
    sleep(SETTLE).await;
    let times =
        |agents: &Agents<Tidings>| agents.processes().map(Process::processor_time).collect::<Option<Vec<_>>>().ok_or_else(unreadable);
    let (begun, before) = (Instant::now(), times(agents)?);
    sleep(WINDOW).await;
    let (seconds, after) = (begun.elapsed().as_secs_f64(), times(agents)?);
    agents.check()?;
    let used: Duration = before.iter().zip(&after).map(|(before, after)| *after - *before).sum();
    let memory = agents
        .processes()
        .map(|process| process.resident().map(|octets| octets as f64))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(unreadable)?;
    let count = memory.len() as f64;
    Ok(Rest {
        memory: memory.iter().sum::<f64>() / count,
        most_memory: memory.iter().copied().fold(0.0, f64::max),
        processor: used.as_secs_f64() / seconds / count,
    })
}
