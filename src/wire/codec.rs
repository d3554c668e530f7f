//! foca's codec, over bincode, with two taps for what foca has no notification for.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bincode::{
    Decode, Encode, config,
    de::read::Reader,
    enc::write::Writer,
    error::{DecodeError, EncodeError},
};
use bytes::{Buf, BufMut};
use foca::{Codec, Header, Member, Message, State};

use super::{Identity, limits};

/// What the codec tells the core. foca owns its codec and gives it to nobody, hence the shared handle; one thread
/// uses both, so the lock is never waited for.
#[derive(Debug, Clone)]
pub struct Tap {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    me: Identity,
    applied: Vec<Member<Identity>>,
}

impl Tap {
    fn with<T>(&self, f: impl FnOnce(&mut Shared) -> T) -> T {
        f(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who we are from now on.
    pub fn speak_as(&self, me: Identity) {
        self.with(|shared| shared.me = me);
    }

    /// Every update that foca has applied and queued for gossip since the last call.
    pub fn take_applied(&self) -> Vec<Member<Identity>> {
        self.with(|shared| std::mem::take(&mut shared.applied))
    }

    /// Who sent a packet of foca's, and whether it only says that we are taken for dead; if it can be read.
    pub fn peek(&self, packet: &[u8]) -> Option<(Identity, bool)> {
        let header = read::<WireHeader>(packet).ok()?;
        Some((header.from, matches!(header.message, WireMessage::TurnUndead)))
    }

    /// The packet by which `from` would answer foca's probe with this number.
    pub fn forge_ack(&self, from: Identity, incarnation: u16, number: u8) -> Vec<u8> {
        let to = self.with(|shared| shared.me).short().to_be_bytes();
        super::message::encode(&WireHeader { from, incarnation, to, message: WireMessage::Ack(number) })
    }
}

/// Why a packet of foca's could not be read or written.
#[derive(Debug)]
pub enum CodecError {
    /// Unreadable, or not addressed to this identity.
    Decode(DecodeError),
    /// It did not fit.
    Encode(EncodeError),
    /// It is addressed to somebody else, or to an earlier identity of ours.
    NotForUs,
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodecError::Decode(error) => write!(f, "unreadable: {error}"),
            CodecError::Encode(error) => write!(f, "does not fit: {error}"),
            CodecError::NotForUs => f.write_str("addressed to another identity"),
        }
    }
}

impl std::error::Error for CodecError {}

/// The codec.
#[derive(Debug)]
pub struct FocaCodec {
    tap: Tap,
}

impl FocaCodec {
    /// A codec for the agent that is `me`, and the tap on it.
    pub fn new(me: Identity) -> (FocaCodec, Tap) {
        let tap = Tap { shared: Arc::new(Mutex::new(Shared { me, applied: Vec::new() })) };
        (FocaCodec { tap: tap.clone() }, tap)
    }
}

#[derive(Encode, Decode)]
pub(super) struct WireHeader {
    from: Identity,
    incarnation: u16,
    /// [`Identity::short`] of the receiver.
    to: [u8; 4],
    message: WireMessage,
}

#[derive(Encode, Decode)]
pub(super) enum WireMessage {
    Ping(u8),
    Ack(u8),
    PingReq { target: Identity, number: u8 },
    IndirectPing { origin: Identity, number: u8 },
    IndirectAck { target: Identity, number: u8 },
    ForwardedAck { origin: Identity, number: u8 },
    Announce,
    Feed,
    Gossip,
    Broadcast,
    TurnUndead,
}

#[derive(Encode, Decode)]
pub(super) struct WireMember {
    pub(super) identity: Identity,
    incarnation: u16,
    state: u8,
}

impl Codec<Identity> for FocaCodec {
    type Error = CodecError;

    fn encode_header(&mut self, header: &Header<Identity>, buf: impl BufMut) -> Result<(), CodecError> {
        // The source of what we send is who we are: this follows `renew()` by itself.
        self.tap.with(|shared| shared.me = header.src);
        let message = match header.message.clone() {
            Message::Ping(number) => WireMessage::Ping(number),
            Message::Ack(number) => WireMessage::Ack(number),
            Message::PingReq { target, probe_number } => WireMessage::PingReq { target, number: probe_number },
            Message::IndirectPing { origin, probe_number } => WireMessage::IndirectPing { origin, number: probe_number },
            Message::IndirectAck { target, probe_number } => WireMessage::IndirectAck { target, number: probe_number },
            Message::ForwardedAck { origin, probe_number } => WireMessage::ForwardedAck { origin, number: probe_number },
            Message::Announce => WireMessage::Announce,
            Message::Feed => WireMessage::Feed,
            Message::Gossip => WireMessage::Gossip,
            Message::Broadcast => WireMessage::Broadcast,
            Message::TurnUndead => WireMessage::TurnUndead,
        };
        let to = header.dst.short().to_be_bytes();
        write(buf, &WireHeader { from: header.src, incarnation: header.src_incarnation, to, message })
    }

