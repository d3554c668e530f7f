//! The servers, each on an address and the first processor of its own.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::{
    net::UdpSocket,
    task::JoinHandle,
    time::{Instant, interval, sleep, timeout},
};

use super::{
    catalog::{OF_AN_AGENT, Size, service},
    http::{Connection, put},
    system::System as _,
    tidings::Tidings,
};

/// How long it may take until everything is served.
const START: Duration = Duration::from_secs(120);
/// What `/proc/PID/stat` counts in.
const TICK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_millis(200);

/// A server and all processes that it has; they end when this is dropped.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    process: Group,
    /// Agents whose instances it knows.
    others: Vec<Group>,
    owners: Vec<SocketAddr>,
}

/// A process and its children, which are in its group.
struct Group(Child);

impl Group {
    fn start(mut command: Command, log: &Path) -> Result<Group, String> {
        let failed = |error| format!("can't start {command:?}: {error}");
        let file = fs::File::create(log).map_err(failed)?;
        let copy = file.try_clone().map_err(failed)?;
        let spawned = command.stdin(Stdio::null()).stdout(file).stderr(copy).process_group(0).spawn();
        spawned.map(Group).map_err(|error| format!("can't start {command:?}: {error}"))
    }

    /// The fields of `/proc/PID/stat` behind the name, of each process of the group.
    fn stats(&self) -> Vec<Vec<u64>> {
        let group = u64::from(self.0.id());
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let fields = stats.filter_map(|stat| {
            let rest = stat.rsplit_once(')')?.1.to_owned();
            Some(rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect::<Vec<u64>>())
        });
        // State, parent, group.
        fields.filter(|fields| fields.get(2) == Some(&group)).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            // That they have ended already is no error.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// This process, and what it starts, leaves the first processor to the servers.
pub(crate) fn keep_to_second_processor() -> Result<(), String> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(1);
    rustix::thread::sched_setaffinity(None, &set).map_err(|error| format!("this takes two processors: {error}"))
}

fn on_first_processor(command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", "0"]).arg(command.get_program()).args(command.get_args());
    pinned
}

/// Agents with all instances among them, of which the first has the first processor.
pub(crate) async fn start_agents(folder: &Path, size: Size) -> Result<Server, String> {
    let owners = size.instances().div_ceil(OF_AN_AGENT).max(1);
    let address = |index: usize| Ipv4Addr::new(127, 62, 0, u8::try_from(index + 1).expect("few agents"));
    let start = |index: usize| {
        let data = folder.join(format!("agent-{}-{index}", size.services));
        let seed = (index > 0).then(|| address(0));
        let command = Tidings::command(&format!("agent-{index}"), address(index), seed, &data);
        Group::start(if index == 0 { on_first_processor(&command) } else { command }, &folder.join(format!("agent-{index}.log")))
    };
    // The first owns none, so that it has what one has that is asked and does little else.
    let process = start(0)?;
    wait_for_http(SocketAddr::from((address(0), 8_780))).await?;
    let others = (1..=owners).map(start).collect::<Result<Vec<_>, String>>()?;
    let owners: Vec<SocketAddr> = (1..=owners).map(|index| SocketAddr::from((address(index), 8_780))).collect();
    for (index, owner) in owners.iter().enumerate() {
        wait_for_http(*owner).await?;
        let mut connection = Connection::open(*owner).await?;
        for instance in (index * OF_AN_AGENT..(index + 1) * OF_AN_AGENT).take_while(|instance| *instance < size.instances()) {
            let (id, definition) = size.definition(instance);
            let answer = connection.exchange(&put(&id, &definition)).await?;
            if answer.status != 201 {
                return Err(format!("{id} is refused: {}", String::from_utf8_lossy(&answer.body)));
            }
        }
    }
    Ok(Server { name: "Tidings".into(), address: (address(0), 8_753).into(), process, others, owners })
}

async fn wait_for_http(agent: SocketAddr) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let ready = async { Connection::open(agent).await?.get("/health/ready", &[]).await };
        match ready.await {
            Ok(answer) if answer.status == 200 => return Ok(()),
            _ if begun.elapsed() < START => sleep(Duration::from_millis(20)).await,
            _ => return Err(format!("{agent} is not ready")),
        }
    }
}

impl Server {
    /// NSD with one process that answers; none where it is not installed.
    pub(crate) fn start_nsd(folder: &Path, size: Size) -> Result<Option<Server>, String> {
        let text = |folder: &str| {
            format!(
                "server:\n ip-address: 127.62.1.1@8753\n server-count: 1\n username: \"\"\n zonesdir: \"{folder}\"\n pidfile: \"\"\n \
                 zonelistfile: \"{folder}/zones\"\n xfrdfile: \"{folder}/xfrd\"\n database: \"\"\n rrl-ratelimit: 0\n\
                 remote-control:\n control-enable: no\nzone:\n name: tidings.internal\n zonefile: zone\n"
            )
        };
        Self::start_peer("NSD", "nsd", &["-d", "-c"], [127, 62, 1, 1], folder, size, text)
    }

