//! What today's readers make of what was recorded, as text.

use std::{collections::BTreeSet, fmt::Write as _};

use foca::Codec as _;

use tidings::{
    keyring::{Key, Keyring},
    model::{
        ClusterName,
        encryption::Mode,
        record::{Key as RecordKey, Kind},
    },
    wire::{
        Identity, Versions, WireError, body,
        codec::FocaCodec,
        envelope::{self, ClusterTag, RawMessage},
        message::{
            Buckets, DigestBeacon, Graves, Have, Hello, Members, Message, Owners, Probe, ProbeAck, ProbeReport, ProbeRequest, Push, Refuse,
            Want, Watch, What, WireSlot, kind,
        },
        seal::{Nonce, Opened, Seal, place},
        sift::sift,
        versions::Speaks,
    },
};

use super::{
    files::{Carrier, File, Folder, KEY, Stream},
    kinds,
};

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) text: String,
    pub(super) kinds: BTreeSet<&'static str>,
    /// Messages that were written anew, and those of them that came out otherwise.
    pub(super) rewritten: usize,
    pub(super) otherwise: Vec<&'static str>,
}

pub(super) fn seal(sealed: bool) -> Seal {
    match sealed {
        true => {
            let key = Key::new(KEY.0.parse().expect("an id"), [KEY.1; 32]);
            Seal::new(Mode::Require, &Keyring::new(vec![key]).expect("it is one"))
        }
        false => Seal::default(),
    }
}

pub(super) fn of(folder: &Folder, file: &File) -> Read {
    let seal = seal(file.sealed);
    let cluster = tag(&folder.cluster);
    let mut read = Read::default();
    match file.carrier {
        Carrier::Datagrams => {
            for (number, bytes) in folder.datagrams(file).iter().enumerate() {
                writeln!(read.text, "datagram {number}").expect("memory takes it");
                read.datagram(cluster, &seal, bytes);
            }
        }
        Carrier::Streams => {
            for (number, stream) in folder.streams(file).iter().enumerate() {
                writeln!(read.text, "stream {number}").expect("memory takes it");
                read.stream(cluster, &seal, stream);
            }
        }
    }
    read
}

/// What one datagram means.
pub(super) fn of_datagram(cluster: &str, sealed: bool, bytes: &[u8]) -> String {
    let mut read = Read::default();
    read.datagram(tag(cluster), &seal(sealed), bytes);
    read.text
}

/// What one stream means.
pub(super) fn of_stream(cluster: &str, sealed: bool, stream: &Stream) -> String {
    let mut read = Read::default();
    read.stream(tag(cluster), &seal(sealed), stream);
    read.text
}

fn tag(cluster: &str) -> ClusterTag {
    ClusterTag::of(&ClusterName::new(cluster).expect("a name"))
}

/// Opens a frame of a stream: what it is bound to follows from those around it.
pub(super) fn open<'s>(seal: &Seal, stream: &'s Stream, side: usize, frame: usize) -> Result<Opened<'s>, WireError> {
    let first = |side: usize| stream[side].first().and_then(|frame| nonce(frame));
    let said = first(side).filter(|_| frame > 0);
    let mut last = Err(WireError::Malformed);
    // It may have been said before the other one was heard.
    for heard in [None, first(1 - side)] {
        let bound_to = place(side == 0, frame as u64, said, heard);
        last = seal.open(Versions::SPOKEN, envelope::Carrier::Frame, &stream[side][frame], &bound_to);
        if last.is_ok() {
            break;
        }
    }
    last
}

fn nonce(frame: &[u8]) -> Option<Nonce> {
    let (seconds, random) = frame.last_chunk::<12>()?.split_first_chunk::<4>()?;
    Some(Nonce::new(u32::from_be_bytes(*seconds), random.try_into().ok()?))
}

impl Read {
    fn datagram(&mut self, cluster: ClusterTag, seal: &Seal, bytes: &[u8]) {
        let opened = seal.open(Versions::SPOKEN, envelope::Carrier::Datagram, bytes, &[]).map_err(|error| error.to_string());
        self.take(cluster, "", opened);
    }

