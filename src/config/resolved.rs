//! What an agent runs with, checked: whoever holds a [`Resolved`] need not ask whether it makes sense.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    net::{IpAddr, SocketAddr},
    path::{self, Path, PathBuf},
    str::FromStr,
};

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{
    ConfigError, Definitions, HttpTls, Key, Names, Seed, Surroundings, Ttls, address, dns,
    file::{self, Line},
    http,
    keys::{self, META},
    layers::{Given, Layers},
};
use crate::{
    access::{self, Policy, Token},
    keyring::{self, KeyFile, Keyring, Keys},
    model::{ClusterName, Domain, NodeName, Zone, encryption::Mode, instance::meta_flaws, limits, name::is_dns_label},
};

/// What an agent runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name of this node.
    pub name: NodeName,
    /// Where it is.
    pub zone: Option<Zone>,
    /// Its metadata, within the limits.
    pub meta: BTreeMap<String, String>,
    /// The cluster it belongs to.
    pub cluster: ClusterName,
    /// The folder for what has to survive a restart; an absolute path. It may not exist yet.
    pub data_dir: PathBuf,
    /// Where gossip is received, over UDP and TCP.
    pub gossip: SocketAddr,
    /// Where others reach this agent's gossip, if somebody said so.
    pub advertise: Option<Advertise>,
    /// How gossip is encrypted; the path of its file is absolute.
    pub keys: Keys,
    /// Where the REST API is served over TCP, if it is.
    pub http: Option<SocketAddr>,
    /// The Unix socket that it is served at, if it is; an absolute path.
    pub http_socket: Option<PathBuf>,
    /// The mode of that socket: bits of permission, and no others.
    pub http_socket_mode: u32,
    /// What it shows and asks for over TCP, where it is served as https.
    pub http_tls: Option<HttpTls>,
    /// Names that clients may ask the REST API by, in the order given, without repetition.
    pub http_names: Vec<Domain>,
    /// Who may do what through the API.
    pub access: Policy,
    /// The file that its tokens are in; an absolute path.
    pub token_file: Option<PathBuf>,
    /// Where DNS is served, over UDP and TCP.
    pub dns: SocketAddr,
    /// The names that are answered.
    pub names: Names,
    /// Whom to join, in the order given, without repetition.
    pub join: Vec<Seed>,
    /// A folder with files of services; an absolute path.
    pub service_dir: Option<PathBuf>,
    /// What files define.
    pub definitions: Definitions,
    /// What to do on SIGTERM and SIGINT.
    pub on_term: OnTerm,
    /// A filter that [`Targets`] understands.
    pub log: String,
    /// How to write the log.
    pub log_format: LogFormat,
}

impl Resolved {
    /// Where the REST API is served, for people.
    pub fn served(&self) -> String {
        let secure = if self.http_tls.is_some() { "s" } else { "" };
        let address = self.http.map(|address| format!("http{secure}://{address}"));
        let socket = self.http_socket.as_ref().map(|path| format!("unix:{}", path.display()));
        address.into_iter().chain(socket).collect::<Vec<_>>().join(" and ")
    }
}

/// An address that others reach this agent's gossip at; it is one that can be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advertise {
    /// The address.
    pub ip: IpAddr,
    /// The port, where it isn't the one that gossip is received on.
    pub port: Option<u16>,
}

impl fmt::Display for Advertise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

/// What to do on SIGTERM and SIGINT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTerm {
    /// Take leave of the cluster: what this node offers is no longer handed out.
    Leave,
    /// Announce a short absence: what this node offers stays handed out meanwhile.
    Restart,
}

impl fmt::Display for OnTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnTerm::Leave => "leave",
            OnTerm::Restart => "restart",
        })
    }
}

impl FromStr for OnTerm {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "leave" => Ok(OnTerm::Leave),
            "restart" => Ok(OnTerm::Restart),
            _ => Err(format!("{text:?} is neither \"leave\" nor \"restart\"")),
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        })
    }
}

