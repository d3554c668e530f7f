//! The checkers can fail: each planted fault is found within so many seeds.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::super::swarm::{Options, run};
use crate::planted::{Planted, with};

const SEEDS: u64 = 200;

#[test]
fn each_planted_fault_is_found() {
    let next = AtomicUsize::new(0);
    // A fault is planted for one thread alone, so each processor looks for others.
    let look = || {
        let faults = std::iter::from_fn(|| Planted::ALL.get(next.fetch_add(1, Ordering::Relaxed)));
        faults.filter(|fault| !is_found(**fault)).collect::<Vec<_>>()
    };
    let unfound: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(look)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no world panics")).collect()
    });
    assert!(unfound.is_empty(), "not found in {SEEDS} seeds: {unfound:?}");
}

fn is_found(fault: Planted) -> bool {
    let found = (0..SEEDS).find_map(|seed| {
        let outcome = with(fault, || run(&Options::draw(seed), false));
        Some((seed, outcome.violations.first()?.clone()))
    });
    if let Some((seed, violation)) = &found {
        println!("{fault:?}: by seed {seed}, {}: {}", violation.watcher, violation.what);
    }
    found.is_some()
}
