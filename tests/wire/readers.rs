//! Each reader by itself: bytes of any kind are read or refused, and what was encoded is decoded to the same.

use foca::{Codec as _, Header, Member, Message as FocaMessage};
use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use tidings::{
    model::{CheckId, CheckState, Health, NodeId, Status},
    wire::{
        Identity, WireError, body,
        codec::{FocaCodec, state_from_wire},
        envelope::{self, Carrier, ClusterTag, Envelope},
        frame::{self, FrameBuffer},
        limits,
        message::{
            Buckets, DigestBeacon, Graves, Have, Hello, Members, Message, Owners, Probe, ProbeAck, ProbeReport, ProbeRequest, Push, Refuse,
            Want, Watch,
        },
    },
};

use super::messages;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read_all(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_good_head_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let head = Envelope::new(Carrier::Datagram, ClusterTag(7)).into_bytes();
        let opened = envelope::open(Carrier::Datagram, &[head, bytes.clone()].concat()).map(|(tag, _)| tag);
        prop_assert!(opened == Ok(ClusterTag(7)) || opened == Err(WireError::Malformed));
        read_all(&bytes);
    }

    #[test]
    fn a_stream_of_any_bytes_gives_frames_or_an_error_and_holds_no_more_than_came(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40),
    ) {
        let mut buffer = FrameBuffer::default();
        let (mut came, mut read) = (0, 0);
        for piece in pieces {
            came += piece.len();
            buffer.extend(&piece);
            loop {
                match buffer.next_frame() {
                    Ok(Some(frame)) => read += 4 + frame.len(),
                    Ok(None) => break,
                    Err(error) => {
                        prop_assert_eq!(error, WireError::TooLarge);
                        return Ok(());
                    }
                }
            }
            prop_assert!(read <= came);
        }
    }

    #[test]
    fn frames_come_out_as_they_went_in(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8), piece in 1_usize..50) {
        let bytes: Vec<u8> = frames.iter().flat_map(|bytes| frame::encode(bytes)).collect();
        let mut buffer = FrameBuffer::default();
        let mut read = vec![];
        for chunk in bytes.chunks(piece) {
            buffer.extend(chunk);
            while let Some(frame) = buffer.next_frame().unwrap() {
                read.push(frame);
            }
        }
        prop_assert_eq!(read, frames);
    }
}

#[test]
fn each_message_comes_back_as_it_was_and_bears_cuts_and_flips() {
    for seed in 0..400 {
        let rng = &mut StdRng::seed_from_u64(seed);
        check(seed, rng, messages::beacon);
        check(seed, rng, messages::push);
        check(seed, rng, messages::hello);
        check(seed, rng, messages::refuse);
        check(seed, rng, messages::buckets);
        check(seed, rng, messages::members);
        check(seed, rng, messages::graves);
        check(seed, rng, messages::owners);
        check(seed, rng, messages::want);
        check(seed, rng, messages::have);
        check(seed, rng, messages::probe);
        check(seed, rng, messages::probe_ack);
        check(seed, rng, messages::probe_request);
        check(seed, rng, messages::probe_report);
        check(seed, rng, messages::watch);
    }
}

#[test]
fn what_is_sent_all_the_time_is_small() {
    for seed in 0..100 {
        let rng = &mut StdRng::seed_from_u64(seed);
        assert_eq!(messages::probe(rng).to_bytes().len(), 9);
        assert_eq!(ProbeAck { instead: None, ..messages::probe_ack(rng) }.to_bytes().len(), 9);
    }
}

#[test]
fn each_packet_of_focas_comes_back_as_it_was_and_bears_cuts_and_flips() {
    for seed in 0..1_000 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (from, to) = (messages::identity(rng), messages::identity(rng));
        let header = Header { src: from, src_incarnation: rng.random(), dst: to, message: foca_message(rng) };
        let mut bytes = vec![];
        FocaCodec::new(from).0.encode_header(&header, &mut bytes).unwrap();
        assert_eq!(FocaCodec::new(to).0.decode_header(&bytes[..]).unwrap(), header, "seed {seed}");
        let member = Member::new(from, rng.random(), state_from_wire(rng.random_range(0..3)).unwrap());
        let mut member_bytes = vec![];
        FocaCodec::new(from).0.encode_member(&member, &mut member_bytes).unwrap();
        assert_eq!(FocaCodec::new(to).0.decode_member(&member_bytes[..]).unwrap(), member, "seed {seed}");
        for bytes in [bytes, member_bytes] {
            read_all(&bytes[..rng.random_range(0..bytes.len())]);
            read_all(&flipped(rng, bytes));
        }
    }
}

