//! Whom checks over TLS trust. The crypto provider is handed to rustls here, so that none is installed for the whole process.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::{sync::OnceCell, task::spawn_blocking};

/// Octets of a file of certificates: all that browsers trust takes a quarter of it.
const CA_FILE_OCTETS: u64 = 1024 * 1024;

/// Settings for TLS. The system's certificates are read at the first check that needs them, and kept; a file of its own is read
/// for each run, so that a replaced one counts from then on.
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    system: OnceCell<Arc<ClientConfig>>,
    nobody: OnceCell<Arc<ClientConfig>>,
}

impl Default for Trust {
    fn default() -> Self {
        Trust { provider: Arc::new(ring::default_provider()), system: OnceCell::new(), nobody: OnceCell::new() }
    }
}

impl Trust {
    /// Settings that trust the certificates of a file or else the system's, or that verify nothing.
    pub(super) async fn settings(&self, ca_file: Option<&Path>, verify: bool) -> Result<Arc<ClientConfig>, String> {
        match ca_file {
            _ if !verify => self.nobody.get_or_try_init(async || self.without_verification()).await.cloned(),
            None => self.system.get_or_try_init(async || self.trusting(blocking(system_roots).await?)).await.cloned(),
            Some(file) => {
                let file = file.to_owned();
                self.trusting(blocking(move || roots_in(&file)).await?)
            }
        }
    }

    fn trusting(&self, roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions();
        let settings = builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        Ok(Arc::new(fresh(settings)))
    }

    fn without_verification(&self) -> Result<Arc<ClientConfig>, String> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions();
        let schemes = self.provider.signature_verification_algorithms.supported_schemes();
        let verifier = Arc::new(TakesAnything { schemes });
        let dangerous = builder.map_err(|error| error.to_string())?.dangerous();
        Ok(Arc::new(fresh(dangerous.with_custom_certificate_verifier(verifier).with_no_client_auth())))
    }
}

/// A resumed session would pass with a certificate that has expired since.
fn fresh(mut settings: ClientConfig) -> ClientConfig {
    settings.resumption = Resumption::disabled();
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    settings
}

async fn blocking(read: impl FnOnce() -> Result<RootCertStore, String> + Send + 'static) -> Result<RootCertStore, String> {
    spawn_blocking(read).await.unwrap_or_else(|_| Err("reading certificates broke off".into()))
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Stores hold certificates that nobody can use any more; what matters is that some are left.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let problem = found.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(format!("this system trusts no certificates; name a ca_file: {problem}"));
    }
    Ok(roots)
}

fn roots_in(file: &PathBuf) -> Result<RootCertStore, String> {
    let problem = |what: &dyn std::fmt::Display| format!("ca_file {}: {what}", file.display());
    let pem = read(file).map_err(|error| problem(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| problem(&error))?;
        roots.add(certificate).map_err(|error| problem(&error))?;
    }
    if roots.is_empty() { Err(problem(&"holds no certificate in PEM")) } else { Ok(roots) }
}

/// Reads a regular file: a pipe would keep a thread for as long as nobody writes into it.
fn read(file: &PathBuf) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
    }
    let mut content = Vec::new();
    File::open(file)?.take(CA_FILE_OCTETS + 1).read_to_end(&mut content)?;
    if content.len() as u64 > CA_FILE_OCTETS {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "holds more than 1 MiB"));
    }
    Ok(content)
}

/// For `verify = false`: whoever answers is taken for the target.
#[derive(Debug)]
struct TakesAnything {
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for TakesAnything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
