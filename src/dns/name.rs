//! What a query name means under the domain. Pure: whether there is such a thing is for the zone to find.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::Name;

use crate::model::{Domain, Protocol, name::is_dns_label};

/// The label below the domain under which services are found.
pub(super) const SERVICE: &str = "service";
/// The label below the domain under which nodes are found.
pub(super) const NODE: &str = "node";
/// The label below the domain under which addresses are found, the targets of SRV records.
pub(super) const ADDRESS: &str = "addr";
/// The label below the domain that names this name server.
pub(super) const NAME_SERVER: &str = "ns";

/// Every form of name that means something, without the domain; `@` is the domain itself.
pub const NAME_FORMS: &[&str] = &[
    "@",
    "ns",
    "{service}.service",
    "{tag}.{service}.service",
    "_{service}._{protocol}.service",
    "_{service}._{tag}.service",
    "{node}.node",
    "{hex}.addr",
];

/// The meaning of a name. Names of services, tags and nodes are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Not under the domain.
    Outside,
    /// The domain itself.
    Apex,
    /// `ns`.
    NameServer,
    /// `service`, `node` or `addr`: there, with nothing of its own (an empty non-terminal, RFC 8499, 7).
    Branch,
    /// `NAME.service` or `TAG.NAME.service`.
    Service {
        /// The service.
        service: String,
        /// Only instances with this tag.
        tag: Option<String>,
    },
    /// `_NAME._tcp.service` or `_NAME._TAG.service` (RFC 2782).
    Offer {
        /// The service.
        service: String,
        /// Only instances with this.
        selector: Selector,
    },
    /// `_tcp.service` or `_TAG.service`: there, with nothing of its own, while an [`Meaning::Offer`] is below it.
    OfferBranch(Selector),
    /// `NAME.node`.
    Node(String),
    /// `HEX.addr`.
    Address(IpAddr),
    /// Under the domain, in a place where no name can ever be.
    Nothing,
}

/// What the second label of an RFC 2782 name selects. `_tcp` and `_udp` are always protocols: a tag called `tcp`
/// is found as `tcp.NAME.service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    /// Instances that speak this.
    Protocol(Protocol),
    /// Instances with this tag.
    Tag(String),
}

impl Meaning {
    /// What `name` means under `domain`, in whatever case (RFC 4343).
    pub(super) fn of(name: &Name, domain: &Domain) -> Meaning {
        let mut labels: Vec<&[u8]> = name.iter().collect();
        for expected in domain.labels().rev() {
            match labels.pop() {
                Some(label) if label.eq_ignore_ascii_case(expected.as_bytes()) => {}
                _ => return Meaning::Outside,
            }
        }
        // What is no text is in no name that is handed out.
        let below: Option<Vec<String>> = labels.iter().map(|label| lower_case(label)).collect();
        let Some(below) = below else { return Meaning::Nothing };
        let below: Vec<&str> = below.iter().map(String::as_str).collect();
        match below[..] {
            [] => Meaning::Apex,
            [NAME_SERVER] => Meaning::NameServer,
            [SERVICE | NODE | ADDRESS] => Meaning::Branch,
            [node, NODE] if is_dns_label(node) => Meaning::Node(node.to_owned()),
            [hex, ADDRESS] => address(hex).map_or(Meaning::Nothing, Meaning::Address),
            [ref rest @ .., SERVICE] => under_service(rest),
            _ => Meaning::Nothing,
        }
    }
}

/// The label, below [`ADDRESS`], of an address: its octets in hexadecimal.
pub(super) fn address_label(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("{:08x}", v4.to_bits()),
        IpAddr::V6(v6) => format!("{:032x}", v6.to_bits()),
    }
}

fn address(hex: &str) -> Option<IpAddr> {
    // `from_str_radix` would take a sign, too.
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    match hex.len() {
        8 => u32::from_str_radix(hex, 16).ok().map(|bits| Ipv4Addr::from_bits(bits).into()),
        32 => u128::from_str_radix(hex, 16).ok().map(|bits| Ipv6Addr::from_bits(bits).into()),
        _ => None,
    }
}

fn under_service(labels: &[&str]) -> Meaning {
    match *labels {
        [one] => match one.strip_prefix('_') {
            Some(label) if is_dns_label(label) => Meaning::OfferBranch(selector_of(label)),
            None if is_dns_label(one) => Meaning::Service { service: one.to_owned(), tag: None },
            _ => Meaning::Nothing,
        },
        [first, second] => match (first.strip_prefix('_'), second.strip_prefix('_')) {
            (Some(service), Some(label)) if is_dns_label(service) && is_dns_label(label) => {
                Meaning::Offer { service: service.to_owned(), selector: selector_of(label) }
            }
            (None, None) if is_dns_label(first) && is_dns_label(second) => {
                Meaning::Service { service: second.to_owned(), tag: Some(first.to_owned()) }
            }
            _ => Meaning::Nothing,
        },
        _ => Meaning::Nothing,
    }
}

fn selector_of(label: &str) -> Selector {
    match label {
        "tcp" => Selector::Protocol(Protocol::Tcp),
        "udp" => Selector::Protocol(Protocol::Udp),
        tag => Selector::Tag(tag.to_owned()),
    }
}

