//! What a packet of foca's says of members, before foca believes it.

use bincode::{Decode, config};

use super::{
    Identity, WireError,
    codec::{WireHeader, WireMember},
    limits,
};

/// A packet of foca's without what it says of members that are not wanted; `None` where all of them are. Who sent it is
/// not among them.
///
/// # Errors
/// [`WireError::Malformed`] when it can't be read.
pub fn sift(packet: &[u8], mut wanted: impl FnMut(&Identity) -> bool) -> Result<Option<Vec<u8>>, WireError> {
    let (_, head): (WireHeader, usize) = read(packet)?;
    let Some((count, mut rest)) = packet[head..].split_first_chunk::<2>() else {
        return Ok(None);
    };
    let (mut kept, mut left_out) = (0_u16, false);
    let mut sifted = packet[..head + 2].to_vec();
    for _ in 0..u16::from_be_bytes(*count) {
        let (member, octets): (WireMember, usize) = read(rest)?;
        let (entry, behind) = rest.split_at(octets);
        if wanted(&member.identity) {
            kept += 1;
            sifted.extend(entry);
        } else {
            left_out = true;
        }
        rest = behind;
    }
    sifted[head..head + 2].copy_from_slice(&kept.to_be_bytes());
    sifted.extend(rest);
    Ok(left_out.then_some(sifted))
}

fn read<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), WireError> {
    let limited = config::standard().with_limit::<{ limits::DATAGRAM_OCTETS }>();
    bincode::decode_from_slice(bytes, limited).map_err(|_| WireError::Malformed)
}

#[cfg(test)]
mod tests {
    use foca::{Codec as _, Header, Member, Message};

    use super::*;
    use crate::{
        model::{Life, NodeId},
        wire::codec::FocaCodec,
    };

    fn identity(node: u64) -> Identity {
        Identity::new(([127, 0, 0, 1], 8746).into(), NodeId(node), Life { generation: 3, nonce: 9 })
    }

    fn packet(members: &[u64]) -> Vec<u8> {
        let mut codec = FocaCodec::new(identity(1)).0;
        let header = Header { src: identity(1), src_incarnation: 0, dst: identity(2), message: Message::Gossip };
        let mut bytes = vec![];
        codec.encode_header(&header, &mut bytes).unwrap();
        bytes.extend((members.len() as u16).to_be_bytes());
        members.iter().for_each(|node| codec.encode_member(&Member::alive(identity(*node)), &mut bytes).unwrap());
        bytes
    }

    #[test]
    fn what_is_said_of_members_that_are_not_wanted_is_left_out() {
        let wanted = |identity: &Identity| identity.node().0 < 5;
        assert_eq!(sift(&packet(&[3, 4]), wanted), Ok(None));
        assert_eq!(sift(&packet(&[]), wanted), Ok(None));
        assert_eq!(sift(&packet(&[7, 3, 8, 4, 9]), wanted), Ok(Some(packet(&[3, 4]))));
        assert_eq!(sift(&packet(&[9]), wanted), Ok(Some(packet(&[]))));
    }

    #[test]
    fn a_packet_without_members_is_left_alone_and_one_cut_short_is_refused() {
        let (whole, none) = (packet(&[3, 9]), packet(&[]));
        let head = none.len() - 2;
        assert_eq!(sift(&none[..head], |_| false), Ok(None));
        assert_eq!(sift(&none[..head - 1], |_| false), Err(WireError::Malformed));
        assert_eq!(sift(&whole[..whole.len() - 1], |_| false), Err(WireError::Malformed));
    }
}
