//! The agents of the demo: processes of their own, on loopback addresses of their own.

use std::{
    env, fs,
    fs::File,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use http::Method;
use tempfile::TempDir;

use super::{
    super::{client::Api, view},
    story::program,
};
use crate::config::{
    KEYS,
    address::{DNS_PORT, GOSSIP_PORT, HTTP_PORT},
};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];
/// The port of the service that is registered. Nothing listens there.
const WEB_PORT: u16 = 8080;
/// Lines of a log that are shown when its agent ended unasked.
const LOG_LINES: usize = 5;

/// Three agents and the folder that they keep everything in. All is gone when this is dropped.
pub(super) struct Cluster {
    // Before the folder, so that nobody writes into it any more when it is removed.
    agents: Vec<Agent>,
    folder: TempDir,
}

/// One agent, running or not.
pub(super) struct Agent {
    name: &'static str,
    ip: Ipv4Addr,
    folder: PathBuf,
    process: Option<Child>,
}

impl Cluster {
    /// Finds free addresses and makes the folder; starts nothing yet.
    pub(super) fn new() -> Result<Cluster, String> {
        let net = (0..=255).find_map(|net| free(net).transpose());
        let net = net.ok_or("all addresses from 127.77.0.1 to 127.77.255.3 are in use; end a few other demos")??;
        let folder = tempfile::Builder::new()
            .prefix("tidings-demo-")
            .tempdir()
            .map_err(|error| format!("can't make a folder for the demo: {error}"))?;
        let agent = |(name, ip): (&'static str, Ipv4Addr)| Agent { name, ip, folder: folder.path().join(name), process: None };
        let agents = NAMES.into_iter().zip(addresses(net)).map(agent).collect();
        Ok(Cluster { agents, folder })
    }

    pub(super) fn agents(&self) -> &[Agent] {
        &self.agents
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts an agent, and gives what to type for that.
    pub(super) fn start(&mut self, index: usize) -> Result<String, String> {
        let seed = self.agents[0].ip;
        let agent = &mut self.agents[index];
        let join = (agent.ip != seed).then_some(seed);
        agent.start(join)
    }

    /// Kills an agent without a warning, and gives what to type for that.
    pub(super) fn kill(&mut self, index: usize) -> Result<String, String> {
        let agent = &mut self.agents[index];
        let pid = agent.process.as_ref().map(Child::id).ok_or_else(|| format!("{} is not running", agent.name))?;
        agent.end().map_err(|error| format!("can't kill {}: {error}", agent.name))?;
        Ok(format!("kill -9 {pid}"))
    }

    /// Sees to it that no agent ended unasked.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.agents.iter_mut().try_for_each(Agent::check)
    }

    /// Whether each agent sees all of them alive.
    pub(super) async fn all_know_each_other(&self) -> Result<bool, String> {
        for agent in &self.agents {
            if agent.members().await?.iter().filter(|node| node.state == "alive").count() < self.agents.len() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Agent {
    pub(super) fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    pub(super) fn dns(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.ip), DNS_PORT)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}:{HTTP_PORT}", self.ip)
    }

    /// The nodes that it knows of.
    pub(super) async fn members(&self) -> Result<Vec<view::Node>, String> {
        let nodes = async { self.api()?.call(Method::GET, "/v1/nodes").await?.read() };
        nodes.await.map(|view::Items { items, .. }| items).map_err(|failure| failure.message)
    }

    /// Registers the service with it, and gives what to type for that.
    pub(super) async fn register(&self) -> Result<String, String> {
        let definition = format!(r#"{{"service": "web", "port": {WEB_PORT}, "tags": ["v1"]}}"#);
        let path = "/v1/agent/instances/web-1";
        let command = format!("curl -X PUT {}{path} --json '{definition}'", self.url());
        let done = async { self.api()?.put(path, definition.into_bytes()).await?.done() };
        done.await.map(|()| command).map_err(|failure| failure.message)
    }

    fn api(&self) -> Result<Api, super::Failure> {
        Api::at(self.url())
    }

    fn start(&mut self, join: Option<Ipv4Addr>) -> Result<String, String> {
        let arguments = self.arguments(join);
        let failed = |error: io::Error| format!("can't start {}: {error}", self.name);
        let log = File::options().create(true).append(true).open(self.log()).map_err(failed)?;
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // What the user has set for an agent of their own is not meant for these.
        for key in KEYS {
            command.env_remove(key.env);
        }
        // A group of its own keeps a Ctrl-C, which goes to a whole group, for the demo: that ends its agents itself.
        command.process_group(0);
        self.process = Some(command.spawn().map_err(failed)?);
        // Quoting is needed by nothing that stands in it but the folder's name, and that only on odd systems.
        Ok(format!("{} {}", program(), arguments.join(" ")))
    }

    fn arguments(&self, join: Option<Ipv4Addr>) -> Vec<String> {
        let address = |port: u16| format!("{}:{port}", self.ip);
        let mut flags = vec![("name", self.name.to_owned()), ("gossip", address(GOSSIP_PORT))];
        flags.extend([("http", address(HTTP_PORT)), ("dns", address(DNS_PORT))]);
        flags.push(("data-dir", self.folder.display().to_string()));
        flags.extend(join.map(|seed| ("join", seed.to_string())));
        ["agent".to_owned()].into_iter().chain(flags.into_iter().flat_map(|(flag, value)| [format!("--{flag}"), value])).collect()
    }

    fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    fn check(&mut self) -> Result<(), String> {
        let ended = self.process.as_mut().and_then(|process| process.try_wait().transpose());
        let how = match ended {
            None => return Ok(()),
            Some(Ok(status)) => status.to_string(),
            Some(Err(error)) => error.to_string(),
        };
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
        Err(format!("the agent {} ended unasked ({how}); the end of its log:\n  {last}", self.name))
    }

    fn end(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().and_then(|()| process.wait()).map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // One that can't be killed has ended already.
        drop(self.end());
    }
}

fn addresses(net: u8) -> [Ipv4Addr; 3] {
    [1, 2, 3].map(|host| Ipv4Addr::new(127, 77, net, host))
}

/// The net, if all that the agents listen on is free in it.
fn free(net: u8) -> Result<Option<u8>, String> {
    for ip in addresses(net) {
        for port in [GOSSIP_PORT, HTTP_PORT, DNS_PORT] {
            match TcpListener::bind((ip, port)).and_then(|_| UdpSocket::bind((ip, port))) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(None),
                Err(error) => {
                    return Err(format!(
                        "the demo needs the loopback addresses 127.77.{net}.1 to 127.77.{net}.3, but can't use {ip}:{port}: {error}"
                    ));
                }
            }
        }
    }
    Ok(Some(net))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_in_use_is_passed_over() {
        let Some(net) = (200..=255).find(|net| free(*net) == Ok(Some(*net))) else { panic!("no net is free") };
        let _taken = UdpSocket::bind((addresses(net)[2], DNS_PORT)).unwrap();
        assert_eq!(free(net), Ok(None));
    }

    #[test]
    fn an_agent_is_started_with_flags_that_the_agent_has() {
        let agent = Agent { name: "beta", ip: Ipv4Addr::new(127, 77, 0, 2), folder: "/tmp/demo/beta".into(), process: None };
        let arguments = agent.arguments(Some(Ipv4Addr::new(127, 77, 0, 1)));
        super::super::super::command().try_get_matches_from(["tidings".to_owned()].into_iter().chain(arguments)).unwrap();
    }
}
