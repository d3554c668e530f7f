//! `tidings man`: the manual pages, made from the command line as it is.

mod text;

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Command};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{Exit, Failure, output};

pub(super) const EXAMPLES: &str = "\
Examples:
  tidings man | man -l -
  tidings man --dir /usr/local/share/man/man1";

/// `tidings man`
#[derive(Debug, Args)]
pub(super) struct Pages {
    /// Folder to write a page for each command into, instead of printing tidings(1)
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Pages, command: Command) -> Result<Exit, Failure> {
    let mut command = command.disable_help_subcommand(true).subcommand_help_heading("COMMANDS").subcommand_value_name("COMMAND");
    command.build();
    let Some(dir) = &args.dir else {
        output::pass_on(&page(&command).map_err(|error| Failure::no(format!("can't make the page: {error}")))?)?;
        return Ok(Exit::Done);
    };
    fs::create_dir_all(dir).map_err(|error| Failure::no(format!("can't make {}: {error}", dir.display())))?;
    for command in all(&command) {
        let file = dir.join(format!("{}.1", title(command)));
        page(command)
            .and_then(|page| fs::write(&file, page))
            .map_err(|error| Failure::no(format!("can't write {}: {error}", file.display())))?;
    }
    Ok(Exit::Done)
}

/// A command and all below it.
fn all(command: &Command) -> Vec<&Command> {
    [command].into_iter().chain(command.get_subcommands().filter(|command| !command.is_hide_set()).flat_map(all)).collect()
}

/// `tidings-members`
fn title(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    let out: &mut dyn Write = &mut page;
    // Without a date: pages of one version are the same, whenever they are made.
    writeln!(out, ".TH {} 1 \"\" \"tidings {}\" Tidings", title(command).to_uppercase(), env!("CARGO_PKG_VERSION"))?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    description(command).to_writer(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    sections(command).to_writer(out)?;
    Ok(once(&String::from_utf8_lossy(&page)).into_bytes())
}

fn description(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let of_help = text::paragraphs(&help).into_iter().filter_map(|part| part.heading.is_none().then(|| part.lines.join(" ")));
    let watched = command.get_arguments().any(|arg| arg.get_long() == Some("watch")).then_some(text::WATCHING);
    let more = text::description(title(command)).iter().chain(&watched).map(|&text| text.to_owned());
    for (index, paragraph) in [format!("{about}.")].into_iter().chain(of_help).chain(more).enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(paragraph)]);
    }
    roff
}

/// What stands below the options.
fn sections(command: &Command) -> Roff {
    let mut roff = Roff::new();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for part in text::paragraphs(&help) {
        if let Some(heading) = part.heading.and_then(text::heading) {
            roff.control("SH", [heading.as_str()]);
            if let Some(note) = part.note {
                roff.text([roman(format!("({note})"))]);
            }
            roff.control("nf", []);
            for line in part.lines {
                roff.text([roman(line)]);
            }
            roff.control("fi", []);
        }
    }
    for (heading, items) in
        [("ENVIRONMENT", text::environment(command)), ("FILES", text::files(title(command))), ("EXIT STATUS", text::exits(command))]
    {
        if !items.is_empty() {
            roff.control("SH", [heading]);
        }
        for (term, means) in items {
            roff.control("TP", []);
            roff.text([bold(term)]);
            roff.text([roman(means)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    let pages = match title(command) {
        "tidings" => {
            all(command).into_iter().skip(1).map(|command| format!("{}(1)", title(command))).chain(["dig(1)".to_owned()]).collect()
        }
        _ => vec!["tidings(1)".to_owned()],
    };
    roff.text([roman(pages.join(", "))]);
    roff
}

/// Each part of a page begins by saying how to write an apostrophe; once, at the beginning, is enough.
fn once(page: &str) -> String {
    let preamble = Roff::new().render();
    format!("{preamble}{}", page.replace(&preamble, ""))
}