fn lower_case(label: &[u8]) -> Option<String> {
    std::str::from_utf8(label).ok().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_surface_has_its_meaning() {
        check("tidings.internal.", Meaning::Apex);
        check("ns.tidings.internal.", Meaning::NameServer);
        for branch in ["service", "node", "addr"] {
            check(&format!("{branch}.tidings.internal."), Meaning::Branch);
        }
        check("web.service.tidings.internal.", service("web", None));
        check("v1.web.service.tidings.internal.", service("web", Some("v1")));
        check("_web._tcp.service.tidings.internal.", offer("web", Selector::Protocol(Protocol::Tcp)));
        check("_web._udp.service.tidings.internal.", offer("web", Selector::Protocol(Protocol::Udp)));
        check("_web._v1.service.tidings.internal.", offer("web", Selector::Tag("v1".into())));
        check("_tcp.service.tidings.internal.", Meaning::OfferBranch(Selector::Protocol(Protocol::Tcp)));
        check("_v1.service.tidings.internal.", Meaning::OfferBranch(Selector::Tag("v1".into())));
        check("db-1.node.tidings.internal.", Meaning::Node("db-1".into()));
        check("0a000005.addr.tidings.internal.", Meaning::Address("10.0.0.5".parse().unwrap()));
        check("fd000000000000000000000000000005.addr.tidings.internal.", Meaning::Address("fd00::5".parse().unwrap()));
    }

    #[test]
    fn each_form_means_something_and_each_meaning_has_a_form() {
        let filled = |form: &str| {
            let name = form.replace("{service}", "web").replace("{tag}", "v1").replace("{protocol}", "tcp");
            let name = name.replace("{node}", "db-1").replace("{hex}", "0a000005");
            if name == "@" { "tidings.internal.".to_owned() } else { format!("{name}.tidings.internal.") }
        };
        let meanings: Vec<Meaning> = NAME_FORMS.iter().map(|form| of(&filled(form))).collect();
        let expected = [
            Meaning::Apex,
            Meaning::NameServer,
            service("web", None),
            service("web", Some("v1")),
            offer("web", Selector::Protocol(Protocol::Tcp)),
            offer("web", Selector::Tag("v1".into())),
            Meaning::Node("db-1".into()),
            Meaning::Address("10.0.0.5".parse().unwrap()),
        ];
        assert_eq!(meanings, expected);
        for meaning in meanings {
            // A meaning that is new has to be given a form, or be put with those that have nothing of their own.
            match meaning {
                Meaning::Apex
                | Meaning::NameServer
                | Meaning::Service { .. }
                | Meaning::Offer { .. }
                | Meaning::Node(_)
                | Meaning::Address(_) => {}
                Meaning::Outside | Meaning::Nothing | Meaning::Branch | Meaning::OfferBranch(_) => panic!("has nothing of its own"),
            }
        }
    }

    #[test]
    fn a_service_may_be_called_like_a_branch() {
        check("node.service.tidings.internal.", service("node", None));
        check("service.node.service.tidings.internal.", service("node", Some("service")));
        check("service.service.service.tidings.internal.", service("service", Some("service")));
    }

    #[test]
    fn case_never_matters() {
        check("V1.wEb.SERVICE.Tidings.INTERNAL.", service("web", Some("v1")));
        check("_Web._TCP.service.tidings.internal.", offer("web", Selector::Protocol(Protocol::Tcp)));
        check("0A000005.Addr.tidings.internal.", Meaning::Address("10.0.0.5".parse().unwrap()));
    }

    #[test]
    fn what_is_not_under_the_domain_is_outside() {
        for outside in [".", "internal.", "example.com.", "web.service.consul.", "xtidings.internal.", "tidings.internal.example."] {
            check(outside, Meaning::Outside);
        }
    }

    #[test]
    fn where_no_name_can_be_there_is_nothing() {
        for nothing in [
            "web",
            "a.b.web.service",
            "_web.service.x",
            "web._tcp.service",
            "_web.v1.service",
            "_.service",
            "_-a.service",
            "__web._tcp.service",
            "_x.web.service",
            "a.b.node",
            "a_b.node",
            "a.ns",
            "0a00000.addr",
            "0a00000g.addr",
            "+a000005.addr",
            "x.0a000005.addr",
        ] {
            check(&format!("{nothing}.tidings.internal."), Meaning::Nothing);
        }
        let bytes = Name::from_labels([&b"\xff\x00"[..], b"service", b"tidings", b"internal"]).unwrap();
        assert_eq!(Meaning::of(&bytes, &Domain::default()), Meaning::Nothing);
        // A dot within a label is no separator.
        let dotted = Name::from_labels([&b"v1.web"[..], b"service", b"tidings", b"internal"]).unwrap();
        assert_eq!(Meaning::of(&dotted, &Domain::default()), Meaning::Nothing);
    }

    #[test]
    fn the_domain_may_have_any_number_of_labels() {
        for text in ["consul", "a.b.c.example.com"] {
            let name = Name::from_ascii(format!("web.service.{text}.")).unwrap();
            assert_eq!(Meaning::of(&name, &Domain::new(text).unwrap()), service("web", None));
        }
    }

    #[test]
    fn the_label_of_an_address_means_that_address() {
        for text in ["0.0.0.1", "255.255.255.255", "::1", "fd00::5", "::ffff:10.0.0.5"] {
            let address: IpAddr = text.parse().unwrap();
            check(&format!("{}.addr.tidings.internal.", address_label(address)), Meaning::Address(address));
        }
    }

    fn check(name: &str, meaning: Meaning) {
        assert_eq!(of(name), meaning, "{name}");
    }

    fn of(name: &str) -> Meaning {
        let labels = name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
        Meaning::of(&Name::from_labels(labels).unwrap(), &Domain::default())
    }

    fn service(service: &str, tag: Option<&str>) -> Meaning {
        Meaning::Service { service: service.into(), tag: tag.map(Into::into) }
    }

    fn offer(service: &str, selector: Selector) -> Meaning {
        Meaning::Offer { service: service.into(), selector }
    }
}
