//! How a command ends.

use std::process::ExitCode;

/// The exit codes, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: nothing was found, or it was not done.
    No = 1,
    /// The command line, or a file that it names, is wrong.
    Usage = 2,
    /// No agent was reached.
    NoAgent = 3,
    /// Another agent runs on a copy of this one's data folder. Started again, this one would take its place.
    Copied = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// An end that has to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened and what to do, for people.
    pub message: String,
}

impl Failure {
    /// The answer is no.
    pub fn no(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::No, message: message.into() }
    }

    /// What was typed or given is wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, message: message.into() }
    }

    /// No agent was reached.
    pub fn no_agent(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::NoAgent, message: message.into() }
    }
}
