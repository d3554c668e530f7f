//! How an agent's gossip is encrypted, as far as everybody may know.

use std::{fmt, num::NonZeroU8, str::FromStr};

use super::NameError;

/// How far encryption is turned on. In a running cluster it is turned on by going through these in their order, each everywhere before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Mode {
    /// Sends in the clear; takes both, as far as it has the keys.
    #[default]
    Off,
    /// Sends encrypted; takes both.
    Accept,
    /// Sends encrypted, and takes nothing else.
    Require,
}

impl Mode {
    /// All, in their order.
    pub const ALL: [Mode; 3] = [Mode::Off, Mode::Accept, Mode::Require];

    /// Whether what is sent is encrypted.
    pub fn encrypts(self) -> bool {
        self != Mode::Off
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Accept => "accept",
            Mode::Require => "require",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Mode::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| format!("{text:?} is none of off, accept and require"))
    }
}

/// Names a key in messages: 1 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(NonZeroU8);

impl KeyId {
    /// The id of this number. 0 is none.
    pub fn new(number: u8) -> Option<KeyId> {
        NonZeroU8::new(number).map(KeyId)
    }

    /// Its number.
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        // Written in one way only, so not as +5 or 05.
        let plain = !text.starts_with(['+', '0']);
        text.parse().ok().filter(|_| plain).map(KeyId).ok_or_else(|| NameError::new("a key", text, "its id is a number from 1 to 255"))
    }
}

/// Tells keys apart for people, and gives nothing away of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub u32);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// How a node's gossip is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encryption {
    /// How far it is turned on.
    pub mode: Mode,
    /// The keys that the node holds; the first one encrypts.
    pub keys: Vec<(KeyId, Fingerprint)>,
}
