//! Signals: how an agent is told to end, and what it does about it.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::supervisor::Supervisor;
use crate::{
    config::OnTerm,
    model::{Command, Done},
    registrar::Registrar,
};

/// How long peers go on handing out this node's instances when it announces a short absence.
const GRACE: Duration = Duration::from_secs(15);

/// Says that the agent serves, waits for SIGTERM or SIGINT, then says farewell. A second signal ends the waiting for that.
pub(super) async fn until_told_to_end(registrar: &Registrar, on_term: OnTerm, supervisor: &Supervisor) {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    // Not before: who hears it may end the agent at once.
    supervisor.ready();
    let (mut term, mut int) = match signals {
        (Ok(term), Ok(int)) => (term, int),
        (Err(error), _) | (_, Err(error)) => {
            warn!("signals can't be received, so only a leave ends this agent in order: {error}");
            return std::future::pending().await;
        }
    };
    next(&mut term, &mut int).await;
    supervisor.stopping();
    let command = match on_term {
        OnTerm::Leave => Command::Leave,
        OnTerm::Restart => Command::Absent(GRACE),
    };
    info!("told to end: {}", if on_term == OnTerm::Leave { "leaving the cluster" } else { "announcing a short absence" });
    tokio::select! {
        reply = registrar.submit(command) => match reply {
            Ok(Done::Announced { confirmed, asked }) => info!(confirmed, asked, "peers know"),
            Ok(_) => {}
            Err(refusal) => warn!("peers could not be told: {refusal}"),
        },
        () = next(&mut term, &mut int) => warn!("told again to end: peers may not know yet"),
    }
}

async fn next(term: &mut Signal, int: &mut Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
