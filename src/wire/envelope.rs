//! The envelope of a datagram or frame, and the messages in it.
//!
//! ```text
//! magic (1) | version (1) | key id (1, 0: not encrypted) | cluster tag (4) | messages, or what `seal.rs` makes of them
//! message:  kind (1) | length (2, big-endian) | body          in a datagram
//!           kind (1) | length (4, big-endian) | body          in a frame
//! ```

use std::hash::Hasher as _;

use super::{HIGHEST_VERSION, Versions, WireError, limits, versions::NEGOTIATION};
use crate::model::ClusterName;

const MAGIC: u8 = 0xd7;
/// Where the version stands.
const VERSION_AT: usize = 1;
/// Where the key id stands.
pub(super) const KEY_ID_AT: usize = 2;
/// The key id of what is not encrypted.
pub(super) const NOT_SEALED: u8 = 0;

/// The hash of a cluster's name that stands in each envelope. The full name is compared when agents meet by stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterTag(pub u32);

impl ClusterTag {
    /// The tag of a name.
    pub fn of(name: &ClusterName) -> Self {
        let mut hasher = siphasher::sip::SipHasher13::new();
        hasher.write(name.as_str().as_bytes());
        ClusterTag((hasher.finish() >> 32) as u32)
    }
}

/// Whether lengths of messages take two octets or four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A datagram.
    Datagram,
    /// A frame of a stream.
    Frame,
}

/// Writes messages into one envelope.
#[derive(Debug)]
pub struct Envelope {
    bytes: Vec<u8>,
    carrier: Carrier,
}

impl Envelope {
    /// An envelope without messages, in the highest version that this program speaks. An agent writes in one that its peer speaks, too: [`Envelope::of`].
    pub fn new(carrier: Carrier, cluster: ClusterTag) -> Self {
        Self::of(HIGHEST_VERSION as u8, carrier, cluster)
    }

    /// An envelope without messages, in a version.
    pub fn of(version: u8, carrier: Carrier, cluster: ClusterTag) -> Self {
        let mut bytes = Vec::with_capacity(match carrier {
            Carrier::Datagram => limits::DATAGRAM_OCTETS,
            Carrier::Frame => 1_024,
        });
        bytes.extend([MAGIC, version, NOT_SEALED]);
        bytes.extend(cluster.0.to_be_bytes());
        Envelope { bytes, carrier }
    }

    /// Octets that are still free for messages.
    pub fn room(&self) -> usize {
        let most = match self.carrier {
            Carrier::Datagram => limits::DATAGRAM_OCTETS,
            Carrier::Frame => limits::FRAME_OCTETS,
        };
        (most - limits::SEAL_OCTETS).saturating_sub(self.bytes.len())
    }

    /// Octets used so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True while there is no message in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == limits::ENVELOPE_OCTETS
    }

    /// Adds a message if it fits.
    pub fn push(&mut self, kind: u8, body: &[u8]) -> bool {
        self.push_parts(kind, &[body])
    }

    /// The same with a body in parts.
    pub fn push_parts(&mut self, kind: u8, parts: &[&[u8]]) -> bool {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if head(self.carrier) + length > self.room() {
            return false;
        }
        self.bytes.push(kind);
        match self.carrier {
            Carrier::Datagram => self.bytes.extend((length as u16).to_be_bytes()),
            Carrier::Frame => self.bytes.extend((length as u32).to_be_bytes()),
        }
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        true
    }

    /// The finished datagram or frame.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

fn head(carrier: Carrier) -> usize {
    match carrier {
        Carrier::Datagram => 3,
        Carrier::Frame => 5,
    }
}

/// A message: its kind and its body.
pub type RawMessage<'a> = (u8, &'a [u8]);

/// The version that a datagram or a frame is of, whoever can read it; none where it is no envelope of any.
pub fn version_of(bytes: &[u8]) -> Option<u8> {
    bytes.get(VERSION_AT).copied().filter(|_| bytes.len() >= limits::ENVELOPE_OCTETS && bytes[0] == MAGIC)
}

/// Reads an envelope of a version that this program speaks and that is not encrypted: its cluster tag, and its messages.
///
/// # Errors
/// The first thing that is wrong with it. Nothing of a bad envelope is to be used.
pub fn open(carrier: Carrier, bytes: &[u8]) -> Result<(ClusterTag, Vec<RawMessage<'_>>), WireError> {
    match split(carrier, bytes, Versions::SPOKEN)? {
        (Head { key: NOT_SEALED, cluster, .. }, rest) => Ok((cluster, messages(carrier, rest)?)),
        _ => Err(WireError::Sealed),
    }
}

/// The head of an envelope: the same in all versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub version: u8,
    pub key: u8,
    pub cluster: ClusterTag,
}

