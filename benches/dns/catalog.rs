//! The same names for all servers.

use std::{fmt::Write as _, net::Ipv4Addr};

use serde_json::{Value, json};

/// How many instances a service has.
const EACH: usize = 3;
/// How many of them an agent has: it may have 1,000.
pub(crate) const OF_AN_AGENT: usize = 999;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) services: usize,
}

impl Size {
    pub(crate) fn instances(self) -> usize {
        self.services * EACH
    }

    /// The definition of an instance, with its id.
    pub(crate) fn definition(self, index: usize) -> (String, Value) {
        let definition = json!({"service": service(index / EACH), "port": 8080, "addresses": [address(index).to_string()]});
        (format!("i-{index}"), definition)
    }

    /// As a zone file (RFC 1035, 5).
    pub(crate) fn zone(self) -> String {
        let mut zone =
            "$ORIGIN tidings.internal.\n@ 1 IN SOA ns hostmaster 1 3600 600 86400 1\n@ 1 IN NS ns\nns 0 IN A 127.0.0.1\n".to_owned();
        for index in 0..self.instances() {
            let (service, address) = (service(index / EACH), address(index));
            let target = format!("{:08x}.addr", address.to_bits());
            // Writing to a string can't fail.
            let _ = writeln!(
                zone,
                "{service}.service 0 IN A {address}\n{service}.service 0 IN SRV 1 10 8080 {target}\n{target} 0 IN A {address}"
            );
        }
        zone
    }
}

pub(crate) fn service(index: usize) -> String {
    format!("s{index}")
}

fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0001 + index as u32)
}
