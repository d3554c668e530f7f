//! What an operator decides about the names that are answered.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use super::Upstream;
use crate::{
    fields::scalar::{duration_text, read_duration},
    model::{Domain, ServiceName},
};

/// Seconds that an answer may be cached at most: a day. RFC 2181, 8 would allow 68 years, and nobody means that of what lives.
const LONGEST_TTL: u32 = 86_400;

/// The names that are answered, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The domain under which they are.
    pub domain: Domain,
    /// A second domain under which the same are.
    pub alt_domain: Option<Domain>,
    /// For how long answers may be cached.
    pub ttls: Ttls,
    /// Whose instances come first.
    pub prefer: Prefer,
    /// Who is asked about all other names, in the order given, without repetition; nobody, and they are refused.
    pub upstreams: Vec<Upstream>,
    /// Replies a second that a client's network gets over UDP; 0 for any number.
    pub reply_rate: u32,
}

impl Names {
    /// Those under a domain, with all else as it is where nobody decides.
    pub fn under(domain: Domain) -> Self {
        Names { domain, ..Names::default() }
    }
}

/// Seconds that answers may be cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ttls {
    /// Of services that nothing else is said of.
    pub services: u32,
    /// Of single services.
    pub service: BTreeMap<ServiceName, u32>,
    /// That something is not there, and of the zone's own records: the SOA's minimum and TTL (RFC 2308, 5).
    pub negative: u32,
}

impl Default for Ttls {
    fn default() -> Self {
        Ttls { services: 0, service: BTreeMap::new(), negative: 1 }
    }
}

impl Ttls {
    /// That of a service, whose name is in lower case.
    pub fn of(&self, service: &str) -> u32 {
        self.service.get(service).copied().unwrap_or(self.services)
    }
}

/// Whose instances come first in an answer. The rest follows, so that they are there where nobody near is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// Nobody's: clients spread over all alike.
    #[default]
    None,
    /// Those in the zone of this node.
    Zone,
    /// Those on this node, then those in its zone.
    Node,
}

impl fmt::Display for Prefer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Prefer::None => "none",
            Prefer::Zone => "zone",
            Prefer::Node => "node",
        })
    }
}

impl FromStr for Prefer {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Prefer::None),
            "zone" => Ok(Prefer::Zone),
            "node" => Ok(Prefer::Node),
            _ => Err(format!("{text:?} is none of \"none\", \"zone\" and \"node\"")),
        }
    }
}

/// Reads a TTL.
///
/// # Errors
/// When it is no duration of whole seconds, or longer than a day.
pub(super) fn ttl(text: &str) -> Result<u32, String> {
    let whole = read_duration(text).filter(|duration| duration.subsec_nanos() == 0).map(|duration| duration.as_secs());
    let seconds = whole.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds <= LONGEST_TTL);
    seconds.ok_or_else(|| format!("{text:?} is no TTL: write whole seconds up to a day, like 0s, 30s or 5m"))
}

/// A TTL as it is read.
pub(super) fn ttl_text(seconds: u32) -> String {
    duration_text(Duration::from_secs(seconds.into())).to_string()
}

/// Reads the TTL of a service.
///
/// # Errors
/// When it is no name and TTL with `=` between them.
pub(super) fn service_ttl(text: &str) -> Result<(ServiceName, u32), String> {
    let (name, of_name) = text.split_once('=').ok_or_else(|| format!("{text:?} is no SERVICE=TTL, like web=30s"))?;
    Ok((ServiceName::new(name).map_err(|error| error.to_string())?, ttl(of_name)?))
}

/// Reads how many replies a second a network gets.
///
/// # Errors
/// When it is no whole number up to a million.
pub(super) fn reply_rate(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|rate| *rate <= 1_000_000 && text.bytes().all(|octet| octet.is_ascii_digit()));
    rate.ok_or_else(|| format!("{text:?} is no rate: write a whole number up to 1000000, 0 for no limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_whole_seconds_up_to_a_day() {
        for (text, seconds) in [("0s", 0), ("30s", 30), ("5m", 300), ("24h", 86_400), ("1h 1s", 3_601)] {
            assert_eq!(ttl(text), Ok(seconds));
            assert_eq!(ttl(&ttl_text(seconds)), Ok(seconds), "{text}");
        }
        for bad in ["", "30", "500ms", "1s 1ms", "25h", "-1s", "x"] {
            assert!(ttl(bad).unwrap_err().contains("whole seconds"), "{bad}");
        }
    }

    #[test]
    fn a_rate_is_a_whole_number() {
        assert_eq!((reply_rate("0"), reply_rate("1000000")), (Ok(0), Ok(1_000_000)));
        for bad in ["", "+1", "-1", "1.5", "1000001", "x"] {
            assert!(reply_rate(bad).unwrap_err().contains("whole number"), "{bad}");
        }
    }

    #[test]
    fn a_service_may_have_a_ttl_of_its_own() {
        assert_eq!(service_ttl("Web=30s"), Ok((ServiceName::new("web").unwrap(), 30)));
        for bad in ["web", "web=", "web=x", "=30s", "a_b=30s"] {
            assert!(service_ttl(bad).is_err(), "{bad}");
        }
        let ttls = Ttls { services: 5, service: [service_ttl("web=30s").unwrap()].into(), negative: 1 };
        assert_eq!((ttls.of("web"), ttls.of("db")), (30, 5));
    }
}
