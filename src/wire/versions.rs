//! Which versions of the wire format somebody speaks, and how two who can't read each other tell each other so.
//!
//! What must hold in all versions, for ever (as RFC 8999 has it for QUIC): a stream is cut into frames by a length of four octets; datagrams and frames
//! begin with magic, version, key id and cluster tag, in these places; and an envelope of version 0, which comes in frames only, is encrypted as those of
//! version 1, and has one message in it, of the kind [`KIND`]:
//!
//! ```text
//! kind (1, 28) | length (4, big-endian) | lowest version (2) | highest version (2) | port (2) | more, to be ignored
//! ```
//!
//! An agent answers nothing that it can't read. Who had a stream ended without a word begins the next one to that peer with such a frame, in place of its
//! hello, and is answered by another one: so both know what the other speaks, and go on in the highest version of both, or part and say why.

use std::{fmt, net::SocketAddr};

use super::{HIGHEST_VERSION, LOWEST_VERSION, WireError};

/// The version of envelopes that are the same in all versions.
pub const NEGOTIATION: u8 = 0;
/// The kind of the one message in those. Its number stands for nothing else in any version.
pub const KIND: u8 = 28;

/// A range of versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The lowest.
    pub lowest: u16,
    /// The highest.
    pub highest: u16,
}

impl Versions {
    /// What this program speaks.
    pub const SPOKEN: Versions = Versions { lowest: LOWEST_VERSION, highest: HIGHEST_VERSION };

    /// Whether a version is among them.
    pub fn contains(self, version: u8) -> bool {
        (self.lowest..=self.highest).contains(&u16::from(version))
    }

    /// The highest that others speak, too, if there is any.
    pub fn common(self, others: Versions) -> Option<u8> {
        let highest = self.highest.min(others.highest);
        u8::try_from(highest).ok().filter(|_| highest >= self.lowest.max(others.lowest))
    }

    /// The lowest of them: what is said in it is understood by most of whom nothing is known.
    pub fn first(self) -> u8 {
        u8::try_from(self.lowest).unwrap_or(u8::MAX)
    }

    /// Why an agent that speaks these and one at `at` that speaks others do not understand each other, and what to do.
    pub fn apart(self, others: Versions, at: SocketAddr) -> String {
        let (older, needed) = match self.highest < others.lowest {
            true => ("this agent".to_owned(), others.lowest),
            false => (format!("the agent at {at}"), self.lowest),
        };
        format!(
            "this agent speaks versions {self} of the wire format, the agent at {at} {others}: upgrade {older} to a release that speaks version {needed} \
             (which releases work together: docs/installing.md)"
        )
    }
}

impl From<(u16, u16)> for Versions {
    fn from((lowest, highest): (u16, u16)) -> Versions {
        Versions { lowest, highest }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.lowest, self.highest)
    }
}

/// The one message of version 0: "this is what I speak".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaks {
    /// So much.
    pub versions: Versions,
    /// Where its gossip is received, at the address that it speaks from: for people.
    pub port: u16,
}

impl Speaks {
    /// Its octets.
    pub fn to_bytes(self) -> [u8; 6] {
        let [[a, b], [c, d], [e, f]] = [self.versions.lowest, self.versions.highest, self.port].map(u16::to_be_bytes);
        [a, b, c, d, e, f]
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is too short, or the lowest version is above the highest.
    pub fn from_bytes(bytes: &[u8]) -> Result<Speaks, WireError> {
        let [a, b, c, d, e, f, ..] = *bytes else { return Err(WireError::Malformed) };
        let versions = Versions { lowest: u16::from_be_bytes([a, b]), highest: u16::from_be_bytes([c, d]) };
        if versions.lowest > versions.highest {
            return Err(WireError::Malformed);
        }
        Ok(Speaks { versions, port: u16::from_be_bytes([e, f]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(lowest: u16, highest: u16) -> Versions {
        Versions { lowest, highest }
    }

    #[test]
    fn the_highest_of_both_is_common() {
        let common = |one: (u16, u16), other: (u16, u16)| versions(one.0, one.1).common(versions(other.0, other.1));
        assert_eq!((common((1, 1), (1, 1)), common((1, 2), (1, 1)), common((1, 3), (2, 9))), (Some(1), Some(1), Some(3)));
        assert_eq!((common((1, 1), (2, 2)), common((3, 4), (1, 2)), common((1, 9), (3, 3))), (None, None, Some(3)));
        assert_eq!(common((1, 700), (1, 700)), None, "it has one octet");
        assert!(versions(1, 2).contains(2) && !versions(1, 2).contains(3) && !versions(1, 2).contains(NEGOTIATION));
    }

    #[test]
    fn what_somebody_speaks_comes_back_as_it_was_whatever_stands_behind_it() {
        let speaks = Speaks { versions: versions(3, 400), port: 8746 };
        assert_eq!(speaks.to_bytes(), [0, 3, 1, 144, 34, 42], "for ever");
        assert_eq!(Speaks::from_bytes(&[&speaks.to_bytes()[..], b"more"].concat()), Ok(speaks));
        assert_eq!(Speaks::from_bytes(&speaks.to_bytes()[..5]), Err(WireError::Malformed));
        assert_eq!(Speaks::from_bytes(&Speaks { versions: versions(2, 1), port: 1 }.to_bytes()), Err(WireError::Malformed));
    }

    #[test]
    fn whoever_is_older_is_to_be_upgraded() {
        let at = ([10, 0, 0, 7], 8746).into();
        let text = versions(1, 1).apart(versions(3, 4), at);
        assert!(
            text.starts_with("this agent speaks versions 1 to 1 of the wire format, the agent at 10.0.0.7:8746 3 to 4: upgrade this agent"),
            "{text}"
        );
        let text = versions(3, 4).apart(versions(1, 1), at);
        assert!(
            text.contains("3 to 4 of the wire format, the agent at 10.0.0.7:8746 1 to 1: upgrade the agent at 10.0.0.7:8746"),
            "{text}"
        );
    }
}
