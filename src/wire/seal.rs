//! Envelopes, encrypted and opened: AES-256-GCM-SIV (RFC 8452) over all messages of a datagram or frame.
//!
//! ```text
//! head (7, the id of the key in it) | messages, encrypted | tag (16) | nonce (12)
//! ```
//!
//! What is authenticated beside them: the head (so the cluster and the key's id), whether it is a datagram or a frame, and what the caller binds it to.
//! A nonce is the time in seconds, as those who hold the keys share it, and 64 bits at random. Should one come twice, as where the memory of a running agent was copied, GCM-SIV gives away that two messages are the same
//! if they are, and nothing else (RFC 8452, 1); that is why it is this cipher.

use std::{borrow::Cow, fmt};

use aes_gcm_siv::{AeadInOut as _, Aes256GcmSiv};

use super::{
    Versions, WireError,
    envelope::{self, Carrier, ClusterTag, Head, KEY_ID_AT, NOT_SEALED, RawMessage},
    limits,
};
use crate::{
    keyring::Keyring,
    model::encryption::Mode,
    planted::{Planted, is_planted},
};

const TAG_OCTETS: usize = 16;
const NONCE_OCTETS: usize = 12;
const TIME_OCTETS: usize = 4;

/// What makes two encrypted messages differ though all else is the same: when it was sealed, and 64 bits at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nonce([u8; NONCE_OCTETS]);

impl Nonce {
    /// One that has this time and these octets, which are at random.
    pub fn new(seconds: u32, random: [u8; NONCE_OCTETS - TIME_OCTETS]) -> Nonce {
        let mut octets = [0; NONCE_OCTETS];
        octets[..TIME_OCTETS].copy_from_slice(&seconds.to_be_bytes());
        octets[TIME_OCTETS..].copy_from_slice(&random);
        Nonce(octets)
    }

    /// When it was drawn, by the time that those who hold the keys share.
    pub fn seconds(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// All of it.
    pub fn octets(self) -> [u8; NONCE_OCTETS] {
        self.0
    }
}

/// Encrypts and opens envelopes.
#[derive(Clone, Default)]
pub struct Seal {
    mode: Mode,
    /// The first one encrypts.
    keys: Vec<(u8, Aes256GcmSiv)>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({}, {:?})", self.mode, self.keys.iter().map(|(id, _)| id).collect::<Vec<_>>())
    }
}

impl Seal {
    /// One that works by these keys. Without any it does as [`Mode::Off`] says.
    pub fn new(mode: Mode, ring: &Keyring) -> Seal {
        let keys: Vec<_> = ring.keys().iter().map(|key| (key.id().get(), key.cipher())).collect();
        Seal { mode: if keys.is_empty() { Mode::Off } else { mode }, keys }
    }

    /// Also opens what another one does.
    pub(crate) fn also_open(&mut self, other: &Seal) {
        let new = |(id, _): &&(u8, Aes256GcmSiv)| !self.keys.iter().any(|(known, _)| known == id);
        let others: Vec<_> = other.keys.iter().filter(new).cloned().collect();
        self.keys.extend(others);
    }

    /// Whether it encrypts.
    pub fn encrypts(&self) -> bool {
        self.mode.encrypts()
    }

    /// Whether it opens nothing but what is encrypted.
    pub fn requires(&self) -> bool {
        self.mode == Mode::Require
    }

    /// Encrypts an envelope for whoever has the same key, and knows what it is bound to. Leaves it as it is where the mode says so.
    pub fn close(&self, carrier: Carrier, mut envelope: Vec<u8>, nonce: Nonce, bound_to: &[u8]) -> Vec<u8> {
        let Some((id, cipher)) = self.keys.first().filter(|_| self.encrypts()) else {
            return envelope;
        };
        envelope[KEY_ID_AT] = *id;
        let (head, messages) = envelope.split_at_mut(limits::ENVELOPE_OCTETS);
        let beside = beside(head, carrier, bound_to);
        let tag = cipher
            .encrypt_inout_detached(&nonce.0.into(), &beside, messages.into())
            .expect("an envelope is far below the limit of 2^36 octets");
        envelope.extend(tag);
        envelope.extend(nonce.0);
        envelope
    }

