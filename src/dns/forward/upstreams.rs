//! The upstreams, and which of them is asked first.

use std::{
    fs,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::config::{Upstream, name_servers};

/// How long one that failed is asked last.
const ASIDE: Duration = Duration::from_secs(10);
/// How often the list of the host is read again.
const READ_AGAIN: Duration = Duration::from_secs(10);
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Upstreams that one question is put to at most.
const TRIED: usize = 3;

pub(super) struct Upstreams {
    named: Vec<Upstream>,
    own: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those of the host, and when they were read.
    of_host: Option<(Instant, Vec<SocketAddr>)>,
    /// Those that failed, and when.
    aside: Vec<(SocketAddr, Instant)>,
}

impl Upstreams {
    pub(super) fn new(named: &[Upstream], own: SocketAddr) -> Self {
        Upstreams { named: named.to_vec(), own, state: Mutex::default() }
    }

    /// Those to ask, one after the other: in the order in which they were named, who failed lately behind the others.
    pub(super) fn in_turn(&self) -> Vec<SocketAddr> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.aside.retain(|(_, failed)| now.duration_since(*failed) < ASIDE);
        let mut all = Vec::new();
        for upstream in &self.named {
            match upstream {
                Upstream::At(address) => all.push(*address),
                Upstream::OfHost => all.extend(state.of_host(now)),
            }
        }
        all.retain(|address| !self.is_own(*address));
        all.sort_by_key(|address| state.aside.iter().any(|(failed, _)| failed == address));
        all.truncate(TRIED);
        all
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        let own_ip = self.own.ip();
        address.port() == self.own.port() && (address.ip() == own_ip || own_ip.is_unspecified() && address.ip().is_loopback())
    }

    pub(super) fn answered(&self, upstream: SocketAddr) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.aside.retain(|(failed, _)| *failed != upstream);
    }

    pub(super) fn failed(&self, upstream: SocketAddr) {
        self.answered(upstream);
        let now = Instant::now();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).aside.push((upstream, now));
    }
}

impl State {
    fn of_host(&mut self, now: Instant) -> Vec<SocketAddr> {
        match &self.of_host {
            Some((read, servers)) if now.duration_since(*read) < READ_AGAIN => servers.clone(),
            _ => {
                // A file that can't be read names nobody; it is read again soon.
                let servers = fs::read_to_string(RESOLV_CONF).map(|text| name_servers(&text)).unwrap_or_default();
                self.of_host = Some((now, servers.clone()));
                servers
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_failed_is_asked_last_and_this_agent_never() {
        let [one, two, own] = ["10.0.0.1:53", "10.0.0.2:53", "127.0.0.1:53"].map(|text| text.parse::<SocketAddr>().unwrap());
        let upstreams = Upstreams::new(&[own, one, two].map(Upstream::At), own);
        assert_eq!(upstreams.in_turn(), [one, two]);
        upstreams.failed(one);
        assert_eq!(upstreams.in_turn(), [two, one]);
        upstreams.answered(one);
        assert_eq!(upstreams.in_turn(), [one, two]);
        let everywhere = Upstreams::new(&[own, one].map(Upstream::At), "0.0.0.0:53".parse().unwrap());
        assert_eq!(everywhere.in_turn(), [one]);
    }
}
