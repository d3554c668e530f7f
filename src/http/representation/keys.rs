//! How gossip is encrypted, without what is secret of it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{http::openapi::shapes, model::encryption::Encryption};

/// How gossip is encrypted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Encryption")]
pub(in crate::http) struct EncryptionView {
    #[schemars(schema_with = "shapes::mode")]
    mode: &'static str,
    /// All of them decrypt.
    keys: Vec<HeldKeyView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HeldKey")]
struct HeldKeyView {
    #[schemars(schema_with = "shapes::key_id")]
    id: u8,
    /// Tells keys apart, and gives nothing away of them.
    #[schemars(schema_with = "shapes::fingerprint")]
    fingerprint: String,
    /// Whether it is the one that encrypts, where the mode says so.
    primary: bool,
}

impl From<&Encryption> for EncryptionView {
    fn from(encryption: &Encryption) -> Self {
        let keys = encryption.keys.iter().enumerate().map(|(place, (id, fingerprint))| HeldKeyView {
            id: id.get(),
            fingerprint: fingerprint.to_string(),
            primary: place == 0,
        });
        EncryptionView { mode: encryption.mode.as_str(), keys: keys.collect() }
    }
}
