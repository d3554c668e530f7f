//! One token: what is kept of it, and the secret that it is known by.

use std::{fmt::Write as _, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use rand::{CryptoRng, Rng};
use ring::digest;
use zeroize::{Zeroize as _, Zeroizing};

use super::Scope;

/// Octets of a secret. It is drawn at random, so one round of a hash keeps it: there is nothing to guess.
const SECRET_OCTETS: usize = 32;
/// What a secret begins with, so that those who search for secrets that leaked find it.
const PREFIX: &str = "tidings_";

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called, for people and logs.
    pub name: String,
    /// The SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires: Option<SystemTime>,
}

/// What a bearer shows. It is wiped when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new one.
    pub fn generate<R: Rng + CryptoRng>(rng: &mut R) -> Secret {
        let mut octets = Zeroizing::new([0; SECRET_OCTETS]);
        rng.fill_bytes(&mut octets[..]);
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + SECRET_OCTETS * 4 / 3 + 4));
        let mut encoded = BASE64.encode(&octets[..]);
        let _ = write!(text, "{PREFIX}{encoded}");
        encoded.zeroize();
        Secret(text)
    }

    /// The text that is shown.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        Secret::hash_of(&self.0)
    }

    /// What would be kept of this text.
    pub fn hash_of(text: &str) -> [u8; 32] {
        digest::digest(&digest::SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 octets")
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn a_secret_is_text_for_a_header_and_no_two_are_equal() {
        let mut rng = StdRng::seed_from_u64(1);
        let (one, other) = (Secret::generate(&mut rng), Secret::generate(&mut rng));
        assert!(one.text().starts_with(PREFIX) && one.text().len() == PREFIX.len() + 43, "{}", one.text());
        assert!(one.text().bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)));
        assert_ne!(one.hash(), other.hash());
        assert_eq!(Secret::hash_of(one.text()), one.hash());
    }
}
