//! What a query name means under the domain. Pure: whether there is such a thing is for the zone to find.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::labels::Labels;
use crate::model::{Domain, Protocol, name::is_dns_label};

/// The label below the domain under which services are found.
pub(super) const SERVICE: &str = "service";
/// The label below the domain under which nodes are found.
pub(super) const NODE: &str = "node";
/// The label below the domain under which addresses are found, the targets of SRV records.
pub(super) const ADDRESS: &str = "addr";
/// The label below the domain that names this name server.
pub(super) const NAME_SERVER: &str = "ns";
/// The labels below the domain at which the types of services are listed (RFC 6763, 9).
const SERVICE_TYPES: [&str; 3] = ["_services", "_dns-sd", "_udp"];

/// Every form of name that means something, without the domain; `@` is the domain itself, and what ends in `arpa` is not under it.
pub const NAME_FORMS: &[&str] = &[
    "@",
    "ns",
    "{service}.service",
    "{tag}.{service}.service",
    "_{service}._{protocol}.service",
    "_{service}._{tag}.service",
    "{node}.node",
    "{hex}.addr",
    "_services._dns-sd._udp",
    "_{service}._{protocol}",
    "{instance}._{service}._{protocol}",
    "{reversed}.in-addr.arpa",
    "{reversed}.ip6.arpa",
];

/// The meaning of a name. All texts are in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// Not under the domain.
    Outside,
    /// The domain itself.
    Apex,
    /// `ns`.
    NameServer,
    /// `service`, `node` or `addr`, and what is above `_services`: there, with nothing of its own (an empty non-terminal, RFC 8499, 7).
    Branch,
    /// `NAME.service` or `TAG.NAME.service`.
    Service {
        /// The service.
        service: &'a str,
        /// Only instances with this tag.
        tag: Option<&'a str>,
    },
    /// `_NAME._tcp.service` or `_NAME._TAG.service` (RFC 2782).
    Offer {
        /// The service.
        service: &'a str,
        /// Only instances with this.
        selector: Selector<'a>,
    },
    /// `_tcp.service` or `_TAG.service`, and `_tcp`: there, with nothing of its own, while an [`Meaning::Offer`] or a [`Meaning::Type`] is
    /// below it.
    OfferBranch(Selector<'a>),
    /// `NAME.node`.
    Node(&'a str),
    /// `HEX.addr`.
    Address(IpAddr),
    /// `_services._dns-sd._udp`: the types of services (RFC 6763, 9).
    Types,
    /// `_NAME._tcp`: the instances of a type of service (RFC 6763, 4).
    Type {
        /// The service.
        service: &'a str,
        /// What it speaks.
        protocol: Protocol,
    },
    /// `LABEL._NAME._tcp`: one of them (RFC 6763, 5 and 6).
    Advertised {
        /// Which: see [`super::lookup::advertised_label`].
        label: &'a str,
        /// The service.
        service: &'a str,
        /// What it speaks.
        protocol: Protocol,
    },
    /// The name that an address has for the way back (RFC 1035, 3.5; RFC 3596, 2.5). It is not under the domain.
    Reverse(IpAddr),
    /// Under the domain, in a place where no name can ever be.
    Nothing,
}

/// What the second label of an RFC 2782 name selects. `_tcp` and `_udp` are always protocols: a tag called `tcp`
/// is found as `tcp.NAME.service`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selector<'a> {
    /// Instances that speak this.
    Protocol(Protocol),
    /// Instances with this tag.
    Tag(&'a str),
}

impl<'a> Meaning<'a> {
    /// What a name means under `domain`, in whatever case (RFC 4343).
    pub(super) fn of(labels: &'a Labels, domain: &Domain) -> Meaning<'a> {
        let Some(count) = labels.above(domain.labels()) else {
            return reversed(labels).map_or(Meaning::Outside, Meaning::Reverse);
        };
        // Nothing that means something has more.
        let mut below = [""; 4];
        if count > below.len() {
            return Meaning::Nothing;
        }
        for (index, text) in below[..count].iter_mut().enumerate() {
            // What is no text is in no name that is handed out.
            match labels.text(index) {
                Some(label) => *text = label,
                None => return Meaning::Nothing,
            }
        }
        match below[..count] {
            [] => Meaning::Apex,
            [NAME_SERVER] => Meaning::NameServer,
            [SERVICE | NODE | ADDRESS] => Meaning::Branch,
            [node, NODE] if is_dns_label(node) => Meaning::Node(node),
            [hex, ADDRESS] => address(hex).map_or(Meaning::Nothing, Meaning::Address),
            [ref rest @ .., SERVICE] => under_service(rest),
            ref rest => discovery(rest),
        }
    }
}

/// The address that a label is the [`crate::model::domain::address_label`] of.
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

fn under_service<'a>(labels: &[&'a str]) -> Meaning<'a> {
    match *labels {
        [one] => match one.strip_prefix('_') {
            Some(label) if is_dns_label(label) => Meaning::OfferBranch(selector_of(label)),
            None if is_dns_label(one) => Meaning::Service { service: one, tag: None },
            _ => Meaning::Nothing,
        },
        [first, second] => match (first.strip_prefix('_'), second.strip_prefix('_')) {
            (Some(service), Some(label)) if is_dns_label(service) && is_dns_label(label) => {
                Meaning::Offer { service, selector: selector_of(label) }
            }
            (None, None) if is_dns_label(first) && is_dns_label(second) => Meaning::Service { service: second, tag: Some(first) },
            _ => Meaning::Nothing,
        },
        _ => Meaning::Nothing,
    }
}

