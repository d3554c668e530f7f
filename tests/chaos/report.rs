//! What is said of scenarios: as `tidings simulate` does, with times on the clock.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
};

use tidings::sim::{
    runner::{Clock, Entry, Outcome},
    scenario::Scenario,
};

use tokio::task::JoinSet;

use super::{
    beside::{self, Waits},
    feasible,
    options::Options,
    player,
    world::{Ground, World},
};

/// How a scenario went and what agents said last; or why there is no network for it.
type Played = Result<(Outcome, Vec<String>), String>;
type Playing = JoinSet<(PathBuf, Rc<Scenario>, Played)>;

/// How scenarios went.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// How long expectations took in each world.
    waits: BTreeMap<PathBuf, (Rc<Scenario>, Waits)>,
}

impl Report {
    /// A scenario can't be played here.
    pub(crate) fn skip(&mut self, file: &Path, world: World, why: &str) {
        println!("{}: skipped in {world}: {why}", said(file));
        self.skipped += 1;
    }

    /// There is nothing to play on, though there should be.
    pub(crate) fn fail(&mut self, why: &str) {
        println!("failed: {why}");
        self.failed += 1;
    }

    /// Plays scenarios. Of several that are played at once each is told of when it is over.
    pub(crate) async fn play(&mut self, scenarios: Vec<(PathBuf, Rc<Scenario>)>, world: World, ground: &Rc<Ground>, options: &Options) {
        let alone = options.at_once == 1;
        let mut running = Playing::new();
        for (file, scenario) in scenarios {
            if running.len() >= options.at_once {
                self.tell_next(&mut running, world, options).await;
            }
            if alone {
                println!("{}", heading(&file, &scenario, world));
            }
            let ground = Rc::clone(ground);
            running.spawn_local(async move {
                let tell: fn(&Entry) = if alone { |entry| println!("  {entry}") } else { |_| {} };
                let played = match ground.site(scenario.nodes.len()).await {
                    Ok(site) => Ok(player::play(&scenario, site, tell).await),
                    Err(why) => Err(why),
                };
                (file, scenario, played)
            });
        }
        while !running.is_empty() {
            self.tell_next(&mut running, world, options).await;
        }
    }

    async fn tell_next(&mut self, running: &mut Playing, world: World, options: &Options) {
        let Some(ended) = running.join_next().await else { return };
        // A player that panics has failed, and has said why.
        let Ok((file, scenario, played)) = ended else {
            self.failed += 1;
            return;
        };
        if options.at_once > 1 {
            println!("{}", heading(&file, &scenario, world));
            played.iter().flat_map(|(outcome, _)| &outcome.entries).for_each(|entry| println!("  {entry}"));
        }
        self.tell(&file, &scenario, played, world, options);
    }

    fn tell(&mut self, file: &Path, scenario: &Rc<Scenario>, played: Played, world: World, options: &Options) {
        let (outcome, logs) = match played {
            Ok(played) => played,
            Err(why) => {
                println!("  failed: {why}");
                self.failed += 1;
                return;
            }
        };
        match &outcome.failure {
            None => {
                println!("  passed after {}", Clock(outcome.ended));
                self.passed += 1;
            }
            Some(failure) => {
                println!("  {}", failure.to_string().replace('\n', "\n  "));
                println!("  failed after {}: {}; what agents said last:", Clock(outcome.ended), said(file));
                logs.iter().for_each(|log| println!("  {log}"));
                self.failed += 1;
            }
        }
        if options.beside {
            let (_, waits) = self.waits.entry(file.to_owned()).or_insert_with(|| (Rc::clone(scenario), Waits::default()));
            waits.push((world, outcome.waits));
        }
    }

    /// Prints the totals, alone on the last line.
    pub(crate) fn conclude(&self, nothing_can_be_played: bool) -> ExitCode {
        // Last, since what is played in virtual time leaves no time for real agents.
        for (file, (scenario, waits)) in &self.waits {
            print!("\n{}: {}\n{}", said(file), scenario.title, beside::table(scenario, waits));
        }
        if self.skipped > 0 {
            println!("\n{} scenarios were skipped", self.skipped);
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
        if nothing_can_be_played || (self.failed == 0 && self.passed > 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn heading(file: &Path, scenario: &Scenario, world: World) -> String {
    let count = scenario.nodes.len();
    let nodes = if count == 1 { "node" } else { "nodes" };
    let left_out = feasible::left_out(scenario, world);
    let without = if left_out.is_empty() { String::new() } else { format!(", without {}", left_out.join(", ")) };
    format!("{}: {} ({count} {nodes} in {world}{without})", said(file), scenario.title)
}

/// A file, from the folder of the project where it is there.
fn said(file: &Path) -> String {
    file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file).display().to_string()
}
