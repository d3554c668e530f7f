//! Whom to trust: certificates of authorities, in a file or of the system.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use ring::digest::{Context, SHA256};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Octets of a file of certificates: all that browsers trust takes a quarter of it.
const FILE_OCTETS: u64 = 1024 * 1024;

/// Certificates of authorities, at least one.
#[derive(Debug, Clone)]
pub struct Roots {
    /// What rustls trusts.
    pub store: RootCertStore,
    pub(super) hash: [u8; 32],
}

impl Roots {
    /// These certificates.
    ///
    /// # Errors
    /// When one can't be understood.
    pub fn new(certificates: impl Into<Vec<CertificateDer<'static>>>) -> Result<Roots, rustls::Error> {
        let certificates = certificates.into();
        let hash = hash(&certificates);
        let mut store = RootCertStore::empty();
        certificates.into_iter().try_for_each(|certificate| store.add(certificate))?;
        Ok(Roots { store, hash })
    }
}

/// The authorities in a file of PEM.
///
/// # Errors
/// When it can't be read, or holds no certificate, or one that can't be understood. The text begins with the path.
pub fn roots_in(file: &Path) -> Result<Roots, String> {
    Roots::new(certificates(file)?).map_err(|error| format!("{}: {error}", file.display()))
}

/// The authorities that the system trusts.
///
/// # Errors
/// When there are none; the text is empty where the system does not say why.
pub fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Stores hold certificates that nobody can use any more; what matters is that some are left.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() { Err(found.errors.first().map(ToString::to_string).unwrap_or_default()) } else { Ok(roots) }
}

/// The certificates in a file of PEM, at least one, in their order.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let problem = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let pem = read(file).map_err(|error| problem(&error))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| problem(&error))?;
    if certificates.is_empty() { Err(problem(&"holds no certificate in PEM")) } else { Ok(certificates) }
}

/// Tells certificates apart.
pub(super) fn hash(certificates: &[CertificateDer<'_>]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for certificate in certificates {
        context.update(&(certificate.len() as u64).to_be_bytes());
        context.update(certificate);
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 octets")
}

/// Reads a regular file: a pipe would keep a thread for as long as nobody writes into it.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
    }
    let mut content = Vec::new();
    File::open(file)?.take(FILE_OCTETS + 1).read_to_end(&mut content)?;
    if content.len() as u64 > FILE_OCTETS {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "holds more than 1 MiB"));
    }
    Ok(content)
}
