//! `tidings tokens`: tokens for the API.

use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};

use super::{Exit, Failure, output};
use crate::access::{Scope, Secret, Token};

pub(super) const EXAMPLES: &str = "\
The secret goes to standard error, once; what the agent keeps of it goes to standard output:
  tidings tokens generate --name deploy --scope register:web >> /etc/tidings/tokens.toml
  kill -HUP AGENT                            It holds from now on (with --token-file /etc/tidings/tokens.toml)
  TIDINGS_TOKEN=SECRET tidings register web.json --agent http://db-1.example:8780";

#[derive(Debug, Subcommand)]
pub(super) enum Tokens {
    /// Make a token: its secret for whoever gets it, and the table for the agent's file of tokens
    Generate(Generate),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// What it is called, in refusals and for those who look at the file
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What it allows: read, operate, or register: and the beginning of services' names; repeat it for several
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// Days after which it ends [default: it does not]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
}

/// Runs a command that needs no agent.
pub(super) fn run(command: &Tokens) -> Result<Exit, Failure> {
    match command {
        Tokens::Generate(args) => generate(args),
    }
}

fn generate(args: &Generate) -> Result<Exit, Failure> {
    if args.name.is_empty() || args.name.len() > 63 {
        return Err(Failure::usage("--name: takes 1 to 63 octets"));
    }
    let mut rng: rand::rngs::StdRng = rand::make_rng();
    let secret = Secret::generate(&mut rng);
    let expires = args.days.map(|days| now() + Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    let token = Token { name: args.name.clone(), hash: secret.hash(), scopes: args.scopes.clone(), expires };
    output::show(&format!("\n{}", token.table()))?;
    output::remark(&format!("the secret, which is not to be seen again: {}", secret.text()));
    Ok(Exit::Done)
}

#[expect(clippy::disallowed_methods, reason = "a token ends at a time of the wall clock")]
fn now() -> SystemTime {
    SystemTime::now()
}
