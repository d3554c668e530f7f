//! The messages, and how each is encoded.

use std::{net::SocketAddr, time::Duration};

use bincode::{Decode, Encode, config};

use super::{Identity, Versions, WireError, limits};

/// Kinds of messages. Numbers are never reused.
pub mod kind {
    /// A packet of foca's, opaque.
    pub const FOCA: u8 = 1;
    /// A digest of all that the sender knows.
    pub const DIGEST: u8 = 2;
    /// A record that its owner wrote, on its way to everyone.
    pub const PUSH: u8 = 3;
    /// Asks whether somebody is there, by datagram or stream.
    pub const PROBE: u8 = 4;
    /// Answers a probe.
    pub const PROBE_ACK: u8 = 5;
    /// Asks somebody to probe somebody else.
    pub const PROBE_REQUEST: u8 = 6;
    /// Answers that.
    pub const PROBE_REPORT: u8 = 7;
    /// Opens a conversation by stream, both ways.
    pub const HELLO: u8 = 16;
    /// Ends a conversation before it began.
    pub const REFUSE: u8 = 17;
    /// Hashes over buckets of owners.
    pub const BUCKETS: u8 = 18;
    /// Members.
    pub const MEMBERS: u8 = 19;
    /// Graves.
    pub const GRAVES: u8 = 20;
    /// Digests of single owners; the last message before the wants.
    pub const OWNERS: u8 = 21;
    /// What the sender holds of one owner, and that it wants the rest.
    pub const WANT: u8 = 22;
    /// No more wants follow.
    pub const WANTS_END: u8 = 23;
    /// A part of what was wanted.
    pub const HAVE: u8 = 24;
    /// No more haves follow.
    pub const HAVES_END: u8 = 25;
    /// Opens a stream that lies idle from then on, both ways: its end is news of the peer.
    pub const WATCH: u8 = 26;
    /// Says that the end of such a stream is no news.
    pub const WATCH_END: u8 = 27;
    /// Says which versions are spoken: in envelopes of version 0 only.
    pub const SPEAKS: u8 = crate::wire::versions::KIND;
}

/// A body that can be sent. Decoding ignores what a later version put behind the fields known here.
pub trait Message: Encode + Decode<()> {
    /// Its kind.
    const KIND: u8;

    /// Its octets.
    fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`WireError::Malformed`] when the bytes are too few, or name a length beyond the limit of a frame.
    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }
}

/// Encodes any body.
pub(crate) fn encode(value: &impl Encode) -> Vec<u8> {
    bincode::encode_to_vec(value, config::standard()).expect("writing to memory does not fail")
}

/// Decodes any body. No length in it makes more than a frame's worth of memory be claimed.
pub(crate) fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, WireError> {
    let limited = config::standard().with_limit::<{ 4 * limits::FRAME_OCTETS }>();
    bincode::decode_from_slice(bytes, limited).map(|(value, _)| value).map_err(|_| WireError::Malformed)
}

/// A digest of all that an agent knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Digest {
    /// Over who is alive.
    pub members: u64,
    /// Over each owner's records.
    pub owners: u64,
    /// Over the generations of nodes that are not to come back.
    pub graves: u64,
}

/// "This is what I know": who differs asks for a sync.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct DigestBeacon {
    /// Who says so.
    pub from: Identity,
    /// Over everything.
    pub digest: u64,
}

/// "Are you there?" Whoever is at that address answers, and says so if it is not who is meant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Probe {
    /// [`Identity::short`] of whom is meant.
    pub to: [u8; 4],
    /// Stands in the answer, so that nobody answers who was not asked.
    pub nonce: [u8; 4],
    /// The sender has reason to believe that nobody is there.
    pub suspected: bool,
}

/// "I am here."
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ProbeAck {
    /// The probe's.
    pub nonce: [u8; 4],
    /// [`Digest::short`] of what the sender knows.
    pub digest: [u8; 4],
    /// Who is there instead of whom was meant.
    pub instead: Option<Identity>,
}

/// "Do you reach this one?"
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProbeRequest {
    /// Which node. It is probed where the receiver knows it to be.
    pub node: [u8; 8],
    /// [`Identity::short`] of whom is meant.
    pub to: [u8; 4],
    /// Stands in the answer.
    pub nonce: [u8; 4],
}

/// What a node that was asked found out about another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Found {
    /// It answered.
    Answered,
    /// Nothing was heard of it.
    Silent,
    /// Its host said that nobody listens there.
    Refused,
    /// It took a connection and did not answer.
    Stalled,
    /// It announced a short absence, or another life of it is there: it is to be left alone.
    Excused,
}

/// "This is what I found."
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProbeReport {
    /// The request's.
    pub nonce: [u8; 4],
    /// What.
    pub found: Found,
}

