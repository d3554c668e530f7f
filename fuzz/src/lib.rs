//! What is fed with any octets, and what must hold then. Each target is a function from octets; it panics where something does not hold.
//!
//! The programs in `fuzz_targets/` call them for cargo-fuzz, and `tests/fuzz.rs` of the main package, which has this file as a module, for the corpus
//! and mutations of it.

mod configuration;
mod dns;
pub mod gossip;
pub mod gossip_datagram;
pub mod gossip_stream;
pub mod http;
pub mod journal;
mod scenario;
mod secrets;

pub use configuration::configuration;
pub use dns::dns_query;
pub use gossip_datagram::gossip_datagram;
pub use gossip_stream::gossip_stream;
pub use http::{http_body, http_query};
pub use journal::journal;
pub use scenario::scenario;
pub use secrets::{key_file, token_file};

/// A target: its name, which is that of its folder in `corpus/`, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 10] = [
    ("configuration", configuration),
    ("dns_query", dns_query),
    ("gossip_datagram", gossip_datagram),
    ("gossip_stream", gossip_stream),
    ("http_body", http_body),
    ("http_query", http_query),
    ("journal", journal),
    ("key_file", key_file),
    ("scenario", scenario),
    ("token_file", token_file),
];
