//! `tidings config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Exit, Failure, agent::AgentArgs, output, table};
use crate::config::{self, Flags, Shown, Surroundings};

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Check a file without running an agent: flags and environment are not looked at
    Check(Check),
    /// Show what an agent with these flags, this environment and this file would run with, and where each value comes from
    Show(Show),
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The file (TOML), with the service files that it names
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    agent: AgentArgs,
    /// Print a list of settings, as JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command that needs no agent.
pub(super) fn run(command: &Config) -> Result<Exit, Failure> {
    match command {
        Config::Check(args) => check(args),
        Config::Show(args) => show(args),
    }
}

fn check(args: &Check) -> Result<Exit, Failure> {
    let mut surroundings = Surroundings::here();
    surroundings.env.retain(|name, _| !name.starts_with("TIDINGS_"));
    let file = args.file.display().to_string();
    let resolved = config::load(&Flags::from([("config", vec![file.clone()])]), &surroundings);
    // No flag was typed for the file.
    let definitions = resolved.map_err(|error| Failure::no(error.to_string().trim_start_matches("--config: ")))?.definitions;
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (services, checks) = (count(definitions.services.len(), "service"), count(definitions.checks.len(), "check"));
    output::show(&format!("{file} is sound: it defines {services}, and {checks} of the node\n"))?;
    Ok(Exit::Done)
}

fn show(args: &Show) -> Result<Exit, Failure> {
    let shown = config::explain(&args.agent.flags, &Surroundings::here()).map_err(|error| Failure::usage(error.to_string()))?;
    if args.json {
        let items: Vec<_> = shown.iter().map(|Shown { key, value, from }| json!({"setting": key, "value": value, "from": from})).collect();
        output::pass_on(json!({ "items": items }).to_string().as_bytes())?;
    } else {
        output::show(&table::whole(&shown, jiff::Timestamp::now()))?;
    }
    Ok(Exit::Done)
}
