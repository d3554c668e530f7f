//! From the JSON of a registration to an instance, or to everything that is wrong with it.

use std::{collections::BTreeMap, fmt, net::IpAddr, str::FromStr};

use serde_json::{Map, Value};

use crate::model::{
    Instance, InstanceId, NameError, Protocol, ServiceName, Tag,
    instance::{DEFAULT_WEIGHT, Flaw, escape_pointer},
    limits,
};

/// The fields of a definition, in the order in which they are shown.
const FIELDS: [&str; 8] = ["id", "service", "addresses", "port", "protocol", "tags", "meta", "weight"];

/// Characters of a wrong value that are repeated to whoever sent it.
const SHOWN: usize = 80;

/// The instance `id` as a JSON value defines it.
///
/// # Errors
/// Every flaw that could be found at once, with its JSON pointer (RFC 6901).
pub(super) fn read(id: InstanceId, value: &Value) -> Result<Instance, Vec<Flaw>> {
    let Value::Object(fields) = value else {
        return Err(vec![Flaw::new("", format!("is {}; a definition is an object", Shown(value)))]);
    };
    let mut reading = Reading { fields, flaws: Vec::new() };
    reading.refuse_another_id(&id);
    let service = reading.required("service").and_then(|value| reading.name("/service", value));
    let port = reading.required("port").and_then(|value| reading.number("/port", value, "a port"));
    let addresses = reading.list("addresses", limits::ADDRESSES, Reading::address);
    let protocol = reading.optional("protocol").and_then(|value| reading.protocol("/protocol", value));
    let tags: Vec<Tag> = reading.list("tags", limits::TAGS, Reading::name);
    let meta = reading.meta();
    let weight = reading.optional("weight").and_then(|value| reading.number("/weight", value, "a weight"));
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
    flaws.extend(instance.validate());
    if flaws.is_empty() { Ok(instance) } else { Err(flaws) }
}

/// The object that is being read, and what was found wrong with it so far.
struct Reading<'a> {
    fields: &'a Map<String, Value>,
    flaws: Vec<Flaw>,
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
            self.flaw(format!("/{field}"), "is missing; every definition has one");
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
        let number = value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
        if number.is_none() {
            self.flaw(pointer, format!("is {}; {what} is a whole number from 1 to 65535", Shown(value)));
        }
        number
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
        let pairs = match self.optional("meta") {
            None => return BTreeMap::new(),
            Some(Value::Object(pairs)) => pairs,
            Some(other) => {
                self.flaw("/meta", format!("is {}; meta is an object whose values are strings", Shown(other)));
                return BTreeMap::new();
            }
        };
        let read = |(key, value): (&String, &'a Value)| {
            let text = self.text(&format!("/meta/{}", escape_pointer(key)), value)?;
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
        for name in self.fields.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            let hint = match nearest(name) {
                Some(field) => format!("did you mean {field:?}?"),
                None => format!("the fields are {}", FIELDS.join(", ")),
            };
            self.flaw(format!("/{}", escape_pointer(name)), format!("is not a field of a definition; {hint}"));
        }
    }
}

/// The field that a misspelt one was meant to be.
fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > SHOWN {
        return None;
    }
    let distance = |field: &str| strsim::damerau_levenshtein(&name.to_lowercase(), field);
    FIELDS
        .into_iter()
        .map(|field| (distance(field), field))
        .filter(|(distance, field)| *distance <= field.len() / 3)
        .min()
        .map(|(_, field)| field)
}

/// A wrong value as its sender would recognise it, in few words.
struct Shown<'a>(&'a Value);

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
