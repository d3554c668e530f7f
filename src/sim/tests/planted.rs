//! The checkers can fail: each planted fault is found within so many seeds.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use super::super::swarm::{Options, run};
use crate::planted::{Planted, with};

const SEEDS: u64 = 200;

#[test]
fn each_planted_fault_is_found() {
    let mut unfound = Vec::new();
    for fault in Planted::ALL {
        let found = (0..SEEDS).find_map(|seed| {
            let outcome = with(fault, || run(&Options::draw(seed), false));
            Some((seed, outcome.violations.first()?.clone()))
        });
        match found {
            Some((seed, violation)) => println!("{fault:?}: by seed {seed}, {}: {}", violation.watcher, violation.what),
            None => unfound.push(fault),
        }
    }
    assert!(unfound.is_empty(), "not found in {SEEDS} seeds: {unfound:?}");
}
