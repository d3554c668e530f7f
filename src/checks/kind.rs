//! The kinds of check: the one place that knows them all.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    connect::Resolver,
    finding::Finding,
    http::HttpCheck,
    tcp::TcpCheck,
    tls::Trust,
    ttl::{self, Lease},
};
use crate::{
    metrics::CheckKind,
    model::{Check, check::Probe},
};

/// A kind that finds out by itself.
#[async_trait]
pub(super) trait Ask: Send + Sync {
    /// Asks once. `patience` is the time-out of the check, to divide among the steps of a run; who calls drops the future after it.
    async fn ask(&self, tools: &Tools, patience: Duration) -> Finding;
}

/// What runs share.
#[derive(Default)]
pub(super) struct Tools {
    /// Looks names up.
    pub(super) resolver: Resolver,
    /// Knows whom to trust.
    pub(super) trust: Trust,
}

/// How a check comes to its findings.
pub(super) enum Kind {
    /// It is run, each interval anew.
    Asks(Arc<dyn Ask>),
    /// It is told, in time or else.
    Waits(Lease),
}

/// The kind of a check.
pub(super) fn of(check: &Check) -> Kind {
    match &check.probe {
        Probe::Http(probe) => Kind::Asks(Arc::new(HttpCheck::new(probe.clone()))),
        Probe::Tcp { target } => Kind::Asks(Arc::new(TcpCheck::new(target.clone()))),
        Probe::Ttl { ttl } => ttl::kind(*ttl),
    }
}

/// What the kind of a check is called.
pub(super) fn name(check: &Check) -> CheckKind {
    match &check.probe {
        Probe::Http(_) => CheckKind::Http,
        Probe::Tcp { .. } => CheckKind::Tcp,
        Probe::Ttl { .. } => CheckKind::Ttl,
    }
}
