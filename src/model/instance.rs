//! One registered endpoint of a service on one node.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use super::{
    limits,
    name::{InstanceId, ServiceName, Tag},
};

/// The transport that an instance speaks. It decides under which RFC 2782 name it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Protocol {
    /// Found as `_service._tcp`.
    #[default]
    Tcp,
    /// Found as `_service._udp`.
    Udp,
}

impl Protocol {
    /// The word for it, as users see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The weight of an instance that names none. Above one, so that a `warning` can lower it.
pub const DEFAULT_WEIGHT: u16 = 10;

/// The definition of an instance, without its status.
///
/// The fields are open so that it can be built in one expression; [`Instance::validate`] holds them against
/// the limits and is called wherever a definition enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Unique on its node.
    pub id: InstanceId,
    /// The service it is an instance of.
    pub service: ServiceName,
    /// Where it listens; none means the addresses of its node.
    pub addresses: Vec<IpAddr>,
    /// 1 to 65535.
    pub port: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// In the order given, without repetition.
    pub tags: Vec<Tag>,
    /// Free-form pairs, matched exactly in searches.
    pub meta: BTreeMap<String, String>,
    /// Share of the load relative to its siblings: the weight of its SRV record (RFC 2782), 1 to 65535.
    pub weight: u16,
}

/// One thing wrong with a definition: where, as a JSON pointer (RFC 6901), and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// For example `/tags/3`.
    pub pointer: String,
    /// What is wrong and what is allowed.
    pub detail: String,
}

impl Flaw {
    /// A flaw at a JSON pointer.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Flaw { pointer: pointer.into(), detail: detail.into() }
    }
}

impl Instance {
    /// Everything that is wrong with the definition; empty when it may be registered.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if self.port == 0 {
            flaws.push(Flaw::new("/port", "is 0; a port is 1 to 65535"));
        }
        if self.weight == 0 {
            flaws.push(Flaw::new("/weight", "is 0; a weight is 1 to 65535"));
        }
        flaws.extend(address_flaws("/addresses", &self.addresses));
        if self.tags.len() > limits::TAGS {
            flaws.push(Flaw::new("/tags", format!("has {} tags; at most {} are allowed", self.tags.len(), limits::TAGS)));
        }
        for (index, tag) in self.tags.iter().enumerate() {
            if self.tags[..index].iter().any(|earlier| earlier.matches(tag.as_str())) {
                flaws.push(Flaw::new(format!("/tags/{index}"), format!("{tag:?} is there already")));
            }
        }
        flaws.extend(meta_flaws("/meta", &self.meta));
        flaws
    }
}

/// What is wrong with a list of addresses at a JSON pointer.
pub fn address_flaws(pointer: &str, addresses: &[IpAddr]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if addresses.len() > limits::ADDRESSES {
        flaws.push(Flaw::new(pointer, format!("has {} addresses; at most {} are allowed", addresses.len(), limits::ADDRESSES)));
    }
    for (index, address) in addresses.iter().enumerate() {
        if address.is_unspecified() || address.is_multicast() {
            flaws.push(Flaw::new(
                format!("{pointer}/{index}"),
                format!("{address} can't be connected to; give the address of an interface"),
            ));
        } else if addresses[..index].contains(address) {
            flaws.push(Flaw::new(format!("{pointer}/{index}"), format!("{address} is there already")));
        }
    }
    flaws
}

/// What is wrong with metadata at a JSON pointer.
pub fn meta_flaws(pointer: &str, meta: &BTreeMap<String, String>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if meta.len() > limits::META_PAIRS {
        flaws.push(Flaw::new(pointer, format!("has {} pairs; at most {} are allowed", meta.len(), limits::META_PAIRS)));
    }
    for (key, value) in meta {
        let at = || format!("{pointer}/{}", escape_pointer(key));
        if key.is_empty() || key.len() > limits::META_KEY_OCTETS || !key.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            flaws.push(Flaw::new(at(), format!("a key takes 1 to {} visible ASCII characters without a colon", limits::META_KEY_OCTETS)));
        }
        if value.len() > limits::META_VALUE_OCTETS {
            flaws.push(Flaw::new(at(), format!("its value has {} octets; at most {} are allowed", value.len(), limits::META_VALUE_OCTETS)));
        }
    }
    flaws
}

/// A key as one token of a JSON pointer (RFC 6901, 3).
pub fn escape_pointer(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Instance {
        Instance {
            id: InstanceId::new("web-1").unwrap(),
            service: ServiceName::new("web").unwrap(),
            addresses: vec![],
            port: 8080,
            protocol: Protocol::Tcp,
            tags: vec![],
            meta: BTreeMap::new(),
            weight: DEFAULT_WEIGHT,
        }
    }

    #[test]
    fn a_plain_definition_has_no_flaw() {
        assert_eq!(web().validate(), vec![]);
    }

    #[test]
    fn each_flaw_is_named_where_it_is() {
        let check = |change: fn(&mut Instance), pointer: &str| {
            let mut instance = web();
            change(&mut instance);
            let flaws = instance.validate();
            assert!(flaws.iter().any(|f| f.pointer == pointer), "{pointer}: {flaws:?}");
        };
        check(|i| i.port = 0, "/port");
        check(|i| i.weight = 0, "/weight");
        check(|i| i.addresses = vec!["0.0.0.0".parse().unwrap()], "/addresses/0");
        check(|i| i.addresses = (1..6).map(|n| IpAddr::from([10, 0, 0, n])).collect(), "/addresses");
        check(|i| i.tags = vec![Tag::new("a").unwrap(), Tag::new("A").unwrap()], "/tags/1");
        check(|i| i.tags = (0..33).map(|n| Tag::new(&n.to_string()).unwrap()).collect(), "/tags");
        check(|i| drop(i.meta.insert("a/b c".into(), String::new())), "/meta/a~1b c");
        check(|i| drop(i.meta.insert("k".into(), "v".repeat(513))), "/meta/k");
    }
}
