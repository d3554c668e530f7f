//! What is equal is held once: an agent holds the health of all instances of its cluster, and of the versions before that its
//! history keeps, and most of them say the same ("200 OK").

use std::{collections::VecDeque, sync::Arc};

use crate::model::{Change, Health};

/// Healths that are compared with. Those of one node, or of one service, tend to follow each other.
const RECENT: usize = 32;

/// The healths that were published last.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The one that was met last comes first.
    recent: VecDeque<Arc<Health>>,
}

impl Shared {
    /// The change, with a health that is held already where there is an equal one.
    pub(super) fn share(&mut self, change: Change) -> Change {
        match change {
            Change::Instance { node, instance, health } => Change::Instance { node, instance, health: self.known(health) },
            other => other,
        }
    }

    fn known(&mut self, health: Arc<Health>) -> Arc<Health> {
        let known = self.recent.iter().position(|recent| *recent == health).and_then(|at| self.recent.remove(at));
        let health = known.unwrap_or(health);
        self.recent.truncate(RECENT - 1);
        self.recent.push_front(Arc::clone(&health));
        health
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_healths_are_one_as_long_as_they_are_met_now_and_then() {
        let mut shared = Shared::default();
        let mut met = |number: usize| shared.known(Arc::new(Health { maintenance: Some(number.to_string()), ..Health::default() }));
        let (zero, one) = (met(0), met(1));
        assert_eq!((&*zero, &*one), (&*met(0), &*met(1)));
        assert!(Arc::ptr_eq(&zero, &met(0)) && Arc::ptr_eq(&one, &met(1)) && !Arc::ptr_eq(&zero, &one));
        for other in 2..=RECENT {
            met(other);
        }
        assert!(Arc::ptr_eq(&one, &met(1)), "it was met more lately than the first");
        assert!(!Arc::ptr_eq(&zero, &met(0)), "no more than so many are kept");
    }
}
