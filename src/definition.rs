//! From the value of a registration, be it JSON or TOML, to an instance and its checks, or to everything that is wrong with it.

pub mod checks;
pub mod notes;

use std::net::IpAddr;

use serde_json::Value;

use crate::{
    fields::{Reading, Shown},
    model::{
        Check, Instance, InstanceId, Protocol, Registration, ServiceName, Status, Tag,
        instance::{DEFAULT_WEIGHT, Flaw},
        limits,
    },
};

/// The fields of a definition, in the order in which they are shown.
pub const FIELDS: &[&str] = &["id", "service", "addresses", "port", "protocol", "tags", "meta", "weight", "checks", "deregister_after"];

/// The instance `id` as a JSON value defines it.
///
/// # Errors
/// Every flaw that could be found at once, with its JSON pointer (RFC 6901).
pub fn read(id: InstanceId, value: &Value) -> Result<Registration, Vec<Flaw>> {
    let mut reading = Reading::new(value, "a definition", FIELDS).map_err(|flaw| vec![flaw])?;
    refuse_another_id(&mut reading, &id);
    let service = reading.required("service").and_then(|value| reading.name("/service", value));
    let port = reading.required("port").and_then(|value| reading.number("/port", value, "a port"));
    let addresses = reading.list("addresses", limits::ADDRESSES, address);
    let protocol = reading.optional("protocol").and_then(|value| protocol(&mut reading, "/protocol", value));
    let tags: Vec<Tag> = reading.list("tags", limits::TAGS, Reading::name);
    let meta = reading.pairs("meta");
    let weight = reading.optional("weight").and_then(|value| reading.number("/weight", value, "a weight"));
    let checks = reading.list("checks", limits::CHECKS, |reading, pointer, value| {
        checks::read(value).map_err(|flaws| reading.flaws_at(pointer, flaws)).ok()
    });
    let deregister_after = reading.optional("deregister_after").and_then(|value| reading.duration("/deregister_after", value));
    reading.refuse_unknown_fields();

    let mut flaws = reading.into_flaws();
    // What is missing has its flaw already; the stand-ins let the rest be held against the limits all the same.
    let stand_in = || ServiceName::new("unnamed").expect("a DNS label");
    let instance = Instance {
        id,
        service: service.unwrap_or_else(stand_in),
        addresses,
        port: port.unwrap_or(1),
        protocol: protocol.unwrap_or_default(),
        tags,
        meta,
        weight: weight.unwrap_or(DEFAULT_WEIGHT),
    };
    let registration = Registration { instance, checks, deregister_after, file: None };
    flaws.extend(registration.validate());
    if flaws.is_empty() { Ok(registration) } else { Err(flaws) }
}

/// The check of a node as a value defines it. It begins as passing unless it says otherwise: what holds a whole node back
/// needs a reason.
///
/// # Errors
/// Every flaw that could be found at once, with its JSON pointer (RFC 6901).
pub fn node_check(value: &Value) -> Result<Check, Vec<Flaw>> {
    let mut check = checks::read(value)?;
    if value.get("initial").is_none() {
        check.initial = Status::Passing;
    }
    let flaws = check.flaws("");
    if flaws.is_empty() { Ok(check) } else { Err(flaws) }
}

