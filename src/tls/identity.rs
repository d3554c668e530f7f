//! Who one is: a certificate, those of the authorities between it and a root, and the private key that belongs to it.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::roots::certificates;
use crate::keyring::{self, KeyFile};

/// A certificate with its chain, and its private key.
pub struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// One that is in memory already.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Identity {
        Identity { chain, key }
    }

    /// Reads both, each from a file of PEM. Whether they belong together is found out where they are used.
    ///
    /// # Errors
    /// When one can't be read, holds none, or others than its owner may read the key. The text begins with the path.
    pub fn load(certificate: &Path, key: &Path, guarded: KeyFile) -> Result<Identity, String> {
        let chain = certificates(certificate)?;
        let problem = |what: &dyn std::fmt::Display| format!("{}: {what}", key.display());
        let pem = keyring::read_guarded(key, guarded).map_err(|error| problem(&error))?;
        // What is wrong is not said by rustls, which might repeat what stands there.
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
            let encrypted = if pem.contains("ENCRYPTED") { " that is not encrypted itself" } else { "" };
            problem(&format!("holds no private key in PEM{encrypted}"))
        })?;
        Ok(Identity { chain, key })
    }
}
