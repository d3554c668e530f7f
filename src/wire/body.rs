//! Bodies of the kinds of records that this version knows: node, instance, health.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use bincode::{Decode, Encode};
use litemap::LiteMap;

use super::{WireError, limits, message};
use crate::model::{
    CheckId, CheckState, Health, Instance, InstanceId, NodeName, Protocol, ServiceName, Status, Tag, Zone,
    encryption::{Encryption, Fingerprint, KeyId, Mode},
    instance::{address_flaws, meta_flaws},
    node::NodeInfo,
    record::Body,
};

#[derive(Encode, Decode)]
struct NodeBody {
    name: String,
    addresses: Vec<IpAddr>,
    zone: Option<String>,
    meta: BTreeMap<String, String>,
    agent_version: String,
    wire_versions: (u16, u16),
    left: bool,
    grace_seconds: Option<u16>,
    maintenance: Option<String>,
    /// The place of its mode in [`Mode::ALL`].
    encryption: u8,
    /// (id, fingerprint)
    keys: Vec<(u8, u32)>,
}

#[derive(Encode, Decode)]
struct InstanceBody {
    service: String,
    addresses: Vec<IpAddr>,
    port: u16,
    udp: bool,
    tags: Vec<String>,
    meta: BTreeMap<String, String>,
    weight: u16,
}

#[derive(Encode, Decode)]
struct HealthBody {
    /// (id, status, reason)
    checks: Vec<(String, u8, String)>,
    maintenance: Option<String>,
}

/// The body of a node record.
pub fn encode_node(info: &NodeInfo) -> Body {
    Body::from(message::encode(&NodeBody {
        name: info.name.to_string(),
        addresses: info.addresses.clone(),
        zone: info.zone.as_ref().map(Zone::to_string),
        meta: info.meta.clone(),
        agent_version: info.agent_version.clone(),
        wire_versions: info.wire_versions,
        left: info.left,
        grace_seconds: info.grace_seconds,
        maintenance: info.maintenance.clone(),
        encryption: info.encryption.mode as u8,
        keys: info.encryption.keys.iter().map(|(id, fingerprint)| (id.get(), fingerprint.0)).collect(),
    }))
}

/// Reads the body of a node record.
///
/// # Errors
/// [`WireError::Malformed`] when it is unreadable or breaks a limit that its owner should have kept.
pub fn decode_node(body: &[u8]) -> Result<NodeInfo, WireError> {
    let node: NodeBody = message::decode(body)?;
    let fits = !node.addresses.is_empty()
        && address_flaws("", &node.addresses).is_empty()
        && meta_flaws("", &node.meta).is_empty()
        && node.agent_version.len() <= 64
        && node.keys.len() <= crate::model::limits::KEYS
        && node.maintenance.as_ref().is_none_or(|reason| reason.len() <= crate::model::limits::REASON_OCTETS);
    if !fits {
        return Err(WireError::Malformed);
    }
    Ok(NodeInfo {
        name: NodeName::new(&node.name).map_err(|_| WireError::Malformed)?,
        addresses: node.addresses,
        zone: node.zone.map(|zone| Zone::new(&zone)).transpose().map_err(|_| WireError::Malformed)?,
        meta: node.meta,
        agent_version: node.agent_version,
        wire_versions: node.wire_versions,
        left: node.left,
        grace_seconds: node.grace_seconds,
        maintenance: node.maintenance,
        encryption: Encryption {
            // A later version may know a stricter one.
            mode: Mode::ALL.get(usize::from(node.encryption)).copied().unwrap_or(Mode::Require),
            keys: node.keys.into_iter().filter_map(|(id, fingerprint)| Some((KeyId::new(id)?, Fingerprint(fingerprint)))).collect(),
        },
    })
}

/// The body of an instance's definition. Its id is the record's.
pub fn encode_instance(instance: &Instance) -> Body {
    Body::from(message::encode(&InstanceBody {
        service: instance.service.to_string(),
        addresses: instance.addresses.clone(),
        port: instance.port,
        udp: instance.protocol == Protocol::Udp,
        tags: instance.tags.iter().map(Tag::to_string).collect(),
        meta: instance.meta.clone(),
        weight: instance.weight,
    }))
}

