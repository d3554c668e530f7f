//! Who a member is, to foca: compact and `Copy`, since foca scans its list of members.

use std::{
    cmp::Ordering,
    fmt,
    net::{IpAddr, SocketAddr},
};

use bincode::{
    Decode, Encode,
    de::Decoder,
    enc::Encoder,
    error::{DecodeError, EncodeError},
};

use crate::model::{Life, NodeId};

/// (address, node id, boot generation, boot nonce, rejoin).
///
/// In octets throughout: an agent holds several of each member, and so no room is lost to alignment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    ip: Ip,
    port: [u8; 2],
    node: [u8; 8],
    generation: [u8; 4],
    nonce: [u8; 8],
    rejoin: [u8; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Ip {
    V4([u8; 4]),
    V6([u8; 16]),
}

/// The same on the wire.
#[derive(Encode, Decode)]
struct WireIdentity {
    address: SocketAddr,
    node: [u8; 8],
    generation: u32,
    nonce: [u8; 8],
    rejoin: u16,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} in {} rejoin {}", self.node(), self.address(), self.life(), self.rejoin())
    }
}

impl Encode for Identity {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let Identity { node, nonce, .. } = *self;
        WireIdentity { address: self.address(), node, generation: self.life().generation, nonce, rejoin: self.rejoin() }.encode(encoder)
    }
}

impl<Context> Decode<Context> for Identity {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Identity, DecodeError> {
        let WireIdentity { address, node, generation, nonce, rejoin } = WireIdentity::decode(decoder)?;
        let life = Life { generation, nonce: u64::from_be_bytes(nonce) };
        Ok(Identity::new(address, NodeId(u64::from_be_bytes(node)), life).with_rejoin(rejoin))
    }
}

bincode::impl_borrow_decode!(Identity);

impl Identity {
    /// The identity of a life that has just begun.
    pub fn new(address: SocketAddr, node: NodeId, life: Life) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(ip) => Ip::V4(ip.octets()),
            IpAddr::V6(ip) => Ip::V6(ip.octets()),
        };
        Identity {
            ip,
            port: address.port().to_be_bytes(),
            node: node.0.to_be_bytes(),
            generation: life.generation.to_be_bytes(),
            nonce: life.nonce.to_be_bytes(),
            rejoin: [0; 2],
        }
    }

    /// The same life after so many returns.
    pub fn with_rejoin(self, rejoin: u16) -> Self {
        Identity { rejoin: rejoin.to_be_bytes(), ..self }
    }

    /// Where its gossip is received, datagrams and streams.
    pub fn address(&self) -> SocketAddr {
        let port = u16::from_be_bytes(self.port);
        match self.ip {
            Ip::V4(octets) => (octets, port).into(),
            Ip::V6(octets) => (octets, port).into(),
        }
    }

    /// Raised, in memory only, each time the cluster took this life for dead.
    pub fn rejoin(&self) -> u16 {
        u16::from_be_bytes(self.rejoin)
    }

    /// Which node. Inlined: foca asks it of every member that it passes on its way to one.
    #[inline]
    pub fn node(&self) -> NodeId {
        NodeId(u64::from_be_bytes(self.node))
    }

    /// Which life of it.
    pub fn life(&self) -> Life {
        Life { generation: u32::from_be_bytes(self.generation), nonce: u64::from_be_bytes(self.nonce) }
    }

    /// The order in which identities of one node replace each other.
    pub fn cmp_age(&self, other: &Self) -> Ordering {
        (self.life(), self.rejoin).cmp(&(other.life(), other.rejoin))
    }

    /// Stands for the whole in the destination field of a datagram: the receiver only has to know whether it is meant.
    /// By mistake it holds itself to be so once in 2^32 stray packets; it then reads them as if they were its own, which the
    /// protocol bears (each message is idempotent).
    pub fn short(&self) -> u32 {
        use std::hash::Hasher as _;
        let mut hasher = siphasher::sip::SipHasher13::new();
        hasher.write(&self.node);
        hasher.write(&self.nonce);
        hasher.write(&self.generation);
        hasher.write(&self.rejoin);
        (hasher.finish() >> 32) as u32
    }
}

/// foca replaces an identity by a later one with the same `Addr`. Ours is the node id, not the socket address: so a node
/// that comes back at another address replaces itself at once, and another node on a reused address does not.
impl foca::Identity for Identity {
    type Addr = NodeId;

    fn renew(&self) -> Option<Self> {
        self.rejoin().checked_add(1).map(|rejoin| self.with_rejoin(rejoin))
    }

    #[inline]
    fn addr(&self) -> NodeId {
        self.node()
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.cmp_age(adversary) == Ordering::Greater
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_small_and_comes_back_as_it_was() {
        assert_eq!(size_of::<Identity>(), 41, "octets: there are several for each pair of members");
        for address in ["10.1.2.3:8746", "[fd00::5]:65535"] {
            let (node, life) = (NodeId(0x0123_4567_89ab_cdef), Life { generation: 7, nonce: u64::MAX - 1 });
            let identity = Identity::new(address.parse().expect("an address"), node, life).with_rejoin(300);
            assert_eq!(
                (identity.address().to_string(), identity.node(), identity.life(), identity.rejoin()),
                (address.into(), node, life, 300)
            );
            let bytes = bincode::encode_to_vec(identity, bincode::config::standard()).expect("it can be written");
            assert_eq!(bincode::decode_from_slice(&bytes, bincode::config::standard()).expect("it can be read"), (identity, bytes.len()));
        }
    }
}
