//! The phrases that features are written in. "Soon" waits for a condition; everything else is looked at once.

mod access;
mod agents;
mod asking;
mod background;
mod command_line;
mod dns;
mod encryption;
mod floods;
mod folders;
mod gossip;
mod health;
mod http;
mod metrics;
mod networks;
mod replay;
mod supervision;
mod tls;
mod unix;
mod versions;
mod watching;
