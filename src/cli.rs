//! The command line: what can be typed, and how it ends.

mod agent;
mod client;
mod completions;
mod config;
mod demo;
mod exit;
mod keys;
mod logging;
mod man;
mod output;
mod problem;
mod query;
mod records;
mod simulate;
mod table;
mod tokens;
mod view;
mod watch;
mod write;

use std::{future::Future, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand};

pub use exit::{Exit, Failure};

use client::Api;

/// The environment variable that says where the agent is, for all commands that ask one.
pub const AGENT_VARIABLE: &str = "TIDINGS_AGENT";

/// The environment variable that names the authorities of the agent's certificate, for https.
pub const CA_VARIABLE: &str = "TIDINGS_CA";

/// The environment variable that names a certificate to show to the agent.
pub const CLIENT_CERTIFICATE_VARIABLE: &str = "TIDINGS_CLIENT_CERTIFICATE";

/// The environment variable that names the key of that certificate.
pub const CLIENT_KEY_VARIABLE: &str = "TIDINGS_CLIENT_KEY";

/// All environment variables of commands that ask an agent, and what each is for.
pub const VARIABLES: [(&str, &str); 5] = [
    (TOKEN_VARIABLE, "The token to show where --token-file names none."),
    (AGENT_VARIABLE, "The agent to talk to where --agent names none."),
    (CA_VARIABLE, "As --ca."),
    (CLIENT_CERTIFICATE_VARIABLE, "As --client-certificate."),
    (CLIENT_KEY_VARIABLE, "As --client-key."),
];

/// The environment variable that has a token in it, for all commands that ask an agent. No flag has it: what is typed is seen by all.
pub const TOKEN_VARIABLE: &str = "TIDINGS_TOKEN";

const EXAMPLES: &str = "\
Examples:
  tidings demo                               See it work: three agents on this machine
  tidings agent --join db-1.example          Run the agent of this host, join another one
  tidings register web.json                  Register an instance with the agent beside you
  tidings instances --service web            Find the instances of a service
  dig @127.0.0.1 -p 8753 web.service.tidings.internal

Exit codes:
  0 done, 1 the answer is no (nothing found, not done), 2 wrong usage, 3 no agent reached";

/// A gossip-based, peer-to-peer service registry: one agent on every host, no servers
#[derive(Debug, Parser)]
#[command(name = "tidings", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent of this host
    #[command(after_help = agent::AFTER_HELP)]
    Agent(agent::AgentArgs),
    /// List the nodes of the cluster
    Members(query::Members),
    /// List the services of the cluster
    Services(query::Services),
    /// Show a service and its instances, those that are held back included
    Service(query::Service),
    /// Search instances: those that are handed out now, unless --status says otherwise
    #[command(after_help = query::INSTANCES_EXAMPLES)]
    Instances(query::Instances),
    /// Register an instance with the agent of this host, or replace it
    #[command(after_help = write::REGISTER_EXAMPLE)]
    Register(write::Register),
    /// Remove an instance from the agent of this host
    Deregister(write::Deregister),
    /// List checks and what they have found, here and elsewhere
    Checks(query::Checks),
    /// Say how an instance of this host is, for a check with a ttl
    Heartbeat(write::Heartbeat),
    /// Take an instance of this host, or all of it, out of discovery, or let it back in
    Maintenance(write::Maintenance),
    /// Have a node that is down forgotten by all agents
    Forget(write::Forget),
    /// Say whether the agent of this host knows what its cluster knows
    Ready(query::Ready),
    /// Have the agent of this host leave its cluster and stop
    Leave(write::Leave),
    /// List, generate and change the keys that gossip is encrypted with
    #[command(subcommand, after_help = keys::EXAMPLES)]
    Keys(keys::Keys),
    /// Make tokens for the API
    #[command(subcommand, after_help = tokens::EXAMPLES)]
    Tokens(tokens::Tokens),
    /// Check a configuration, or show what an agent would run with
    #[command(subcommand)]
    Config(config::Config),
    /// Watch three agents on this machine find each other, fail and recover
    Demo,
    /// Play scenarios in virtual time: what happens to a cluster, and whether what must hold does
    #[command(after_help = simulate::AFTER_HELP)]
    Simulate(simulate::Simulate),
    /// Print a script with which a shell completes commands and flags
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),
    /// Print the manual page, or write one for each command into a folder
    #[command(after_help = man::EXAMPLES)]
    Man(man::Pages),
}

