//! The embedded DNS server: what this agent knows, under one domain or two, over UDP and TCP.
//!
//! A message goes from [`server`] (sockets, limits) or from `udp` and `packets` (a thread, batches) to `handler`. Plain queries take the `express` way: from
//! octets to octets. The others take the full way: what DNS demands of any server, then `zone` (hickory's records) and `reply` (octets that
//! fit). On both ways `name` says what the name means, and `lookup` what there is, from one snapshot of the catalog. None of it waits for
//! anything but its own sockets.

mod distinct;
mod draw;
mod express;
mod forward;
mod handler;
mod labels;
mod limiter;
mod lookup;
mod name;
mod packets;
mod records;
mod reply;
pub mod server;
mod shares;
mod tally;
mod udp;
mod zone;

pub use name::NAME_FORMS;
pub use server::DnsServer;
