//! What manual pages say beyond the help.

use clap::Command;

use crate::{cli::Exit, config::KEYS};

/// Of commands with --watch.
pub(super) const WATCHING: &str = "\
With --watch, a line for each comes first, marked there, and then a line for each that is new, changed or gone, as it happens. \
Together with --json, it is all of the answer on one line, first and after each change. An agent that goes away is waited for. \
The command ends with 0 when it is interrupted, or when nobody reads what it prints any more.";

/// Paragraphs that follow on the first sentence.
pub(super) fn description(title: &str) -> &'static [&'static str] {
    match title {
        "tidings" => &[
            "One small agent runs on every host. The agents gossip with each other, and each of them answers, from its own memory, which \
             services there are and where, over DNS and HTTP.",
            "All commands that read or write talk to the agent beside them over HTTP. They print a table for people and, with --json, \
             what the API answered.",
        ],
        "tidings-agent" => {
            &["What is acknowledged is in the data folder, synced to disk, before the reply. DNS and the REST API are served on loopback \
             only unless told otherwise; gossip goes over UDP and TCP on one port."]
        }
        "tidings-members" => &["A node that is down or has left is listed, with the reason, until it is forgotten."],
        "tidings-services" => {
            &["An instance has one status, passing, warning or critical, and may be held back for other reasons besides."]
        }
        "tidings-service" => &["An instance that is held back is handed out to nobody; the last column says why."],
        "tidings-register" => &[
            "The definition is on disk before the command ends, and is told to all agents of the cluster then. Registering the same again \
             changes nothing.",
        ],
        "tidings-ready" => {
            &["An agent that has just started answers what it knows, and says that it can't know the rest, until its first full sync \
             with the cluster, and until it has heard of all who were there before, half a minute later at most. For health checks of containers, and scripts that wait."]
        }
        "tidings-leave" => &["The instances of this host are handed out nowhere any more, at once."],
        "tidings-maintenance" => &["What is in maintenance is registered and checked as before, and not handed out."],
        "tidings-demo" => &["It takes about a minute, uses loopback addresses only, and leaves nothing behind."],
        _ => &[],
    }
}

/// How a command ends.
pub(super) fn exits(command: &Command) -> Vec<(String, String)> {
    let mut exits = vec![
        (Exit::Done, "It is done."),
        (Exit::No, "The answer is no: nothing was found, or it was not done."),
        (Exit::Usage, "The command line, or a file or a value that it names, is wrong."),
    ];
    if asks_an_agent(command) {
        exits.push((Exit::NoAgent, "No agent was reached."));
    }
    if command.get_name() == "agent" {
        exits.push((Exit::Copied, "Another agent runs on a copy of its data folder. Started again, this one would take its place."));
    }
    exits.into_iter().map(|(exit, means)| ((exit as u8).to_string(), means.to_owned())).collect()
}

/// The whole program does, too.
fn asks_an_agent(command: &Command) -> bool {
    command.get_name() == "tidings" || command.get_arguments().any(|arg| arg.get_long() == Some("agent"))
}

/// What is read from the environment.
pub(super) fn environment(command: &Command) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    if command.get_name() == "agent" {
        variables.extend(KEYS.iter().map(|key| {
            let many = if key.many { ", with commas between several" } else { "" };
            (key.env.to_owned(), format!("As --{}{many}.", key.flag))
        }));
        variables.push(("XDG_STATE_HOME".to_owned(), "Where the data folder is made for users other than root.".to_owned()));
    } else if asks_an_agent(command) {
        variables.extend(crate::cli::VARIABLES.map(|(name, is)| (name.to_owned(), is.to_owned())));
    }
    variables.push(("NO_COLOR".to_owned(), "Set to anything, it keeps colours out of what is written to a terminal.".to_owned()));
    variables
}

/// Files that matter to a command.
pub(super) fn files(title: &str) -> Vec<(String, String)> {
    let files: &[(&str, &str)] = match title {
        "tidings-agent" => &[
            (
                "/var/lib/tidings",
                "The data folder of an agent that root runs. What must not be lost: the node's identity and its instances.",
            ),
            ("~/.local/state/tidings", "The same for other users."),
        ],
        _ => &[],
    };
    files.iter().map(|(file, is)| ((*file).to_owned(), (*is).to_owned())).collect()
}

/// The section for what stands below a heading of the help; none where each page has a section of its own for that.
pub(super) fn heading(of_help: &str) -> Option<String> {
    match of_help {
        "Exit codes" => None,
        "In a file" => Some("CONFIGURATION FILE".to_owned()),
        other => Some(other.to_uppercase()),
    }
}

/// A part of a help text: indented lines below a line that ends with a colon, or lines of prose.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) heading: Option<&'a str>,
    /// What the heading says in parentheses.
    pub(super) note: Option<&'a str>,
    pub(super) lines: Vec<&'a str>,
}

/// The parts of a help text.
pub(super) fn paragraphs(help: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    // Whether the next line may be one more of the last part.
    let mut open = false;
    for line in help.lines() {
        let below_heading = parts.last().is_some_and(|part| part.heading.is_some());
        if line.is_empty() && !below_heading {
            open = false;
        } else if let Some(part) = parts.last_mut().filter(|_| open && (line.is_empty() || line.starts_with(' ') == below_heading)) {
            part.lines.push(line);
        } else {
            let heading = line.strip_suffix(':');
            let noted = heading.and_then(|line| line.strip_suffix(')')?.split_once(" ("));
            let lines = if heading.is_some() { Vec::new() } else { vec![line] };
            parts.push(Part { heading: noted.map(|(heading, _)| heading).or(heading), note: noted.map(|(_, note)| note), lines });
            open = true;
        }
    }
    for part in &mut parts {
        while part.lines.last().is_some_and(|line| line.is_empty()) {
            part.lines.pop();
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_text_is_prose_and_what_stands_below_headings() {
        let help = "One thing.\nAnd another.\n\nMore.\n\nIn a file (all of it optional):\n  a = 1\n\n  [b]\n\nExamples:\n  tidings demo";
        let part = |heading, note, lines: &[&'static str]| Part { heading, note, lines: lines.to_vec() };
        assert_eq!(
            paragraphs(help),
            [
                part(None, None, &["One thing.", "And another."]),
                part(None, None, &["More."]),
                part(Some("In a file"), Some("all of it optional"), &["  a = 1", "", "  [b]"]),
                part(Some("Examples"), None, &["  tidings demo"]),
            ]
        );
    }
}
