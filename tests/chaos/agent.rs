//! What agents are started with.

use std::{
    env,
    net::IpAddr,
    path::{self, PathBuf},
};

use tidings::{config::OnTerm, sim::scenario::Node};
use toml::{Table, Value};

use super::site::{DATA, Host};

/// The port that gossip is received at.
pub(crate) const GOSSIP: u16 = 8746;

/// The program that is played with.
pub(crate) fn program() -> PathBuf {
    let other = env::var_os("TIDINGS_BIN").map(|path| path::absolute(path).expect("the working folder is there"));
    other.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tidings")))
}

/// The file that it is started with, as far as a node of a scenario says it. What there is of keys goes into `gossip`.
pub(crate) fn config(node: &Node, host: &dyn Host, address: impl Fn(usize) -> IpAddr, own: usize, mut gossip: Table) -> String {
    let at = |place| Value::String(format!("{}:{GOSSIP}", address(place)));
    gossip.insert("listen".to_owned(), at(own));
    let on_term = if node.on_term == OnTerm::Restart { "restart" } else { "leave" };
    let texts = [
        ("name", Some(node.name.to_string())),
        ("cluster", Some(node.cluster.to_string())),
        ("zone", node.zone.as_ref().map(ToString::to_string)),
        ("data_dir", Some(host.inside(DATA).display().to_string())),
        ("on_term", Some(on_term.to_owned())),
    ];
    let mut config: Table = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::String(text?)))).collect();
    config.insert("join".to_owned(), Value::Array(node.join.iter().map(at).collect()));
    config.insert("gossip".to_owned(), Value::Table(gossip));
    config.to_string()
}
