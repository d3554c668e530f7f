//! How the demo looks.

use std::{env, time::Duration};

use super::{
    super::output::{self, FAINT, GOOD, HEADING, TYPED},
    lookup::Answer,
};

/// Writes the story, with colours on a terminal.
pub(super) struct Story;

impl Story {
    pub(super) fn title(&self, text: &str) -> Result<(), String> {
        self.text(&format!("\n{HEADING}{text}{HEADING:#}\n"))
    }

    /// A new part of the story.
    pub(super) fn step(&self, text: &str) -> Result<(), String> {
        self.text(&format!("\n{GOOD}==>{GOOD:#} {HEADING}{text}{HEADING:#}\n"))
    }

    pub(super) fn say(&self, text: &str) -> Result<(), String> {
        self.text(&format!("{text}\n"))
    }

    /// What could be typed for what is done.
    pub(super) fn command(&self, command: &str) -> Result<(), String> {
        self.text(&format!("  {FAINT}${FAINT:#} {TYPED}{command}{TYPED:#}\n"))
    }

    /// What a lookup gave.
    pub(super) fn answer(&self, answer: &Answer) -> Result<(), String> {
        let lines = if answer.lines.is_empty() { vec![format!("(no records: {})", answer.code)] } else { answer.lines.clone() };
        lines.iter().try_for_each(|line| self.text(&format!("  {line}\n")))
    }

    pub(super) fn took(&self, what: &str, time: Duration) -> Result<(), String> {
        let shown = match time.as_millis() {
            0 => "less than a millisecond".to_owned(),
            millis @ 1..1_000 => format!("{millis} ms"),
            _ => format!("{:.1} s", time.as_secs_f64()),
        };
        self.text(&format!("  {what} {GOOD}{}{shown}{GOOD:#}\n", GOOD.bold()))
    }

    /// Text that is shaped already.
    pub(super) fn text(&self, text: &str) -> Result<(), String> {
        output::show(text).map_err(|failure| failure.message)
    }
}

/// This program as it was called.
pub(super) fn program() -> String {
    env::args().next().unwrap_or_else(|| "tidings".to_owned())
}
