//! A core for unit tests, and what reaches it.

use std::collections::BTreeMap;

use bytes::BufMut as _;
use foca::{Codec as _, Header, Member, Message as FocaMessage};

use super::{
    Core, Settings,
    io::{Input, Output},
    time::Moment,
};
use crate::{
    model::{ClusterName, Life, NodeId, NodeName, node::NodeInfo},
    wire::{
        Identity,
        codec::FocaCodec,
        envelope::{Carrier, ClusterTag, Envelope},
        message::kind,
    },
};

pub(super) const ME: u64 = 1;

pub(super) fn identity(node: u64) -> Identity {
    Identity::new(([10, 0, 0, node as u8], 8746).into(), NodeId(node), Life { generation: 3, nonce: node })
}

pub(super) fn cluster() -> ClusterName {
    ClusterName::new("test").unwrap()
}

/// One that has begun, in a cluster that may have so many members beside it.
pub(super) fn core(most: usize) -> Core {
    let address = identity(ME).address();
    let info = NodeInfo {
        name: NodeName::new("me").unwrap(),
        addresses: vec![address.ip()],
        zone: None,
        meta: BTreeMap::new(),
        agent_version: "test".into(),
        wire_versions: (1, 1),
        left: false,
        grace_seconds: None,
        maintenance: None,
        encryption: Default::default(),
    };
    let mut core = Core::new(Settings {
        cluster: cluster(),
        node: NodeId(ME),
        life: identity(ME).life(),
        address,
        info,
        seal: Default::default(),
        seconds: 0,
        seeds: 0,
        peers: vec![],
        members: vec![],
        records: BTreeMap::new(),
        graves: vec![],
        node_checks: vec![],
        host_rebooted: false,
        random_seed: 1,
        reap_after: super::REAP_AFTER,
    });
    core.membership.allow(most);
    core.start(Moment::default());
    core
}

/// A packet of foca's that says that these are alive.
pub(super) fn packet(from: u64, of: &[Identity]) -> Vec<u8> {
    let mut codec = FocaCodec::new(identity(from)).0;
    let mut packet = vec![];
    let header = Header { src: identity(from), src_incarnation: 0, dst: identity(ME), message: FocaMessage::Gossip };
    codec.encode_header(&header, &mut packet).unwrap();
    packet.put_u16(of.len() as u16);
    of.iter().for_each(|member| codec.encode_member(&Member::alive(*member), &mut packet).unwrap());
    packet
}

/// The core receives one, and says what is to be done.
pub(super) fn receive(core: &mut Core, from: u64, of: &[u64]) -> Vec<Output> {
    let of: Vec<Identity> = of.iter().map(|node| identity(*node)).collect();
    let mut envelope = Envelope::new(Carrier::Datagram, ClusterTag::of(&cluster()));
    assert!(envelope.push(kind::FOCA, &packet(from, &of)));
    core.handle(Moment::default(), Input::Datagram { from: identity(from).address(), bytes: &envelope.into_bytes() });
    std::iter::from_fn(|| core.poll_output()).collect()
}

pub(super) fn members(core: &Core) -> Vec<u64> {
    core.membership.members().map(|member| member.identity.node().0).collect()
}
