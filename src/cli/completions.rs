//! `tidings completions`: what a shell needs to complete command lines.

use clap::{Args, Command, builder::PossibleValuesParser};
use clap_complete::Shell;

use super::{Exit, Failure, output};
use crate::config::KEYS;

pub(super) const EXAMPLES: &str = "\
Examples:
  tidings completions bash > ~/.local/share/bash-completion/completions/tidings
  tidings completions zsh > ~/.zfunc/_tidings    Where fpath has ~/.zfunc
  tidings completions fish > ~/.config/fish/completions/tidings.fish";

/// `tidings completions`
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Completions, command: Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut with_choices(command), "tidings", &mut script);
    output::pass_on(&script)?;
    Ok(Exit::Done)
}

/// The command line in which a value that is one of a few, as `leave|restart`, can be completed. The agent itself judges such
/// values together with those from other places.
fn with_choices(command: Command) -> Command {
    let choosing = KEYS.iter().filter(|key| key.value.contains('|'));
    choosing.fold(command, |command, key| {
        let choices = PossibleValuesParser::new(key.value.split('|'));
        command.mut_subcommand("agent", |agent| agent.mut_arg(key.flag, |flag| flag.value_parser(choices)))
    })
}
