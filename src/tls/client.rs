//! The side that looks at a certificate, and may have one to show.

use std::sync::Arc;

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    client::{Resumption, danger::ServerCertVerifier},
    version::{TLS12, TLS13},
};

use super::{ALPN, Identity, provider, unusable};

/// Settings that trust these authorities, and show a certificate where they are asked for one and there is one.
///
/// # Errors
/// When the key is not that of the certificate, or either is none that can be used.
pub fn client(roots: RootCertStore, identity: Option<Identity>) -> Result<Arc<ClientConfig>, String> {
    let builder = builder()?.with_root_certificates(roots);
    Ok(fresh(match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain, key).map_err(unusable)?,
    }))
}

/// Settings that leave it to `verifier` whom to trust.
///
/// # Errors
/// When rustls takes none.
pub fn client_with(verifier: Arc<dyn ServerCertVerifier>) -> Result<Arc<ClientConfig>, String> {
    Ok(fresh(builder()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| error.to_string())
}

/// A resumed session would pass with a certificate that has expired since.
fn fresh(mut settings: ClientConfig) -> Arc<ClientConfig> {
    settings.resumption = Resumption::disabled();
    settings.alpn_protocols = vec![ALPN.to_vec()];
    Arc::new(settings)
}
