//! The embedded DNS server: what this agent knows, under one domain, over UDP and TCP.
//!
//! A query goes from [`server`] (sockets, limits) to `handler` (what DNS demands of any server), from there to
//! `name` (what the name means) and `zone` (what is answered, from one snapshot of the catalog), and back through
//! `reply` (octets that fit) and `packets` (which address the answer leaves from). None of it waits for anything but its own sockets.

mod handler;
mod name;
mod packets;
mod records;
mod reply;
pub mod server;
mod tally;
mod zone;

pub use name::NAME_FORMS;
pub use server::DnsServer;
