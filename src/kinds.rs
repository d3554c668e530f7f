//! The kinds of check. A kind is a type that holds what a check of it was given; its file has all that is to be known of it: what
//! its fields are called, how they are read, described and shown, and how a check of it finds out.
//!
//! **A new kind takes a file beside `tcp.rs` and a line in the table below**, and nothing else: all other rooms go by [`KINDS`].

mod connect;
mod finding;
mod kind;
mod row;
mod target;
mod tls;
mod tools;

use std::sync::Arc;

use serde_json::Value;

pub use self::{
    finding::Finding,
    kind::{Ask, Field, Kind, Way},
    row::Row,
    tools::Tools,
};
use crate::model::check::Probe;

/// Has the file of each kind be a module, and makes its row. (What a macro declares, `cargo fmt` does not find by itself: `.ci/run` names it.)
macro_rules! table {
    ($($file:ident::$kind:ident,)+) => {
        $(mod $file;)+

        /// All kinds, in the order in which they are named to people.
        pub static KINDS: &[Row] = &[$(Row::of::<$file::$kind>()),+];
    };
}

table! {
    http::Http,
    tcp::Tcp,
    ttl::Ttl,
}

/// What the kinds are called.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// The place in [`KINDS`] of the kind of this name.
pub fn place(name: &str) -> Option<usize> {
    KINDS.iter().position(|kind| kind.name == name)
}

/// What is to be asked, and how. A probe that this version can't read, which a later one left on disk, is critical and says so.
pub fn ask(probe: &Probe) -> Arc<dyn Ask> {
    row(probe).and_then(|kind| kind.ask(probe)).unwrap_or_else(|| Arc::new(kind::Unreadable { kind: probe.kind.clone() }))
}

/// What a check asks, in one line for people. What may be secret is not in it.
pub fn asked(probe: &Probe) -> String {
    let what = row(probe).and_then(|kind| kind.asked(probe)).unwrap_or_default();
    format!("{} {what}", probe.kind)
}

/// What a check was given, with what was left out filled in, by field. Secrets are in it.
pub fn given(probe: &Probe) -> Vec<(&'static str, Value)> {
    row(probe).map_or_else(Vec::new, |kind| kind.given(probe))
}

fn row(probe: &Probe) -> Option<&'static Row> {
    KINDS.get(place(&probe.kind)?)
}

#[cfg(test)]
mod tests;
