//! Keys of hosts, and who can hear whom with them, and with the versions that they speak.

use super::{Deed, HostId, Process, Seen, World, mark::sealed_with, process::Waiting};
use crate::{
    keyring::Keys,
    model::encryption::{Encryption, Mode},
};

impl World {
    /// Keys and mode of a host are these from now on, also for the agents that start on it later. One that runs is told, as SIGHUP and
    /// `tidings keys` tell it.
    pub fn set_keys(&mut self, id: HostId, keys: Keys) {
        self.has_secrets |= keys != Keys::default();
        self.hosts[id.0].options.keys = keys.clone();
        self.show(id, &Seen::Done(Deed::Rekeyed));
        let number = self.number_of(id);
        self.input(id, number, Waiting::Keys(keys));
    }

    /// Whether these hosts, whatever runs there, take nothing that is said in the clear.
    pub fn are_closed(&self, hosts: &[HostId]) -> bool {
        hosts.iter().map(|id| &self.hosts[id.0]).all(|host| {
            let told = host.process.as_ref().map(|process| &process.encryption);
            takes_sealed_alone(&host.options.keys.shown()) && told.is_none_or(takes_sealed_alone)
        })
    }

    /// Whether an agent that runs can talk with none of its cluster, for want of a key or of a version.
    pub(super) fn is_locked_out(&self, id: HostId) -> bool {
        let host = &self.hosts[id.0];
        let Some(own) = host.process.as_ref().filter(|_| self.has_secrets) else { return false };
        let is_peer = |other: HostId| other != id && self.hosts[other.0].options.cluster == host.options.cluster;
        let peers = self.running().filter(|other| is_peer(*other)).filter_map(|other| self.hosts[other.0].process.as_ref());
        let mut peers = peers.peekable();
        peers.peek().is_some() && !peers.any(|peer| hears(own, peer) && hears(peer, own))
    }
}

/// Whether one takes what the other says.
fn hears(one: &Process, other: &Process) -> bool {
    if one.core.versions().common(other.core.versions()).is_none() {
        return false;
    }
    match sealed_with(&other.encryption) {
        None => !takes_sealed_alone(&one.encryption),
        Some(key) => one.encryption.keys.contains(&key),
    }
}

/// Whether whoever goes by these takes nothing but what is sealed.
pub(super) fn takes_sealed_alone(encryption: &Encryption) -> bool {
    encryption.mode == Mode::Require && !encryption.keys.is_empty()
}
