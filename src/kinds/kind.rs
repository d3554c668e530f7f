//! What a kind of check has to say of itself.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Finding, Tools};
use crate::fields::Reading;

/// A kind of check: what a check of this kind was given, with what was left out filled in.
///
/// Serialized it is an object whose fields are [`Kind::FIELDS`], with values that [`Kind::read`] takes. So it is kept on disk,
/// and so it is shown to who may see it, as the schema of the type says.
pub trait Kind: Serialize + DeserializeOwned + JsonSchema + 'static {
    /// Its own fields, beside those that all checks have. The first one makes a check one of this kind, names the kind, and is the
    /// only one that must be given.
    const FIELDS: &'static [Field];
    /// What the first field takes, in a word or two: "a URL".
    const TAKES: &'static str;
    /// How it finds out.
    const WAY: Way<Self>;

    /// Reads its fields. What is wrong is noted with the object that is read.
    fn read(reading: &mut Reading<'_>) -> Option<Self>;

    /// What it asks, for people, and without anything that may be secret.
    fn asked(&self) -> String;

    /// Values for its fields on both sides of each limit, one of them such as its first field takes: tests hold its reader against
    /// its schemas with them. A text is tried as an item of a list, a key and a value as well.
    #[cfg(test)]
    fn samples() -> Vec<Value>;
}

/// A field, and its JSON Schema.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it takes: neither more nor less than its reader does.
    pub schema: fn() -> Value,
}

/// How a kind comes to its findings.
pub enum Way<K> {
    /// It is run, each interval anew.
    Asks(fn(K) -> Arc<dyn Ask>),
    /// It is told, within a time that its first field takes, or else it is critical.
    Waits(fn(&K) -> Duration),
}

/// What finds out by itself.
#[async_trait]
pub trait Ask: Send + Sync {
    /// Asks once. `patience` is the time-out of the check, to divide among the steps of a run; who calls drops the future after it.
    async fn ask(&self, tools: &Tools, patience: Duration) -> Finding;
}

/// In place of what can't be read.
pub(super) struct Unreadable {
    pub(super) kind: String,
}

#[async_trait]
impl Ask for Unreadable {
    async fn ask(&self, _: &Tools, _: Duration) -> Finding {
        Finding::critical(format!("this version of the agent can't run this check of the kind {:?}: register it anew", self.kind))
    }
}
