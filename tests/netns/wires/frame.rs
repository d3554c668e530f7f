//! What of a frame says how it is carried, and what it says.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

/// Octets of the two hardware addresses and the type of what follows.
pub(super) const HEAD: usize = 14;

/// A hardware address.
pub(super) type Mac = [u8; 6];

/// Who sent a frame; none where it is too short to say so.
pub(super) fn sender(frame: &[u8]) -> Option<Mac> {
    frame.get(6..12)?.try_into().ok()
}

/// To whom.
pub(super) fn receiver(frame: &[u8]) -> Option<Mac> {
    frame.get(..6)?.try_into().ok()
}

/// Readdresses a frame.
pub(super) fn address(frame: &mut [u8], to: Mac) {
    if let Some(receiver) = frame.get_mut(..6) {
        receiver.copy_from_slice(&to);
    }
}

/// What is in a frame.
#[derive(Debug)]
pub(super) enum Content<'f> {
    /// It goes by itself: it may overtake others, come late, or twice.
    Datagram(Datagram<'f>),
    /// It stays behind the ones of its connection before it.
    Segment(Segment<'f>),
    /// So does whatever else there is.
    Other,
}

/// A datagram. Its address is none of IPv4 where nobody can tell.
#[derive(Debug)]
pub(super) struct Datagram<'f> {
    pub(super) from: SocketAddrV4,
    pub(super) said: &'f [u8],
}

/// A segment.
#[derive(Debug)]
pub(super) struct Segment<'f> {
    pub(super) from: SocketAddrV4,
    pub(super) to_port: u16,
    pub(super) number: u32,
    /// It asks for a connection.
    pub(super) opens: bool,
    pub(super) said: &'f [u8],
}

/// Takes a frame apart.
pub(super) fn content(frame: &[u8]) -> Content<'_> {
    let Ok(packet) = SlicedPacket::from_ethernet(frame) else { return Content::Other };
    let from = match &packet.net {
        Some(NetSlice::Ipv4(ip)) => ip.header().source_addr(),
        _ => Ipv4Addr::UNSPECIFIED,
    };
    match packet.transport {
        Some(TransportSlice::Udp(udp)) => {
            Content::Datagram(Datagram { from: SocketAddrV4::new(from, udp.source_port()), said: udp.payload() })
        }
        Some(TransportSlice::Tcp(tcp)) => Content::Segment(Segment {
            from: SocketAddrV4::new(from, tcp.source_port()),
            to_port: tcp.destination_port(),
            number: tcp.sequence_number(),
            opens: tcp.syn() && !tcp.ack(),
            said: tcp.payload(),
        }),
        _ => Content::Other,
    }
}
