//! An instance as worlds register it: with or without a check, which finds out what the world says of the program.

use std::{collections::BTreeMap, time::Duration};

use crate::model::{
    Check, CheckId, Instance, InstanceId, Protocol, Registration, ServiceName, Status,
    check::{DEFAULT_INTERVAL, DEFAULT_TIMEOUT, Probe},
};

/// Of a kind that no agent runs: its verdicts come from the world.
const KIND: &str = "simulated";

/// An instance without tags and addresses of its own.
pub fn instance(id: InstanceId, service: ServiceName, port: u16) -> Instance {
    Instance { id, service, addresses: vec![], port, protocol: Protocol::Tcp, tags: vec![], meta: BTreeMap::new(), weight: 10 }
}

/// Its registration, with a check that is critical until it has run.
pub fn checked(instance: Instance) -> Registration {
    let check = Check {
        id: CheckId::new("alive").expect("letters are an id"),
        probe: Probe { kind: KIND.into(), settings: "{}".into(), ttl: Some(Duration::from_secs(3_600)) },
        interval: DEFAULT_INTERVAL,
        timeout: DEFAULT_TIMEOUT,
        rise: 1,
        fall: 1,
        initial: Status::Critical,
    };
    Registration { checks: vec![check], ..Registration::plain(instance) }
}
