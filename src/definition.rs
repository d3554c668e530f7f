//! From the value of a registration, be it JSON or TOML, to an instance and its checks, or to everything that is wrong with it.

pub mod checks;
pub mod notes;
pub mod scalar;

use std::{collections::BTreeMap, fmt, net::IpAddr, str::FromStr, time::Duration};

use jiff::SignedDuration;
use serde_json::{Map, Value};

use self::scalar::{is_duration, whole};
use crate::model::{
    Check, Instance, InstanceId, NameError, Protocol, Registration, ServiceName, Status, Tag,
    instance::{DEFAULT_WEIGHT, Flaw, escape_pointer},
    limits,
};

/// The fields of a definition, in the order in which they are shown.
pub const FIELDS: &[&str] = &["id", "service", "addresses", "port", "protocol", "tags", "meta", "weight", "checks", "deregister_after"];

/// Characters of a wrong value that are repeated to whoever sent it.
const SHOWN: usize = 80;

/// The instance `id` as a JSON value defines it.
///
/// # Errors
/// Every flaw that could be found at once, with its JSON pointer (RFC 6901).
pub fn read(id: InstanceId, value: &Value) -> Result<Registration, Vec<Flaw>> {
    let Value::Object(fields) = value else {
        return Err(vec![Flaw::new("", format!("is {}; a definition is an object", Shown(value)))]);
    };
    let mut reading = Reading { fields, flaws: Vec::new(), what: "a definition", known: FIELDS };
    reading.refuse_another_id(&id);
    let service = reading.required("service").and_then(|value| reading.name("/service", value));
    let port = reading.required("port").and_then(|value| reading.number("/port", value, "a port"));
    let addresses = reading.list("addresses", limits::ADDRESSES, Reading::address);
    let protocol = reading.optional("protocol").and_then(|value| reading.protocol("/protocol", value));
    let tags: Vec<Tag> = reading.list("tags", limits::TAGS, Reading::name);
    let meta = reading.meta();
    let weight = reading.optional("weight").and_then(|value| reading.number("/weight", value, "a weight"));
    let checks = reading.list("checks", limits::CHECKS, checks::read);
    let deregister_after = reading.optional("deregister_after").and_then(|value| reading.duration("/deregister_after", value));
    reading.refuse_unknown_fields();

    let mut flaws = reading.flaws;
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
    let nothing = Map::new();
    let mut reading = Reading { fields: &nothing, flaws: Vec::new(), what: "a check", known: &[] };
    let Some(mut check) = checks::read(&mut reading, "", value) else {
        return Err(reading.flaws);
    };
    if value.get("initial").is_none() {
        check.initial = Status::Passing;
    }
    let flaws = check.flaws("");
    if flaws.is_empty() { Ok(check) } else { Err(flaws) }
}

/// The object that is being read, and what was found wrong with it so far.
struct Reading<'a> {
    fields: &'a Map<String, Value>,
    flaws: Vec<Flaw>,
    /// What it should be.
    what: &'static str,
    /// The fields that it may have.
    known: &'static [&'static str],
}

impl<'a> Reading<'a> {
    fn flaw(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.flaws.push(Flaw::new(pointer, detail));
    }

