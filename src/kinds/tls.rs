//! Whom checks over TLS trust.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{sync::OnceCell, task::spawn_blocking};

use crate::tls;

type Settings = Result<Arc<ClientConfig>, String>;

/// Settings for TLS. The system's certificates are read at the first check that needs them, and kept; a file of its own is read
/// for each run, so that a replaced one counts from then on.
#[derive(Default)]
pub(super) struct Trust {
    system: OnceCell<Arc<ClientConfig>>,
    nobody: OnceCell<Arc<ClientConfig>>,
}

impl Trust {
    /// Settings that trust the certificates of a file or else the system's, or that verify nothing.
    pub(super) async fn settings(&self, ca_file: Option<&Path>, verify: bool) -> Settings {
        match ca_file {
            _ if !verify => self.nobody.get_or_try_init(async || without_verification()).await.cloned(),
            None => self.system.get_or_try_init(async || blocking(of_system).await).await.cloned(),
            Some(file) => {
                let file = file.to_owned();
                blocking(move || of_file(&file)).await
            }
        }
    }
}

async fn blocking(read: impl FnOnce() -> Settings + Send + 'static) -> Settings {
    spawn_blocking(read).await.unwrap_or_else(|_| Err("reading certificates broke off".into()))
}

fn of_system() -> Settings {
    let roots = tls::system_roots().map_err(|why| format!("this system trusts no certificates; name a ca_file: {why}"))?;
    tls::client(roots, None)
}

fn of_file(file: &Path) -> Settings {
    tls::client(tls::roots_in(file).map_err(|error| format!("ca_file {error}"))?.store, None)
}

fn without_verification() -> Settings {
    let schemes = tls::provider().signature_verification_algorithms.supported_schemes();
    tls::client_with(Arc::new(TakesAnything { schemes }))
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
