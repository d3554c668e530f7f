//! The DNS domain under which the cluster's names are found.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use super::{
    limits::DOMAIN_OCTETS,
    name::{NameError, is_dns_label},
};

const RULE: &str = "it takes DNS labels (RFC 1123) with dots between, at most 117 octets in all";

/// The domain that the embedded DNS server answers for: one or more DNS labels, kept in lower case and without a
/// final dot. The default is `tidings.internal`; `internal` is set aside for private use, so no public name is hidden.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Arc<str>);

impl Domain {
    /// Checks the text and keeps it in lower case. A final dot is allowed and dropped.
    ///
    /// # Errors
    /// When the text is no domain, or leaves too little room for the names under it ([`DOMAIN_OCTETS`]); the error
    /// says what is allowed.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let relative = text.strip_suffix('.').unwrap_or(text);
        if relative.len() <= DOMAIN_OCTETS && relative.split('.').all(is_dns_label) {
            Ok(Domain(relative.to_ascii_lowercase().into()))
        } else {
            Err(NameError::new("a domain", text, RULE))
        }
    }

    /// The domain as text, without a final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its labels as they are written, the most specific first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }
}

impl Default for Domain {
    fn default() -> Self {
        Domain("tidings.internal".into())
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Domain {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

/// The label of an address where addresses have names below a domain: its octets in hexadecimal.
pub fn address_label(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("{:08x}", v4.to_bits()),
        IpAddr::V6(v6) => format!("{:032x}", v6.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_any_number_of_labels_in_lower_case() {
        for (text, kept) in [("consul", "consul"), ("Tidings.Internal.", "tidings.internal"), ("a.b.c.example.com", "a.b.c.example.com")] {
            assert_eq!(Domain::new(text).unwrap().as_str(), kept);
        }
        assert_eq!(Domain::default(), Domain::new("tidings.internal").unwrap());
    }

    #[test]
    fn what_is_no_domain_is_refused_with_the_rule() {
        let long = vec!["a".repeat(58); 2].join(".") + "x";
        for bad in ["", ".", "a..b", ".a", "a..", "-a.b", "a_b", "a b", &"a".repeat(64), &long] {
            let error = Domain::new(bad).expect_err(bad).to_string();
            assert!(error.contains("RFC 1123"), "{error}");
        }
    }

    #[test]
    fn the_longest_name_under_the_longest_domain_fits_a_dns_name() {
        let label = "a".repeat(63);
        let domain = Domain::new(&(vec!["a".repeat(58); 2].join("."))).unwrap();
        assert_eq!(domain.as_str().len(), DOMAIN_OCTETS);
        let text = format!("{label}.{label}.service.{domain}");
        // On the wire each label has an octet before it, and the root is one more (RFC 1035, 3.1).
        assert_eq!(text.len() + 2, 255);
    }
}
