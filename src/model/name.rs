//! Names, each checked once when it is made.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use super::limits::LABEL_OCTETS;

/// Why a text is no name. The message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    what: &'static str,
    text: String,
    rule: &'static str,
}

impl NameError {
    /// `text` breaks `rule`, so it is not `what`.
    pub(super) fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        NameError { what, text: text.chars().take(80).collect(), rule }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not {}: {}", self.text, self.what, self.rule)
    }
}

impl std::error::Error for NameError {}

const LABEL_RULE: &str = "it takes 1 to 63 letters, digits and hyphens, with no hyphen at either end (a DNS label, RFC 1123)";
const ID_RULE: &str = "it takes 1 to 63 letters, digits and the characters . _ -, and starts with a letter or a digit";
const TAG_RULE: &str = "it takes 1 to 63 visible ASCII characters; one that is to work in DNS is a DNS label (RFC 1123)";

/// True for a DNS label as host names have it (RFC 1123, 2.1).
pub fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=LABEL_OCTETS).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        && bytes[0] != b'-'
        && bytes[bytes.len() - 1] != b'-'
}

fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=LABEL_OCTETS).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_tag(text: &str) -> bool {
    (1..=LABEL_OCTETS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $valid:path, $rule:ident, $canonical:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks the text and keeps it in its canonical form.
            ///
            /// # Errors
            /// When the text is no such name; the error says what is allowed.
            pub fn new(text: &str) -> Result<Self, NameError> {
                if $valid(text) {
                    let canonical: fn(&str) -> Arc<str> = $canonical;
                    Ok(Self(canonical(text)))
                } else {
                    Err(NameError::new($what, text, $rule))
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

fn lower(text: &str) -> Arc<str> {
    Arc::from(text.to_ascii_lowercase())
}

name!(
    /// The name of a service: a DNS label, kept in lower case.
    ServiceName, "a service name", is_dns_label, LABEL_RULE, lower
);
name!(
    /// The name of a node: a DNS label, kept in lower case.
    NodeName, "a node name", is_dns_label, LABEL_RULE, lower
);
name!(
    /// The zone of a node (a rack, a data centre): a DNS label, kept in lower case.
    Zone, "a zone", is_dns_label, LABEL_RULE, lower
);
name!(
    /// The name of a cluster: a DNS label, kept in lower case. Agents of two clusters never merge.
    ClusterName, "a cluster name", is_dns_label, LABEL_RULE, lower
);
name!(
    /// The id of an instance, unique on its node. Case matters.
    InstanceId, "an instance id", is_id, ID_RULE, |text| Arc::from(text)
);
name!(
    /// The id of a check, unique in its instance. Case matters.
    CheckId, "a check id", is_id, ID_RULE, |text| Arc::from(text)
);
name!(
    /// A tag of an instance, kept as written and compared without regard to case: see [`Tag::matches`].
    Tag, "a tag", is_tag, TAG_RULE, |text| Arc::from(text)
);

impl InstanceId {
    /// The id that this text is, without a copy of it: what is held of each instance of a cluster counts.
    ///
    /// # Errors
    /// When the text is no id; the error says what is allowed.
    pub fn of(text: &Arc<str>) -> Result<Self, NameError> {
        if is_id(text) { Ok(Self(Arc::clone(text))) } else { Self::new(text) }
    }

    /// Its text, without a copy.
    pub fn to_text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl Tag {
    /// True when the text names this tag, in whatever case.
    pub fn matches(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_labels_in_lower_case() {
        assert_eq!(ServiceName::new("Web-1").unwrap().as_str(), "web-1");
        for bad in ["", "-web", "web-", "we b", "web.api", "wéb", "_web", &"a".repeat(64)] {
            let error = ServiceName::new(bad).expect_err(bad).to_string();
            assert!(error.contains("RFC 1123"), "{error}");
        }
        assert!(NodeName::new(&"a".repeat(63)).is_ok());
    }

    #[test]
    fn ids_keep_their_case_and_allow_dots() {
        assert_eq!(InstanceId::new("Web_1.a-b").unwrap().as_str(), "Web_1.a-b");
        for bad in ["", ".web", "we/b", "we b", "../x", &"a".repeat(64)] {
            assert!(InstanceId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tag_matches_in_any_case() {
        assert!(Tag::new("V1").unwrap().matches("v1"));
        assert!(Tag::new("two words").is_err());
    }
}
