//! The octets of the journal. All numbers are little-endian.
//!
//! ```text
//! header: magic 8 | format u32 | crc u32 of the 12 before | node id u64 | length u8 | cluster | crc u32 of all before
//! frame:  mark 4 | sequence u64 | length u32 | crc u32 of the payload | crc u32 of the 20 before | payload
//! ```
//!
//! The first 16 octets stay so in all formats, so that an older program can tell a newer file from a damaged one.
//! The checksums of frames are seeded with the node id, and frames are numbered from 0: a frame that was copied
//! from elsewhere, into a body for example, is not taken for one of this file.

use std::{net::SocketAddr, path::Path, time::Duration};

use bincode::{BorrowDecode, Encode, config};
use crc32fast::Hasher;

use super::{BATCH_OCTETS, BODY_OCTETS, GRAVES, MEMBERS, PEERS, error::StoreError};
use crate::model::{
    ClusterName, NodeId, StoreOp, StoredGrave,
    limits::LABEL_OCTETS,
    record::{Key, Kind},
};

/// The format that is written, and the newest that can be read.
pub(super) const FORMAT: u32 = 1;
const MAGIC: [u8; 8] = *b"tidings\n";
const PREAMBLE_OCTETS: usize = 16;
/// What a header takes at most.
pub(super) const HEADER_OCTETS: usize = PREAMBLE_OCTETS + 8 + 1 + LABEL_OCTETS + 4;
const MARK: [u8; 4] = [0xF7, b't', b'd', 0x9E];
const FRAME_HEADER_OCTETS: usize = 24;

/// Whose journal it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) node_id: NodeId,
    pub(super) cluster: ClusterName,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut octets = MAGIC.to_vec();
        octets.extend(FORMAT.to_le_bytes());
        octets.extend(crc32fast::hash(&octets).to_le_bytes());
        octets.extend(self.node_id.0.to_le_bytes());
        octets.push(self.cluster.as_str().len() as u8);
        octets.extend(self.cluster.as_str().as_bytes());
        octets.extend(crc32fast::hash(&octets).to_le_bytes());
        octets
    }

    /// The header that the octets begin with, and its length, if it is one of an agent of this cluster.
    pub(super) fn read(octets: &[u8], cluster: &ClusterName, path: &Path) -> Result<(Header, usize), StoreError> {
        let damaged = |offset, what: &str| StoreError::Damaged { path: path.to_owned(), offset, what: what.to_owned() };
        let short = || damaged(octets.len(), "the header is cut short");
        let Some((preamble, rest)) = octets.split_at_checked(PREAMBLE_OCTETS) else {
            let foreign = !octets.is_empty() && !octets.starts_with(&MAGIC) && !MAGIC.starts_with(octets);
            return Err(if foreign { StoreError::Foreign { path: path.to_owned() } } else { short() });
        };
        if !preamble.starts_with(&MAGIC) {
            return Err(StoreError::Foreign { path: path.to_owned() });
        }
        if number(preamble, 12) != crc32fast::hash(&preamble[..12]) {
            return Err(damaged(0, "the checksum of the format does not match"));
        }
        match number(preamble, 8) {
            FORMAT => {}
            found if found > FORMAT => return Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT }),
            _ => return Err(damaged(8, "there never was such a format")),
        }
        let name_at = PREAMBLE_OCTETS + 9;
        let length = *rest.get(8).ok_or_else(short)? as usize;
        let end = name_at + length;
        let name = octets.get(name_at..end).ok_or_else(short)?;
        if octets.len() < end + 4 {
            return Err(short());
        }
        if number(octets, end) != crc32fast::hash(&octets[..end]) {
            return Err(damaged(PREAMBLE_OCTETS, "the checksum of the header does not match"));
        }
        let found = String::from_utf8_lossy(name).into_owned();
        if found != cluster.as_str() {
            return Err(StoreError::OtherCluster { path: path.to_owned(), found, expected: cluster.as_str().to_owned() });
        }
        Ok((Header { node_id: NodeId(long(octets, PREAMBLE_OCTETS)), cluster: cluster.clone() }, end + 4))
    }
}

