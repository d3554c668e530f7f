//! What is asked of a system to be measured.

use std::{collections::BTreeSet, net::Ipv4Addr, path::Path, process::Command};

/// Why something could not be asked or done. An agent that is starting does not answer yet.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A kind of agent.
pub(crate) trait System: 'static {
    type Client: Client;

    const NAME: &'static str;
    /// The first two octets of the loopback addresses of its agents.
    const NET: [u8; 2];

    /// The version that is installed, if any.
    fn version() -> Option<String>;

    /// How an agent is started, with the seed that it joins through.
    fn command(name: &str, address: Ipv4Addr, seed: Option<Ipv4Addr>, folder: &Path) -> Command;

    /// Who asks the agent at an address. Connects when first asked.
    fn client(address: Ipv4Addr) -> Self::Client;
}

/// Asks one agent, over a connection that is kept.
pub(crate) trait Client: 'static {
    /// The names of all members that it holds for alive.
    async fn alive(&mut self) -> Result<BTreeSet<String>>;

    /// What it holds a member for. The cheap question.
    async fn standing(&mut self, member: &str) -> Result<Standing>;

    /// Has the agent change something about itself that all are to hear of.
    async fn change(&mut self, value: &str) -> Result<()>;

    /// Whether it has heard of a change at a member.
    async fn shows(&mut self, member: &str, value: &str) -> Result<bool>;
}

/// What a member is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    Alive,
    /// Neither alive nor given up.
    Between,
    Down,
}
