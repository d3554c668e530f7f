//! What a line says of each thing that is listed.

use std::net::{IpAddr, SocketAddr};

use anstyle::Style;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Row;
use crate::{
    cli::{
        output::{BAD, DOUBTFUL, FAINT},
        view::{Check, HeldKey, Instance, KeysOfNode, Node, Service},
    },
    config::Shown,
};

impl Row for Node {
    const HEADING: &'static [&'static str] = &["NODE", "STATE", "SINCE", "ADDRESSES", "GOSSIP", "ZONE", "INSTANCES", "VERSION", "NOTE"];

    fn key(&self) -> Vec<&str> {
        vec![&self.id, &self.name]
    }

    fn is_as(&self, before: &Self) -> bool {
        Node { since: self.since.clone(), ..before.clone() } == *self
    }

    fn cells(&self, now: Timestamp) -> (Style, Vec<String>) {
        let style = match self.state.as_str() {
            "alive" if self.maintenance.is_none() && self.checks.iter().all(|check| check.status == "passing") => Style::new(),
            "down" => BAD,
            "left" => FAINT,
            _ => DOUBTFUL,
        };
        let cells = vec![
            self.name.clone(),
            self.state.clone(),
            ago(&self.since, now),
            list(self.addresses.iter()),
            self.gossip.clone(),
            self.zone.clone().unwrap_or_default(),
            self.instances.to_string(),
            self.version.clone(),
            note_on(self),
        ];
        (style, cells)
    }
}

/// A record that is handed out, or an instance that has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Handed {
    pub(in crate::cli) name: String,
    #[serde(rename = "type")]
    pub(in crate::cli) kind: String,
    pub(in crate::cli) ttl: Option<u32>,
    pub(in crate::cli) data: String,
    pub(in crate::cli) instances: Vec<String>,
    pub(in crate::cli) why: String,
    pub(in crate::cli) held_back: bool,
}

impl Row for Handed {
    const HEADING: &'static [&'static str] = &["NAME", "TYPE", "TTL", "DATA", "INSTANCE", "WHY"];

    fn key(&self) -> Vec<&str> {
        vec![&self.name, &self.kind, &self.data]
    }

    fn cells(&self, _: Timestamp) -> (Style, Vec<String>) {
        let ttl = self.ttl.map(|ttl| ttl.to_string()).unwrap_or_default();
        let why = if self.held_back { format!("held back: {}", self.why) } else { self.why.clone() };
        let cells = vec![self.name.clone(), self.kind.clone(), ttl, self.data.clone(), self.instances.join(", "), why];
        (if self.held_back { FAINT } else { Style::new() }, cells)
    }
}

impl Row for HeldKey {
    const HEADING: &'static [&'static str] = &["KEY", "FINGERPRINT", "ENCRYPTS"];

    fn key(&self) -> Vec<&str> {
        vec![&self.fingerprint]
    }

    fn cells(&self, _: Timestamp) -> (Style, Vec<String>) {
        let encrypts = if self.primary { "yes" } else { "no" };
        (Style::new(), vec![self.id.to_string(), self.fingerprint.clone(), encrypts.to_owned()])
    }
}

impl Row for KeysOfNode {
    const HEADING: &'static [&'static str] = &["NODE", "STATE", "ENCRYPTION", "ENCRYPTS WITH", "DECRYPTS, TOO"];

    fn key(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn cells(&self, _: Timestamp) -> (Style, Vec<String>) {
        let named = |primary| list(self.encryption.keys.iter().filter(|key| key.primary == primary).map(HeldKey::named));
        let style = if matches!(self.state.as_str(), "down" | "left") { FAINT } else { Style::new() };
        (style, vec![self.name.clone(), self.state.clone(), self.encryption.mode.clone(), named(true), named(false)])
    }
}

impl Row for Service {
    const HEADING: &'static [&'static str] = &["SERVICE", "INSTANCES", "PASSING", "WARNING", "CRITICAL", "HELD BACK", "TAGS"];

    fn key(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn cells(&self, _: Timestamp) -> (Style, Vec<String>) {
        let counts = &self.counts;
        let style = match counts.held_back {
            0 if counts.warning == 0 => Style::new(),
            held_back if held_back >= counts.total => BAD,
            _ => DOUBTFUL,
        };
        let numbers = [counts.total, counts.passing, counts.warning, counts.critical, counts.held_back].map(|count| count.to_string());
        let mut cells = vec![self.name.clone()];
        cells.extend(numbers);
        cells.push(list(self.tags.iter()));
        (style, cells)
    }
}