    fn optional(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field)
    }

    fn required(&mut self, field: &str) -> Option<&'a Value> {
        let value = self.fields.get(field);
        if value.is_none() {
            self.flaw(format!("/{field}"), format!("is missing; {} has one", self.what));
        }
        value
    }

    fn text(&mut self, pointer: &str, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            self.flaw(pointer, format!("is {}; it is a string", Shown(value)));
        }
        text
    }

    fn name<T: FromStr<Err = NameError>>(&mut self, pointer: &str, value: &'a Value) -> Option<T> {
        let text = self.text(pointer, value)?;
        text.parse().map_err(|error: NameError| self.flaw(pointer, error.to_string())).ok()
    }

    /// 1 to 65535. A number in a string is not taken for one: what is stored would differ from what was sent.
    fn number(&mut self, pointer: &str, value: &Value, what: &str) -> Option<u16> {
        let number = whole(value).and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
        if number.is_none() {
            self.flaw(pointer, format!("is {}; {what} is a whole number from 1 to 65535", Shown(value)));
        }
        number
    }

    /// For example `"10s"` or `"1m 30s"`.
    fn duration(&mut self, pointer: &str, value: &Value) -> Option<Duration> {
        let text = value.as_str().filter(|text| is_duration(text));
        let duration = text.and_then(|text| text.parse::<SignedDuration>().ok()).and_then(|signed| signed.try_into().ok());
        if duration.is_none() {
            self.flaw(pointer, format!(r#"is {}; a duration is a string such as "10s" or "1m 30s""#, Shown(value)));
        }
        duration
    }

    fn protocol(&mut self, pointer: &str, value: &Value) -> Option<Protocol> {
        let known = [Protocol::Tcp, Protocol::Udp].into_iter().find(|protocol| value.as_str() == Some(protocol.as_str()));
        if known.is_none() {
            self.flaw(pointer, format!(r#"is {}; a protocol is "tcp" or "udp""#, Shown(value)));
        }
        known
    }

    fn address(&mut self, pointer: &str, value: &'a Value) -> Option<IpAddr> {
        let address = value.as_str().and_then(|text| text.parse().ok());
        if address.is_none() {
            self.flaw(pointer, format!("is {}; an address is IPv4 or IPv6, as a string without a port", Shown(value)));
        }
        address
    }

    /// The items of a list. If one is flawed none are given, so that what is said later of the places of others is right.
    fn list<T>(&mut self, field: &str, limit: usize, item: impl Fn(&mut Self, &str, &'a Value) -> Option<T>) -> Vec<T> {
        let pointer = format!("/{field}");
        let items = match self.optional(field) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= limit => items,
            Some(Value::Array(items)) => {
                self.flaw(pointer, format!("has {} {field}; at most {limit} are allowed", items.len()));
                return Vec::new();
            }
            Some(other) => {
                self.flaw(pointer, format!("is {}; {field} are a list", Shown(other)));
                return Vec::new();
            }
        };
        let read: Vec<_> = items.iter().enumerate().filter_map(|(index, value)| item(self, &format!("{pointer}/{index}"), value)).collect();
        if read.len() == items.len() { read } else { Vec::new() }
    }

    fn meta(&mut self) -> BTreeMap<String, String> {
        self.pairs("meta")
    }

    /// An object whose values are strings.
    fn pairs(&mut self, field: &str) -> BTreeMap<String, String> {
        let pairs = match self.optional(field) {
            None => return BTreeMap::new(),
            Some(Value::Object(pairs)) => pairs,
            Some(other) => {
                self.flaw(format!("/{field}"), format!("is {}; {field} is an object whose values are strings", Shown(other)));
                return BTreeMap::new();
            }
        };
        let read = |(key, value): (&String, &'a Value)| {
            let text = self.text(&format!("/{field}/{}", escape_pointer(key)), value)?;
            Some((key.clone(), text.to_owned()))
        };
        pairs.iter().filter_map(read).collect()
    }

    fn refuse_another_id(&mut self, id: &InstanceId) {
        if let Some(value) = self.optional("id").filter(|value| value.as_str() != Some(id.as_str())) {
            self.flaw("/id", format!("is {}, but the path says {:?}; leave it out or make them equal", Shown(value), id.as_str()));
        }
    }

    fn refuse_unknown_fields(&mut self) {
        for name in self.fields.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let hint = match nearest(name, self.known.iter().copied()) {
                Some(field) => format!("did you mean {field:?}?"),
                None => format!("the fields are {}", self.known.join(", ")),
            };
            self.flaw(format!("/{}", escape_pointer(name)), format!("is not a field of {}; {hint}", self.what));
        }
    }
}

/// The name, of those that are known, that a misspelt one was meant to be.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > SHOWN {
        return None;
    }
    let distance = |field: &str| strsim::damerau_levenshtein(&name.to_lowercase(), field);
    known
        .into_iter()
        .map(|field| (distance(field), field))
        .filter(|(distance, field)| *distance <= field.len() / 3)
        .min()
        .map(|(_, field)| field)
}

/// A wrong value as its sender would recognise it, in few words.
pub(crate) struct Shown<'a>(pub(crate) &'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::String(text) if text.chars().count() > SHOWN => {
                write!(f, "the string {:?}...", text.chars().take(SHOWN).collect::<String>())
            }
            Value::String(text) => write!(f, "the string {text:?}"),
            Value::Array(_) => f.write_str("a list"),
            Value::Object(_) => f.write_str("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
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
