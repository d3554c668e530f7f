//! The composition root: puts an agent together, runs it, and ends it in order.

mod address;
mod clock;
mod disk;
mod event_log;
mod families;
mod figures;
mod gossip;
mod lifecycle;
mod reload;
mod seeds;
mod sockets;
mod streams;
mod supervisor;

use std::{fmt, io, net::SocketAddr, path::Path, sync::Arc, time::SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
use rand::{RngExt as _, rngs::StdRng};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::{
    catalog::Publisher,
    checks::Scheduler,
    config::{OnTerm, Resolved},
    core::{Core, Settings, meeting::Copied},
    dns::DnsServer,
    http::{AgentInfo, ApiState, HttpServer, SocketError},
    keyring::KeyHolder,
    metrics::Facts,
    model::node::NodeInfo,
    registrar::Registrar,
    store::{Begun, Contents, Leases, Store, StoreError},
    tls,
    wire::{self, seal::Seal},
};
use disk::Disk;
pub use figures::metrics;
use gossip::Gossip;
pub use reload::Reload;
use reload::{Live, Reloader};
use sockets::GossipSockets;
use supervisor::Supervisor;

/// Why an agent did not start. The message says what to do.
#[derive(Debug)]
pub enum AgentError {
    /// An address could not be bound.
    Bind {
        /// What for.
        what: &'static str,
        /// The flag that chooses it.
        flag: &'static str,
        /// Which.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The Unix socket of the API could not be made.
    Socket(SocketError),
    /// The data folder is of no use.
    Store(StoreError),
    /// Another agent runs on a copy of the data folder.
    Copied(Copied),
    /// The system did not give what an agent needs.
    System(io::Error),
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgentError::Bind { what, flag, address, error } => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    write!(
                        f,
                        "{address} is in use, so {what} can't be served there: end the program that has the port, or choose another address with {flag}"
                    )
                }
                io::ErrorKind::AddrNotAvailable => {
                    write!(f, "{address} is no address of this host, so {what} can't be served there: choose another one with {flag}")
                }
                io::ErrorKind::PermissionDenied => {
                    write!(
                        f,
                        "this user may not use port {} for {what}: choose another one with {flag}, or grant CAP_NET_BIND_SERVICE",
                        address.port()
                    )
                }
                _ => write!(f, "can't serve {what} at {address} (see {flag}): {error}"),
            },
            AgentError::Socket(error) => error.fmt(f),
            AgentError::Store(error) => error.fmt(f),
            AgentError::Copied(copied) => copied.fmt(f),
            AgentError::System(error) => write!(f, "the system did not give what an agent needs: {error}"),
        }
    }
}

impl std::error::Error for AgentError {}

/// Runs an agent until it is told to end.
///
/// # Errors
/// When it can't start; nothing was announced to anybody then. When another agent runs on a copy of its data folder.
pub async fn run(config: Resolved, reload: Reload) -> Result<(), AgentError> {
    raise_descriptor_limit();
    let supervisor = Supervisor::here();
    let sockets = Sockets::bind(&config).await?;
    let mut rng: StdRng = rand::make_rng();
    let (store, begun, contents) = open_store(&config, &mut rng)?;
    let gossip_address = sockets.gossip.local_addr().map_err(AgentError::System)?;
    let address = address::advertised(gossip_address, config.advertise);
    let (publisher, catalog) = Publisher::new(contents.node_id);
    let (registrar, commands) = Registrar::new();
    let (told, new_keys) = watch::channel(config.keys.clone());
    let keys = Arc::new(KeyHolder::new(config.keys.clone(), move |new| drop(told.send(new.clone()))));
    let access = Arc::new(ArcSwap::from_pointee(config.access.clone()));
    let tls = Arc::new(ArcSwapOption::from_pointee(config.http_tls.as_ref().map(|tls| tls.server.clone())));
    let live = Live { keys: Arc::clone(&keys), access: Arc::clone(&access), tls: Arc::clone(&tls) };
    let (reloader, seeds) = Reloader::new(reload, config.clone(), registrar.clone(), live, supervisor.clone());
    let info = Arc::new(AgentInfo {
        node_id: contents.node_id,
        name: config.name.clone(),
        cluster: config.cluster.clone(),
        generation: begun.life.generation,
        version: env!("CARGO_PKG_VERSION").into(),
        domain: config.names.domain.to_string(),
        gossip: address,
        http: sockets.http.local_addr(),
        http_socket: config.http_socket.clone(),
        http_names: config.http_names.clone(),
        dns: config.dns,
    });
    log_start(&config, &info, &config.data_dir);
    reload::warn_of_clear_text(&config);

    let core = Box::new(Core::new(settings(&config, contents, begun, address, rng.random())));
    let facts = Facts {
        version: info.version.clone(),
        name: info.name.to_string(),
        node: info.node_id.to_string(),
        cluster: info.cluster.to_string(),
    };
    let metrics = figures::metrics(catalog.clone(), facts);
    let disk = Disk::start(store, metrics.store.clone()).map_err(AgentError::System)?;
    let (scheduler, orders) = Scheduler::new(registrar.clone(), metrics.checks.clone(), Leases::of(&config.data_dir));
    let gossip = Gossip::new(core, sockets.gossip, disk, commands, orders, publisher, seeds, new_keys, metrics.gossip.clone())
        .map_err(AgentError::System)?;
    let outputs = scheduler.outputs();
    tokio::spawn(scheduler.run());
    let dns =
        DnsServer::bind(config.dns, config.names, catalog.clone(), metrics.dns.clone()).map_err(bind_error("DNS", "--dns", config.dns))?;
    let state = ApiState::new(catalog, registrar.clone(), outputs, keys, access, info, metrics);
    let api = Api { server: sockets.http, state, tls };
    match serve(gossip, reloader, dns, api, registrar, config.on_term, &supervisor).await {
        Some(copied) => Err(AgentError::Copied(copied)),
        None => Ok(()),
    }
}

