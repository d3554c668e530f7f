//! Tidings with encryption required.

use std::{
    fs::{self, Permissions},
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use super::{
    system::System,
    tidings::{Http, Tidings},
};

const KEY: &str = "3:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=\n";

pub(crate) enum Sealed {}

impl System for Sealed {
    type Client = Http;

    const NAME: &'static str = "Tidings with a key";
    const NET: [u8; 2] = [127, 62];

    fn version() -> Option<String> {
        Tidings::version()
    }

    fn command(name: &str, address: Ipv4Addr, seed: Option<Ipv4Addr>, folder: &Path) -> Command {
        let keys = folder.join("keys");
        // An agent that can't read it says so, and the bench ends with that.
        let _ = fs::write(&keys, KEY).and_then(|()| fs::set_permissions(&keys, Permissions::from_mode(0o600)));
        let mut command = Tidings::command(name, address, seed, &folder.join("data"));
        command.arg("--key-file").arg(keys);
        command
    }

    fn client(address: Ipv4Addr) -> Http {
        Tidings::client(address)
    }
}