impl FromStr for LogFormat {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("{text:?} is neither \"text\" nor \"json\"")),
        }
    }
}

/// Checks every setting.
pub(super) fn resolve(layers: &Layers<'_>, surroundings: &Surroundings) -> Result<Resolved, ConfigError> {
    let mut check = Check { layers, errors: Vec::new() };
    let name = match layers.get(&keys::NAME) {
        Some(_) => check.setting(&keys::NAME, NodeName::new),
        None => check.note(name_of_host(&surroundings.host_name)),
    };
    let zone = check.setting(&keys::ZONE, Zone::new);
    let cluster = check.setting(&keys::CLUSTER, ClusterName::new);
    let data_dir = match layers.get(&keys::DATA_DIR) {
        Some(_) => check.setting(&keys::DATA_DIR, absolute),
        None => check.note(default_data_dir(surroundings)),
    };
    let gossip = check.setting(&keys::GOSSIP, |text| address::listen(text, address::GOSSIP_PORT));
    let advertise = check.setting(&keys::ADVERTISE, address::advertise);
    let key_file = check.key_file(surroundings);
    let keyring = check.keyring(key_file.as_ref());
    let mode = check.encryption(key_file.is_some());
    let http = check.http();
    let http_socket = check.setting(&keys::HTTP_SOCKET, absolute);
    let http_socket_mode = check.setting(&keys::HTTP_SOCKET_MODE, http::mode);
    let http_tls = check.http_tls(surroundings);
    let dns = check.setting(&keys::DNS, |text| address::listen(text, address::DNS_PORT));
    let names = check.names();
    let local = check.setting(&keys::HTTP_LOCAL, str::parse);
    let reads = check.setting(&keys::HTTP_READS, str::parse);
    let token_file = check.setting(&keys::TOKEN_FILE, absolute);
    let tokens = check.tokens(token_file.as_deref());
    let http_names = check.settings(&keys::HTTP_NAME, Domain::new);
    let join: Vec<Seed> = check.settings(&keys::JOIN, str::parse);
    let service_dir = check.setting(&keys::SERVICE_DIR, absolute);
    let definitions = check.definitions(service_dir.as_deref());
    let on_term = check.setting(&keys::ON_TERM, str::parse);
    let log = check.setting(&keys::LOG, log_filter);
    let log_format = check.setting(&keys::LOG_FORMAT, str::parse);
    let meta = check.meta();
    check.apart(&[(&keys::GOSSIP, gossip), (&keys::HTTP, http.flatten()), (&keys::DNS, dns)]);

    // Whatever is missing here has left an error, and an agent with an error does not start.
    let complete = || {
        let (name, cluster, data_dir, log) = (name?, cluster?, data_dir?, log?);
        let (gossip, http, dns, names) = (gossip?, http?, dns?, names?);
        let (on_term, log_format) = (on_term?, log_format?);
        let keys = Keys { mode: mode?, keyring: keyring?, file: key_file };
        Some(Resolved {
            name,
            zone,
            meta,
            cluster,
            data_dir,
            gossip,
            advertise,
            keys,
            http,
            http_socket,
            http_socket_mode: http_socket_mode?,
            http_tls,
            http_names,
            access: Policy { local: local?, reads: reads?, tokens: tokens? },
            token_file,
            dns,
            names,
            join,
            service_dir,
            definitions,
            on_term,
            log,
            log_format,
        })
    };
    if check.errors.is_empty() {
        return Ok(complete().expect("a value that is missing has left an error"));
    }
    Err(ConfigError(check.errors))
}

pub(super) struct Check<'a> {
    pub(super) layers: &'a Layers<'a>,
    errors: Vec<String>,
}

