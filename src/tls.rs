//! TLS: what stands in files of certificates and keys, and settings of rustls made of it.
//!
//! ring is handed to rustls here, in each setting, so that no provider is installed for the whole process.

mod client;
mod identity;
mod roots;
mod server;

pub use client::{client, client_with};
pub use identity::Identity;
pub use roots::{Roots, roots_in, system_roots};
pub use server::Server;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// The one protocol that is spoken over TLS, by its name for ALPN (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

/// The cryptography that every setting uses.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Why a certificate and its key are of no use.
fn unusable(error: rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate: give both of one pair".to_owned(),
        error => format!("the certificate and its key can't be used: {error}"),
    }
}