    /// Knot with one worker; none where it is not installed.
    pub(crate) fn start_knot(folder: &Path, size: Size) -> Result<Option<Server>, String> {
        let text = |folder: &str| {
            format!(
                "server:\n rundir: {folder}\n listen: 127.62.2.1@8753\n udp-workers: 1\n tcp-workers: 1\n background-workers: 1\n\
                 database:\n storage: {folder}\nlog:\n - target: stderr\n   any: error\n\
                 zone:\n - domain: tidings.internal\n   storage: {folder}\n   file: zone\n"
            )
        };
        Self::start_peer("Knot", "knotd", &["-c"], [127, 62, 2, 1], folder, size, text)
    }

    fn start_peer(
        name: &str,
        program: &str,
        arguments: &[&str],
        address: [u8; 4],
        folder: &Path,
        size: Size,
        configuration: impl FnOnce(&str) -> String,
    ) -> Result<Option<Server>, String> {
        if Command::new(program).arg("-h").output().is_err() {
            println!("{name} is not installed");
            return Ok(None);
        }
        let folder = folder.join(program);
        let shown = folder.display().to_string();
        let prepare = || {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("zone"), size.zone())?;
            fs::write(folder.join("conf"), configuration(&shown))
        };
        prepare().map_err(|error| format!("can't prepare {name}: {error}"))?;
        let mut command = Command::new(program);
        command.args(arguments).arg(folder.join("conf"));
        let process = Group::start(on_first_processor(&command), &folder.join("log"))?;
        Ok(Some(Server { name: name.into(), address: (address, 8_753).into(), process, others: vec![], owners: vec![] }))
    }

    /// Waits until the last service is answered with all of its instances.
    pub(crate) async fn answers(&self, size: Size) -> Result<(), String> {
        let Some(last) = size.services.checked_sub(1) else { return Ok(()) };
        let labels = [service(last).as_str(), "service", "tidings", "internal"]
            .map(|label| [&[label.len() as u8], label.as_bytes()].concat())
            .concat();
        let query = [&b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"[..], &labels, b"\x00\x00\x01\x00\x01"].concat();
        let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let begun = Instant::now();
        while begun.elapsed() < START {
            let mut reply = [0; 1_232];
            // What is not up yet refuses, or says nothing.
            let _ = socket.send_to(&query, self.address).await;
            if let Ok(Ok(_)) = timeout(PATIENCE, socket.recv(&mut reply)).await
                && reply[7] == 3
            {
                return Ok(());
            }
            sleep(PATIENCE).await;
        }
        Err(format!("{} does not serve everything", self.name))
    }

    /// Processor time of all its processes.
    pub(crate) fn processor_time(&self) -> Result<Duration, String> {
        let stats = self.process.stats();
        if stats.is_empty() {
            return Err(format!("{} ended", self.name));
        }
        // User and system time are the 12th and 13th behind the name.
        Ok(stats.iter().map(|fields| TICK * u32::try_from(fields[11] + fields[12]).unwrap_or(u32::MAX)).sum())
    }

    /// Octets of its memory that are in use.
    pub(crate) fn memory(&self) -> f64 {
        self.process.stats().iter().map(|fields| fields[21] as f64 * 4_096.0).sum()
    }

    /// Asks the agent over HTTP, again and again, until that is ended.
    pub(crate) fn asked_over_http(&self) -> Asking {
        let (times, http) = (Arc::new(Mutex::new(Vec::new())), SocketAddr::new(self.address.ip(), 8_780));
        let noted = Arc::clone(&times);
        let task = tokio::spawn(async move {
            let mut ticks = interval(Duration::from_millis(20));
            let Ok(mut connection) = Connection::open(http).await else { return };
            loop {
                ticks.tick().await;
                let begun = Instant::now();
                match connection.get("/v1/agent", &[]).await {
                    Ok(answer) if answer.status == 200 => noted.lock().unwrap_or_else(PoisonError::into_inner).push(begun.elapsed()),
                    _ => return,
                }
            }
        });
        Asking { task, times }
    }

    /// How often one of the other agents found anybody down so far.
    pub(crate) async fn found_down(&self) -> Result<u64, String> {
        let mut all = 0;
        for owner in &self.owners {
            let answer = Connection::open(*owner).await?.get("/metrics", &[]).await?;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            let counts = text.lines().filter(|line| line.starts_with("tidings_down_verdicts_total"));
            all += counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(all)
    }

    /// Changes the catalog so many times a second, until it is dropped: one of the other agents registers an instance anew.
    pub(crate) fn changes(&self, rate: u32) -> Result<Changes, String> {
        let owner = *self.owners.first().ok_or("nobody owns an instance")?;
        let task = tokio::spawn(async move {
            let Ok(mut connection) = Connection::open(owner).await else { return };
            let mut ticks = interval(Duration::from_secs(1) / rate);
            for number in 0_u64.. {
                ticks.tick().await;
                let definition = json!({"service": "changing", "port": 1 + number % 60_000});
                if connection.exchange(&put("changing", &definition)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Changes(task))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.others.clear();
    }
}

/// Requests that go on.
pub(crate) struct Asking {
    task: JoinHandle<()>,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Asking {
    /// Ends them, and gives how long each took.
    pub(crate) fn end(self) -> Vec<Duration> {
        self.task.abort();
        std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Changes that go on.
pub(crate) struct Changes(JoinHandle<()>);

impl Drop for Changes {
    fn drop(&mut self) {
        self.0.abort();
    }
}