    fn stream(&mut self, cluster: ClusterTag, seal: &Seal, stream: &Stream) {
        for (side, frames) in stream.iter().enumerate() {
            for frame in 0..frames.len() {
                let opened = open(seal, stream, side, frame).map_err(|error| error.to_string());
                self.take(cluster, [">", "<"][side], opened);
            }
        }
    }

    fn take(&mut self, cluster: ClusterTag, mark: &str, opened: Result<Opened<'_>, String>) {
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return self.line(mark, format!("can't be read: {error}")),
        };
        let (of, sealed) = (if opened.cluster == cluster { "our cluster" } else { "another cluster" }, opened.nonce.is_some());
        self.line(mark, format!("version {}, {}, of {of}", opened.version, if sealed { "encrypted" } else { "in the clear" }));
        match opened.messages() {
            Ok(messages) => messages.into_iter().for_each(|message| self.message(mark, message)),
            Err(error) => self.line(mark, format!("can't be read: {error}")),
        }
    }

    fn line(&mut self, mark: &str, text: String) {
        writeln!(self.text, "{mark}  {text}").expect("memory takes it");
    }

    fn message(&mut self, mark: &str, (kind, bytes): RawMessage<'_>) {
        let Some(name) = kinds::name(kind) else {
            return self.line(mark, format!("a message of kind {kind}, which nobody knows"));
        };
        self.kinds.insert(name);
        match kind {
            kind::FOCA => self.packet(mark, bytes),
            kind::DIGEST => self.body::<DigestBeacon>(mark, name, bytes),
            kind::PUSH => self.push(mark, bytes),
            kind::PROBE => self.body::<Probe>(mark, name, bytes),
            kind::PROBE_ACK => self.body::<ProbeAck>(mark, name, bytes),
            kind::PROBE_REQUEST => self.body::<ProbeRequest>(mark, name, bytes),
            kind::PROBE_REPORT => self.body::<ProbeReport>(mark, name, bytes),
            kind::HELLO => self.body::<Hello>(mark, name, bytes),
            kind::REFUSE => self.body::<Refuse>(mark, name, bytes),
            kind::BUCKETS => self.body::<Buckets>(mark, name, bytes),
            kind::MEMBERS => self.body::<Members>(mark, name, bytes),
            kind::GRAVES => self.body::<Graves>(mark, name, bytes),
            kind::OWNERS => self.body::<Owners>(mark, name, bytes),
            kind::WANT => self.body::<Want>(mark, name, bytes),
            kind::HAVE => self.have(mark, bytes),
            kind::WATCH => self.body::<Watch>(mark, name, bytes),
            kind::SPEAKS => {
                let read = Speaks::from_bytes(bytes);
                self.rewrite("SPEAKS", read.map(|speaks| speaks.to_bytes().to_vec()).unwrap_or_default() == bytes);
                self.line(mark, format!("{name} {read:?}"));
            }
            _ => self.line(mark, format!("{name} {bytes:?}")),
        }
    }

    fn rewrite(&mut self, name: &'static str, is_same: bool) {
        self.rewritten += 1;
        self.otherwise.extend((!is_same).then_some(name));
    }

    fn body<M: Message + std::fmt::Debug>(&mut self, mark: &str, name: &'static str, bytes: &[u8]) {
        let read = M::from_bytes(bytes);
        self.rewrite(name, read.as_ref().is_ok_and(|message| message.to_bytes() == bytes));
        self.line(mark, format!("{name} {read:?}"));
    }

    fn push(&mut self, mark: &str, bytes: &[u8]) {
        let read = Push::from_bytes(bytes);
        self.rewrite("PUSH", read.as_ref().is_ok_and(|push| push.to_bytes() == bytes));
        let Ok(push) = read else { return self.line(mark, format!("PUSH {read:?}")) };
        let Push { age_ms, node, life, base, version, kind, id, what } = push;
        self.line(mark, format!("PUSH age {age_ms}, node {node:?}, {life:?}, base {base}, version {version}, kind {kind}, id {id:?}"));
        match what {
            What::Definition { definition, status } => self.record(mark, kind, &id, Some(&definition), &status),
            What::Status { of, status } => {
                self.line(mark, format!("  of {of}"));
                self.record(mark, kind, &id, None, &status);
            }
            What::Gone => self.line(mark, "  gone".into()),
        }
    }

    fn have(&mut self, mark: &str, bytes: &[u8]) {
        let read = Have::from_bytes(bytes);
        self.rewrite("HAVE", read.as_ref().is_ok_and(|have| have.to_bytes() == bytes));
        let Ok(Have { request, node, life, base, from, slots, end, digest }) = read else {
            return self.line(mark, format!("HAVE {read:?}"));
        };
        self.line(mark, format!("HAVE {request}, node {node:?}, {life:?}, base {base}, from {from}, end {end:?}, digest {digest:?}"));
        for (kind, id, slot) in slots {
            match slot {
                WireSlot::Live { d, s, definition, status } => {
                    self.line(mark, format!("  kind {kind}, id {id:?}, versions {d} and {s}"));
                    self.record(mark, kind, &id, Some(&definition), &status);
                }
                WireSlot::Gone { r } => self.line(mark, format!("  kind {kind}, id {id:?}, gone by version {r}")),
            }
        }
    }

    fn record(&mut self, mark: &str, kind: u8, id: &str, definition: Option<&[u8]>, status: &[u8]) {
        let id = RecordKey::of(Kind(kind), id).id;
        if let Some(definition) = definition {
            let (text, again) = match Kind(kind) {
                Kind::NODE => {
                    let node = body::decode_node(definition);
                    (format!("{node:?}"), node.ok().map(|node| body::encode_node(&node)))
                }
                _ => {
                    let instance = body::decode_instance(&id, definition);
                    (format!("{instance:?}"), instance.ok().map(|instance| body::encode_instance(&instance)))
                }
            };
            self.rewrite("a record's definition", again.is_some_and(|again| *again == *definition));
            self.line(mark, format!("  {text}"));
        }
        let health = body::decode_health(status);
        self.rewrite("a record's status", health.as_ref().is_ok_and(|health| *body::encode_health(health) == *status));
        let text = match &health {
            Ok(health) => {
                let checks = health.checks.iter().map(|(id, state)| format!("{id} is {}, {:?}", state.status, state.reason));
                format!("checks {:?}, maintenance {:?}", checks.collect::<Vec<_>>(), health.maintenance)
            }
            Err(error) => format!("can't be read: {error}"),
        };
        self.line(mark, format!("  {text}"));
    }

    /// foca's. It is read by the codec of whom it is for, who has to be found first.
    fn packet(&mut self, mark: &str, packet: &[u8]) {
        let anybody = Identity::new(([0, 0, 0, 0], 0).into(), tidings::model::NodeId(0), tidings::model::Life::default());
        let (codec, tap) = FocaCodec::new(anybody);
        let Some((from, is_undead)) = tap.peek(packet) else {
            return self.line(mark, "FOCA that can't be read".into());
        };
        drop(codec);
        self.line(mark, format!("FOCA from {from:?}, taken for dead {is_undead}"));
        self.rewrite("FOCA", true);
        let members = std::cell::RefCell::new(Vec::new());
        // Those who are in it are met on the way.
        let sifted = sift(packet, |member| {
            members.borrow_mut().push(*member);
            true
        });
        sifted.iter().for_each(|left_out| assert!(left_out.is_none(), "all are wanted"));
        let mut states = FocaCodec::new(from).0;
        for (number, member) in members.into_inner().into_iter().enumerate() {
            let entry = entry(packet, number).and_then(|octets| states.decode_member(octets).ok());
            self.line(mark, format!("  {member:?}: {:?}", entry.map(|member| (member.incarnation(), member.state()))));
        }
    }
}

/// The octets from a member's entry in a packet on.
fn entry(packet: &[u8], number: usize) -> Option<&[u8]> {
    // What is left when all from this one on are left out ends where it began, as far as entries go.
    let mut count = 0;
    let without = sift(packet, |_| {
        count += 1;
        count <= number
    })
    .ok()
    .flatten()?;
    packet.get(without.len()..)
}
