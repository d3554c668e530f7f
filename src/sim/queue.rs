//! What is to happen, in order of time, and of two at the same moment in the order in which they were planned.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::core::time::Moment;

/// Things to happen.
#[derive(Debug)]
pub(super) struct Queue<T> {
    heap: BinaryHeap<Planned<T>>,
    count: u64,
}

#[derive(Debug)]
struct Planned<T> {
    at: Moment,
    place: u64,
    what: T,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Queue<T> {
        Queue { heap: BinaryHeap::new(), count: 0 }
    }

    pub(super) fn plan(&mut self, at: Moment, what: T) {
        self.count += 1;
        self.heap.push(Planned { at, place: self.count, what });
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Moment> {
        self.heap.peek().map(|planned| planned.at)
    }

    pub(super) fn pop(&mut self) -> Option<(Moment, T)> {
        self.heap.pop().map(|planned| (planned.at, planned.what))
    }

    /// How many things were planned until now.
    pub(super) fn planned(&self) -> u64 {
        self.count
    }
}

impl<T> Planned<T> {
    fn key(&self) -> (Moment, u64) {
        (self.at, self.place)
    }
}

// The heap gives the greatest first: what comes first is the greatest.
impl<T> Ord for Planned<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<T> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Planned<T> {}
