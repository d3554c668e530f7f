//! What an agent does meanwhile.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpStream, UdpSocket},
    task::{JoinHandle, spawn_local},
    time::{Instant, interval, sleep, timeout},
};

use super::{
    agents::{Agents, name},
    flood::Flood,
    process::Process,
    system::{Client as _, System},
};

/// One look-up, and one request, in so long.
const EVERY: Duration = Duration::from_millis(20);
/// What is not answered by then is not answered.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between the beginning of a flood and the first look.
const WARM_UP: Duration = Duration::from_secs(1);
/// After its end, for what was held to be let go.
const SETTLE: Duration = Duration::from_secs(15);
const START: Duration = Duration::from_secs(20);
/// `agent-0.node.tidings.internal A`, as octets of a query.
const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07agent-0\x04node\x07tidings\x08internal\x00\x00\x01\x00\x01";

/// What was measured.
pub(crate) struct Figures {
    /// What the flood reached in a second.
    pub(crate) rate: f64,
    pub(crate) dns: Answers,
    pub(crate) http: Answers,
    /// Until a newcomer that joins by the agent knows all, if it ever did.
    pub(crate) join: Option<Duration>,
    /// Times that somebody said of one of the three that it is down.
    pub(crate) victims: usize,
    /// Octets before, at most, and after.
    pub(crate) memory: [u64; 3],
    pub(crate) most_files: usize,
    pub(crate) files_after: usize,
    /// Share of one processor.
    pub(crate) processor: f64,
}

/// Questions, and how long each answer took.
#[derive(Default)]
pub(crate) struct Answers {
    asked: usize,
    times: Vec<Duration>,
}

impl Answers {
    pub(crate) fn share(&self) -> f64 {
        100.0 * self.times.len() as f64 / self.asked.max(1) as f64
    }

    /// Of what was not answered it is how long it was waited for.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut times = self.times.clone();
        times.resize(self.asked, PATIENCE);
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        times.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }
}

pub(crate) async fn until_all_know_all<S: System>(agents: &mut Agents<S>) -> Result<(), String> {
    let begun = Instant::now();
    let all = agents.running();
    for index in all.clone() {
        while agents.client(index).alive().await.map_or(0, |alive| alive.len()) < all.len() {
            agents.check()?;
            if begun.elapsed() > START {
                return Err("the agents do not find each other".to_owned());
            }
            sleep(EVERY).await;
        }
    }
    Ok(())
}

/// Floods the first agent for so long.
pub(crate) async fn measure<S: System>(agents: &mut Agents<S>, flood: Flood, time: Duration) -> Result<Figures, String> {
    let target = agents.address(0);
    let victims = Arc::new(AtomicUsize::new(0));
    let listeners: Vec<JoinHandle<()>> = (0..3).map(|index| tokio::spawn(listen(agents.address(index), Arc::clone(&victims)))).collect();
    let unreadable = || "can't read in /proc what an agent uses".to_owned();
    let first = |agents: &Agents<S>| agents.processes().next().and_then(look).ok_or_else(unreadable);
    let before = first(agents)?;

    let running = flood.begin(target);
    sleep(WARM_UP).await;
    let newcomer = agents.start()?;
    let joining = spawn_local(joins(S::client(agents.address(newcomer)), Instant::now()));
    let (sent, begun) = (running.sent(), Instant::now());
    let dns = tokio::spawn(questions(target, time));
    let http = tokio::spawn(requests(target, time));
    let mut most = before;
    while begun.elapsed() < time {
        sleep(Duration::from_millis(100)).await;
        let now = first(agents)?;
        (most.memory, most.files, most.used) = (most.memory.max(now.memory), most.files.max(now.files), now.used);
    }
    let rate = (running.sent() - sent) as f64 / begun.elapsed().as_secs_f64();
    let failed = |error: tokio::task::JoinError| error.to_string();
    let (dns, http) = (dns.await.map_err(failed)?, http.await.map_err(failed)?);
    let join = timeout(PATIENCE, joining).await.ok().and_then(Result::ok);
    let processor = (most.used - before.used).as_secs_f64() / (begun.elapsed() + WARM_UP).as_secs_f64();
    // It blocks until the flood is over.
    tokio::task::spawn_blocking(move || drop(running)).await.map_err(failed)?;

    sleep(SETTLE).await;
    let after = first(agents)?;
    listeners.iter().for_each(JoinHandle::abort);
    agents.check()?;
    agents.kill(newcomer);
    Ok(Figures {
        rate,
        dns,
        http,
        join,
        victims: victims.load(Relaxed),
        memory: [before.memory, most.memory, after.memory],
        most_files: most.files,
        files_after: after.files,
        processor,
    })
}

#[derive(Debug, Clone, Copy)]
struct Look {
    memory: u64,
    files: usize,
    used: Duration,
}

fn look(process: &Process) -> Option<Look> {
    Some(Look { memory: process.resident()?, files: process.open_files()?, used: process.processor_time()? })
}

/// How long it takes until a newcomer knows the three and itself. Those that joined before and were killed are down.
async fn joins<C: super::system::Client>(mut newcomer: C, begun: Instant) -> Duration {
    while newcomer.alive().await.map_or(0, |alive| (0..3).filter(|index| alive.contains(&name(*index))).count()) < 3 {
        sleep(EVERY).await;
    }
    begun.elapsed()
}

/// Follows what an agent says of the others.
async fn listen(agent: Ipv4Addr, victims: Arc<AtomicUsize>) {
    let follow = async {
        let mut stream = BufReader::new(TcpStream::connect((agent, 8_780)).await?);
        stream.get_mut().write_all(b"GET /v1/events?kind=node HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let names_one = (0..3).any(|index| line.contains(&format!("\"{}\"", name(index))));
            if names_one && line.contains("\"down\"") {
                eprintln!("{agent} says: {}", line.trim_end());
                victims.fetch_add(1, Relaxed);
            }
            line.clear();
        }
        std::io::Result::Ok(())
    };
    if let Err(error) = follow.await {
        eprintln!("{agent} can't be listened to: {error}");
    }
}

async fn questions(agent: Ipv4Addr, time: Duration) -> Answers {
    regularly(time, move || async move {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect((agent, 8_753)).await?;
        socket.send(QUERY).await?;
        socket.recv(&mut [0; 2_048]).await
    })
    .await
}

/// Each over a connection of its own, as of somebody who was not there before.
async fn requests(agent: Ipv4Addr, time: Duration) -> Answers {
    let http = SocketAddr::from((agent, 8_780));
    regularly(time, move || async move {
        let mut stream = TcpStream::connect(http).await?;
        stream.write_all(b"GET /v1/nodes/agent-0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        if answer.starts_with(b"HTTP/1.1 200") { Ok(answer.len()) } else { Err(std::io::Error::other("no answer")) }
    })
    .await
}

async fn regularly<F: Future<Output = std::io::Result<usize>> + Send + 'static>(time: Duration, ask: impl Fn() -> F) -> Answers {
    let (begun, mut tick) = (Instant::now(), interval(EVERY));
    let mut asked: Vec<JoinHandle<Option<Duration>>> = Vec::new();
    while begun.elapsed() < time {
        tick.tick().await;
        let question = ask();
        asked.push(tokio::spawn(async move {
            let begun = Instant::now();
            matches!(timeout(PATIENCE, question).await, Ok(Ok(_))).then(|| begun.elapsed())
        }));
    }
    let mut answers = Answers::default();
    for question in asked {
        answers.asked += 1;
        answers.times.extend(question.await.ok().flatten());
    }
    answers
}