impl Row for Instance {
    const HEADING: &'static [&'static str] = &["SERVICE", "ID", "NODE", "ENDPOINT", "STATUS", "SINCE", "WEIGHT", "TAGS", "HELD BACK"];

    fn key(&self) -> Vec<&str> {
        vec![&self.node_id, &self.id]
    }

    fn is_as(&self, before: &Self) -> bool {
        Instance { since: self.since.clone(), ..before.clone() } == *self
    }

    fn cells(&self, now: Timestamp) -> (Style, Vec<String>) {
        let style = match (&self.held_back, self.status.as_str()) {
            (Some(_), _) => BAD,
            (None, "passing") => Style::new(),
            (None, _) => DOUBTFUL,
        };
        let cells = vec![
            self.service.clone(),
            self.id.clone(),
            self.node.clone().unwrap_or_default(),
            list(self.addresses.iter().map(|ip| endpoint(*ip, self.port, &self.protocol))),
            self.status.clone(),
            ago(&self.since, now),
            self.weight.to_string(),
            list(self.tags.iter()),
            self.held_back.as_ref().map(|why| why.detail.clone()).unwrap_or_default(),
        ];
        (style, cells)
    }
}

impl Row for Check {
    const HEADING: &'static [&'static str] = &["SERVICE", "INSTANCE", "NODE", "CHECK", "STATUS", "REASON"];

    fn key(&self) -> Vec<&str> {
        vec![self.node.as_deref().unwrap_or_default(), self.instance.as_deref().unwrap_or_default(), &self.id]
    }

    fn cells(&self, _: Timestamp) -> (Style, Vec<String>) {
        let style = match self.status.as_str() {
            "passing" => Style::new(),
            "warning" => DOUBTFUL,
            _ => BAD,
        };
        let node = self.node.clone().unwrap_or_default();
        let (service, instance) = (self.service.clone().unwrap_or_default(), self.instance.clone().unwrap_or_default());
        (style, vec![service, instance, node, self.id.clone(), self.status.clone(), self.reason.clone()])
    }
}

impl Row for Shown {
    const HEADING: &'static [&'static str] = &["SETTING", "VALUE", "FROM"];

    fn key(&self) -> Vec<&str> {
        vec![&self.key]
    }

    fn cells(&self, _: Timestamp) -> (Style, Vec<String>) {
        let style = if self.from == "default" { FAINT } else { Style::new() };
        (style, vec![self.key.clone(), self.value.clone(), self.from.clone()])
    }
}

/// What of a node is not as it should be.
fn note_on(node: &Node) -> String {
    let conflict = node.name_conflict.then(|| "another node holds its name".to_owned());
    let reason = (node.state != "alive").then(|| node.reason.clone());
    let maintenance = node.maintenance.as_ref().map(|reason| format!("in maintenance: {reason}"));
    let checks = node.checks.iter().filter(|check| check.status != "passing");
    let checks = checks.map(|check| format!("its check {} is {}: {}", check.id, check.status, check.reason));
    conflict.into_iter().chain(reason).chain(maintenance).chain(checks).collect::<Vec<_>>().join("; ")
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// `10.0.0.5:8080`, and which protocol where it is not the usual one.
fn endpoint(ip: IpAddr, port: u16, protocol: &str) -> String {
    let address = SocketAddr::new(ip, port);
    if protocol == "tcp" { address.to_string() } else { format!("{address}/{protocol}") }
}

/// How long ago that was, in its largest unit.
fn ago(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return since.to_owned() };
    let seconds = now.duration_since(since).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::now, *};

    #[test]
    fn times_are_shown_in_their_largest_unit() {
        let check = |since, shown: &str| assert_eq!(ago(since, now()), shown);
        check("2026-01-01T00:01:59Z", "1s ago");
        check("2025-12-31T21:02:00.5Z", "2h ago");
        check("2025-12-01T00:02:00Z", "31d ago");
        check("2027-01-01T00:00:00Z", "0s ago");
        check("then", "then");
    }
}
