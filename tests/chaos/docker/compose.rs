//! What docker-compose is told.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::super::addresses::Addresses;

/// Where agents have what they are started with, and their data folders.
pub(super) const ETC: &str = "/etc/tidings";
pub(super) const DATA: &str = "/var/lib/tidings";

/// How a container is called; its folder, too.
pub(super) fn node(place: usize) -> String {
    format!("node-{}", place + 1)
}

/// A file for docker-compose: each node is what `docker-compose.yml` has as `agent`, with an address and files of its own.
pub(super) fn file(project: &str, bridge: &str, subnet: &str, folder: &Path, count: usize, addresses: &Addresses) -> String {
    let service = |place: usize| {
        let files = folder.join(node(place));
        let service = json!({
            "extends": {"file": concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml"), "service": "agent"},
            "container_name": container(project, place),
            "command": ["agent", "--config", format!("{ETC}/tidings.toml")],
            "environment": {"RUST_BACKTRACE": "1"},
            "volumes": [format!("{}:{DATA}", files.join("data").display()), format!("{}:{ETC}:ro", files.join("etc").display())],
            // Each look would be a process more. It can't be turned off where there is an interval, only put off.
            "healthcheck": {"interval": "24h"},
            "networks": {"default": {"ipv4_address": addresses.of(place)}},
        });
        (node(place), service)
    };
    let services: Map<String, Value> = (0..count).map(service).collect();
    let network = json!({
        // Nothing leads out of it.
        "internal": true,
        "driver": "bridge",
        "driver_opts": {"com.docker.network.bridge.name": bridge},
        "ipam": {"config": [{"subnet": subnet}]},
    });
    json!({"services": services, "networks": {"default": network}}).to_string()
}

/// How a container is called.
pub(super) fn container(project: &str, place: usize) -> String {
    format!("{project}-{}", node(place))
}

/// How its network is called.
pub(super) fn network(project: &str) -> String {
    format!("{project}_default")
}
