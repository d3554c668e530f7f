//! The executable specification: runs `features/*.feature` against agents that are processes of their own.
//!
//! `cargo test --test features -- --tags 'not @slow'` and `-- --name 'restart'` choose among the scenarios.
//! `TIDINGS_BIN=/path/to/tidings` runs them against another build of the program.
//!
//! Scenarios tagged `@namespaces` need hosts and networks of their own: where these can't be made, they are left out, and what is
//! printed last says so.

#![expect(clippy::print_stdout, reason = "a test runner reports on standard output")]

/// The world that a scenario acts in, and the phrases that it is written in.
mod features {
    pub(crate) mod addresses;
    pub(crate) mod agent;
    pub(crate) mod asker;
    pub(crate) mod background;
    pub(crate) mod dns;
    pub(crate) mod events;
    pub(crate) mod expect;
    pub(crate) mod http;
    pub(crate) mod metrics;
    pub(crate) mod network;
    pub(crate) mod pki;
    #[allow(dead_code, reason = "the tests of the wire record more")]
    pub(crate) mod recorder;
    pub(crate) mod report;
    pub(crate) mod service;
    pub(crate) mod sockets;
    pub(crate) mod steps;
    pub(crate) mod wait;
    pub(crate) mod world;
}

#[path = "netns/netns.rs"]
mod netns;

use std::process::ExitCode;

use cucumber::{World as _, cli, event::ScenarioFinished, gherkin, tag::Ext as _, writer::Stats as _};
use features::{report::Report, world::World};

/// Scenarios that run at once. Each has up to three agents, most of which wait most of the time.
const AT_ONCE: usize = 6;
/// The tag of scenarios whose agents are on hosts of their own.
const NAMESPACES: &str = "namespaces";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let report = Report::default();
    // Ctrl-C drops the run and with it every world, which kills its agents.
    tokio::select! {
        failed_otherwise = run(report.clone()) => report.conclude(failed_otherwise),
        _ = tokio::signal::ctrl_c() => ExitCode::FAILURE,
    }
}

/// Runs the scenarios that the command line asks for. True when something failed that belongs to no scenario.
async fn run(report: Report) -> bool {
    let obstacle = netns::obstacle();
    let skipping = report.clone();
    let mut cli = cli::Opts::<_, _, _, cli::Empty>::parsed();
    let (name, tags) = (cli.re_filter.take(), cli.tags_filter.take());
    let chosen = move |feature: &gherkin::Feature, rule: Option<&gherkin::Rule>, scenario: &gherkin::Scenario| {
        let all: Vec<&String> = feature.tags.iter().chain(rule.iter().flat_map(|rule| &rule.tags)).chain(&scenario.tags).collect();
        let asked_for = name.as_ref().is_none_or(|name| name.is_match(&scenario.name)) && tags.as_ref().is_none_or(|tags| tags.eval(&all));
        match &obstacle {
            Some(obstacle) if asked_for && all.iter().any(|tag| *tag == NAMESPACES) => {
                skipping.skipped(obstacle);
                false
            }
            _ => asked_for,
        }
    };
    let writer = World::cucumber()
        .with_cli(cli)
        .max_concurrent_scenarios(AT_ONCE)
        .after(move |feature, _, scenario, end, world| {
            let report = report.clone();
            Box::pin(async move {
                let passed = matches!(end, ScenarioFinished::StepPassed);
                if let Some(world) = world {
                    world.end().await;
                    if !passed {
                        report.failed(&feature.name, scenario, &reason(end), world.remains());
                    }
                }
                report.count(passed);
            })
        })
        .repeat_failed()
        .fail_on_skipped()
        .filter_run(concat!(env!("CARGO_MANIFEST_DIR"), "/features"), chosen)
        .await;
    writer.parsing_errors() + writer.hook_errors() > 0
}

/// Why a scenario did not pass.
fn reason(end: &ScenarioFinished) -> String {
    match end {
        ScenarioFinished::StepPassed => String::new(),
        ScenarioFinished::StepSkipped => "a step is written in a phrase that nothing defines".to_owned(),
        ScenarioFinished::StepFailed(_, _, error) => error.to_string(),
        ScenarioFinished::BeforeHookFailed(_) => "its world could not be made".to_owned(),
    }
}