/// Which agent to ask, and how to show what it answers.
#[derive(Debug, Args)]
struct Target {
    #[command(flatten)]
    reach: client::Reach,
    /// File with a token, for an agent that wants one
    #[arg(long, value_name = "FILE")]
    token_file: Option<std::path::PathBuf>,
    /// Print what the API answered, as JSON
    #[arg(long)]
    json: bool,
}

/// The whole command line as data: its commands, flags and help.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs what was typed.
pub fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let result = match command {
        Command::Agent(args) => agent::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Demo => wait_for(demo::run()),
        Command::Simulate(args) => simulate::run(&args),
        Command::Completions(args) => completions::run(&args, self::command()),
        Command::Man(args) => man::run(&args, self::command()),
        Command::Keys(args) => keys::run(&args),
        Command::Tokens(args) => tokens::run(&args),
        Command::Members(args) => ask(&args.reading.target, |api| query::members(api, &args)),
        Command::Services(args) => ask(&args.reading.target, |api| query::services(api, &args)),
        Command::Service(args) => ask(&args.reading.target, |api| query::service(api, &args)),
        Command::Instances(args) => ask(&args.reading.target, |api| query::instances(api, &args)),
        Command::Register(args) => ask(&args.target, |api| write::register(api, &args)),
        Command::Deregister(args) => ask(&args.target, |api| write::deregister(api, &args)),
        Command::Checks(args) => ask(&args.reading.target, |api| query::checks(api, &args)),
        Command::Heartbeat(args) => ask(&args.target, |api| write::heartbeat(api, &args)),
        Command::Maintenance(args) => ask(&args.target, |api| write::maintenance(api, &args)),
        Command::Forget(args) => ask(&args.target, |api| write::forget(api, &args)),
        Command::Ready(args) => ask(&args.target, |api| query::ready(api, &args)),
        Command::Leave(args) => ask(&args.target, |api| write::leave(api, &args)),
    };
    result.unwrap_or_else(|failure| output::fail(&failure)).into()
}

/// Runs a command that talks to an agent. Never inlined, nor is [`wait_for`]: room for the futures of all commands would lie on the
/// stack of an agent for as long as it runs.
#[inline(never)]
fn ask<F: Future<Output = Result<Exit, Failure>>>(target: &Target, command: impl FnOnce(Api) -> F) -> Result<Exit, Failure> {
    let api = Api::new(&target.reach, client::token(target.token_file.as_deref())?)?;
    wait_for(command(api))
}

#[inline(never)]
fn wait_for<F: Future<Output = Result<Exit, Failure>>>(command: F) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::no(format!("the system gives no event loop: {error}")))?;
    runtime.block_on(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_commands_are_those_of_the_contract() {
        let command = command();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(
            names,
            [
                "agent",
                "members",
                "services",
                "service",
                "instances",
                "register",
                "deregister",
                "checks",
                "heartbeat",
                "maintenance",
                "forget",
                "ready",
                "leave",
                "keys",
                "tokens",
                "config",
                "demo",
                "simulate",
                "completions",
                "man"
            ]
        );
    }

    #[test]
    fn the_agent_has_a_flag_for_each_setting_and_no_other() {
        let command = command();
        let agent = command.find_subcommand("agent").unwrap();
        let flags: Vec<&str> = agent.get_arguments().filter_map(clap::Arg::get_long).collect();
        assert_eq!(flags, KEYS.map(|key| key.flag));
    }

    #[test]
    fn every_command_that_asks_an_agent_takes_its_address_and_json() {
        let asks_none = ["agent", "tokens", "config", "demo", "simulate", "completions", "man", "generate"];
        let command = command();
        // Those of a family stand for it.
        let subs =
            command.get_subcommands().flat_map(|sub| if sub.get_name() == "keys" { sub.get_subcommands().collect() } else { vec![sub] });
        for sub in subs.filter(|sub| !asks_none.contains(&sub.get_name())) {
            let has = |flag| sub.get_arguments().any(|arg| arg.get_long() == Some(flag));
            assert!(has("agent") && has("json"), "{}", sub.get_name());
        }
    }

    #[test]
    fn wrong_usage_ends_with_2() {
        for line in [
            vec!["tidings"],
            vec!["tidings", "frob"],
            vec!["tidings", "members", "--frob"],
            vec!["tidings", "agent", "--name", "a", "--name", "b"],
        ] {
            assert_eq!(Cli::try_parse_from(&line).expect_err("it is wrong").exit_code(), 2, "{line:?}");
        }
    }
}
