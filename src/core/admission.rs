//! Whom foca hears of. What it believes it spreads, so what is not to be believed must not reach it.

use std::collections::BTreeSet;

use super::Core;
use crate::wire::{Identity, sift::sift};

/// What a packet of foca's says of members, as far as foca may hear of it.
#[derive(Debug)]
pub(super) struct Admitted {
    /// The packet without the rest; none where all of it is admitted.
    pub packet: Option<Vec<u8>>,
    /// Ourselves as we are not: other lives, later returns.
    pub other_selves: Vec<Identity>,
}

impl Core {
    /// Whether there is room for the sender of a packet, or of a hello.
    pub(super) fn has_room_for(&self, sender: Identity) -> bool {
        self.membership.get(sender.node()).is_some() || self.membership.room() > 0
    }

    /// Sorts out what a packet says of members. The buried would be spread from one who buries them to the next for ever; of
    /// ourselves as we are not foca would say that it is down, and be answered the same; and one more than there may be is too many.
    pub(super) fn admit(&self, sender: Identity, packet: &[u8]) -> Admitted {
        let is_new = |member: &Identity| self.membership.get(member.node()).is_none() && member.node() != self.me();
        let mut new = BTreeSet::from_iter(is_new(&sender).then_some(sender.node()));
        let mut other_selves = Vec::new();
        let sifted = sift(packet, |member| {
            if self.is_other_self(member) {
                other_selves.push(*member);
                return false;
            }
            let fits = !is_new(member) || new.contains(&member.node()) || new.len() < self.membership.room();
            let wanted = fits && !self.is_buried(*member);
            new.extend((wanted && is_new(member)).then_some(member.node()));
            wanted
        });
        // One that can't be read is foca's to refuse.
        Admitted { packet: sifted.ok().flatten(), other_selves }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::{
            io::{Event, Input, Output, StreamId},
            testing::{ME, cluster, core, identity, members, packet, receive},
            time::Moment,
        },
        model::{Life, NodeId},
        wire::{
            envelope::{Carrier, ClusterTag, Envelope, open},
            frame,
            message::{Digest, Hello, MemberEntry, Message as _, Refuse, RefuseCode, Standing, kind},
        },
    };

    #[test]
    fn gossip_brings_in_no_more_members_than_there_may_be() {
        let mut core = core(4);
        receive(&mut core, 2, &[3]);
        assert_eq!(members(&core), [2, 3]);
        receive(&mut core, 4, &[3, 5, 6, 7]);
        assert_eq!(members(&core), [2, 3, 4, 5], "the sender counts as well");
        let outputs = receive(&mut core, 8, &[9]);
        assert!(outputs.iter().any(|it| matches!(it, Output::Event(Event::Dropped { reason: "too_many_members", .. }))), "{outputs:?}");
        receive(&mut core, 2, &[9, 3]);
        assert_eq!(members(&core), [2, 3, 4, 5], "who is in goes on being heard");
    }

    #[test]
    fn a_list_by_stream_brings_in_no_more_either_and_a_newcomer_is_told_why() {
        let mut core = core(3);
        receive(&mut core, 2, &[]);
        let entry = |node| MemberEntry { identity: identity(node), incarnation: 0, state: 0, grace_ms: 0 };
        core.membership.merge(&[entry(2), entry(3), entry(4), entry(5)], true);
        assert_eq!(members(&core), [2, 3, 4]);
        let hello = |node| Hello {
            cluster: "test".into(),
            lowest: 1,
            highest: 1,
            from: identity(node),
            name: format!("n{node}"),
            digest: Digest::default(),
            standing: Standing::Member,
        };
        let mut said = |node: u64| {
            let (stream, from) = (StreamId::accepted(node), identity(node).address());
            let mut envelope = Envelope::new(Carrier::Frame, ClusterTag::of(&cluster()));
            envelope.push(kind::HELLO, &hello(node).to_bytes());
            core.handle(Moment::default(), Input::Accepted { stream, from });
            core.handle(Moment::default(), Input::Received { stream, bytes: &frame::encode(&envelope.into_bytes()) });
            let sent = std::iter::from_fn(|| core.poll_output()).find_map(|output| match output {
                Output::Send { bytes, .. } => Some(bytes),
                _ => None,
            });
            let sent = sent.expect("something is said");
            let (kind, body) = open(Carrier::Frame, &sent[4..]).unwrap().1[0];
            (kind, Refuse::from_bytes(body).ok())
        };
        let (kind, refuse) = said(6);
        assert!(kind == kind::REFUSE && refuse.is_some_and(|it| it.code == RefuseCode::Full && it.detail.contains("16384")));
        assert_eq!(said(2).0, kind::HELLO);
        assert_eq!(members(&core), [2, 3, 4]);
    }

    #[test]
    fn the_buried_and_our_other_selves_do_not_reach_foca() {
        let mut core = core(9);
        core.graves.dig(NodeId(3), 3, Moment::default() + core.term());
        let later = Identity::new(identity(ME).address(), NodeId(ME), Life { generation: 4, nonce: 1 });
        let returned = identity(ME).with_rejoin(1);
        let said = [identity(3), identity(4), later, returned, identity(ME)];
        let Admitted { packet: left, other_selves } = core.admit(identity(2), &packet(2, &said));
        assert_eq!((left, other_selves), (Some(packet(2, &[identity(4), identity(ME)])), vec![later, returned]));
        let plain = packet(2, &[identity(4)]);
        assert!(core.admit(identity(2), &plain).packet.is_none());
    }
}
