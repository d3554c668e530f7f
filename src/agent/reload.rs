//! Files: what they define is put into effect at the start, and again when SIGHUP says that they changed.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tracing::{error, info, warn};

use super::supervisor::Supervisor;
use crate::{
    access::Policy,
    config::{self, ConfigError, Definitions, HttpTls, Resolved, Seed},
    keyring::KeyHolder,
    model::{Command, Domain, Done, Refusal},
    registrar::Registrar,
    tls,
};

/// How an agent reads its configuration anew, and what follows outside of it.
pub struct Reload {
    /// Reads the configuration again, from the places of before.
    pub load: Box<dyn FnMut() -> Result<Resolved, ConfigError> + Send>,
    /// Has the log written by another filter from now on.
    pub set_log: Box<dyn FnMut(&str) + Send>,
}

/// Waits for SIGHUP. It is caught from the moment this is made: uncaught, it would end the agent.
pub(super) struct Reloader {
    hup: Option<Signal>,
    reload: Reload,
    /// With what the agent was started.
    started: Resolved,
    registrar: Registrar,
    seeds: watch::Sender<Vec<Seed>>,
    live: Live,
    supervisor: Supervisor,
}

/// What others of the agent read while it runs, and a reload replaces.
pub(super) struct Live {
    pub(super) keys: Arc<KeyHolder>,
    pub(super) access: Arc<ArcSwap<Policy>>,
    pub(super) tls: Arc<ArcSwapOption<tls::Server>>,
}

impl Reloader {
    /// Catches SIGHUP. Where new seeds are found is given back, too.
    pub(super) fn new(
        reload: Reload,
        started: Resolved,
        registrar: Registrar,
        live: Live,
        supervisor: Supervisor,
    ) -> (Reloader, watch::Receiver<Vec<Seed>>) {
        let (seeds, new_seeds) = watch::channel(started.join.clone());
        let hup = signal(SignalKind::hangup()).inspect_err(|error| warn!("SIGHUP can't be received, so nothing is reloaded: {error}")).ok();
        (Reloader { hup, reload, started, registrar, seeds, live, supervisor }, new_seeds)
    }

    /// Puts what the files define into effect. Where that can't be, the agent runs on without it.
    pub(super) async fn begin(&self) {
        if let Err(refusal) = configure(&self.registrar, &self.started.definitions).await {
            error!("what the files define is not in effect: {refusal}; mend it and send SIGHUP");
        }
    }

    /// Reloads at each SIGHUP.
    pub(super) async fn run(mut self) {
        while let Some(hup) = &mut self.hup {
            if hup.recv().await.is_none() {
                return;
            }
            self.supervisor.reloading();
            let in_effect = self.reload().await;
            self.supervisor.reloaded(in_effect);
        }
    }

    /// False where nothing was changed for a flaw.
    async fn reload(&mut self) -> bool {
        let new = match tokio::task::block_in_place(|| (self.reload.load)()) {
            Ok(new) => new,
            Err(ConfigError(errors)) => {
                errors.iter().for_each(|flaw| error!("{flaw}"));
                error!("the configuration has flaws, so nothing was changed: mend it and send SIGHUP again");
                return false;
            }
        };
        match configure(&self.registrar, &new.definitions).await {
            Ok(Done::Configured { created, replaced, removed }) => {
                info!(services_new = created, services_changed = replaced, services_gone = removed, "the configuration is reloaded");
            }
            Ok(_) => {}
            Err(refusal) => {
                error!("nothing was changed: {refusal}");
                return false;
            }
        }
        (self.reload.set_log)(&new.log);
        self.live.keys.replace(new.keys.clone());
        self.live.access.store(Arc::new(new.access.clone()));
        self.take_certificate(new.http_tls.as_ref());
        warn_of_clear_text(&new);
        self.seeds.send_if_modified(|seeds| {
            let other = *seeds != new.join;
            seeds.clone_from(&new.join);
            other
        });
        for setting in config::needs_restart(&self.started, &new) {
            warn!(setting, "takes effect at the next start of the agent");
        }
        true
    }

    /// Who connects from now on is served by this certificate. Connections that are open go on as they are.
    fn take_certificate(&self, new: Option<&HttpTls>) {
        let new = new.map(|tls| Arc::new(tls.server.clone()));
        let old = self.live.tls.swap(new.clone());
        match &new {
            _ if old == new => {}
            Some(new) => {
                info!(fingerprint = new.fingerprint(), names = %list(new.names()), "the API is served by another certificate from now on")
            }
            None => info!("the API is served without TLS from now on"),
        }
    }
}

async fn configure(registrar: &Registrar, definitions: &Definitions) -> Result<Done, Refusal> {
    let services = definitions.services.values().map(|(registration, _)| registration.clone()).collect();
    registrar.submit(Command::Configure { services, checks: definitions.node_checks() }).await
}

/// Tokens are meant for those who ask from elsewhere; without TLS whoever listens on the way has them, too.
pub(super) fn warn_of_clear_text(config: &Resolved) {
    let Some(address) = config.http.filter(|address| !address.ip().is_loopback()) else { return };
    if config.http_tls.is_none() && !config.access.tokens.is_empty() {
        warn!(http = %address, "tokens travel in the clear: serve https with --http-certificate and --http-key, or loopback alone");
    }
}

fn list(names: &[Domain]) -> String {
    names.iter().map(Domain::as_str).collect::<Vec<_>>().join(", ")
}
