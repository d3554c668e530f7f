//! The domain under which names are answered.

use std::{fmt, str::FromStr, sync::Arc};

use super::name::is_dns_label;

/// Octets in a domain as text. The names below it, up to a label of 63 octets twice and `service`, have to fit
/// into the 255 octets of a name (RFC 1035, 2.3.4).
const DOMAIN_OCTETS: usize = 100;

/// The domain under which names are answered: one or more DNS labels, kept in lower case, without a dot at its end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Arc<str>);

/// Why a text is no domain. The message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainError(String);

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.0;
        write!(f, "{text:?} is not a domain: it takes DNS labels (RFC 1123) with dots between them, at most {DOMAIN_OCTETS} characters")
    }
}

impl std::error::Error for DomainError {}

impl Domain {
    /// Checks the text and keeps it in its canonical form. A dot at the end is allowed.
    ///
    /// # Errors
    /// When the text is no domain; the error says what is allowed.
    pub fn new(text: &str) -> Result<Self, DomainError> {
        let bare = text.strip_suffix('.').unwrap_or(text);
        if bare.len() <= DOMAIN_OCTETS && bare.split('.').all(is_dns_label) {
            Ok(Domain(Arc::from(bare.to_ascii_lowercase())))
        } else {
            Err(DomainError(text.chars().take(80).collect()))
        }
    }

    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
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
    type Err = DomainError;
    fn from_str(text: &str) -> Result<Self, DomainError> {
        Self::new(text)
    }
}
