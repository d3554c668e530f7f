//! Files of scenarios.

use tidings::sim::scenario::Scenario;

/// Reads a scenario, with as many nodes as it says and with others. Holds: it is taken, or each flaw stands on a line of it and says something.
pub fn scenario(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    let lines = 1 + text.matches('\n').count();
    for count in [None, Some(3)] {
        match Scenario::read(text, count) {
            Ok(scenario) => {
                assert!(!scenario.nodes.is_empty());
                assert!(scenario.steps.iter().all(|step| (1..=lines).contains(&step.line)));
            }
            Err(flaws) => {
                assert!(!flaws.is_empty());
                for flaw in flaws {
                    assert!((1..=lines).contains(&flaw.line) && !flaw.value.is_empty(), "{flaw:?} of {lines} lines");
                }
            }
        }
    }
}
