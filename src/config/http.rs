//! Where the REST API is served, and what it shows there.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    Key, Surroundings, address, keys,
    resolved::{Check, absolute},
};
use crate::{
    keyring::KeyFile,
    tls::{Identity, Server, roots_in},
};

/// What is needed to serve https; all paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTls {
    /// The file with the certificate.
    pub certificate: PathBuf,
    /// The file with its key.
    pub key: PathBuf,
    /// The file with the authorities of clients, if they are to show certificates.
    pub client_ca: Option<PathBuf>,
    /// What was in these files.
    pub server: Server,
}

impl Check<'_> {
    /// The address, or `Some(None)` where there is to be none.
    pub(super) fn http(&mut self) -> Option<Option<SocketAddr>> {
        let elsewhere = self.layers.get(&keys::HTTP_SOCKET).is_some();
        self.setting(&keys::HTTP, |text| match text {
            "none" if elsewhere => Ok(None),
            "none" => Err("none leaves no way to ask this agent: say where with --http-socket PATH".to_owned()),
            text => address::listen(text, address::HTTP_PORT).map(Some),
        })
    }

    /// What https is served with; none where nobody asked for it, and where it was noted what is wrong.
    pub(super) fn http_tls(&mut self, surroundings: &Surroundings) -> Option<HttpTls> {
        let given = |key: &Key| self.layers.get(key).map(|given| given.origin.to_string());
        let [certificate, key, client_ca] = [&keys::HTTP_CERTIFICATE, &keys::HTTP_KEY, &keys::HTTP_CLIENT_CA].map(given);
        let (origin, lacking) = match (certificate, key, client_ca) {
            (None, None, None) => return None,
            (Some(origin), Some(_), _) => (origin, None),
            (Some(origin), None, _) => (origin, Some("a certificate takes its private key: name the file with it with --http-key")),
            (None, Some(origin), _) => (origin, Some("a key takes its certificate: name the file with it with --http-certificate")),
            (None, None, Some(origin)) => {
                (origin, Some("clients show certificates over https alone: give this agent one with --http-certificate and --http-key"))
            }
        };
        let lacking = lacking.or_else(|| {
            let over_tcp = self.layers.get(&keys::HTTP).is_none_or(|given| given.text() != "none");
            (!over_tcp).then_some("https is served over TCP, which --http none switches off")
        });
        if let Some(lacking) = lacking {
            return self.note(Err(format!("{origin}: {lacking}")));
        }
        let certificate = self.setting(&keys::HTTP_CERTIFICATE, absolute)?;
        let key = self.setting(&keys::HTTP_KEY, absolute)?;
        let client_ca = match self.layers.get(&keys::HTTP_CLIENT_CA) {
            Some(_) => Some(self.setting(&keys::HTTP_CLIENT_CA, absolute)?),
            None => None,
        };
        let guarded = if is_credential(&key, surroundings) { KeyFile::Credential } else { KeyFile::Ours };
        let read = || {
            let clients = client_ca.as_deref().map(roots_in).transpose()?;
            Server::new(Identity::load(&certificate, &key, guarded)?, clients)
        };
        let server = self.note(read().map_err(|error| format!("{origin}: {error}")))?;
        Some(HttpTls { certificate, key, client_ca, server })
    }
}

/// systemd.exec(5), LoadCredential: others are kept out by an access list that the mode of the file does not show.
fn is_credential(path: &Path, surroundings: &Surroundings) -> bool {
    surroundings.var("CREDENTIALS_DIRECTORY").is_some_and(|folder| path.starts_with(folder))
}

/// Bits of permission, written as `chmod` takes them.
pub(super) fn mode(text: &str) -> Result<u32, String> {
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| digits && *mode <= 0o777);
    mode.ok_or_else(|| format!("{text:?} is no mode: write three digits from 0 to 7 behind a 0, as in 0660"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_bits_of_permission() {
        assert_eq!((mode("0660"), mode("600"), mode("0777")), (Ok(0o660), Ok(0o600), Ok(0o777)));
        for bad in ["", "0", "66", "0888", "1777", "00660", "rw", "0o660", "+660"] {
            assert!(mode(bad).unwrap_err().contains("0660"), "{bad}");
        }
    }
}
