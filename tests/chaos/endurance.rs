//! `--endurance`: random faults for as long as is asked for, every promise watched, and what agents take shown to stay as it is.

mod curve;
pub(crate) mod draw;
mod figures;
mod flat;
mod panels;
mod phases;
mod plot;
mod sample;
mod tale;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use tidings::sim::{
    runner::Entry,
    scenario::{Scenario, quantity},
};

use super::{player, world::World};
use phases::Phases;
use sample::{Sampler, Samples};

/// So many nodes where nothing is said.
pub(crate) const NODES: usize = 20;
/// Within less nothing would be shown.
const SHORTEST: Duration = Duration::from_secs(60);
/// Between two samples of an agent, at least and at most.
const PACE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// What an agent says when one of its threads has come to an end that nobody meant.
const PANIC: &str = "panicked at";
/// So many samples, where there is time for them.
const SAMPLES: u32 = 720;

/// Plays what is drawn from a seed. The last line is the total, as where files are played.
pub(crate) async fn run(lasts: Duration, nodes: usize, seed: u64) -> ExitCode {
    if nodes < draw::FEWEST || lasts < SHORTEST {
        println!("--endurance takes {} nodes and {} at least", draw::FEWEST, quantity::said(SHORTEST));
        return ExitCode::from(2);
    }
    let site = match World::Namespaces.open().await {
        Ok(ground) => ground.site(nodes).await,
        Err(why) => {
            println!("skipped: the endurance: {why}\n\n0 passed, 0 failed");
            return ExitCode::SUCCESS;
        }
    };
    let site = match site {
        Ok(site) => site,
        Err(why) => return conclude(vec![why]),
    };
    let stem = folder().join(format!("{}-{nodes}-{seed}", quantity::said(lasts).replace(' ', "")));
    let file = |extension: &str, text: &str| {
        let file = stem.with_extension(extension);
        fs::write(&file, text).unwrap_or_else(|error| panic!("can't write {}: {error}", file.display()));
    };
    let text = draw::draw(seed, nodes, lasts);
    file("toml", &text);
    let scenario = Scenario::read(&text, None).unwrap_or_else(|flaws| panic!("what was drawn is flawed: {flaws:?}"));
    println!("{}.toml: {}", stem.display(), scenario.title);
    let samples = Samples::default();
    let pace = (lasts / SAMPLES).clamp(PACE[0], PACE[1]);
    let tell: fn(&Entry) = |entry| println!("  {entry}");
    let mut hosts = Vec::new();
    let (outcome, _) = player::play_beside(&scenario, site, tell, |player| {
        hosts.extend((0..nodes).map(|place| Rc::clone(player.site.host(place))));
        Sampler::begin(&player.board, pace, &samples)
    })
    .await;
    let logs: Vec<String> = hosts.iter().map(|host| host.log()).collect();
    let (samples, phases) = (samples.take(), Phases::of(&scenario, &outcome));
    let verdicts = flat::judge(&samples, &phases.peaces, lasts);
    file("csv", &figures::csv(&samples));
    file("svg", &plot::draw(&scenario.title, &panels::panels(&samples, &phases.peaces, lasts), &phases, outcome.ended.since_start()));
    let tale = tale::tell(&scenario, &outcome, &phases, &verdicts);
    file("txt", &tale);
    println!("\n{tale}\n{0}.csv has all that was read, {0}.svg shows it", stem.display());
    let mut failures: Vec<String> = outcome.failure.iter().map(|failure| failure.to_string()).collect();
    failures
        .extend(logs.iter().enumerate().filter(|(_, log)| log.contains(PANIC)).map(|(place, _)| format!("n{} has panicked", place + 1)));
    if failures.is_empty() {
        // Of a run that ended early nothing can be told.
        failures.extend(verdicts.iter().filter(|verdict| !verdict.holds()).map(|verdict| verdict.to_string()));
    } else {
        let log = |(place, log): (usize, &String)| format!("==> n{}\n{log}\n", place + 1);
        file("log", &logs.iter().enumerate().map(log).collect::<String>());
        println!("{}.log has all that agents said", stem.display());
    }
    conclude(failures)
}

fn conclude(failures: Vec<String>) -> ExitCode {
    failures.iter().for_each(|failure| println!("\nfailed: {failure}"));
    let failed = usize::from(!failures.is_empty());
    println!("\n{} passed, {failed} failed", 1 - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where all is kept that a run leaves.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("endurance");
    fs::create_dir_all(&folder).expect("the target folder can be written to");
    folder
}
