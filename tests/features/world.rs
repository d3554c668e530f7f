//! What a scenario acts in: its agents, its folder, and what it last saw.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use cucumber::gherkin::Step;
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::client::TlsStream;

use super::{
    addresses::Block,
    agent::Agent,
    asker::Asker,
    background::Background,
    dns::Reply,
    events::Follower,
    http::Answer,
    network::Network,
    pki::{self, Authorities},
    recorder::Recorder,
    service::Service,
};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) line: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) agents: BTreeMap<String, Agent>,
    addresses: BTreeMap<String, IpAddr>,
    block: Block,
    /// Where its agents are, if not on loopback addresses of this machine.
    pub(crate) network: Option<Network>,
    folder: Option<TempDir>,
    /// What was last asked, and what came back.
    pub(crate) answer: Option<Answer>,
    pub(crate) reply: Option<Reply>,
    pub(crate) raw_replies: Vec<Vec<u8>>,
    pub(crate) run: Option<Run>,
    /// A command that goes on.
    pub(crate) background: Option<Background>,
    /// Clients that ask all the while, by the agent that they ask.
    pub(crate) askers: BTreeMap<String, Asker>,
    /// A request that is under way.
    pub(crate) waiting: Option<JoinHandle<Result<Answer, String>>>,
    /// Streams of events that are followed.
    pub(crate) followers: Vec<Follower>,
    /// Things that a later step compares with.
    pub(crate) notes: BTreeMap<String, String>,
    /// Connections and ports that stay open until the scenario ends.
    pub(crate) streams: Vec<TcpStream>,
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) sockets: Vec<UdpSocket>,
    /// Where agents tell their service manager how they are.
    pub(crate) notices: Option<UnixDatagram>,
    /// What it was last told.
    pub(crate) notice: String,
    /// What goes on until the scenario ends.
    pub(crate) floods: JoinSet<()>,
    /// Somebody on the way to an agent.
    pub(crate) recorder: Option<Recorder>,
    /// What an agent said before it was killed.
    pub(crate) last_words: Vec<u8>,
    /// Services beside agents, by the agent's name.
    pub(crate) services: BTreeMap<String, Service>,
    /// Who signs certificates.
    pub(crate) authorities: Authorities,
    /// A connection over TLS that stays open.
    pub(crate) held: Option<TlsStream<TcpStream>>,
    /// What listens at a path, until the scenario ends.
    pub(crate) unix: Option<UnixListener>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::Builder::new().prefix("scenario-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
        World {
            agents: BTreeMap::new(),
            addresses: BTreeMap::new(),
            block: Block::reserve(),
            network: None,
            folder: Some(folder),
            answer: None,
            reply: None,
            raw_replies: Vec::new(),
            run: None,
            background: None,
            askers: BTreeMap::new(),
            waiting: None,
            followers: Vec::new(),
            notes: BTreeMap::new(),
            floods: JoinSet::new(),
            streams: Vec::new(),
            listeners: Vec::new(),
            sockets: Vec::new(),
            notices: None,
            notice: String::new(),
            recorder: None,
            last_words: Vec::new(),
            services: BTreeMap::new(),
            authorities: BTreeMap::new(),
            held: None,
            unix: None,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("it is there until the scenario ends").path()
    }

    /// The address that belongs to a name, whether or not its agent runs.
    pub(crate) fn address(&mut self, name: &str) -> IpAddr {
        if let Some(address) = self.network.as_ref().and_then(|network| network.address(name)) {
            return address;
        }
        let n = self.addresses.len();
        *self.addresses.entry(name.to_owned()).or_insert_with(|| self.block.agent(n).into())
    }

    /// The network that the scenario's hosts are on; made where there is none.
    pub(crate) fn network(&mut self) -> &mut Network {
        if self.network.is_none() {
            self.network = Some(Network::new(self.folder()).unwrap_or_else(|error| panic!("{error}")));
        }
        self.network.as_mut().expect("it was just made")
    }

    /// Has the harness trust all authorities that there are by now when it asks an agent.
    pub(crate) fn trust(&mut self, name: &str) {
        let at = self.agent_mut(name).http();
        if let Some(settings) = pki::trusting_all(&self.authorities) {
            pki::register(at, settings);
        }
    }

    pub(crate) fn nobody(&self) -> Ipv4Addr {
        self.block.nobody()
    }

    /// The agent of this name.
    pub(crate) fn agent(&self, name: &str) -> &Agent {
        self.agents.get(name).unwrap_or_else(|| panic!("the scenario has no agent {name}"))
    }

    /// The agent of this name, made where it is new.
    pub(crate) fn agent_mut(&mut self, name: &str) -> &mut Agent {
        if !self.agents.contains_key(name) {
            let address = self.address(name);
            let cluster = self.cluster();
            let host = self.network.as_ref().and_then(|network| network.host(name));
            let agent = Agent::new(name, address, host, self.folder(), &cluster);
            self.agents.insert(name.to_owned(), agent);
        }
        self.agents.get_mut(name).expect("it was just made")
    }

    /// The cluster that agents of this scenario are of unless it says otherwise.
    pub(crate) fn cluster(&self) -> String {
        format!("features-{}", self.nobody().to_string().replace('.', "-"))
    }

    /// Text of a feature with `{alpha}` (an agent's address), `{alpha.hex}` (the same in hexadecimal), `{alpha.reversed}` (backwards), `{alpha.six}` and
    /// `{alpha.second}` (another one of its host's), `{router}`, `{nobody}` (an address at which
    /// nothing listens), `{noted}` (what was last noted of an answer), `{folder}` (the scenario's) and `{cluster}` filled in.
    pub(crate) fn fill(&mut self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            filled.push_str(before);
            let name = from[1..].split('}').next().filter(|name| is_placeholder(name) && from.len() > name.len() + 1);
            match name {
                Some(name) => {
                    filled.push_str(&self.meaning(name));
                    rest = &from[name.len() + 2..];
                }
                None => {
                    filled.push('{');
                    rest = &from[1..];
                }
            }
        }
        filled + rest
    }

    fn meaning(&mut self, placeholder: &str) -> String {
        if let Some(name) = placeholder.strip_suffix(".reversed") {
            let address = self.address(name).to_string();
            return address.rsplit('.').collect::<Vec<_>>().join(".");
        }
        let (name, hex) = placeholder.strip_suffix(".hex").map_or((placeholder, false), |name| (name, true));
        let address: IpAddr = match name {
            "folder" => return self.folder().display().to_string(),
            "cluster" => return self.cluster(),
            "noted" => return self.notes.get("noted").expect("the scenario noted something before").clone(),
            "nobody" => self.nobody().into(),
            "router" => self.network().router(),
            _ => match name.split_once('.') {
                Some((name, which)) => {
                    let other = self.network().other_address(name, which);
                    other.unwrap_or_else(|| panic!("the host of {name} has no {which} address"))
                }
                None => self.address(name),
            },
        };
        match address {
            IpAddr::V4(address) if hex => format!("{:08x}", u32::from(address)),
            IpAddr::V6(address) if hex => format!("{:032x}", u128::from(address)),
            address => address.to_string(),
        }
    }

    /// A step's table with its placeholders filled in; empty where there is none.
    pub(crate) fn table(&mut self, step: &Step) -> Vec<Vec<String>> {
        let rows = step.table.as_ref().map(|table| table.rows.clone()).unwrap_or_default();
        rows.iter().map(|row| row.iter().map(|cell| self.fill(cell)).collect()).collect()
    }

    /// A step's text block with its placeholders filled in.
    pub(crate) fn text(&mut self, step: &Step) -> String {
        let text = step.docstring.clone().unwrap_or_else(|| panic!("the step needs a text block"));
        self.fill(text.strip_prefix('\n').unwrap_or(&text))
    }

    /// What HTTP last answered.
    pub(crate) fn answered(&self) -> &Answer {
        self.answer.as_ref().expect("the scenario asked over HTTP before")
    }

    /// What DNS last answered.
    pub(crate) fn replied(&self) -> &Reply {
        self.reply.as_ref().expect("the scenario asked over DNS before")
    }

    /// How the last command ended.
    pub(crate) fn ran(&self) -> &Run {
        self.run.as_ref().expect("the scenario ran a command before")
    }

    /// Ends what the scenario started.
    pub(crate) async fn end(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.abort();
        }
        if let Some(background) = self.background.take() {
            self.run = Some(background.kill().await);
        }
        for agent in self.agents.values_mut() {
            agent.kill().await;
        }
        self.network = None;
    }

    /// What helps to understand a failure. Keeps the folder.
    pub(crate) fn remains(&mut self) -> String {
        let mut text = String::new();
        if let Some(answer) = &self.answer {
            text += &format!("--- last answer over HTTP\n{answer}\n");
        }
        if let Some(reply) = &self.reply {
            text += &format!("--- last answer over DNS\n{reply}\n");
        }
        if let Some(run) = &self.run {
            text += &format!("--- {} exited with {:?}\n{}\n{}\n", run.line, run.code, run.stdout, run.stderr);
        }
        for agent in self.agents.values() {
            text += &format!("--- the end of {}'s log ({})\n{}\n", agent.name, agent.address, agent.log_tail(25));
        }
        if let Some(folder) = self.folder.take() {
            let kept: PathBuf = folder.keep();
            text += &format!("--- kept: {}\n", kept.display());
        }
        text
    }
}

fn is_placeholder(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'.')
}