fn selector_of(label: &str) -> Selector<'_> {
    protocol_of(label).map_or(Selector::Tag(label), Selector::Protocol)
}

fn protocol_of(label: &str) -> Option<Protocol> {
    match label {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        _ => None,
    }
}

/// Names by which services are browsed (RFC 6763): they are right below the domain.
fn discovery<'a>(labels: &[&'a str]) -> Meaning<'a> {
    let [above @ .., last] = labels else { return Meaning::Nothing };
    let Some(protocol) = last.strip_prefix('_').and_then(protocol_of) else { return Meaning::Nothing };
    if *labels == SERVICE_TYPES {
        return Meaning::Types;
    }
    if SERVICE_TYPES.ends_with(labels) {
        return Meaning::Branch;
    }
    let service = |label: &'a str| label.strip_prefix('_').filter(|service| is_dns_label(service));
    match *above {
        [] => Meaning::OfferBranch(Selector::Protocol(protocol)),
        [kind] => service(kind).map_or(Meaning::Nothing, |service| Meaning::Type { service, protocol }),
        [label, kind] => service(kind).map_or(Meaning::Nothing, |service| Meaning::Advertised { label, service, protocol }),
        _ => Meaning::Nothing,
    }
}

/// The address that a name is the reverse name of.
fn reversed(labels: &Labels) -> Option<IpAddr> {
    const V4: [&str; 2] = ["in-addr", "arpa"];
    const V6: [&str; 2] = ["ip6", "arpa"];
    if labels.above(V4.into_iter()) == Some(4) {
        let mut octets = [0; 4];
        for (index, octet) in octets.iter_mut().rev().enumerate() {
            let text = labels.text(index)?;
            let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
            *octet = plain.then(|| text.parse().ok())??;
        }
        return Some(Ipv4Addr::from(octets).into());
    }
    if labels.above(V6.into_iter()) == Some(32) {
        let mut bits = 0;
        for index in (0..32).rev() {
            let [digit] = labels.get(index) else { return None };
            bits = bits << 4 | u128::from(char::from(*digit).to_digit(16)?);
        }
        return Some(Ipv6Addr::from_bits(bits).into());
    }
    None
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Name;

    use super::*;
    use crate::model::domain::address_label;

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
        check("_web._v1.service.tidings.internal.", offer("web", Selector::Tag("v1")));
        check("_tcp.service.tidings.internal.", Meaning::OfferBranch(Selector::Protocol(Protocol::Tcp)));
        check("_v1.service.tidings.internal.", Meaning::OfferBranch(Selector::Tag("v1")));
        check("db-1.node.tidings.internal.", Meaning::Node("db-1"));
        check("0a000005.addr.tidings.internal.", Meaning::Address("10.0.0.5".parse().unwrap()));
        check("fd000000000000000000000000000005.addr.tidings.internal.", Meaning::Address("fd00::5".parse().unwrap()));
    }

    #[test]
    fn each_form_means_something_and_each_meaning_has_a_form() {
        let filled = |form: &str| {
            let name = form.replace("{service}", "web").replace("{tag}", "v1").replace("{protocol}", "tcp");
            let name = name.replace("{node}", "db-1").replace("{hex}", "0a000005").replace("{instance}", "web-1@db-1");
            let six = format!("5{}.0.0.d.f", ".0".repeat(27));
            match name.as_str() {
                "@" => "tidings.internal.".to_owned(),
                "{reversed}.in-addr.arpa" => "5.0.0.10.in-addr.arpa.".to_owned(),
                "{reversed}.ip6.arpa" => format!("{six}.ip6.arpa."),
                name => format!("{name}.tidings.internal."),
            }
        };
        let labels: Vec<Labels> = NAME_FORMS.iter().map(|form| labels(&filled(form))).collect();
        let domain = Domain::default();
        let meanings: Vec<Meaning> = labels.iter().map(|labels| Meaning::of(labels, &domain)).collect();
        let expected = [
            Meaning::Apex,
            Meaning::NameServer,
            service("web", None),
            service("web", Some("v1")),
            offer("web", Selector::Protocol(Protocol::Tcp)),
            offer("web", Selector::Tag("v1")),
            Meaning::Node("db-1"),
            Meaning::Address("10.0.0.5".parse().unwrap()),
            Meaning::Types,
            Meaning::Type { service: "web", protocol: Protocol::Tcp },
            Meaning::Advertised { label: "web-1@db-1", service: "web", protocol: Protocol::Tcp },
            Meaning::Reverse("10.0.0.5".parse().unwrap()),
            Meaning::Reverse("fd00::5".parse().unwrap()),
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
                | Meaning::Address(_)
                | Meaning::Types
                | Meaning::Type { .. }
                | Meaning::Advertised { .. }
                | Meaning::Reverse(_) => {}
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
            "x._services._dns-sd._udp",
            "web._tcp",
            "_web._v1",
            "web-1.web._tcp",
            "a.b._web._tcp",
        ] {
            check(&format!("{nothing}.tidings.internal."), Meaning::Nothing);
        }
        let bytes = Name::from_labels([&b"\xff\x00"[..], b"service", b"tidings", b"internal"]).unwrap();
        assert_eq!(Meaning::of(&Labels::of(&bytes), &Domain::default()), Meaning::Nothing);
        // A dot within a label is no separator.
        let dotted = Name::from_labels([&b"v1.web"[..], b"service", b"tidings", b"internal"]).unwrap();
        assert_eq!(Meaning::of(&Labels::of(&dotted), &Domain::default()), Meaning::Nothing);
    }

    #[test]
    fn the_domain_may_have_any_number_of_labels() {
        for text in ["consul", "a.b.c.example.com"] {
            let name = Name::from_ascii(format!("web.service.{text}.")).unwrap();
            assert_eq!(Meaning::of(&Labels::of(&name), &Domain::new(text).unwrap()), service("web", None));
        }
    }

    #[test]
    fn the_label_of_an_address_means_that_address() {
        for text in ["0.0.0.1", "255.255.255.255", "::1", "fd00::5", "::ffff:10.0.0.5"] {
            let address: IpAddr = text.parse().unwrap();
            check(&format!("{}.addr.tidings.internal.", address_label(address)), Meaning::Address(address));
        }
    }

    #[test]
    fn services_are_browsed_right_below_the_domain() {
        check("_services._dns-sd._udp.tidings.internal.", Meaning::Types);
        for branch in ["_dns-sd._udp", "_udp"] {
            check(&format!("{branch}.tidings.internal."), Meaning::Branch);
        }
        check("_tcp.tidings.internal.", Meaning::OfferBranch(Selector::Protocol(Protocol::Tcp)));
        check("_Web._TCP.tidings.internal.", Meaning::Type { service: "web", protocol: Protocol::Tcp });
        let label = "web-1@db-1";
        check("Web-1@DB-1._web._udp.tidings.internal.", Meaning::Advertised { label, service: "web", protocol: Protocol::Udp });
    }

    #[test]
    fn a_reverse_name_means_its_address_and_nothing_else_does() {
        for text in ["0.0.0.1", "255.255.255.255", "10.0.200.5"] {
            let address: Ipv4Addr = text.parse().unwrap();
            let [a, b, c, d] = address.octets();
            check(&format!("{d}.{c}.{b}.{a}.IN-ADDR.arpa."), Meaning::Reverse(address.into()));
        }
        let six = "B.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4";
        check(&format!("{six}.ip6.arpa."), Meaning::Reverse("4321:0:1:2:3:4:567:89ab".parse().unwrap()));
        for outside in ["0.10.in-addr.arpa.", "1.0.0.256.in-addr.arpa.", "01.0.0.10.in-addr.arpa.", "+1.0.0.10.in-addr.arpa.", "arpa."] {
            check(outside, Meaning::Outside);
        }
        for outside in [six.replacen('B', "g", 1), six.replacen('B', "bb", 1), format!("x.{six}")] {
            check(&format!("{outside}.ip6.arpa."), Meaning::Outside);
        }
    }

    fn check(name: &str, meaning: Meaning<'_>) {
        assert_eq!(Meaning::of(&labels(name), &Domain::default()), meaning, "{name}");
    }

    fn labels(name: &str) -> Labels {
        let labels = name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
        Labels::of(&Name::from_labels(labels).unwrap())
    }

    fn service<'a>(service: &'a str, tag: Option<&'a str>) -> Meaning<'a> {
        Meaning::Service { service, tag }
    }

    fn offer<'a>(service: &'a str, selector: Selector<'a>) -> Meaning<'a> {
        Meaning::Offer { service, selector }
    }
}
