//! Query parameters, read strictly: what is not understood is refused by name, never ignored.

use std::{convert::Infallible, fmt};

use axum::{
    extract::{FromRequestParts, Query},
    http::{Uri, request::Parts},
};

use super::problem::Problem;

/// The parameters of a request, and what was found wrong with them while they were taken out.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    flaws: Vec<(String, String)>,
}

impl Parameters {
    fn of(uri: &Uri) -> Self {
        // Pairs of text can be read from any query: what is no UTF-8 when decoded becomes U+FFFD, which is in no name.
        let pairs = Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        Parameters { pairs, flaws: Vec::new() }
    }

    /// The value of a parameter that may be given once.
    pub(super) fn one<T, E: fmt::Display>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        if self.pairs.iter().filter(|(given, _)| given == name).count() > 1 {
            self.flaws.push((name.to_owned(), format!("{name} is given more than once; give it once")));
            return None;
        }
        self.every(name, read).pop()
    }

    /// All values of a parameter that may be given several times.
    pub(super) fn every<T, E: fmt::Display>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let mut values = Vec::new();
        for (_, text) in self.pairs.iter().filter(|(given, _)| given == name) {
            match read(text) {
                Ok(value) => values.push(value),
                Err(error) => self.flaws.push((name.to_owned(), error.to_string())),
            }
        }
        values
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When a value was wrong; the problem names each.
    pub(super) fn finish(self) -> Result<(), Problem> {
        if self.flaws.is_empty() { Ok(()) } else { Err(Problem::invalid_query(self.flaws)) }
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Parameters::of(&parts.uri))
    }
}

/// Refuses parameters that a route does not have.
///
/// # Errors
/// The problem names each of them and lists those that the route has.
pub(super) fn refuse_unknown(uri: &Uri, allowed: &[&str]) -> Result<(), Problem> {
    let allows = match allowed {
        [] => "there are none here".to_owned(),
        [only] => format!("the only one here is {only}"),
        _ => format!("those here are {}", allowed.join(", ")),
    };
    let mut query = Parameters::of(uri);
    let unknown = query.pairs.iter().map(|(name, _)| name).filter(|name| !allowed.contains(&name.as_str()));
    query.flaws = unknown.map(|name| (name.clone(), format!("{name:?} is not a query parameter; {allows}"))).collect();
    query.finish()
}

/// One word out of several, as a value of a parameter.
pub(super) fn one_of<T: Copy>(words: &[(&str, T)], text: &str) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        format!("{text:?} is not known; it is one of {}", known.join(", "))
    })
}
