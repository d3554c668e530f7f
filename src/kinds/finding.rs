//! What one run of a check found.

use std::{error::Error, fmt::Write as _};

use crate::model::{Status, limits::OUTPUT_OCTETS};

/// The result of one run, before rise, fall and damping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How the instance looked.
    pub status: Status,
    /// Why, in few words: everyone is told, so it holds nothing that the target chose to send.
    pub reason: String,
    /// What the owner may read beside the reason, the beginning of a body for example.
    pub detail: String,
}

impl Finding {
    /// A finding that has nothing to show but its reason.
    pub fn new(status: Status, reason: impl Into<String>) -> Finding {
        Finding { status, reason: reason.into(), detail: String::new() }
    }

    /// It did not work, and why.
    pub fn critical(reason: impl Into<String>) -> Finding {
        Finding::new(Status::Critical, reason)
    }

    /// The reason, then the detail, in at most [`OUTPUT_OCTETS`].
    pub fn text(&self) -> String {
        let mut text = self.reason.clone();
        if !self.detail.is_empty() {
            text.push('\n');
            text.push_str(&self.detail);
        }
        let mut end = text.len().min(OUTPUT_OCTETS);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    }
}

/// An error with its causes, outermost first. A cause that only repeats what was said is left out.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            // Writing to a string can't fail.
            let _ = write!(text, ": {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_reason_and_what_fits_of_the_detail() {
        let mut finding = Finding::critical("503");
        assert_eq!(finding.text(), "503");
        finding.detail = "ü".repeat(OUTPUT_OCTETS);
        let text = finding.text();
        assert!(text.starts_with("503\nüü"), "{text}");
        assert!((OUTPUT_OCTETS - 1..=OUTPUT_OCTETS).contains(&text.len()), "{}", text.len());
    }
}
