//! What a token allows.

use std::{fmt, str::FromStr};

/// Something that a token allows. Every one lets its bearer read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// To read.
    Read,
    /// To register, change and deregister instances of services whose names begin so (in lower case), and to say how they are.
    Register(String),
    /// Everything.
    Operate,
}

const FORM: &str = "it is read, operate, or register: with the beginning of a service's name behind it, as in register:web";

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Read => f.write_str("read"),
            Scope::Register(prefix) => write!(f, "register:{prefix}"),
            Scope::Operate => f.write_str("operate"),
        }
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Scope::Read),
            "operate" => Ok(Scope::Operate),
            _ => {
                let prefix = text.strip_prefix("register:").ok_or_else(|| format!("{text:?} is no scope: {FORM}"))?;
                let in_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
                if !prefix.chars().all(in_a_name) {
                    return Err(format!("{text:?} is no scope: no name of a service begins with {prefix:?}"));
                }
                Ok(Scope::Register(prefix.to_ascii_lowercase()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["read", "operate", "register:web", "register:"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert_eq!("register:WEB".parse(), Ok(Scope::Register("web".into())));
        for wrong in ["", "write", "register", "register:w b", "Read"] {
            assert!(wrong.parse::<Scope>().unwrap_err().contains("is no scope"), "{wrong}");
        }
    }
}
