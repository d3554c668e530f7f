//! Records what real agents say: five of them, each behind somebody who listens, go through what befalls a cluster.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tidings::wire::HIGHEST_VERSION;
use tokio::time::{sleep, timeout};

use super::{
    files::{self, KEY, Manifest},
    kept,
    kinds::KINDS,
    recorder::{Recorder, Recording},
};

pub(super) const CLUSTER: &str = "recorded";
const NAMES: [&str; 5] = ["alpha", "beta", "gamma", "delta", "epsilon"];
const PORT: u16 = 8746;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_agents_say_is_recorded_where_a_version_has_no_folder() {
    if std::env::var_os("TIDINGS_RECORD_WIRE").is_none() {
        return;
    }
    let folder = files::folder(HIGHEST_VERSION);
    assert!(!folder.exists(), "{} is there: what was recorded of a version stays as it is", folder.display());
    fs::create_dir_all(&folder).expect("a folder can be made");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be had");
    let mut files = Vec::new();
    for sealed in [false, true] {
        let recordings = runtime.block_on(record(sealed));
        files.extend(kept::write(&folder, &recordings, sealed));
    }
    let manifest = Manifest { cluster: CLUSTER.into(), file: files };
    let text = format!(
        "# What agents of version {HIGHEST_VERSION} of the wire format said. What is encrypted is so with the key of the id {}, of which each octet is {:#04x}.\n# Not to be changed: \
         agents that say so are out there. `NAME.read` is what it means.\n\n{}",
        KEY.0,
        KEY.1,
        toml::to_string(&manifest).expect("it can be written")
    );
    fs::write(folder.join("manifest.toml"), text).expect("a file can be written");
}

/// An agent, and who listens on the way to it.
struct Agent {
    name: &'static str,
    number: u8,
    process: Child,
}

struct Stage<'a> {
    folder: &'a Path,
    sealed: bool,
    recorders: Vec<Recorder>,
}

