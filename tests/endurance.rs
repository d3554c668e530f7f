//! What `cargo test --test chaos -- --endurance` draws and judges by, without agents: drawn scenarios are sound, and pass in virtual time; and each
//! judgement fails where it should.

mod chaos {
    #[allow(dead_code, reason = "not all of it is tried without agents")]
    pub(crate) mod endurance {
        pub(crate) mod curve;
        pub(crate) mod draw;
        pub(crate) mod figures;
        pub(crate) mod flat;
        pub(crate) mod phases;
    }
}

use std::{collections::BTreeSet, time::Duration};

use chaos::endurance::{
    draw,
    figures::{Descriptors, Sample},
    flat,
    phases::Span,
};
use tidings::sim::{
    runner,
    scenario::{STEPS, Scenario},
};

const TWO_MINUTES: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn what_is_drawn_is_sound() {
    for seed in 1..=3 {
        for (nodes, lasts) in [(draw::FEWEST, TWO_MINUTES), (20, TWO_MINUTES), (20, HOUR)] {
            let scenario = read(seed, nodes, lasts);
            assert!(scenario.steps.len() <= STEPS && scenario.nodes.len() == nodes);
        }
    }
}

#[test]
fn the_same_seed_draws_the_same() {
    assert_eq!(draw::draw(7, 20, HOUR), draw::draw(7, 20, HOUR));
    assert_ne!(draw::draw(7, 20, HOUR), draw::draw(8, 20, HOUR));
}

#[test]
fn an_hour_has_everything_in_it() {
    let keys: BTreeSet<&str> = [1, 2].iter().flat_map(|seed| read(*seed, 20, HOUR).steps).map(|step| step.key).collect();
    let all = [
        "start",
        "stop",
        "kill",
        "restart",
        "pause",
        "resume",
        "freeze",
        "lose_power",
        "partition",
        "cut",
        "heal",
        "network",
        "link",
        "change_address",
        "wipe",
        "disk",
        "health",
        "add_key",
        "use_key",
        "remove_key",
        "register",
        "deregister",
        "maintenance",
        "end_maintenance",
        "leave",
        "forget",
        "hands_out",
        "sees",
        "agree",
    ];
    assert!(all.iter().all(|key| keys.contains(key)), "{:?}", all.iter().filter(|key| !keys.contains(*key)).collect::<Vec<_>>());
}

#[test]
fn what_is_drawn_passes_in_virtual_time() {
    let seeds = std::env::var("TIDINGS_SEEDS").unwrap_or("1..3".to_owned());
    let (first, last) = seeds.split_once("..").expect("A..B");
    for seed in first.parse::<u64>().expect("a number")..last.parse().expect("a number") {
        let outcome = runner::play(&read(seed, 20, TWO_MINUTES), seed, false);
        assert!(outcome.failure.is_none(), "seed {seed}: {}", outcome.failure.map(|failure| failure.to_string()).unwrap_or_default());
    }
}

#[test]
fn what_stays_as_it_is_is_flat() {
    assert_eq!(growing(|_, _| {}), Vec::<&str>::new());
    // A file may be open for a moment.
    assert_eq!(growing(|seconds, sample| sample.descriptors.others += u64::from(seconds % 7 == 0)), Vec::<&str>::new());
}

#[test]
fn each_figure_that_grows_is_found() {
    let memory = ["memory of agents that never end, median", "memory of agents of the same age, median"];
    assert_eq!(growing(|seconds, sample| sample.anonymous += seconds * 40_000), memory);
    // What a process leaks begins anew with each: those of an age have the same.
    assert_eq!(growing(|_, sample| sample.anonymous += sample.age.as_secs() * 40_000), memory[..1]);
    assert_eq!(growing(|seconds, sample| sample.descriptors.others += seconds / 40), ["descriptors beside connections, most"]);
    assert_eq!(growing(|seconds, sample| sample.descriptors.streams += seconds / 40), ["streams with others, median"]);
    assert_eq!(growing(|seconds, sample| sample.threads += seconds / 40), ["threads, most"]);
    assert_eq!(growing(|seconds, sample| sample.octets += seconds * seconds * 2), ["traffic of an agent in peace, median"]);
}

#[test]
fn a_run_without_peace_is_not_flat() {
    let verdicts = flat::judge(&samples(|_, _| {}), &[], TWO_MINUTES);
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| !verdict.holds()));
}

/// What is said to grow of two minutes with three peaces, in which something more is taken.
fn growing(more: impl Fn(u64, &mut Sample)) -> Vec<&'static str> {
    let peace = |from| Span { from: Duration::from_secs(from), to: Duration::from_secs(from + 14) };
    let verdicts = flat::judge(&samples(more), &[20, 60, 105].map(peace), TWO_MINUTES);
    verdicts.iter().filter(|verdict| !verdict.holds()).map(|verdict| verdict.what).collect()
}

/// Of two agents for two minutes: one never ends, one begins anew each 40 s.
fn samples(more: impl Fn(u64, &mut Sample)) -> Vec<Sample> {
    let mut samples = Vec::new();
    for seconds in 0..120 {
        for (place, age) in [(0, seconds), (1, seconds % 40)] {
            let mut sample = Sample {
                round: seconds as u32,
                at: Duration::from_secs(seconds),
                place,
                process: (place as u64 * 1_000 + seconds - age) as u32,
                age: Duration::from_secs(age),
                resident: 20_000_000,
                anonymous: 3_000_000,
                threads: 5,
                descriptors: Descriptors { streams: 6, api: 2, others: 19 },
                octets: seconds * 250,
                packets: seconds * 5,
            };
            more(seconds, &mut sample);
            samples.push(sample);
        }
    }
    samples
}

fn read(seed: u64, nodes: usize, lasts: Duration) -> Scenario {
    let text = draw::draw(seed, nodes, lasts);
    Scenario::read(&text, None).unwrap_or_else(|flaws| panic!("seed {seed}: {flaws:?}\n{text}"))
}
