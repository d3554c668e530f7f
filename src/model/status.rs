//! The health of an instance.

use std::fmt;

/// In order of badness, so that the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Status {
    /// Handed out.
    #[default]
    Passing,
    /// Handed out with a lower share.
    Warning,
    /// Held back.
    Critical,
}

impl Status {
    /// The word for it, as users see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Passing => "passing",
            Status::Warning => "warning",
            Status::Critical => "critical",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
