//! What names mean on some hosts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::host::Host;

/// What stands in for a file of `/etc`, and its first text. Nobody is asked over the network.
const FILES: [(&str, &str); 3] = [
    ("hosts", "127.0.0.1 localhost\n"),
    ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
    ("nsswitch.conf", "hosts: files dns\n"),
];

/// Names, and the addresses of each. They are in a folder, which is there for as long as the hosts are.
#[derive(Debug)]
pub(crate) struct Names {
    folder: PathBuf,
    known: BTreeMap<String, Vec<IpAddr>>,
}

impl Names {
    /// No names.
    ///
    /// # Errors
    /// When the folder can't be written to.
    pub(crate) fn new(folder: &Path) -> io::Result<Names> {
        for (file, text) in FILES {
            fs::write(folder.join(file), text)?;
        }
        Ok(Names { folder: folder.to_owned(), known: BTreeMap::new() })
    }

    /// Has a host know these names, and no others.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn install(&self, host: &Host) -> Result<(), String> {
        let folder = self.folder.display();
        // Without such a file the system does the same by itself.
        host.run(&format!(
            "for file in hosts resolv.conf nsswitch.conf; do [ ! -e /etc/$file ] || mount --bind '{folder}'/$file /etc/$file; done"
        ))
    }

    /// From now on the name has these addresses on all those hosts; none: it is unknown.
    ///
    /// # Errors
    /// When the file can't be written to.
    pub(crate) fn set(&mut self, name: &str, addresses: Vec<IpAddr>) -> io::Result<()> {
        self.known.insert(name.to_owned(), addresses);
        let mut text = FILES[0].1.to_owned();
        for (name, addresses) in &self.known {
            for address in addresses {
                let _ = writeln!(text, "{address} {name}");
            }
        }
        // In place: what hosts see is this file, and not another one of its name.
        fs::write(self.folder.join(FILES[0].0), text)
    }
}