    /// Opens what was received, if it is of one of these versions.
    ///
    /// # Errors
    /// The first thing that is wrong with it. Nothing of a bad envelope is to be used.
    pub fn open<'a>(&self, versions: Versions, carrier: Carrier, bytes: &'a [u8], bound_to: &[u8]) -> Result<Opened<'a>, WireError> {
        let (Head { version, key, cluster }, rest) = envelope::split(carrier, bytes, versions)?;
        if key == NOT_SEALED {
            let opened = Opened { version, cluster, carrier, nonce: None, messages: Cow::Borrowed(rest) };
            return if self.requires() && !is_planted(Planted::PlainTaken) { Err(WireError::NotEncrypted) } else { Ok(opened) };
        }
        let (_, cipher) = self.keys.iter().find(|(id, _)| *id == key).ok_or(WireError::Sealed)?;
        let Some((rest, nonce)) = rest.split_last_chunk::<NONCE_OCTETS>() else {
            return Err(WireError::Malformed);
        };
        let Some((encrypted, tag)) = rest.split_last_chunk::<TAG_OCTETS>() else {
            return Err(WireError::Malformed);
        };
        let mut messages = encrypted.to_vec();
        let beside = beside(&bytes[..limits::ENVELOPE_OCTETS], carrier, bound_to);
        cipher
            .decrypt_inout_detached(&(*nonce).into(), &beside, messages.as_mut_slice().into(), &(*tag).into())
            .map_err(|_| WireError::Forged)?;
        Ok(Opened { version, cluster, carrier, nonce: Some(Nonce(*nonce)), messages: Cow::Owned(messages) })
    }
}

/// What a frame of a stream is bound to: `opener`, whether the side that says it opened the stream; how many frames that side said before, and the nonce of the first of
/// them; and the first nonce that it had heard from the other side.
pub fn place(opener: bool, frames: u64, first: Option<Nonce>, heard: Option<Nonce>) -> Vec<u8> {
    let mut bytes = vec![u8::from(opener)];
    bytes.extend(frames.to_be_bytes());
    bytes.extend(first.unwrap_or_default().octets());
    bytes.extend(heard.unwrap_or_default().octets());
    bytes
}

fn beside(head: &[u8], carrier: Carrier, bound_to: &[u8]) -> Vec<u8> {
    [head, &[carrier as u8], bound_to].concat()
}

/// An envelope that may be read.
#[derive(Debug)]
pub struct Opened<'a> {
    /// The version that it is of.
    pub version: u8,
    /// The cluster that it says it is of.
    pub cluster: ClusterTag,
    /// With which nonce it was encrypted, if it was.
    pub nonce: Option<Nonce>,
    carrier: Carrier,
    messages: Cow<'a, [u8]>,
}

