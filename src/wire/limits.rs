//! How large things on the wire may be.

/// Octets of a UDP payload: what an IPv6 link must carry unfragmented (1280, RFC 8200, 5) less 48 for the headers.
pub const DATAGRAM_OCTETS: usize = 1_232;
/// Octets at the head of each datagram and frame: magic, version, key id, cluster tag.
pub const ENVELOPE_OCTETS: usize = 7;
/// Octets that encryption adds: a tag of 16 and a nonce of 12. Always left free, so that turning it on changes no limit.
pub const SEAL_OCTETS: usize = 28;
/// Octets before each message of a datagram: kind and length.
pub const MESSAGE_HEAD_OCTETS: usize = 3;
/// What all messages of a datagram may take together, their heads included.
pub const DATAGRAM_ROOM: usize = DATAGRAM_OCTETS - ENVELOPE_OCTETS - SEAL_OCTETS;
/// What foca may fill.
pub const FOCA_OCTETS: usize = DATAGRAM_ROOM - MESSAGE_HEAD_OCTETS;
/// The age of a push, at most.
pub const AGE_OCTETS: usize = 5;
/// A pushed record, its age not counted, that fits beside nothing else. A larger one travels by sync only.
pub const PUSH_OCTETS: usize = DATAGRAM_ROOM - MESSAGE_HEAD_OCTETS - AGE_OCTETS;

/// Octets of one frame of a stream, its length field not counted.
pub const FRAME_OCTETS: usize = 64 * 1024;
/// Where a sender starts another frame: the largest single slot fits behind it.
pub const FRAME_FULL: usize = 40 * 1024;
/// Where a frame of many small messages ends. Each frame is a segment of its own at least, and where segments are lost each of them
/// may have to wait for a retransmission.
pub const FRAME_SHARED: usize = 16 * 1024;
/// Octets of one body of a record, a kind unknown here included.
pub const BODY_OCTETS: usize = 8 * 1024;
/// Octets of the id of a record, of a kind unknown here included.
pub const ID_OCTETS: usize = 255;
/// Members that a cluster may have, those that are down included.
pub const MEMBERS: usize = 16_384;
/// Records of one life of one owner that are held, removals included.
pub const SLOTS_PER_PART: usize = 2_112;
/// Removals known by push alone, beyond the complete version.
pub const REMOVALS_BY_PUSH: usize = 64;
/// How far a generation may be above the one that is known to be believed: nobody starts that often in between. What were
/// believed could push a node to the last generation there is.
pub const GENERATION_LEAP: u32 = 1 << 20;
/// Graves that are kept.
pub const GRAVES: usize = 4_096;