/// "Should this stream end, look after me", said by both ends.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Watch {
    /// Who says so.
    pub from: Identity,
    /// [`Identity::short`] of whom is meant.
    pub to: [u8; 4],
}

/// What a pushed record says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum What {
    /// A definition with the status that it starts with.
    Definition {
        /// Its body.
        definition: Vec<u8>,
        /// Its status.
        status: Vec<u8>,
    },
    /// A status of the definition with version `of`.
    Status {
        /// Which definition it speaks of.
        of: u64,
        /// Its body.
        status: Vec<u8>,
    },
    /// The record is gone.
    Gone,
}

/// A life, on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Encode, Decode)]
pub struct WireLife {
    generation: u32,
    nonce: [u8; 8],
}

impl Digest {
    /// Over everything.
    pub fn total(self) -> u64 {
        self.members.rotate_left(32) ^ self.owners ^ self.graves.rotate_left(16)
    }

    /// Over everything, for messages that are sent all the time. Two that differ look alike once in 2^32 changes.
    pub fn short(self) -> [u8; 4] {
        short_digest(self.total())
    }
}

/// The short form of a digest over everything.
pub fn short_digest(total: u64) -> [u8; 4] {
    ((total >> 32) as u32 ^ total as u32).to_be_bytes()
}

impl From<crate::model::Life> for WireLife {
    fn from(life: crate::model::Life) -> Self {
        WireLife { generation: life.generation, nonce: life.nonce.to_be_bytes() }
    }
}

impl From<WireLife> for crate::model::Life {
    fn from(life: WireLife) -> Self {
        crate::model::Life { generation: life.generation, nonce: u64::from_be_bytes(life.nonce) }
    }
}

/// A record that its owner wrote.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Push {
    /// How long it was held until this was sent, in milliseconds: by its owner and by each who forwarded it. It is the first field,
    /// so that who forwards it replaces it and leaves the rest as it came, fields unknown here included.
    pub age_ms: u32,
    /// Its owner.
    pub node: [u8; 8],
    /// The life that wrote it.
    pub life: WireLife,
    /// How many records that life began with.
    pub base: u64,
    /// The version that this write took.
    pub version: u64,
    /// The record's kind.
    pub kind: u8,
    /// The record's id.
    pub id: String,
    /// What it says.
    pub what: What,
}

impl Push {
    /// Octets of an age.
    pub fn encode_age(age: Duration) -> Vec<u8> {
        // To the nearest millisecond, so that many short stays do not add up to nothing.
        encode(&u32::try_from((age.as_micros() + 500) / 1_000).unwrap_or(u32::MAX))
    }

    /// The age of a push, and what stands behind it.
    ///
    /// # Errors
    /// [`WireError::Malformed`] when it does not begin with an age.
    pub fn split_age(bytes: &[u8]) -> Result<(Duration, &[u8]), WireError> {
        let (age, octets) = bincode::decode_from_slice::<u32, _>(bytes, config::standard()).map_err(|_| WireError::Malformed)?;
        Ok((Duration::from_millis(u64::from(age)), &bytes[octets..]))
    }
}

/// Opens a conversation by stream.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Hello {
    /// The full name of the sender's cluster.
    pub cluster: String,
    /// The lowest version of the wire format that the sender speaks.
    pub lowest: u16,
    /// The highest.
    pub highest: u16,
    /// Who it is.
    pub from: Identity,
    /// Its name.
    pub name: String,
    /// What it knows.
    pub digest: Digest,
    /// What it is to the cluster.
    pub standing: Standing,
}

impl Hello {
    /// What its sender speaks.
    pub fn versions(&self) -> Versions {
        Versions { lowest: self.lowest, highest: self.highest }
    }
}

/// What an agent is to its cluster, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
    /// It has not been part of it since its start: its name must be free.
    Newcomer,
    /// It has been part of it.
    Member,
    /// It is kept out by these, since a live node holds its name. It is no member, and takes nobody in. Where it opened the
    /// conversation, it asks whether it may come in by now.
    KeptOut(Vec<SocketAddr>),
}

/// Why a conversation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum RefuseCode {
    /// Of another cluster.
    Cluster,
    /// No common version of the wire format.
    Version,
    /// A live node holds the name.
    NameTaken,
    /// Too many conversations at once.
    Busy,
    /// It is leaving.
    Leaving,
    /// The cluster has as many members as it may.
    Full,
}

/// Ends a conversation before it began.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Refuse {
    /// Why.
    pub code: RefuseCode,
    /// The name of the refuser's cluster, its versions, or who holds the name.
    pub detail: String,
}

/// Hashes over the digests of the owners whose node ids fall into each bucket; empty ones are left out.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Buckets {
    /// (bucket, hash)
    pub owners: Vec<(u8, u64)>,
}

/// The state of a member that is down because it left, as its record says.
pub const LEFT: u8 = 3;

