//! Random worlds keep every promise.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use super::super::swarm::{Options, run};

/// Which seeds are tried, from the environment: from A to below B, as `A..B`.
const SEEDS: &str = "TIDINGS_SEEDS";

#[test]
fn random_worlds_keep_every_promise() {
    let seeds = std::env::var(SEEDS).unwrap_or_else(|_| "0..300".into());
    let (first, end) = seeds.split_once("..").expect("A..B");
    let (first, end): (u64, u64) = (first.parse().expect("a number"), end.parse().expect("a number"));
    let mut broken = Vec::new();
    for seed in first..end {
        let options = Options::draw(seed);
        // Printed before anything can fail: with it a world that ends the process is found again.
        println!("{options}");
        let outcome = run(&options, false);
        if let Some(violation) = outcome.violations.first() {
            println!("  broken: {violation:?}");
            if broken.is_empty() {
                run(&options, true).story.iter().for_each(|line| println!("    {line}"));
            }
            broken.push((seed, violation.clone()));
        }
    }
    assert!(broken.is_empty(), "{} of {}: {broken:#?}", broken.len(), end - first);
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    for seed in [3, 4] {
        let options = Options::draw(seed);
        let (first, again) = (run(&options, true), run(&options, true));
        assert!(!first.story.is_empty());
        assert_eq!(first, again);
    }
}