/// Reads the body of the definition of the instance with this id.
///
/// # Errors
/// [`WireError::Malformed`] when it is unreadable or breaks a limit that its owner should have kept.
pub fn decode_instance(id: &Arc<str>, body: &[u8]) -> Result<Instance, WireError> {
    if body.len() > limits::BODY_OCTETS {
        return Err(WireError::TooLarge);
    }
    let wire: InstanceBody = message::decode(body)?;
    let instance = Instance {
        id: InstanceId::of(id).map_err(|_| WireError::Malformed)?,
        service: ServiceName::new(&wire.service).map_err(|_| WireError::Malformed)?,
        addresses: wire.addresses,
        port: wire.port,
        protocol: if wire.udp { Protocol::Udp } else { Protocol::Tcp },
        tags: wire.tags.iter().map(|tag| Tag::new(tag)).collect::<Result<_, _>>().map_err(|_| WireError::Malformed)?,
        meta: wire.meta,
        weight: wire.weight,
    };
    if instance.validate().is_empty() { Ok(instance) } else { Err(WireError::Malformed) }
}

/// The body of a health.
pub fn encode_health(health: &Health) -> Body {
    let check = |(id, state): (&CheckId, &CheckState)| (id.to_string(), state.status as u8, state.reason.clone());
    Body::from(message::encode(&HealthBody { checks: health.checks.iter().map(check).collect(), maintenance: health.maintenance.clone() }))
}

/// Reads the body of a health.
///
/// # Errors
/// [`WireError::Malformed`] when it is unreadable or breaks a limit that its owner should have kept.
pub fn decode_health(body: &[u8]) -> Result<Health, WireError> {
    let wire: HealthBody = message::decode(body)?;
    let short = |reason: &String| reason.len() <= crate::model::limits::REASON_OCTETS;
    if wire.checks.len() > crate::model::limits::CHECKS || !wire.maintenance.iter().all(short) {
        return Err(WireError::Malformed);
    }
    // Room for no more than there is, where collecting would take it for four: every agent holds the health of all instances.
    let mut checks = LiteMap::with_capacity(wire.checks.len());
    for (id, status, reason) in wire.checks {
        let id = CheckId::new(&id).map_err(|_| WireError::Malformed)?;
        let status = *[Status::Passing, Status::Warning, Status::Critical].get(usize::from(status)).ok_or(WireError::Malformed)?;
        if !short(&reason) {
            return Err(WireError::Malformed);
        }
        checks.insert(id, CheckState { status, reason });
    }
    Ok(Health { checks, maintenance: wire.maintenance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_as_they_were() {
        let instance = Instance {
            id: InstanceId::new("web-1").unwrap(),
            service: ServiceName::new("web").unwrap(),
            addresses: vec!["10.0.0.5".parse().unwrap(), "fd00::5".parse().unwrap()],
            port: 8080,
            protocol: Protocol::Udp,
            tags: vec![Tag::new("v1").unwrap()],
            meta: BTreeMap::from([("git".into(), "a1b2c3".into())]),
            weight: 10,
        };
        assert_eq!(decode_instance(&"web-1".into(), &encode_instance(&instance)), Ok(instance));
        let state = |status, reason: &str| CheckState { status, reason: reason.into() };
        let id = |text| CheckId::new(text).unwrap();
        let health = Health {
            checks: [(id("a"), state(Status::Critical, "no answer")), (id("b"), state(Status::Warning, ""))].into_iter().collect(),
            maintenance: Some("new disk".into()),
        };
        assert_eq!(decode_health(&encode_health(&health)), Ok(health));
        assert_eq!(decode_health(&encode_health(&Health::default())), Ok(Health::default()));
    }

    #[test]
    fn a_body_that_breaks_a_limit_is_refused() {
        let mut instance = decode_instance(
            &"a".into(),
            &message::encode(&InstanceBody {
                service: "web".into(),
                addresses: vec![],
                port: 1,
                udp: false,
                tags: vec![],
                meta: BTreeMap::new(),
                weight: 1,
            }),
        )
        .unwrap();
        instance.port = 0;
        assert_eq!(decode_instance(&"a".into(), &encode_instance(&instance)), Err(WireError::Malformed));
        let long = Health { checks: FromIterator::from_iter([]), maintenance: Some("x".repeat(201)) };
        assert_eq!(decode_health(&encode_health(&long)), Err(WireError::Malformed));
    }
}
