//! A thousand checks, as their target sees them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, spawn_local},
    time::{Instant, sleep, timeout},
};

use super::{
    agent::{Agent, processor, resident},
    report::{Section, quantile},
};

/// Each with a check by TCP and one by HTTP.
const INSTANCES: u16 = 500;
const INTERVAL: Duration = Duration::from_secs(10);
/// What runs are spread by on purpose.
const JITTER: Duration = Duration::from_millis(500);
const WINDOW: Duration = Duration::from_secs(75);
const TCP: u16 = 9_000;
const HTTP: u16 = 9_001;
/// The timer that tells how late the machine itself is.
const TICK: Duration = Duration::from_millis(10);

/// When each check came: a check has an address of its own, and a port for its kind.
type Arrivals = Rc<RefCell<BTreeMap<(IpAddr, u16), Vec<Instant>>>>;

pub(crate) async fn run() -> Result<Section, String> {
    let arrivals = Arrivals::default();
    let _targets = [listen(TCP, &arrivals).await?, listen(HTTP, &arrivals).await?];
    let agent = Agent::start(5).await?;
    let (before, idle) = (resident(&agent.process)?, processor(&agent.process, sleep(WINDOW / 5)).await?);
    let interval = format!("{}s", INTERVAL.as_secs());
    let definition = |n: u16| {
        let target = target(n);
        let checks = json!([
            {"id": "tcp", "tcp": format!("{target}:{TCP}"), "interval": interval},
            {"id": "http", "http": format!("http://{target}:{HTTP}/health"), "interval": interval},
        ]);
        (format!("i-{n}"), json!({"service": "web", "port": TCP, "addresses": [target], "checks": checks}))
    };
    agent.register((0..INSTANCES).map(definition)).await?;
    sleep(INTERVAL).await;
    arrivals.borrow_mut().clear();
    let mut late = Vec::new();
    let busy = processor(&agent.process, async {
        let ticking = async {
            loop {
                let due = Instant::now() + TICK;
                sleep(TICK).await;
                late.push(due.elapsed());
            }
        };
        // It never ends by itself.
        let _ = timeout(WINDOW, ticking).await;
    })
    .await?;
    let after = resident(&agent.process)?;

    let arrivals = arrivals.borrow();
    let gaps: Vec<Duration> = arrivals.values().flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0])).collect();
    let mut off: Vec<Duration> = gaps.iter().map(|gap| gap.abs_diff(INTERVAL)).collect();
    let mut beyond: Vec<Duration> = off.iter().map(|off| off.saturating_sub(JITTER)).collect();
    let mut section = Section::new(format!("{} checks every {interval}, half by TCP, half by HTTP", 2 * INSTANCES), "the machine");
    section.add("processor; the machine: without checks", "%", busy * 100.0, Some(idle * 100.0));
    section.add("memory; the machine: without instances", "MB", after / 1e6, Some(before / 1e6));
    section.add(format!("checks seen, with {} times between two runs", gaps.len()), "", arrivals.len() as f64, None);
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    section.add("off the interval, p50", "ms", millis(quantile(&mut off, 0.5)), None);
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("most", 1.0)] {
        let peer = millis(quantile(&mut late, share));
        section.add(
            format!("beyond the jitter of 5 %, {name}; the machine: a timer's lateness"),
            "ms",
            millis(quantile(&mut beyond, share)),
            Some(peer),
        );
    }
    Ok(section)
}

fn target(n: u16) -> Ipv4Addr {
    Ipv4Addr::new(127, 62, (n / 250) as u8, (n % 250 + 1) as u8)
}

/// Takes all that comes to a port, at any address. It ends with the bench.
async fn listen(port: u16, arrivals: &Arrivals) -> Result<JoinHandle<()>, String> {
    let listener =
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.map_err(|error| format!("can't listen at port {port}: {error}"))?;
    let arrivals = Rc::clone(arrivals);
    Ok(spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let at = Instant::now();
            if let Ok(local) = stream.local_addr() {
                arrivals.borrow_mut().entry((local.ip(), port)).or_default().push(at);
            }
            if port == HTTP {
                spawn_local(answer(stream));
            }
        }
    }))
}

async fn answer(mut stream: TcpStream) {
    let mut request = [0; 4_096];
    if stream.read(&mut request).await.is_ok() {
        // Whoever asked sees it if this fails.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    }
}