/// A batch as a frame, to be written at once.
pub(super) fn encode_frame(node: NodeId, sequence: u64, ops: &[StoreOp]) -> Result<Vec<u8>, StoreError> {
    let mut frame = vec![0; FRAME_HEADER_OCTETS];
    for op in ops {
        let entry = Entry::checked(op)?;
        bincode::encode_into_std_write(entry, &mut frame, config::standard()).expect("memory takes every write");
    }
    let length = frame.len() - FRAME_HEADER_OCTETS;
    limit("a batch, in octets,", length, BATCH_OCTETS)?;
    let payload_crc = checksum(node, &frame[FRAME_HEADER_OCTETS..]);
    frame[..4].copy_from_slice(&MARK);
    frame[4..12].copy_from_slice(&sequence.to_le_bytes());
    frame[12..16].copy_from_slice(&(length as u32).to_le_bytes());
    frame[16..20].copy_from_slice(&payload_crc.to_le_bytes());
    let header_crc = checksum(node, &frame[..20]);
    frame[20..24].copy_from_slice(&header_crc.to_le_bytes());
    Ok(frame)
}

/// What stands at some place of a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A whole batch, and where the next one begins.
    Batch(Vec<StoreOp>, usize),
    /// Nothing: this is the end.
    End,
    /// What a crash left of the last batch.
    Torn,
    /// What no crash can leave.
    Damage(String),
}

/// Reads the frame with this sequence number at this place.
pub(super) fn read_frame(journal: &[u8], at: usize, node: NodeId, sequence: u64) -> Found {
    let rest = &journal[at..];
    if rest.is_empty() {
        return Found::End;
    }
    let Some(header) = FrameHeader::read(rest, node) else {
        return match (1..rest.len()).find(|skip| FrameHeader::read(&rest[*skip..], node).is_some_and(|it| it.sequence > sequence)) {
            Some(skip) => Found::Damage(format!("no batch can be read here, but one follows at octet {}", at + skip)),
            None if rest.len() > FRAME_HEADER_OCTETS + BATCH_OCTETS => {
                Found::Damage("no batch can be read here, in more octets than one takes".into())
            }
            None => Found::Torn,
        };
    };
    if header.sequence != sequence {
        return Found::Damage(format!("here is batch {}, but batch {sequence} should be", header.sequence));
    }
    if header.length > BATCH_OCTETS {
        return Found::Damage(format!("a batch of {} octets; at most {BATCH_OCTETS} are allowed", header.length));
    }
    let end = FRAME_HEADER_OCTETS + header.length;
    let whole = rest.get(FRAME_HEADER_OCTETS..end).filter(|payload| checksum(node, payload) == header.payload_crc);
    match whole {
        Some(payload) => match decode_payload(payload) {
            Ok(ops) => Found::Batch(ops, at + end),
            Err(what) => Found::Damage(what),
        },
        None if rest.len() > end => Found::Damage("the checksum of a batch does not match, and more follows".into()),
        None => Found::Torn,
    }
}

struct FrameHeader {
    sequence: u64,
    length: usize,
    payload_crc: u32,
}

impl FrameHeader {
    fn read(octets: &[u8], node: NodeId) -> Option<FrameHeader> {
        let header = octets.get(..FRAME_HEADER_OCTETS).filter(|header| header.starts_with(&MARK))?;
        (number(header, 20) == checksum(node, &header[..20])).then(|| FrameHeader {
            sequence: long(header, 4),
            length: number(header, 12) as usize,
            payload_crc: number(header, 16),
        })
    }
}

/// A [`StoreOp`] as it is written. The order of the variants is part of the format.
#[derive(Encode, BorrowDecode)]
enum Entry<'a> {
    Generation(u32),
    Put {
        kind: u8,
        id: &'a str,
        definition: &'a [u8],
        status: &'a [u8],
    },
    Delete {
        kind: u8,
        id: &'a str,
    },
    Status {
        kind: u8,
        id: &'a str,
        status: &'a [u8],
    },
    Peers(Vec<SocketAddr>),
    /// (node id, generation, seconds left)
    Graves(Vec<(u64, u32, u32)>),
    Members(Vec<u64>),
}

