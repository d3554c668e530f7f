//! Hosts and networks for tests, made of network namespaces: who is on them has addresses, routes and losses of their own, and nothing
//! of it is left when they are dropped, or when the process that made them is gone. It needs root.

pub(crate) mod ethernet;
pub(crate) mod host;
pub(crate) mod names;
pub(crate) mod router;

use std::{env, net::IpAddr};

use ethernet::{Ethernet, Loss};
use router::Router;

/// The programs that hosts and networks are made with.
const TOOLS: [&str; 5] = ["unshare", "nsenter", "setpriv", "ip", "nft"];

/// Why there can be no hosts and networks here, if that is so.
pub(crate) fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can make network namespaces".to_owned());
    }
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let missing: Vec<&str> = TOOLS.into_iter().filter(|tool| !folders.iter().any(|folder| folder.join(tool).exists())).collect();
    if !missing.is_empty() {
        return Some(format!("there is no {} on this machine (Debian: util-linux, iproute2, nftables)", missing.join(", no ")));
    }
    try_all().err()
}

/// Makes one of everything: what the kernel lacks shows before a test needs it.
fn try_all() -> Result<(), String> {
    let address = |last| (IpAddr::from([10, 77, 0, last]), 24);
    let (mut outer, mut inner) = (Ethernet::new()?, Ethernet::new()?);
    Router::new(&mut outer, address(1), &mut inner, address(2))?.forward(9, address(3).0, 9)?;
    outer.lose(Loss { percent: 50, from: None, to: None })
}