/// Reads the head of an envelope of one of these versions, or a frame that is the same in all; and what stands behind it.
///
/// # Errors
/// The first thing that is wrong with it. Nothing of a bad envelope is to be used.
pub(super) fn split(carrier: Carrier, bytes: &[u8], versions: Versions) -> Result<(Head, &[u8]), WireError> {
    let most = match carrier {
        Carrier::Datagram => limits::DATAGRAM_OCTETS,
        Carrier::Frame => limits::FRAME_OCTETS,
    };
    if bytes.len() > most {
        return Err(WireError::TooLarge);
    }
    let [MAGIC, version, key, a, b, c, d, rest @ ..] = bytes else {
        return Err(WireError::Malformed);
    };
    let is_the_same_in_all = *version == NEGOTIATION && carrier == Carrier::Frame;
    if !versions.contains(*version) && !is_the_same_in_all {
        return Err(WireError::Version);
    }
    Ok((Head { version: *version, key: *key, cluster: ClusterTag(u32::from_be_bytes([*a, *b, *c, *d])) }, rest))
}

/// Reads messages, as they stand behind the head.
pub(super) fn messages(carrier: Carrier, mut rest: &[u8]) -> Result<Vec<RawMessage<'_>>, WireError> {
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let (kind, length, tail) = match (carrier, rest) {
            (Carrier::Datagram, [kind, a, b, tail @ ..]) => (*kind, usize::from(u16::from_be_bytes([*a, *b])), tail),
            (Carrier::Frame, [kind, a, b, c, d, tail @ ..]) => (*kind, u32::from_be_bytes([*a, *b, *c, *d]) as usize, tail),
            _ => return Err(WireError::Malformed),
        };
        let Some((body, tail)) = tail.split_at_checked(length) else {
            return Err(WireError::Malformed);
        };
        messages.push((kind, body));
        rest = tail;
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_and_a_full_envelope_takes_no_more() {
        let tag = ClusterTag::of(&ClusterName::new("test").unwrap());
        let mut envelope = Envelope::new(Carrier::Datagram, tag);
        assert!(envelope.push(1, b"abc") && envelope.push(2, b""));
        let room = envelope.room();
        assert!(!envelope.push(3, &vec![0; room - 2]));
        assert!(envelope.push(3, &vec![7; room - 3]));
        let bytes = envelope.into_bytes();
        assert_eq!(bytes.len() + limits::SEAL_OCTETS, limits::DATAGRAM_OCTETS);
        let (seen, messages) = open(Carrier::Datagram, &bytes).unwrap();
        assert_eq!(seen, tag);
        assert_eq!(messages[..2], [(1, &b"abc"[..]), (2, &b""[..])]);
    }

    #[test]
    fn an_envelope_is_read_by_who_speaks_its_version_and_tells_it_to_everybody() {
        let bytes = Envelope::of(7, Carrier::Datagram, ClusterTag(7)).into_bytes();
        let read = |lowest, highest| split(Carrier::Datagram, &bytes, Versions { lowest, highest }).map(|(head, _)| head.version);
        assert_eq!((read(7, 7), read(1, 9)), (Ok(7), Ok(7)));
        assert_eq!((read(1, 6), read(8, 9)), (Err(WireError::Version), Err(WireError::Version)));
        assert_eq!((version_of(&bytes), version_of(&bytes[..6]), version_of(b"1234567")), (Some(7), None, None));
    }

    #[test]
    fn every_cut_and_every_flipped_head_is_an_error_or_other_messages_but_never_a_panic() {
        let mut envelope = Envelope::new(Carrier::Frame, ClusterTag(7));
        envelope.push(1, b"abc");
        let bytes = envelope.into_bytes();
        for length in 0..bytes.len() {
            let opened = open(Carrier::Frame, &bytes[..length]);
            assert!(opened.is_err() || length == limits::ENVELOPE_OCTETS, "{length}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0xff;
            let _ = open(Carrier::Frame, &flipped);
        }
        assert_eq!(open(Carrier::Datagram, &[0; 2_000]), Err(WireError::TooLarge));
        assert_eq!(open(Carrier::Datagram, &[MAGIC, 9, 0, 0, 0, 0, 0]), Err(WireError::Version));
        assert_eq!(open(Carrier::Datagram, &[MAGIC, NEGOTIATION, 0, 0, 0, 0, 0]), Err(WireError::Version), "it comes by stream only");
        assert!(open(Carrier::Frame, &[MAGIC, NEGOTIATION, 0, 0, 0, 0, 0]).is_ok());
        assert_eq!(open(Carrier::Datagram, &[MAGIC, 1, 3, 0, 0, 0, 0]), Err(WireError::Sealed));
    }
}