/// More than the largest entry takes, in memory and in the journal.
const ENTRY_OCTETS: usize = 2 * BODY_OCTETS + 8 * 1024;

fn decode_payload(payload: &[u8]) -> Result<Vec<StoreOp>, String> {
    let mut ops = Vec::new();
    let mut rest = payload;
    while !rest.is_empty() {
        let decoded = bincode::borrow_decode_from_slice::<Entry<'_>, _>(rest, config::standard().with_limit::<ENTRY_OCTETS>());
        let (entry, read) = decoded.map_err(|error| format!("a batch can't be decoded: {error}"))?;
        let op = entry.into_op();
        Entry::checked(&op).map_err(|error| error.to_string())?;
        ops.push(op);
        rest = &rest[read..];
    }
    Ok(ops)
}

impl Entry<'_> {
    /// The entry for an operation that keeps the limits.
    fn checked(op: &StoreOp) -> Result<Entry<'_>, StoreError> {
        let id = |key: &Key| limit("the id of a record, in octets,", key.id.len(), LABEL_OCTETS);
        let body = |what, body: &[u8]| limit(what, body.len(), BODY_OCTETS);
        Ok(match op {
            StoreOp::Generation(generation) => Entry::Generation(*generation),
            StoreOp::Put { key, definition, status } => {
                id(key)?;
                body("a definition, in octets,", definition)?;
                body("a status, in octets,", status)?;
                Entry::Put { kind: key.kind.0, id: &key.id, definition, status }
            }
            StoreOp::Delete(key) => {
                id(key)?;
                Entry::Delete { kind: key.kind.0, id: &key.id }
            }
            StoreOp::Status { key, status } => {
                id(key)?;
                body("a status, in octets,", status)?;
                Entry::Status { kind: key.kind.0, id: &key.id, status }
            }
            StoreOp::Peers(peers) => {
                limit("the list of peers", peers.len(), PEERS)?;
                Entry::Peers(peers.clone())
            }
            StoreOp::Members(members) => {
                limit("the list of members", members.len(), MEMBERS)?;
                Entry::Members(members.iter().map(|node| node.0).collect())
            }
            StoreOp::Graves(graves) => {
                limit("the list of graves", graves.len(), GRAVES)?;
                let seconds = |left: Duration| u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
                Entry::Graves(graves.iter().map(|grave| (grave.node.0, grave.generation, seconds(grave.left))).collect())
            }
        })
    }

    fn into_op(self) -> StoreOp {
        let key = |kind, id: &str| Key { kind: Kind(kind), id: id.into() };
        match self {
            Entry::Generation(generation) => StoreOp::Generation(generation),
            Entry::Put { kind, id, definition, status } => {
                StoreOp::Put { key: key(kind, id), definition: definition.into(), status: status.into() }
            }
            Entry::Delete { kind, id } => StoreOp::Delete(key(kind, id)),
            Entry::Status { kind, id, status } => StoreOp::Status { key: key(kind, id), status: status.into() },
            Entry::Peers(peers) => StoreOp::Peers(peers),
            Entry::Members(members) => StoreOp::Members(members.into_iter().map(NodeId).collect()),
            Entry::Graves(graves) => {
                let grave = |(node, generation, seconds)| StoredGrave {
                    node: NodeId(node),
                    generation,
                    left: Duration::from_secs(u64::from(seconds)),
                };
                StoreOp::Graves(graves.into_iter().map(grave).collect())
            }
        }
    }
}

/// An error when something is over its limit.
pub(super) fn limit(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size > limit { Err(StoreError::TooLarge { what, size, limit }) } else { Ok(()) }
}

fn checksum(node: NodeId, octets: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&node.0.to_le_bytes());
    hasher.update(octets);
    hasher.finalize()
}

fn number(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(octets[at..at + 4].try_into().expect("the slice has four octets"))
}

fn long(octets: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(octets[at..at + 8].try_into().expect("the slice has eight octets"))
}
