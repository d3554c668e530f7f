//! One key.

use std::fmt::{self, Write as _};

use aes_gcm_siv::{AeadInOut as _, Aes256GcmSiv, KeyInit as _, Nonce};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rand::{CryptoRng, Rng, RngExt as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::model::encryption::{Fingerprint, KeyId};

const SECRET_OCTETS: usize = 32;

/// A key with its id. It is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    id: KeyId,
    secret: Zeroizing<[u8; SECRET_OCTETS]>,
}

impl Key {
    /// The key with this secret.
    pub fn new(id: KeyId, secret: [u8; SECRET_OCTETS]) -> Key {
        Key { id, secret: Zeroizing::new(secret) }
    }

    /// A new key with an id at random.
    pub fn generate<R: Rng + CryptoRng>(rng: &mut R) -> Key {
        let id = KeyId::new(rng.random_range(1..=u8::MAX)).expect("it is not 0");
        let mut secret = Zeroizing::new([0; SECRET_OCTETS]);
        rng.fill_bytes(&mut secret[..]);
        Key { id, secret }
    }

    /// Reads a key as [`Key::text`] writes it.
    ///
    /// # Errors
    /// What is wrong with it, without the text itself: that may be a secret.
    pub fn parse(text: &str) -> Result<Key, String> {
        let form = "a key is its id (1 to 255), a colon and 32 octets in Base64, as `tidings keys generate` makes it";
        let (id, secret) = text.trim().split_once(':').ok_or_else(|| format!("there is no colon: {form}"))?;
        let id = id.parse().map_err(|_| format!("what stands before the colon is no number from 1 to 255: {form}"))?;
        let mut octets = Zeroizing::new([0; SECRET_OCTETS + 2]);
        match BASE64.decode_slice(secret, &mut octets[..]) {
            Ok(SECRET_OCTETS) => {
                let mut secret = Zeroizing::new([0; SECRET_OCTETS]);
                secret.copy_from_slice(&octets[..SECRET_OCTETS]);
                Ok(Key { id, secret })
            }
            Ok(_) | Err(_) => Err(format!("what stands behind the colon is not 32 octets in Base64: {form}")),
        }
    }

    /// The key itself, as it stands in a file of keys.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(4 + SECRET_OCTETS * 4 / 3 + 4));
        let mut encoded = BASE64.encode(&self.secret[..]);
        let _ = write!(text, "{}:{encoded}", self.id);
        encoded.zeroize();
        text
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Its fingerprint: the first octets of what the cipher makes of nothing under a name of its own, which to whoever lacks the key is as good as random.
    pub fn fingerprint(&self) -> Fingerprint {
        let tag = self
            .cipher()
            .encrypt_inout_detached(&Nonce::default(), b"tidings: fingerprint of a key", (&mut [][..]).into())
            .expect("nothing is not too long");
        Fingerprint(u32::from_be_bytes([tag[0], tag[1], tag[2], tag[3]]))
    }

    /// AES-256-GCM-SIV (RFC 8452) with this key.
    pub fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new((&*self.secret).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {})", self.id, self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..20 {
            let key = Key::generate(&mut rng);
            assert_eq!(Key::parse(&key.text()).unwrap(), key);
        }
    }

    #[test]
    fn neither_a_refusal_nor_a_debug_print_has_the_secret_in_it() {
        let key = Key::new(KeyId::new(3).unwrap(), [0xa5; 32]);
        let text = key.text();
        assert_eq!(&*text, "3:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=");
        assert!(!format!("{key:?}").contains("paW"), "{key:?}");
        for wrong in ["0:paWl", "256:paWl", "paWlpaWl", "3:paWlpaWl", "3:paWl?", &format!("{}paWl", &*text), "x:paWl"] {
            let error = Key::parse(wrong).unwrap_err();
            assert!(!error.contains("paWl") && error.contains("keys generate"), "{error}");
        }
    }

    #[test]
    fn a_fingerprint_depends_on_the_secret_and_not_on_the_id() {
        let of = |id, secret| Key::new(KeyId::new(id).unwrap(), [secret; 32]).fingerprint();
        assert_eq!(of(1, 7), of(2, 7));
        assert_ne!(of(1, 7), of(1, 8));
    }
}