/// The API, and what it takes to serve it.
struct Api {
    server: HttpServer,
    state: ApiState,
    tls: Arc<ArcSwapOption<tls::Server>>,
}

/// Everything at once, until gossip ends after a leave or the lifecycle says so.
async fn serve(
    gossip: Gossip,
    reloader: Reloader,
    dns: DnsServer,
    api: Api,
    registrar: Registrar,
    on_term: OnTerm,
    supervisor: &Supervisor,
) -> Option<Copied> {
    let (stop, stopping) = watch::channel(false);
    let stopped = move || {
        let mut stopping = stopping.clone();
        async move { drop(stopping.wait_for(|stop| *stop).await) }
    };
    let gossip = tokio::spawn(Box::pin(gossip.run(supervisor.watchdog())));
    // Nobody reads what the files do not define any more.
    reloader.begin().await;
    tokio::spawn(reloader.run());
    let dns = tokio::spawn(dns.serve(stopped()));
    let http = tokio::spawn(api.server.serve(api.state, api.tls, stopped()));
    let copied = tokio::select! {
        end = gossip => {
            supervisor.stopping();
            match end {
                Ok(Some(copied)) => {
                    error!("{copied}");
                    Some(copied)
                }
                _ => {
                    info!("left the cluster");
                    None
                }
            }
        }
        () = lifecycle::until_told_to_end(&registrar, on_term, supervisor) => None,
    };
    // Nobody waits for the other side of this.
    let _ = stop.send(true);
    let _ = tokio::join!(dns, http);
    info!("the agent has ended");
    copied
}

/// Takes as many file descriptors as this process may have. The usual limit of 1,024, which is one for programs that use
/// `select`, is less than what the API's clients may open.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        warn!(%error, "the limit on open files stays as it is");
    }
}

/// What is bound before anything is read or written: a second agent on the same addresses changes nothing.
struct Sockets {
    gossip: GossipSockets,
    http: HttpServer,
}

impl Sockets {
    async fn bind(config: &Resolved) -> Result<Sockets, AgentError> {
        let gossip = GossipSockets::bind(config.gossip).await.map_err(bind_error("gossip", "--gossip", config.gossip))?;
        let mut http = HttpServer::default();
        if let Some(address) = config.http {
            http.bind(address).map_err(bind_error("HTTP", "--http", address))?;
        }
        if let Some(path) = &config.http_socket {
            http.bind_socket(path, config.http_socket_mode).map_err(AgentError::Socket)?;
        }
        Ok(Sockets { gossip, http })
    }
}

fn bind_error(what: &'static str, flag: &'static str, address: SocketAddr) -> impl FnOnce(io::Error) -> AgentError {
    move |error| AgentError::Bind { what, flag, address, error }
}

/// Opens the data folder and begins a life.
fn open_store(config: &Resolved, rng: &mut StdRng) -> Result<(Store, Begun, Contents), AgentError> {
    let (mut store, mut contents) = Store::open(&config.data_dir, &config.cluster, rng).map_err(AgentError::Store)?;
    let begun = store.begin(&mut contents, &boot_id(), rng).map_err(AgentError::Store)?;
    Ok((store, begun, contents))
}

/// Differs between two starts of the host. Where the system does not tell, every start is taken for the first one.
fn boot_id() -> Vec<u8> {
    std::fs::read("/proc/sys/kernel/random/boot_id").map(|id| id.trim_ascii().to_vec()).unwrap_or_default()
}

/// What the clock on the wall says, which may be wrong: it is where the time begins that agents share, and peers know better.
#[expect(clippy::disallowed_methods, reason = "the shell reads the clocks")]
fn wall_seconds() -> u32 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since_epoch.as_secs()).unwrap_or_default()
}

fn settings(config: &Resolved, contents: Contents, begun: Begun, address: SocketAddr, random_seed: u64) -> Settings {
    Settings {
        cluster: config.cluster.clone(),
        node: contents.node_id,
        life: begun.life,
        address,
        info: NodeInfo {
            name: config.name.clone(),
            addresses: vec![address.ip()],
            zone: config.zone.clone(),
            meta: config.meta.clone(),
            agent_version: env!("CARGO_PKG_VERSION").into(),
            wire_versions: (wire::LOWEST_VERSION, wire::HIGHEST_VERSION),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: config.keys.shown(),
        },
        seal: Seal::new(config.keys.mode, &config.keys.keyring),
        seconds: wall_seconds(),
        seeds: config.join.len(),
        peers: contents.peers,
        members: contents.members,
        graves: contents.graves,
        records: contents.records,
        node_checks: config.definitions.node_checks(),
        host_rebooted: begun.host_rebooted,
        random_seed,
        reap_after: crate::core::REAP_AFTER,
    }
}

fn log_start(config: &Resolved, info: &AgentInfo, data_dir: &Path) {
    info!(
        name = %info.name,
        node = %info.node_id,
        cluster = %info.cluster,
        generation = info.generation,
        version = info.version,
        gossip = %info.gossip,
        encryption = %config.keys.mode,
        http = %config.served(),
        dns = %config.dns,
        data_dir = %data_dir.display(),
        "the agent starts"
    );
}
