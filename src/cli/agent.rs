//! `tidings agent`.

use clap::{Arg, ArgAction, ArgMatches, FromArgMatches, ValueHint};

use super::{Exit, Failure, logging};
use crate::{
    agent::{AgentError, Reload},
    config::{self, Flags, KEYS, Surroundings},
};

pub(super) const AFTER_HELP: &str = "\
A flag wins over its environment variable, that over the file, that over the default.
SIGTERM and SIGINT end the agent. SIGHUP has it read its files again: services, checks, keys, tokens, certificates,
whom to join and what to log follow, and nothing does where there is a flaw.

Examples:
  tidings agent                                        The first agent of a cluster
  tidings agent --join db-1.example --join 10.0.0.7    Another one
  tidings agent --config /etc/tidings.toml             With settings from a file

In a file:
  zone = \"rack-7\"
  join = [\"db-1.example\", \"10.0.0.7:8746\"]

  [gossip]
  listen = \"0.0.0.0:8746\"
  advertise = \"10.0.0.5\"

  [http]
  listen = \"127.0.0.1:8780\"
  names = [\"agent.example\"]

  [dns]
  listen = \"127.0.0.1:8753\"
  domain = \"tidings.internal\"

  [meta]
  owner = \"storage\"

  [[service]]
  service = \"web\"
  port = 8080

  [[service.checks]]
  id = \"alive\"
  http = \"http://127.0.0.1:8080/health\"

  [[check]]
  id = \"disk\"
  ttl = \"2m\"";

/// The flags of the agent, made from the table of settings.
#[derive(Debug)]
pub(super) struct AgentArgs {
    pub(super) flags: Flags,
}

impl clap::Args for AgentArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(KEYS.iter().map(|key| {
            let default = key.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
            Arg::new(key.flag)
                .long(key.flag)
                .value_name(key.value)
                .value_hint(hint(key.value))
                .help(format!("{}{default} [env: {}]", key.help, key.env))
                .action(if key.many { ArgAction::Append } else { ArgAction::Set })
        }))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// What a shell may complete a value with.
fn hint(value: &str) -> ValueHint {
    match value {
        "FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "HOST[:PORT]" => ValueHint::Hostname,
        _ => ValueHint::Unknown,
    }
}

impl FromArgMatches for AgentArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |flag| Some((flag, matches.get_many(flag)?.cloned().collect()));
        Ok(AgentArgs { flags: KEYS.iter().filter_map(|key| given(key.flag)).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.flags.extend(Self::from_arg_matches(matches)?.flags);
        Ok(())
    }
}

/// Threads that an agent works on. Its work is little; a second one keeps DNS answering while the first is busy.
const WORKERS: usize = 2;

/// Runs an agent until it is told to end.
pub(super) fn run(args: &AgentArgs) -> Result<Exit, Failure> {
    let resolved = config::load(&args.flags, &Surroundings::here()).map_err(|error| Failure::usage(error.to_string()))?;
    let log = logging::start(&resolved.log, resolved.log_format).map_err(|error| Failure::usage(format!("--log: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Failure::no(format!("the system gives no threads: {error}")))?;
    let flags = args.flags.clone();
    let reload =
        Reload { load: Box::new(move || config::load(&flags, &Surroundings::here())), set_log: Box::new(move |filter| log.set(filter)) };
    // Not on the stack, where each place that it is moved through would stay claimed.
    let agent = Box::pin(crate::agent::run(resolved, reload));
    runtime.block_on(agent).map_err(|error| Failure {
        exit: if matches!(error, AgentError::Copied(_)) { Exit::Copied } else { Exit::No },
        message: error.to_string(),
    })?;
    Ok(Exit::Done)
}
