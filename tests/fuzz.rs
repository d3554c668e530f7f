//! Each fuzz target over its corpus and over mutations of it, the same in each run. cargo-fuzz goes on where this ends: `fuzz/README.md`.

#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/mutator.rs"]
mod mutator;
// Of the tests of the wire: two cores that talk to each other.
#[path = "wire/pair.rs"]
#[allow(dead_code, reason = "only some of it is needed here")]
mod pair;
#[path = "fuzz/recorder.rs"]
mod recorder;
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, missing_docs, reason = "it is a crate of its own there")]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::{SeedableRng as _, rngs::StdRng};

use targets::{TARGETS, Target};

/// Mutations of its corpus that each target is fed.
const MUTATIONS: usize = 1_500;

#[test]
fn configuration_files_are_borne() {
    check("configuration");
}

#[test]
fn dns_queries_are_borne() {
    check("dns_query");
}

#[test]
fn gossip_datagrams_are_borne() {
    check("gossip_datagram");
}

#[test]
fn gossip_streams_are_borne() {
    check("gossip_stream");
}

#[test]
fn http_bodies_are_borne() {
    check("http_body");
}

#[test]
fn http_queries_are_borne() {
    check("http_query");
}

#[test]
fn journals_are_borne() {
    check("journal");
}

#[test]
fn key_files_are_borne() {
    check("key_file");
}

#[test]
fn scenario_files_are_borne() {
    check("scenario");
}

#[test]
fn token_files_are_borne() {
    check("token_file");
}

#[test]
fn each_target_has_a_program_for_cargo_fuzz_and_is_tested_here() {
    let (manifest, this) = (include_str!("../fuzz/Cargo.toml"), include_str!("fuzz.rs"));
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")) && this.contains(&format!("check(\"{name}\")")), "{name}");
    }
}

/// Feeds a target its corpus and mutations of it. What it does not bear is printed, to be put into the corpus.
fn check(name: &str) {
    let (_, target): Target = *TARGETS.iter().find(|(known, _)| *known == name).expect("it is a target");
    let corpus = corpus::read(name);
    let rng = &mut StdRng::seed_from_u64(1);
    let mutations = std::iter::repeat_with(|| mutator::mutated(rng, &corpus)).take(MUTATIONS);
    for octets in corpus.iter().cloned().chain(mutations) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&octets))) {
            eprintln!("{name} does not bear {}", octets.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    }
}
