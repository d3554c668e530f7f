//! What of a frame says how it is carried.

/// Octets of the two hardware addresses and the type of what follows.
pub(super) const HEAD: usize = 14;
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A hardware address.
pub(super) type Mac = [u8; 6];

/// Who sent a frame; none where it is too short to say so.
pub(super) fn sender(frame: &[u8]) -> Option<Mac> {
    frame.get(6..12)?.try_into().ok()
}

/// How what is in a frame is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By itself: it may overtake others, come late, or twice.
    Datagram,
    /// Behind all others with these ports: those of a TCP connection, or none for what is neither datagram nor segment.
    InOrder([u8; 4]),
}

/// Which of the two is in a frame.
pub(super) fn kind(frame: &[u8]) -> Kind {
    let octet = |at: usize| frame.get(at).copied().unwrap_or_default();
    let (protocol, begin) = match [octet(12), octet(13)] {
        IPV4 => (octet(HEAD + 9), HEAD + usize::from(octet(HEAD) & 0x0f) * 4),
        IPV6 => (octet(HEAD + 6), HEAD + 40),
        _ => (0, 0),
    };
    match protocol {
        UDP => Kind::Datagram,
        TCP => Kind::InOrder(std::array::from_fn(|at| octet(begin + at))),
        _ => Kind::InOrder([0; 4]),
    }
}