/// One member, as the sender holds it.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct MemberEntry {
    /// Who.
    pub identity: Identity,
    /// foca's incarnation of it.
    pub incarnation: u16,
    /// 0 alive, 1 suspect, 2 down, [`LEFT`].
    pub state: u8,
    /// Milliseconds of its announced absence that are left.
    pub grace_ms: u32,
}

/// Members; more than one message where they do not fit.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Members {
    /// Each of them.
    pub members: Vec<MemberEntry>,
}

/// Generations of a node that are not to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct GraveEntry {
    /// Which node.
    pub node: [u8; 8],
    /// This generation and all below it.
    pub generation: u32,
    /// Seconds that the grave is kept.
    pub seconds: u32,
}

/// Graves.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Graves {
    /// Each of them.
    pub graves: Vec<GraveEntry>,
}

/// Digests of the owners in the buckets that differ.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Owners {
    /// (node id, digest)
    pub owners: Vec<([u8; 8], [u8; 16])>,
    /// Whether more such messages follow.
    pub more: bool,
}

/// What the sender holds of one life of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WantPart {
    /// Which life.
    pub life: WireLife,
    /// Up to which version its copy is complete.
    pub complete: u64,
    /// Hash over the versions of the definitions that it holds, up to there.
    pub definitions: [u8; 16],
}

/// Asks for what is missing of one owner.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Want {
    /// Dies with the memory that asked.
    pub request: u64,
    /// The owner.
    pub node: [u8; 8],
    /// What is shown of it.
    pub shown: Option<WantPart>,
    /// A later life that is not whole yet.
    pub next: Option<WantPart>,
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum WireSlot {
    /// A record.
    Live {
        /// Version of its definition.
        d: u64,
        /// Version of its status.
        s: u64,
        /// Body of its definition.
        definition: Vec<u8>,
        /// Body of its status.
        status: Vec<u8>,
    },
    /// The memory of a removal.
    Gone {
        /// Version of the removal.
        r: u64,
    },
}

/// Which definitions live at the answerer, of those up to `from`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum WireLive {
    /// Those whose hash the want named.
    Same([u8; 16]),
    /// These, as differences to the one before.
    List(Vec<u64>),
}

/// A part of the answer to a want.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Have {
    /// The want's.
    pub request: u64,
    /// The owner.
    pub node: [u8; 8],
    /// Which life.
    pub life: WireLife,
    /// How many records it began with.
    pub base: u64,
    /// Above which version everything is sent.
    pub from: u64,
    /// Records: (kind, id, what it holds).
    pub slots: Vec<(u8, String, WireSlot)>,
    /// In the last part of an answer: the version up to which it is complete, and what lives.
    pub end: Option<(u64, WireLive)>,
    /// There, too: the digest of all that the answerer holds of that life. The owner finds by it that two histories are told of it.
    pub digest: [u8; 16],
}

macro_rules! kinds {
    ($($type:ty => $kind:ident),* $(,)?) => {
        $(impl Message for $type {
            const KIND: u8 = kind::$kind;
        })*
    };
}

kinds! {
    DigestBeacon => DIGEST, Push => PUSH, Hello => HELLO, Refuse => REFUSE, Buckets => BUCKETS, Members => MEMBERS,
    Graves => GRAVES, Owners => OWNERS, Want => WANT, Have => HAVE,
    Probe => PROBE, ProbeAck => PROBE_ACK, ProbeRequest => PROBE_REQUEST, ProbeReport => PROBE_REPORT, Watch => WATCH,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_adds_behind_the_known_fields_is_ignored() {
        let refuse = Refuse { code: RefuseCode::Busy, detail: "x".into() };
        let longer = [refuse.to_bytes(), b"more".to_vec()].concat();
        assert_eq!(Refuse::from_bytes(&longer), Ok(refuse));
    }

    #[test]
    fn an_age_of_any_size_comes_back_and_takes_no_more_than_its_octets() {
        for (micros, millis) in [(0, 0), (499, 0), (500, 1), (250_000, 250), (70_000_000, 70_000), (u64::MAX, u64::from(u32::MAX))] {
            let bytes = [Push::encode_age(Duration::from_micros(micros)), b"rest".to_vec()].concat();
            assert!(bytes.len() <= limits::AGE_OCTETS + 4);
            assert_eq!(Push::split_age(&bytes), Ok((Duration::from_millis(millis), &b"rest"[..])), "{micros}");
        }
        assert_eq!(Push::split_age(&[]), Err(WireError::Malformed));
    }

    #[test]
    fn a_length_that_claims_more_than_a_frame_is_refused() {
        // A list of 2^63 owners.
        let claim = [&[253][..], &(1_u64 << 63).to_le_bytes()].concat();
        assert_eq!(Owners::from_bytes(&claim), Err(WireError::Malformed));
    }
}
