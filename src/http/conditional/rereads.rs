//! What was read again lately, so that many who wait for one thing read it once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use axum::response::{IntoResponse, Response};

use super::{Read, Shown};
use crate::catalog::Catalog;

/// Reads that are kept until the next publication. Those beyond are read again by each who waits for them.
const KEPT: usize = 16;

/// Reads of the newest snapshot, by path and query: what they show depends on nothing else.
#[derive(Debug, Default)]
pub(in crate::http) struct Rereads {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    revision: u64,
    shown: BTreeMap<String, Shown>,
}

impl Rereads {
    /// Reads what was published by now, or something newer.
    pub(super) async fn read(&self, read: &Read, catalog: &Catalog) -> Response {
        let revision = catalog.load().revision;
        let target = read.head.uri.path_and_query().map_or("", |target| target.as_str());
        let known = self.with(|kept| kept.shown.get(target).filter(|_| kept.revision == revision).cloned());
        if let Some(shown) = known {
            return shown.into_response();
        }
        let response = read.again().await;
        if let Some(shown) = response.extensions().get::<Shown>() {
            self.with(|kept| kept.keep(revision, target, shown));
        }
        response
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        // Nothing in here can panic half-way.
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn keep(&mut self, revision: u64, target: &str, shown: &Shown) {
        if revision > self.revision {
            *self = Kept { revision, shown: BTreeMap::new() };
        }
        if revision == self.revision && self.shown.len() < KEPT {
            self.shown.insert(target.to_owned(), shown.clone());
        }
    }
}
