//! Random worlds keep every promise.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use super::{
    super::swarm::{Options, run},
    seeds,
};

#[test]
fn random_worlds_keep_every_promise() {
    let seeds = seeds("0..300");
    let mut broken = Vec::new();
    for seed in seeds.clone() {
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
    assert!(broken.is_empty(), "{} of {}: {broken:#?}", broken.len(), seeds.end - seeds.start);
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