impl Stage<'_> {
    /// Where an agent listens, and where it says that it does.
    fn address(number: u8) -> (Ipv4Addr, Ipv4Addr) {
        (Ipv4Addr::new(127, 77, 10, number + 1), Ipv4Addr::new(127, 77, 11, number + 1))
    }

    fn start(&self, number: u8, name: &'static str) -> Agent {
        let (here, told) = Self::address(number);
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command.arg("agent").args(["--name", name, "--cluster", CLUSTER, "--on-term", "restart"]);
        command.arg("--data-dir").arg(self.folder.join(format!("{name}{number}")));
        command.args(["--gossip", &format!("{here}:{PORT}"), "--advertise", &format!("{told}:{PORT}")]);
        command.args(["--http", &format!("{here}:8780"), "--dns", &format!("{here}:8753")]);
        if number > 0 {
            command.args(["--join", &format!("{}:{PORT}", Self::address(0).1)]);
        }
        if self.sealed {
            command.arg("--key-file").arg(self.folder.join("keys"));
        }
        let log = fs::File::options().create(true).append(true).open(self.folder.join(format!("{name}.log"))).expect("a log can be made");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Agent { name, number, process: command.spawn().expect("the agent starts") }
    }

    /// Runs a command at an agent. Whether it was done.
    fn run(&self, at: u8, arguments: &[&str], input: &str) -> (bool, String) {
        let file = self.folder.join("input.json");
        fs::write(&file, input).expect("a file can be written");
        let file = file.display().to_string();
        let arguments = arguments.iter().map(|argument| if *argument == "FILE" { file.as_str() } else { argument });
        let agent = format!("http://{}:8780", Self::address(at).0);
        let output = Command::new(env!("CARGO_BIN_EXE_tidings")).args(arguments).args(["--agent", &agent]).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    }

    async fn done(&self, at: u8, arguments: &[&str], input: &str) {
        self.until(&format!("{arguments:?} at {at}"), || self.run(at, arguments, input).0).await;
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let waited = timeout(PATIENCE, async {
            while !holds() {
                sleep(Duration::from_millis(100)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("it does not come about: {what}"));
    }

    /// Everybody of these shows so many members in a state.
    async fn members(&self, at: &[u8], state: &str, count: usize) {
        let shows = |at: u8| self.run(at, &["members"], "").1.lines().filter(|line| line.contains(state)).count() == count;
        self.until(&format!("{count} are {state}"), || at.iter().all(|at| shows(*at))).await;
    }

    fn recordings(&self) -> Vec<Recording> {
        self.recorders.iter().map(Recorder::recording).collect()
    }

    async fn heard(&self, kind: &str) {
        self.until(&format!("{kind} is said"), || kept::kinds(&self.recordings(), self.sealed).contains(kind)).await;
    }
}

impl Agent {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, signal).expect("it runs");
    }

    fn ends(mut self) {
        self.process.wait().expect("it ends");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn record(sealed: bool) -> Vec<Recording> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    if sealed {
        let keys = folder.path().join("keys");
        fs::write(&keys, format!("{}:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=\n", KEY.0)).expect("a file can be written");
        fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    }
    let mut recorders = Vec::new();
    for number in 0..NAMES.len() as u8 {
        let (here, told) = Stage::address(number);
        recorders.push(Recorder::on_the_way(SocketAddr::from((told, PORT)), SocketAddr::from((here, PORT))).await);
    }
    let stage = Stage { folder: folder.path(), sealed, recorders };
    // Nobody is behind the address that it joins by: its stream ends without a word, and the next one begins with what it speaks.
    let beta = stage.start(1, NAMES[1]);
    let log = || fs::read_to_string(folder.path().join("beta.log")).unwrap_or_default();
    stage.until("beta's stream ends without a word", || log().contains("without a word")).await;
    let alpha = stage.start(0, NAMES[0]);
    stage.heard("SPEAKS").await;
    let gamma = stage.start(2, NAMES[2]);
    let delta = stage.start(3, NAMES[3]);
    stage.members(&[0, 1, 2, 3], "alive", 4).await;
    let web = r#"{"id": "web-1", "service": "web", "port": 8080, "addresses": ["10.0.0.5", "fd00::5"], "tags": ["v1"], "meta": {"git": "a1b2c3"}, "weight": 7,
        "checks": [{"id": "beat", "ttl": "60s"}]}"#;
    stage.done(0, &["register", "FILE"], web).await;
    stage.done(0, &["heartbeat", "web-1", "beat"], "").await;
    stage.done(0, &["heartbeat", "web-1", "beat", "--status", "critical"], "").await;
    stage.done(1, &["register", "FILE"], r#"{"id": "dns-1", "service": "names", "port": 53, "protocol": "udp"}"#).await;
    // Too large for a datagram: it travels by stream.
    let long = "x".repeat(200);
    let meta: Vec<String> = (0..8).map(|n| format!(r#""key-{n}": "{long}""#)).collect();
    stage
        .done(2, &["register", "FILE"], &format!(r#"{{"id": "large", "service": "web", "port": 81, "meta": {{{}}}}}"#, meta.join(", ")))
        .await;
    stage.until("all show it", || (0..4).all(|at| stage.run(at, &["instances", "--status", "any"], "").1.contains("large"))).await;
    stage.done(2, &["maintenance", "on", "large", "--reason", "a new disk"], "").await;
    stage.done(3, &["maintenance", "on", "--reason", "it is moved"], "").await;
    stage.done(3, &["maintenance", "off"], "").await;
    stage.done(1, &["deregister", "dns-1"], "").await;
    // Held up for a moment: others are asked whether they reach it.
    delta.signal(Signal::STOP);
    stage.heard("PROBE_REPORT").await;
    delta.signal(Signal::CONT);
    stage.members(&[0, 1, 2, 3], "alive", 4).await;
    // Somebody asks for a name that is another's.
    let twin = stage.start(4, NAMES[0]);
    stage.heard("REFUSE").await;
    drop(twin);
    // A restart that is announced, a death, a node that is forgotten, and one that comes back.
    beta.signal(Signal::TERM);
    beta.ends();
    stage.members(&[0, 2, 3], "restarting", 1).await;
    let beta = stage.start(1, NAMES[1]);
    stage.members(&[0, 1, 2, 3], "alive", 4).await;
    drop(gamma);
    stage.members(&[0, 1, 3], "down", 1).await;
    stage.done(0, &["forget", NAMES[2]], "").await;
    let gamma = stage.start(2, NAMES[2]);
    stage.members(&[0, 1, 2, 3], "alive", 4).await;
    stage.heard("GRAVES").await;
    stage.done(3, &["leave"], "").await;
    stage.members(&[0, 1, 2], "left", 1).await;
    for (_, kind) in KINDS {
        stage.heard(kind).await;
    }
    assert_eq!([&alpha, &beta, &gamma].map(|agent| (agent.name, agent.number)), [("alpha", 0), ("beta", 1), ("gamma", 2)]);
    stage.recordings()
}