impl Opened<'_> {
    /// The messages in it.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where they are cut off.
    pub fn messages(&self) -> Result<Vec<RawMessage<'_>>, WireError> {
        envelope::messages(self.carrier, &self.messages)
    }

    /// The same, where it is of this cluster.
    ///
    /// # Errors
    /// [`WireError::Cluster`] where it is not, else as [`Opened::messages`].
    pub fn messages_of(&self, cluster: ClusterTag) -> Result<Vec<RawMessage<'_>>, WireError> {
        if self.cluster == cluster || is_planted(Planted::ClusterUnbound) { self.messages() } else { Err(WireError::Cluster) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keyring::Key, model::ClusterName, wire::envelope::Envelope};

    const NONCE: Nonce = Nonce([9; NONCE_OCTETS]);

    fn seal(mode: Mode, keys: &[(u8, u8)]) -> Seal {
        let key = |(id, secret): &(u8, u8)| Key::new(id.to_string().parse().unwrap(), [*secret; 32]);
        Seal::new(mode, &Keyring::new(keys.iter().map(key).collect()).unwrap())
    }

    fn envelope(carrier: Carrier) -> Vec<u8> {
        let mut envelope = Envelope::new(carrier, ClusterTag::of(&ClusterName::new("test").unwrap()));
        assert!(envelope.push(3, b"a word") && envelope.push(4, b""));
        envelope.into_bytes()
    }

    #[test]
    fn what_was_encrypted_comes_out_as_it_went_in_and_is_not_to_be_seen_meanwhile() {
        let seal = seal(Mode::Require, &[(5, 1)]);
        let clear = envelope(Carrier::Datagram);
        let bytes = seal.close(Carrier::Datagram, clear.clone(), NONCE, b"");
        assert_eq!(bytes.len(), clear.len() + limits::SEAL_OCTETS);
        assert!(!bytes.windows(6).any(|octets| octets == b"a word"));
        let opened = seal.open(Versions::SPOKEN, Carrier::Datagram, &bytes, b"").unwrap();
        assert_eq!(opened.messages().unwrap(), [(3, &b"a word"[..]), (4, b"")]);
        assert_eq!(opened.nonce, Some(NONCE));
    }

    #[test]
    fn nothing_opens_of_which_an_octet_differs_or_is_missing_or_that_is_bound_to_something_else() {
        let seal = seal(Mode::Accept, &[(5, 1)]);
        let bytes = seal.close(Carrier::Frame, envelope(Carrier::Frame), NONCE, b"here");
        assert!(seal.open(Versions::SPOKEN, Carrier::Frame, &bytes, b"here").is_ok());
        assert_eq!(seal.open(Versions::SPOKEN, Carrier::Frame, &bytes, b"there").unwrap_err(), WireError::Forged);
        assert_eq!(seal.open(Versions::SPOKEN, Carrier::Datagram, &bytes, b"here").unwrap_err(), WireError::Forged);
        for length in 0..bytes.len() {
            assert!(seal.open(Versions::SPOKEN, Carrier::Frame, &bytes[..length], b"here").is_err(), "{length}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 5;
            // A key id of 0 says that it is clear, and then its messages make no sense.
            let opened = seal.open(Versions::SPOKEN, Carrier::Frame, &flipped, b"here").and_then(|opened| opened.messages().map(drop));
            assert!(opened.is_err(), "{at}");
        }
    }

    #[test]
    fn each_mode_takes_and_sends_what_it_says() {
        let of = |mode, keys: &[(u8, u8)]| seal(mode, keys);
        let takes = |from: &Seal, to: &Seal| {
            let bytes = from.close(Carrier::Datagram, envelope(Carrier::Datagram), NONCE, b"");
            to.open(Versions::SPOKEN, Carrier::Datagram, &bytes, b"").map(drop)
        };
        let (none, off) = (of(Mode::Require, &[]), of(Mode::Off, &[(5, 1)]));
        let (accept, require) = (of(Mode::Accept, &[(5, 1)]), of(Mode::Require, &[(5, 1)]));
        assert_eq!((takes(&none, &off), takes(&none, &accept), takes(&none, &require)), (Ok(()), Ok(()), Err(WireError::NotEncrypted)));
        assert_eq!((takes(&off, &none), takes(&off, &accept), takes(&off, &require)), (Ok(()), Ok(()), Err(WireError::NotEncrypted)));
        assert_eq!((takes(&accept, &none), takes(&accept, &off), takes(&accept, &require)), (Err(WireError::Sealed), Ok(()), Ok(())));
        assert_eq!((takes(&require, &none), takes(&require, &off), takes(&require, &accept)), (Err(WireError::Sealed), Ok(()), Ok(())));
    }

    #[test]
    fn all_keys_of_a_ring_decrypt_and_the_first_one_encrypts() {
        let (old, both, swapped, new) = (
            seal(Mode::Require, &[(5, 1)]),
            seal(Mode::Require, &[(5, 1), (6, 2)]),
            seal(Mode::Require, &[(6, 2), (5, 1)]),
            seal(Mode::Require, &[(6, 2)]),
        );
        let takes = |from: &Seal, to: &Seal| {
            let bytes = from.close(Carrier::Datagram, envelope(Carrier::Datagram), NONCE, b"");
            to.open(Versions::SPOKEN, Carrier::Datagram, &bytes, b"").is_ok()
        };
        for (from, to) in [(&old, &both), (&both, &old), (&both, &swapped), (&swapped, &both), (&swapped, &new), (&new, &swapped)] {
            assert!(takes(from, to));
        }
        assert!(!takes(&old, &new) && !takes(&new, &old));
        assert!(!takes(&seal(Mode::Require, &[(5, 9)]), &old), "the same id, another key");
    }
}
