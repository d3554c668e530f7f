//! Who may do what through the API: tokens, what they allow, and what is allowed without one.

mod file;
mod scope;
mod token;

pub use file::{FIELDS, Flaws, parse};
pub use scope::Scope;
pub use token::{Secret, Token};

use std::{fmt, str::FromStr, time::SystemTime};

use subtle::ConstantTimeEq as _;

use crate::model::ServiceName;

/// Whether something takes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// It does not.
    Open,
    /// It does.
    Token,
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Guarded::Open => "open",
            Guarded::Token => "token",
        })
    }
}

impl FromStr for Guarded {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Guarded::Open),
            "token" => Ok(Guarded::Token),
            _ => Err(format!("{text:?} is neither \"open\" nor \"token\"")),
        }
    }
}

/// What the API asks of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Of programs on this host.
    pub local: Guarded,
    /// Of who reads from elsewhere. Who writes from elsewhere takes a token always.
    pub reads: Guarded,
    /// The tokens that there are.
    pub tokens: Vec<Token>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This host: a loopback address, or a Unix socket.
    Local,
    /// Anywhere else.
    Elsewhere,
}

/// Why nothing is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// There is no such token.
    Unknown,
    /// It was one.
    Expired,
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token, where there is one.
    pub token: Option<String>,
    scopes: Vec<Scope>,
}

impl Policy {
    /// Who somebody is that has this token, or none.
    ///
    /// # Errors
    /// When the token is none of those that hold now: it is refused then even where none is needed, since its bearer thinks that it is something.
    pub fn caller(&self, origin: Origin, token: Option<&str>, now: SystemTime) -> Result<Caller, Denied> {
        let Some(token) = token else {
            return Ok(Caller { token: None, scopes: self.without_token(origin) });
        };
        let hash = Secret::hash_of(token);
        // All are looked at, each in constant time: how long it takes tells nothing.
        let found = self.tokens.iter().fold(None, |found, known| if bool::from(known.hash.ct_eq(&hash)) { Some(known) } else { found });
        let found = found.ok_or(Denied::Unknown)?;
        if found.expires.is_some_and(|end| end <= now) {
            return Err(Denied::Expired);
        }
        Ok(Caller { token: Some(found.name.clone()), scopes: found.scopes.clone() })
    }

    fn without_token(&self, origin: Origin) -> Vec<Scope> {
        match (origin, self.local, self.reads) {
            (Origin::Local, Guarded::Open, _) => vec![Scope::Operate],
            (_, _, Guarded::Open) => vec![Scope::Read],
            (_, _, Guarded::Token) => vec![],
        }
    }
}

impl Caller {
    /// Whether it may read.
    pub fn may_read(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// Whether it may do everything.
    pub fn may_operate(&self) -> bool {
        self.scopes.contains(&Scope::Operate)
    }

    /// Whether it may register instances of some service.
    pub fn may_register_something(&self) -> bool {
        self.scopes.iter().any(|scope| !matches!(scope, Scope::Read))
    }

    /// Whether it may register, change and deregister instances of a service.
    pub fn may_register(&self, service: &ServiceName) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Operate => true,
            Scope::Register(prefix) => service.as_str().to_ascii_lowercase().starts_with(prefix.as_str()),
            Scope::Read => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn policy(local: Guarded, reads: Guarded) -> Policy {
        let token = |name: &str, scopes: &[&str], expires| Token {
            name: name.into(),
            hash: Secret::hash_of(name),
            scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
            expires,
        };
        let tokens = vec![
            token("reader", &["read"], None),
            token("web", &["register:web"], Some(NOW + Duration::from_secs(9))),
            token("root", &["operate"], None),
        ];
        Policy { local, reads, tokens }
    }

    /// May read, register web, register webshop, register db, operate.
    fn rights(caller: &Caller) -> [bool; 5] {
        let registers = |name| caller.may_register(&ServiceName::new(name).unwrap());
        [caller.may_read(), registers("web"), registers("WebShop"), registers("db"), caller.may_operate()]
    }

    #[test]
    fn without_a_token_this_host_may_do_all_and_others_may_read_unless_said_otherwise() {
        let of = |local, reads, origin| rights(&policy(local, reads).caller(origin, None, NOW).unwrap());
        use Guarded::{Open, Token};
        assert_eq!(of(Open, Open, Origin::Local), [true; 5]);
        assert_eq!(of(Open, Token, Origin::Local), [true; 5]);
        assert_eq!(of(Token, Open, Origin::Local), [true, false, false, false, false]);
        assert_eq!(of(Token, Token, Origin::Local), [false; 5]);
        assert_eq!(of(Open, Open, Origin::Elsewhere), [true, false, false, false, false]);
        assert_eq!(of(Open, Token, Origin::Elsewhere), [false; 5]);
    }

    #[test]
    fn a_token_allows_what_its_scopes_say_wherever_it_comes_from() {
        for origin in [Origin::Local, Origin::Elsewhere] {
            let of = |token| policy(Guarded::Open, Guarded::Token).caller(origin, Some(token), NOW).map(|caller| rights(&caller));
            assert_eq!(of("reader"), Ok([true, false, false, false, false]));
            assert_eq!(of("web"), Ok([true, true, true, false, false]));
            assert_eq!(of("root"), Ok([true; 5]));
            assert_eq!(of("roots"), Err(Denied::Unknown));
            assert_eq!(of(""), Err(Denied::Unknown));
        }
    }

    #[test]
    fn a_token_ends_with_its_time() {
        let at =
            |seconds| policy(Guarded::Open, Guarded::Open).caller(Origin::Local, Some("web"), NOW + Duration::from_secs(seconds)).map(drop);
        assert_eq!((at(8), at(9)), (Ok(()), Err(Denied::Expired)));
    }
}
