//! Durable registrations, beside what a disk takes at least.

use std::{fs::File, io::Write as _, path::Path, thread, time::Duration};

use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use super::{
    agent::Agent,
    http::{Connection, put},
    report::Section,
};

/// Octets that the bare side appends: about what a registration takes in the journal.
const OCTETS: usize = 200;
const ALONE: u32 = 1_000;
const WRITERS: u32 = 100;
/// The two sides take turns, so often.
const TURNS: u32 = 5;
/// Writes of each writer in a turn.
const EACH: u32 = 20;

pub(crate) async fn run() -> Result<Section, String> {
    let agent = Agent::start(1).await?;
    let mut section = Section::new("a registration, acknowledged, each a change", "append+fdatasync");
    let (puts, appends) = alone(&agent).await?;
    section.times(&format!("alone ({ALONE}x, in turn)"), puts, appends);

    let (mut puts, mut appends) = (Written::default(), Written::default());
    for turn in 0..TURNS {
        puts.add(registrations(&agent, turn).await?);
        appends.add(bare(agent.folder.path()).await?);
    }
    let rates = (puts.rate(), appends.rate());
    section.times(&format!("{WRITERS} writers ({}x each)", TURNS * EACH), puts.times, appends.times);
    section.add(format!("{WRITERS} writers, all together"), "1/s", rates.0, Some(rates.1));
    Ok(section)
}

/// One of this, one of that.
async fn alone(agent: &Agent) -> Result<(Vec<Duration>, Vec<Duration>), String> {
    let mut connection = Connection::open(agent.http).await?;
    let mut file = create(&agent.folder.path().join("bare"))?;
    let (mut puts, mut appends) = (Vec::new(), Vec::new());
    for n in 0..ALONE {
        let begun = Instant::now();
        register(&mut connection, 0, n).await?;
        puts.push(begun.elapsed());
        appends.push(append(&mut file)?);
    }
    Ok((puts, appends))
}

#[derive(Default)]
struct Written {
    times: Vec<Duration>,
    took: Duration,
}

impl Written {
    fn add(&mut self, (times, took): (Vec<Duration>, Duration)) {
        self.times.extend(times);
        self.took += took;
    }

    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

/// Each writer over a connection of its own, which is there before.
async fn registrations(agent: &Agent, turn: u32) -> Result<(Vec<Duration>, Duration), String> {
    let mut connections = Vec::new();
    for _ in 0..WRITERS {
        connections.push(Connection::open(agent.http).await?);
    }
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for (writer, mut connection) in (1..).zip(connections) {
        writers.spawn_local(async move {
            let mut times = Vec::new();
            for n in 0..EACH {
                let begun = Instant::now();
                register(&mut connection, writer, turn * EACH + n).await?;
                times.push(begun.elapsed());
            }
            Ok::<_, String>(times)
        });
    }
    let times = writers.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    Ok((times, begun.elapsed()))
}

async fn register(connection: &mut Connection, writer: u32, n: u32) -> Result<(), String> {
    let answer = connection.exchange(&put(&format!("w-{writer}"), &json!({"service": "web", "port": 1_000 + n}))).await?;
    if matches!(answer.status, 200 | 201) { Ok(()) } else { Err(format!("a registration is refused: {}", answer.status)) }
}

/// A thread and a file for each writer.
async fn bare(folder: &Path) -> Result<(Vec<Duration>, Duration), String> {
    let files = (0..WRITERS).map(|writer| create(&folder.join(format!("bare-{writer}")))).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    let write = |mut file: File| thread::spawn(move || (0..EACH).map(|_| append(&mut file)).collect::<Result<Vec<_>, _>>());
    let writers: Vec<_> = files.into_iter().map(write).collect();
    let times = writers.into_iter().map(|writer| writer.join().map_err(|_| "a writer died".to_owned())?);
    Ok((times.collect::<Result<Vec<_>, String>>()?.concat(), begun.elapsed()))
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| format!("can't make {}: {error}", path.display()))
}

fn append(file: &mut File) -> Result<Duration, String> {
    let begun = Instant::now();
    let written = file.write_all(&[b'x'; OCTETS]).and_then(|()| file.sync_data());
    written.map(|()| begun.elapsed()).map_err(|error| format!("can't append: {error}"))
}