impl Check<'_> {
    pub(super) fn setting<T, E: Display>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let Given { texts, origin } = self.layers.get(key)?;
        let text = texts.last()?;
        self.note(parse(text).map_err(|error| format!("{origin}: {error}")))
    }

    pub(super) fn note<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// All values of a setting that takes several, each once.
    fn settings<T: PartialEq, E: Display>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let Some(Given { texts, origin }) = self.layers.get(key) else { return Vec::new() };
        let mut values = Vec::new();
        for text in texts {
            match self.note(parse(&text).map_err(|error| format!("{origin}: {error}"))) {
                Some(value) if !values.contains(&value) => values.push(value),
                _ => {}
            }
        }
        values
    }

    /// The file with keys, and who answers for what is in it.
    fn key_file(&mut self, surroundings: &Surroundings) -> Option<(PathBuf, KeyFile)> {
        if self.layers.get(&keys::KEY_FILE).is_some() {
            return Some((self.setting(&keys::KEY_FILE, absolute)?, KeyFile::Ours));
        }
        // systemd.exec(5), LoadCredential: there if and only if the unit says so.
        let credential = Path::new(surroundings.var("CREDENTIALS_DIRECTORY")?).join("tidings.keys");
        // One that can't be read is no reason to speak unencrypted.
        let there = self.note(credential.try_exists().map_err(|error| format!("{}: {error}", credential.display())))?;
        there.then_some((credential, KeyFile::Credential))
    }

    fn tokens(&mut self, path: Option<&Path>) -> Option<Vec<Token>> {
        let Some((path, given)) = path.zip(self.layers.get(&keys::TOKEN_FILE)) else {
            return Some(Vec::new());
        };
        let shown = path.display().to_string();
        let within = |(line, value)| Line { value, line }.within(&shown);
        let all = |flaws: access::Flaws| flaws.into_iter().map(within).collect::<Vec<_>>().join("\n");
        let text = file::read(path).map_err(|error| format!("{shown}: {error}"));
        let tokens = text.and_then(|text| access::parse(&text).map_err(all));
        self.note(tokens.map_err(|error| format!("{}: {error}", given.origin)))
    }

    fn keyring(&mut self, file: Option<&(PathBuf, KeyFile)>) -> Option<Keyring> {
        let Some((path, kind)) = file else {
            return Some(Keyring::default());
        };
        let origin = self.layers.get(&keys::KEY_FILE).map(|given| format!("{}: ", given.origin)).unwrap_or_default();
        self.note(keyring::load(path, *kind).map_err(|error| format!("{origin}{error}")))
    }

    fn encryption(&mut self, with_keys: bool) -> Option<Mode> {
        let Some(Given { origin, .. }) = self.layers.get(&keys::ENCRYPTION) else {
            return Some(if with_keys { Mode::Require } else { Mode::Off });
        };
        let mode: Mode = self.setting(&keys::ENCRYPTION, str::parse)?;
        let lacking = || {
            format!("{origin}: {mode} takes keys: name the file with them with --key-file, TIDINGS_KEY_FILE or gossip.key_file in the file")
        };
        let result = if mode.encrypts() && !with_keys { Err(lacking()) } else { Ok(mode) };
        self.note(result)
    }

    fn definitions(&mut self, service_dir: Option<&Path>) -> Definitions {
        let mut definitions = Definitions::default();
        if let Some((path, written)) = self.layers.file() {
            definitions.add_services(path, &written.services, &mut self.errors);
            definitions.add_checks(path, &written.checks, &mut self.errors);
        }
        if let Some((folder, given)) = service_dir.zip(self.layers.get(&keys::SERVICE_DIR)) {
            definitions.add_folder(&given.origin.to_string(), folder, &mut self.errors);
        }
        definitions.check_limits(&mut self.errors);
        definitions
    }

    fn names(&mut self) -> Option<Names> {
        let domain = self.setting(&keys::DOMAIN, Domain::new);
        let alt_domain = self.setting(&keys::DNS_ALT_DOMAIN, Domain::new);
        let services = self.setting(&keys::DNS_TTL, dns::ttl);
        let negative = self.setting(&keys::DNS_NEGATIVE_TTL, dns::ttl);
        let service = self.settings(&keys::DNS_SERVICE_TTL, dns::service_ttl).into_iter().collect();
        let prefer = self.setting(&keys::DNS_PREFER, str::parse);
        let upstreams = self.settings(&keys::DNS_UPSTREAM, str::parse);
        let ttls = Ttls { services: services?, service, negative: negative? };
        let reply_rate = self.setting(&keys::DNS_RATE_LIMIT, dns::reply_rate);
        Some(Names { domain: domain?, alt_domain, ttls, prefer: prefer?, upstreams, reply_rate: reply_rate? })
    }

    fn meta(&mut self) -> BTreeMap<String, String> {
        let Some((path, written)) = self.layers.file() else { return BTreeMap::new() };
        for (key, pair) in &written.meta {
            for flaw in meta_flaws("", &BTreeMap::from([(key.clone(), pair.value.clone())])) {
                self.errors.push(format!("{path}, line {}: {META}.{key}: {}", pair.line, flaw.detail));
            }
        }
        let (count, most) = (written.meta.len(), limits::META_PAIRS);
        if count > most {
            self.errors.push(format!("{path}, line {}: {META}: has {count} pairs; at most {most} are allowed", written.meta_line));
        }
        written.meta.iter().map(|(key, pair)| (key.clone(), pair.value.clone())).collect()
    }

    /// All three listen over TCP, so no two of them may share an address and a port.
    fn apart(&mut self, listeners: &[(&Key, Option<SocketAddr>)]) {
        for (index, (key, address)) in listeners.iter().enumerate() {
            for (other, taken) in &listeners[..index] {
                if let (Some(address), Some(taken)) = (address, taken)
                    && collide(*address, *taken)
                {
                    self.errors.push(format!(
                        "--{} ({taken}) and --{} ({address}) can't both listen on port {}",
                        other.flag,
                        key.flag,
                        taken.port()
                    ));
                }
            }
        }
    }
}

fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let all = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && (all || one.ip() == other.ip())
}

/// The first label of a host name, with what no label may hold turned into hyphens.
fn name_of_host(host: &str) -> Result<NodeName, String> {
    let first = host.split('.').next().unwrap_or_default();
    let hyphenated: String = first.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(limits::LABEL_OCTETS).collect();
    let label = hyphenated.trim_matches('-');
    debug_assert!(label.is_empty() || is_dns_label(label));
    NodeName::new(label).map_err(|_| {
        format!("--name: no node name can be made of the host name {host:?}; name this node with --name, TIDINGS_NAME or name in the file")
    })
}

fn default_data_dir(surroundings: &Surroundings) -> Result<PathBuf, String> {
    if surroundings.root {
        return Ok(PathBuf::from("/var/lib/tidings"));
    }
    // The XDG specification has relative paths ignored.
    let folder = |name| surroundings.var(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state"))) {
        Some(state) => Ok(state.join("tidings")),
        None => Err(
            "--data-dir: there is no home folder to keep data in; name a folder with --data-dir, TIDINGS_DATA_DIR or data_dir in the file"
                .into(),
        ),
    }
}

pub(super) fn absolute(text: &str) -> Result<PathBuf, String> {
    path::absolute(text).map_err(|error| format!("{text:?} is no folder: {error}"))
}

/// Levels, or parts with theirs. [`Targets`] would take a misspelled level for the name of a part, and log nothing else.
fn log_filter(text: &str) -> Result<String, String> {
    let known = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    if text.split(',').all(|part| !part.trim().is_empty() && known(part.trim())) && text.parse::<Targets>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no level: write off, error, warn, info, debug or trace, also per part as in info,tidings::dns=debug"))
}