fn protocol(reading: &mut Reading<'_>, pointer: &str, value: &Value) -> Option<Protocol> {
    let known = [Protocol::Tcp, Protocol::Udp].into_iter().find(|protocol| value.as_str() == Some(protocol.as_str()));
    if known.is_none() {
        reading.flaw(pointer, format!(r#"is {}; a protocol is "tcp" or "udp""#, Shown(value)));
    }
    known
}

fn address(reading: &mut Reading<'_>, pointer: &str, value: &Value) -> Option<IpAddr> {
    let address = value.as_str().and_then(|text| text.parse().ok());
    if address.is_none() {
        reading.flaw(pointer, format!("is {}; an address is IPv4 or IPv6, as a string without a port", Shown(value)));
    }
    address
}

fn refuse_another_id(reading: &mut Reading<'_>, id: &InstanceId) {
    if let Some(value) = reading.optional("id").filter(|value| value.as_str() != Some(id.as_str())) {
        reading.flaw("/id", format!("is {}, but the path says {:?}; leave it out or make them equal", Shown(value), id.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_needs_no_more_than_a_service_and_a_port() {
        let Registration { instance, checks, .. } = read(id(), &json!({"service": "web", "port": 80})).unwrap();
        assert!(checks.is_empty());
        assert_eq!((instance.weight, instance.protocol), (DEFAULT_WEIGHT, Protocol::Tcp));
        assert!(instance.addresses.is_empty() && instance.tags.is_empty() && instance.meta.is_empty());
    }

    #[test]
    fn the_id_may_be_repeated_but_not_changed() {
        assert!(read(id(), &json!({"id": "web-1", "service": "web", "port": 80})).is_ok());
        check(json!({"id": "web-2"}), "/id", "web-1");
        check(json!({"id": 1}), "/id", "leave it out");
    }

    #[test]
    fn each_flaw_is_found_where_it_is() {
        for port in [json!(0), json!(65_536), json!(-1), json!(80.5), json!("80"), json!(null)] {
            check(json!({"port": port}), "/port", "from 1 to 65535");
        }
        check(json!({"weight": 0}), "/weight", "from 1 to 65535");
        check(json!({"service": "we b"}), "/service", "RFC 1123");
        check(json!({"service": null}), "/service", "is null; it is a string");
        check(json!({"protocol": "TCP"}), "/protocol", r#""tcp" or "udp""#);
        check(json!({"addresses": "10.0.0.1"}), "/addresses", "are a list");
        for address in [json!("10.0.0.1:80"), json!("host"), json!("10.0.0.256"), json!("[::1]"), json!(7)] {
            check(json!({"addresses": ["10.0.0.1", address]}), "/addresses/1", "IPv4 or IPv6");
        }
        check(json!({"addresses": ["0.0.0.0"]}), "/addresses/0", "can't be connected to");
        check(json!({"addresses": ["10.0.0.1", "10.0.0.1"]}), "/addresses/1", "there already");
        check(json!({"addresses": vec!["10.0.0.1"; 5]}), "/addresses", "at most 4");
        check(json!({"tags": (0..33).map(|n| n.to_string()).collect::<Vec<_>>()}), "/tags", "at most 32");
        check(json!({"tags": [{}]}), "/tags/0", "is an object; it is a string");
        check(json!({"tags": ["v1", "V1"]}), "/tags/1", "there already");
        check(json!({"meta": []}), "/meta", "is an object whose values are strings");
        check(json!({"meta": {"a/b": 1}}), "/meta/a~1b", "is 1; it is a string");
        check(json!({"meta": {"a:b": ""}}), "/meta/a:b", "without a colon");
        check(json!({"meta": (0..65).map(|n| (n.to_string(), "")).collect::<BTreeMap<_, _>>()}), "/meta", "at most 64");
    }

    #[test]
    fn what_is_required_is_missed_by_name() {
        let flaws = read(id(), &json!({})).unwrap_err();
        assert_eq!(flaws.iter().map(|flaw| flaw.pointer.as_str()).collect::<Vec<_>>(), ["/service", "/port"]);
    }

    #[test]
    fn an_unknown_field_names_the_one_that_was_meant() {
        check(json!({"prot": 80}), "/prot", r#"did you mean "port"?"#);
        check(json!({"Address": []}), "/Address", r#"did you mean "addresses"?"#);
        check(json!({"colour": []}), "/colour", "the fields are id, service,");
        check(json!({"a/b": 1}), "/a~1b", "is not a field");
    }

    #[test]
    fn a_long_wrong_value_is_not_repeated_in_full() {
        let flaws = read(id(), &json!({"service": "web", "port": "8".repeat(10_000)})).unwrap_err();
        assert!(flaws[0].detail.len() < 200, "{}", flaws[0].detail);
    }

    fn id() -> InstanceId {
        InstanceId::new("web-1").unwrap()
    }

    /// Puts fields over a definition without flaws, and expects one flaw.
    fn check(fields: Value, pointer: &str, says: &str) {
        let mut definition = json!({"service": "web", "port": 80});
        definition.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let flaws = read(id(), &definition).expect_err(pointer);
        assert!(flaws.iter().any(|flaw| flaw.pointer == pointer && flaw.detail.contains(says)), "{pointer}, {says}: {flaws:?}");
    }
}
