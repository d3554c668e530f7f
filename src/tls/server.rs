//! The side that has a certificate to show, and may ask for one.

use std::{fmt, sync::Arc};

use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    version::{TLS12, TLS13},
};
use webpki::EndEntityCert;

use super::{ALPN, Identity, Roots, provider, roots::hash, unusable};
use crate::model::Domain;

/// What a server shows and asks for. Cheap to clone; two are equal where they show and ask for the same.
#[derive(Clone)]
pub struct Server {
    settings: Arc<ServerConfig>,
    names: Arc<[Domain]>,
    hashes: (String, Option<[u8; 32]>),
}

impl Server {
    /// Settings that show a certificate, and take nobody without one of an authority in `clients`, where there is that.
    ///
    /// # Errors
    /// When the key is not that of the certificate, or either is none that can be used.
    pub fn new(identity: Identity, clients: Option<Roots>) -> Result<Server, String> {
        let Identity { chain, key } = identity;
        let own = chain.first().ok_or("there is no certificate")?;
        let names = EndEntityCert::try_from(own).map_err(|error| format!("the certificate can't be understood: {error}"))?;
        // One with a wildcard is for other hosts, too; Domain takes none.
        let names = names.valid_dns_names().filter_map(|name| Domain::new(name).ok()).collect();
        let hashes = (hex(&hash(&chain)), clients.as_ref().map(|roots| roots.hash));
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| error.to_string())?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.store), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| error.to_string())?)
            }
        };
        let mut settings = builder.with_single_cert(chain, key).map_err(unusable)?;
        settings.alpn_protocols = vec![ALPN.to_vec()];
        // A resumed session would pass with a certificate that has expired since.
        settings.session_storage = Arc::new(NoServerSessionStorage {});
        settings.send_tls13_tickets = 0;
        Ok(Server { settings: Arc::new(settings), names, hashes })
    }

    /// For rustls.
    pub fn settings(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.settings)
    }

    /// The names in the certificate, without those that have a wildcard.
    pub fn names(&self) -> &Arc<[Domain]> {
        &self.names
    }

    /// Tells certificates, with their chains, apart: the beginning of a hash, for people.
    pub fn fingerprint(&self) -> &str {
        &self.hashes.0[..16]
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("names", &self.names).field("hashes", &self.hashes).finish_non_exhaustive()
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Server) -> bool {
        self.hashes == other.hashes
    }
}

impl Eq for Server {}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests;