    fn decode_header(&mut self, buf: impl Buf) -> Result<Header<Identity>, CodecError> {
        let header: WireHeader = read(buf)?;
        let me = self.tap.with(|shared| shared.me);
        if header.to != me.short().to_be_bytes() {
            return Err(CodecError::NotForUs);
        }
        let message = match header.message {
            WireMessage::Ping(number) => Message::Ping(number),
            WireMessage::Ack(number) => Message::Ack(number),
            WireMessage::PingReq { target, number } => Message::PingReq { target, probe_number: number },
            WireMessage::IndirectPing { origin, number } => Message::IndirectPing { origin, probe_number: number },
            WireMessage::IndirectAck { target, number } => Message::IndirectAck { target, probe_number: number },
            WireMessage::ForwardedAck { origin, number } => Message::ForwardedAck { origin, probe_number: number },
            WireMessage::Announce => Message::Announce,
            WireMessage::Feed => Message::Feed,
            WireMessage::Gossip => Message::Gossip,
            WireMessage::Broadcast => Message::Broadcast,
            WireMessage::TurnUndead => Message::TurnUndead,
        };
        Ok(Header { src: header.from, src_incarnation: header.incarnation, dst: me, message })
    }

    fn encode_member(&mut self, member: &Member<Identity>, buf: impl BufMut) -> Result<(), CodecError> {
        // foca serialises into a buffer that grows exactly when it has just applied an update and queues it; a
        // feed, the other case, is written into what is left of a packet.
        if buf.remaining_mut() > limits::DATAGRAM_OCTETS {
            self.tap.with(|shared| shared.applied.push(member.clone()));
        }
        let state = state_to_wire(member.state());
        write(buf, &WireMember { identity: *member.id(), incarnation: member.incarnation(), state })
    }

    fn decode_member(&mut self, buf: impl Buf) -> Result<Member<Identity>, CodecError> {
        let member: WireMember = read(buf)?;
        let state = state_from_wire(member.state).ok_or(CodecError::Decode(DecodeError::Other("no such state")))?;
        Ok(Member::new(member.identity, member.incarnation, state))
    }
}

/// foca's state as a number.
pub fn state_to_wire(state: State) -> u8 {
    match state {
        State::Alive => 0,
        State::Suspect => 1,
        State::Down => 2,
    }
}

/// The state of a number.
pub fn state_from_wire(state: u8) -> Option<State> {
    [State::Alive, State::Suspect, State::Down].get(usize::from(state)).copied()
}

struct IntoBuf<B>(B);

impl<B: BufMut> Writer for IntoBuf<B> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.0.remaining_mut() < bytes.len() {
            return Err(EncodeError::UnexpectedEnd);
        }
        self.0.put_slice(bytes);
        Ok(())
    }
}

struct FromBuf<B>(B);

impl<B: Buf> Reader for FromBuf<B> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), DecodeError> {
        if self.0.remaining() < bytes.len() {
            return Err(DecodeError::UnexpectedEnd { additional: bytes.len() - self.0.remaining() });
        }
        self.0.copy_to_slice(bytes);
        Ok(())
    }
}

fn write(buf: impl BufMut, value: &impl Encode) -> Result<(), CodecError> {
    bincode::encode_into_writer(value, IntoBuf(buf), config::standard()).map_err(CodecError::Encode)
}

fn read<T: Decode<()>>(buf: impl Buf) -> Result<T, CodecError> {
    let limited = config::standard().with_limit::<{ limits::DATAGRAM_OCTETS }>();
    bincode::decode_from_reader(FromBuf(buf), limited).map_err(CodecError::Decode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Life, NodeId};

    fn identity(node: u64) -> Identity {
        Identity::new(([127, 0, 0, 1], 8746).into(), NodeId(node), Life { generation: 3, nonce: 9 })
    }

    #[test]
    fn a_header_comes_back_for_whom_it_is_meant_and_for_nobody_else() {
        let (mut sender, _) = FocaCodec::new(identity(1));
        let header = Header {
            src: identity(1),
            src_incarnation: 4,
            dst: identity(2),
            message: Message::PingReq { target: identity(3), probe_number: 5 },
        };
        let mut bytes = vec![];
        sender.encode_header(&header, &mut bytes).unwrap();
        assert_eq!(FocaCodec::new(identity(2)).0.decode_header(&bytes[..]).unwrap(), header);
        assert!(matches!(FocaCodec::new(identity(3)).0.decode_header(&bytes[..]), Err(CodecError::NotForUs)));
        for length in 0..bytes.len() {
            assert!(FocaCodec::new(identity(2)).0.decode_header(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn an_identity_of_ipv4_takes_at_most_28_octets_beside_its_state() {
        let mut bytes = vec![];
        FocaCodec::new(identity(1)).0.encode_member(&Member::alive(identity(7)), &mut bytes).unwrap();
        assert!(bytes.len() <= 30, "{}", bytes.len());
    }
}
