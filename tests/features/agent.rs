//! An agent: a process of its own on a loopback address of its own, or on a host of its own.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{IpAddr, SocketAddr},
    path::{self, Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use tokio::process::{Child, Command};

use super::{
    addresses::{DNS, GOSSIP, HTTP},
    http::{self, Answer},
    wait::{DEADLINE, eventually},
};
use crate::netns::host::Host;

/// The program under test.
pub(crate) fn program() -> PathBuf {
    let other = env::var_os("TIDINGS_BIN").map(|path| path::absolute(path).expect("the working folder is there"));
    other.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tidings")))
}

/// The program, with none of the surrounding environment's settings.
pub(crate) fn command() -> Command {
    clean(None, &program())
}

/// The same on the host of an agent.
pub(crate) fn command_beside(agent: &Agent) -> Command {
    clean(agent.host.as_deref(), &program())
}

fn clean(host: Option<&Host>, program: &Path) -> Command {
    let mut command = match host {
        Some(host) => Command::from(host.command(program)),
        None => Command::new(program),
    };
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TIDINGS_")) {
        command.env_remove(name);
    }
    command.env("RUST_BACKTRACE", "1").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The program with a limit on the size of files. Without the signal that ends a program at that limit, a write fails as on
/// a disk that is full.
fn limited(host: Option<&Host>, blocks: u32) -> Command {
    let mut command = clean(host, Path::new("sh"));
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"")).arg("sh").arg(program());
    command
}

/// What an agent is started with beside what every agent of a scenario is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Flags and their values, those that repeat included.
    pub(crate) flags: Vec<(String, String)>,
    /// Environment variables.
    pub(crate) environment: Vec<(String, String)>,
    /// The configuration file, and the keys that it sets at its top level.
    pub(crate) file: Option<(PathBuf, Vec<String>)>,
    /// No file that the agent writes may grow beyond so many blocks of 512 octets.
    pub(crate) file_blocks: Option<u32>,
}

impl Settings {
    fn serve_https(&self) -> bool {
        let in_file =
            |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.starts_with("certificate =")));
        self.say("--http-certificate") || self.file.as_ref().is_some_and(|(path, _)| in_file(path))
    }

    /// Whether the scenario says this itself, in whatever way.
    fn say(&self, flag: &str) -> bool {
        let key = flag.trim_start_matches('-');
        let variable = format!("TIDINGS_{}", key.replace('-', "_").to_uppercase());
        self.flags.iter().any(|(name, _)| name == flag)
            || self.environment.iter().any(|(name, _)| *name == variable)
            || self.file.as_ref().is_some_and(|(_, keys)| keys.iter().any(|set| *set == key.replace('-', "_")))
    }
}

/// One agent through all its starts.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    /// Where its API is: on a host of its own, on a loopback address.
    home: IpAddr,
    /// Where it runs, if not on this machine.
    host: Option<Arc<Host>>,
    pub(crate) settings: Settings,
    pub(crate) log: PathBuf,
    defaults: BTreeMap<&'static str, String>,
    child: Option<Child>,
}

impl Agent {
    /// An agent that does not run yet. `folder` is the scenario's.
    pub(crate) fn new(name: &str, address: IpAddr, host: Option<(Arc<Host>, IpAddr)>, folder: &Path, cluster: &str) -> Agent {
        let at = |port| SocketAddr::new(address, port).to_string();
        let (host, home) = host.map_or((None, address), |(host, home)| (Some(host), home));
        let defaults = BTreeMap::from([
            ("--name", name.to_owned()),
            ("--cluster", cluster.to_owned()),
            ("--gossip", at(GOSSIP)),
            ("--http", SocketAddr::new(home, HTTP).to_string()),
            ("--dns", at(DNS)),
            ("--data-dir", folder.join(format!("{name}.data")).display().to_string()),
        ]);
        Agent {
            name: name.to_owned(),
            address,
            home,
            host,
            settings: Settings::default(),
            log: folder.join(format!("{name}.log")),
            defaults,
            child: None,
        }
    }

    pub(crate) fn gossip(&self) -> SocketAddr {
        (self.address, GOSSIP).into()
    }

    pub(crate) fn http(&self) -> SocketAddr {
        (self.home, HTTP).into()
    }

    pub(crate) fn dns(&self) -> SocketAddr {
        (self.address, DNS).into()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.settings.serve_https() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.http())
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, String> {
        let given = |flag: &str| self.settings.flags.iter().find(|(name, _)| name == flag).map(|(_, value)| value.as_str());
        if let (Some("none"), Some(socket)) = (given("--http"), given("--http-socket")) {
            return http::ask_at_socket("GET", Path::new(socket), path).await;
        }
        http::ask("GET", &self.url(path), None, Vec::new()).await
    }

    /// `tidings agent` with all that the scenario says and, for the rest, what every agent is given.
    pub(crate) fn command(&self) -> Command {
        let mut command = match self.settings.file_blocks {
            None => command_beside(self),
            Some(blocks) => limited(self.host.as_deref(), blocks),
        };
        command.arg("agent");
        if let Some((path, _)) = &self.settings.file {
            command.arg("--config").arg(path);
        }
        for (flag, value) in &self.defaults {
            if !self.settings.say(flag) {
                command.arg(flag).arg(value);
            }
        }
        for (flag, value) in &self.settings.flags {
            command.arg(flag).arg(value);
        }
        command.envs(self.settings.environment.iter().cloned());
        command
    }

    /// Starts the process. Its output goes to the end of its log.
    pub(crate) fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = fs::File::options().create(true).append(true).open(&self.log).expect("the scenario's folder is writable");
        let errors = log.try_clone().expect("a file can be cloned");
        let mut command = self.command();
        self.child = Some(command.stdout(log).stderr(errors).spawn().expect("the program can be started"));
    }

    /// Waits until the agent answers over HTTP.
    pub(crate) async fn answers(&mut self) {
        self.answers_at("/health/live").await;
    }

    /// Waits until the agent knows what its cluster knows.
    pub(crate) async fn is_ready(&mut self) {
        self.answers_at("/health/ready").await;
    }

    async fn answers_at(&mut self, path: &str) {
        let what = format!("{} answers at {path}", self.name);
        eventually(&what, async || {
            if let Some(status) = self.ended() {
                panic!("{} ended ({status}):\n{}", self.name, self.log_tail(30));
            }
            match self.get(path).await {
                Ok(answer) if answer.status.is_success() => Ok(()),
                Ok(answer) => Err(answer.to_string()),
                Err(error) => Err(error),
            }
        })
        .await;
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().expect("a child can be waited for")
    }

    /// Whether the process is there.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.is_some() && self.ended().is_none()
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().and_then(Child::id).unwrap_or_else(|| panic!("{} does not run", self.name));
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().await;
        assert!(sent.as_ref().is_ok_and(ExitStatus::success), "kill -{signal} {pid}: {sent:?}");
    }

    /// Waits until the process ended by itself.
    pub(crate) async fn ends(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap_or_else(|| panic!("{} does not run", self.name));
        match tokio::time::timeout(DEADLINE, child.wait()).await {
            Ok(status) => status.expect("a child can be waited for"),
            Err(_) => panic!("{} did not end within {DEADLINE:?}:\n{}", self.name, self.log_tail(30)),
        }
    }

    /// `kill -9`, and waits until the process is gone.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.ok();
        }
    }

    pub(crate) fn log_text(&self) -> String {
        fs::read(&self.log).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }

    pub(crate) fn log_tail(&self, lines: usize) -> String {
        let text = self.log_text();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}