#[test]
fn bodies_that_are_read_are_written_as_the_same_bytes() {
    let flip = |seed, bytes: &[u8]| flipped(&mut StdRng::seed_from_u64(seed), bytes.to_vec());
    let node = [&[2, b'n', b'1', 1, 0, 10, 0, 0, 1, 0, 0, 1, b'1', 1, 1, 0, 0, 0, 0, 0][..]].concat();
    let instance = [&[3, b'w', b'e', b'b', 0, 80, 0, 0, 0, 10][..]].concat();
    assert!(body::decode_node(&node).is_ok() && body::decode_instance(&"a".into(), &instance).is_ok());
    for seed in 0..2_000 {
        let bytes = flip(seed, &node);
        if let Ok(info) = body::decode_node(&bytes) {
            assert_eq!(body::decode_node(&body::encode_node(&info)), Ok(info), "seed {seed}");
        }
        let bytes = flip(seed, &instance);
        if let Ok(read) = body::decode_instance(&"a".into(), &bytes) {
            assert_eq!(body::decode_instance(&"a".into(), &body::encode_instance(&read)), Ok(read), "seed {seed}");
        }
    }
    let health = body::encode_health(&Health {
        checks: [(CheckId::new("a").expect("an id"), sick())].into_iter().collect(),
        maintenance: Some("why".into()),
    });
    for seed in 0..2_000 {
        if let Ok(read) = body::decode_health(&flip(seed, &health)) {
            assert_eq!(body::decode_health(&body::encode_health(&read)), Ok(read), "seed {seed}");
        }
    }
}

fn check<M: Message + PartialEq + std::fmt::Debug>(seed: u64, rng: &mut StdRng, make: impl Fn(&mut StdRng) -> M) {
    let message = make(rng);
    let bytes = message.to_bytes();
    assert_eq!(M::from_bytes(&bytes).as_ref(), Ok(&message), "seed {seed}");
    for length in 0..bytes.len().min(100) {
        assert_eq!(M::from_bytes(&bytes[..length]), Err(WireError::Malformed), "seed {seed}, {length} octets of {message:?}");
    }
    read_all(&flipped(rng, bytes));
}

pub(super) fn foca_message(rng: &mut StdRng) -> FocaMessage<Identity> {
    let (target, probe_number) = (messages::identity(rng), rng.random());
    match rng.random_range(0..11) {
        0 => FocaMessage::Ping(probe_number),
        1 => FocaMessage::Ack(probe_number),
        2 => FocaMessage::PingReq { target, probe_number },
        3 => FocaMessage::IndirectPing { origin: target, probe_number },
        4 => FocaMessage::IndirectAck { target, probe_number },
        5 => FocaMessage::ForwardedAck { origin: target, probe_number },
        6 => FocaMessage::Announce,
        7 => FocaMessage::Feed,
        8 => FocaMessage::Gossip,
        9 => FocaMessage::Broadcast,
        _ => FocaMessage::TurnUndead,
    }
}

pub(super) fn flipped(rng: &mut StdRng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.random_range(1..4) {
        if !bytes.is_empty() {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = if rng.random_bool(0.5) { bytes[at] ^ (1 << rng.random_range(0..8)) } else { rng.random() };
        }
    }
    bytes
}

/// Gives bytes to everything that reads bytes.
fn read_all(bytes: &[u8]) {
    for (carrier, most) in [(Carrier::Datagram, limits::DATAGRAM_OCTETS), (Carrier::Frame, limits::FRAME_OCTETS)] {
        if let Ok((_, messages)) = envelope::open(carrier, bytes) {
            assert!(messages.iter().map(|(_, body)| body.len()).sum::<usize>() <= most);
        }
    }
    let _ = (DigestBeacon::from_bytes(bytes), Push::from_bytes(bytes), Hello::from_bytes(bytes), Refuse::from_bytes(bytes));
    let _ = (Buckets::from_bytes(bytes), Members::from_bytes(bytes), Graves::from_bytes(bytes), Owners::from_bytes(bytes));
    let _ = (Want::from_bytes(bytes), Have::from_bytes(bytes), Probe::from_bytes(bytes), ProbeAck::from_bytes(bytes));
    let _ = (ProbeRequest::from_bytes(bytes), ProbeReport::from_bytes(bytes), Watch::from_bytes(bytes));
    let _ = (body::decode_node(bytes), body::decode_instance(&"a".into(), bytes), body::decode_health(bytes));
    let me = Identity::new(([10, 0, 0, 1], 1).into(), NodeId(1), Default::default());
    let _ = (FocaCodec::new(me).0.decode_header(bytes), FocaCodec::new(me).0.decode_member(bytes));
}

fn sick() -> CheckState {
    CheckState { status: Status::Critical, reason: "no answer".into() }
}
