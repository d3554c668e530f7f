//! Scenarios: which nodes there are and what network, what happens when, and what must hold then.
//!
//! A scenario is a TOML file in `simulations/`; `docs/simulations.md` describes the format. It speaks of hosts, networks and services, so
//! that the same file can be played in virtual time, in network namespaces or in containers.

pub mod action;
pub mod cast;
#[cfg(test)]
mod documented;
pub mod expectation;
mod fields;
pub mod keys;
pub mod network;
pub mod nodes;
pub mod quantity;
pub mod secrets;
mod timeline;
pub mod write;

use std::{path::Path, time::Duration};

use serde_json::Value;

pub use action::Action;
pub use cast::Nodes;
pub use expectation::Expectation;
pub use network::{Link, Network};
pub use nodes::Node;
pub use secrets::KeyName;

use crate::{
    config::{Block, Line, file},
    model::instance::Flaw,
};
use cast::Cast;
use fields::{Fields, Flaws};
use keys::{ACTIONS, EXPECTATIONS, WRITES};

/// Steps of a scenario.
pub const STEPS: usize = 1_000;
/// Characters of its title.
const TITLE: usize = 100;

/// A scenario, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// Who takes part, in their order.
    pub nodes: Vec<Node>,
    /// The network between them.
    pub network: Network,
    /// What holds on some ways beside it.
    pub links: Vec<Link>,
    /// What happens and is expected, in order.
    pub steps: Vec<Step>,
}

/// One thing that happens or is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The line that it begins on.
    pub line: usize,
    /// Its key in the file.
    pub key: &'static str,
    /// As it is written, for people.
    pub text: String,
    /// When.
    pub when: When,
    /// What.
    pub what: What,
}

/// The moment of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Since the start.
    At(Duration),
    /// Since the step before was done, or what it waited for had come true.
    After(Duration),
}

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Something happens.
    Do(Action),
    /// Something is expected.
    Expect(Expectation, Term),
}

/// How long something is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// It holds by then. The next step waits for it.
    Within(Duration),
    /// It holds all the time, beside the steps that follow.
    Throughout(Duration),
}

impl Scenario {
    /// Reads a scenario. `count` stands for the number of nodes in its place, where it gives one.
    ///
    /// # Errors
    /// All that is wrong with it, each with its line.
    pub fn read(text: &str, count: Option<usize>) -> Result<Scenario, Vec<Line<String>>> {
        let block = Block::parse(text)?;
        let flaws = Flaws::default();
        let scenario = whole(&block, &flaws, count);
        let mut lines: Vec<Line<String>> =
            flaws.into_inner().iter().map(|flaw| Line { line: block.line_of(&flaw.pointer), value: said(flaw) }).collect();
        lines.sort_by_key(|flaw| flaw.line);
        scenario.filter(|_| lines.is_empty()).ok_or(lines)
    }

    /// The same for a file.
    ///
    /// # Errors
    /// All that is wrong with it, a sentence each, with file and line.
    pub fn load(path: &Path, count: Option<usize>) -> Result<Scenario, Vec<String>> {
        let name = path.display().to_string();
        let text = file::read(path).map_err(|error| vec![format!("{name}: can't be read: {error}")])?;
        Scenario::read(&text, count).map_err(|flaws| flaws.iter().map(|flaw| flaw.within(&name)).collect())
    }

    /// Some nodes in few words.
    pub fn said(&self, nodes: &Nodes) -> String {
        cast::said(nodes, |node| self.nodes[node].host.as_str())
    }
}

fn whole(block: &Block, flaws: &Flaws, count: Option<usize>) -> Option<Scenario> {
    let file = Fields::open(flaws, "", &block.value, &keys::FILE)?;
    file.required("title");
    let title = file.parsed("title", |text| match text.chars().count() {
        1..=TITLE if !text.contains('\n') => Ok(text.to_owned()),
        _ => Err(format!("takes 1 to {TITLE} characters on one line")),
    });
    let (nodes, cast) = nodes::read(&file, count);
    if cast.names.is_empty() {
        return None;
    }
    let (network, links) = network::read(&file, flaws, &cast);
    file.required("step");
    let items = file.list("step", STEPS).unwrap_or_default();
    let steps: Vec<(String, Step)> =
        items.into_iter().filter_map(|(pointer, value)| Some((pointer.clone(), step(&pointer, value, block, flaws, &cast)?))).collect();
    // What is said of the whole is right only where nothing is left out of it.
    if flaws.is_empty() {
        timeline::check_moments(&steps, flaws);
        timeline::check_story(&nodes, &steps, &cast, flaws);
    }
    Some(Scenario { title: title?, nodes, network, links, steps: steps.into_iter().map(|(_, step)| step).collect() })
}

fn step(pointer: &str, value: &Value, block: &Block, flaws: &Flaws, cast: &Cast) -> Option<Step> {
    let deeds = || ACTIONS.iter().chain(EXPECTATIONS).map(|table| table.name);
    let fields = Fields::open_with(flaws, pointer, value, keys::STEP.keys.iter().copied().chain(deeds()).collect())?;
    let when = when(&fields);
    let [key] = fields.those(deeds())[..] else {
        let found = fields.those(deeds());
        fields.flawed(match found.is_empty() {
            true => "has neither an action nor an expectation".to_owned(),
            false => format!("is several at once ({}); write a step for each", found.join(", ")),
        });
        return None;
    };
    let table = keys::deed(key)?;
    let what = if ACTIONS.contains(table) {
        refuse(&fields, &["within", "throughout"], "is for an expectation");
        action::read(&fields, table, cast).map(What::Do)
    } else {
        let term = term(&fields);
        expectation::read(&fields, table, cast).zip(term).map(|(expectation, term)| What::Expect(expectation, term))
    };
    if !WRITES.contains(&key) {
        refuse(&fields, &["refused", "unanswered"], "is for a write, which an agent answers");
    }
    let text = format!("{key} = {}", written(fields.get(key)?, table.keys));
    Some(Step { line: block.line_of(pointer), key: table.name, text, when: when?, what: what? })
}

fn refuse(fields: &Fields<'_>, keys: &[&'static str], why: &str) {
    fields.those(keys.iter().copied()).into_iter().for_each(|key| fields.flaw(key, why));
}

fn when(fields: &Fields<'_>) -> Option<When> {
    match (fields.has("at"), fields.has("after")) {
        (true, true) => {
            fields.flaw("after", "is one too many beside at");
            None
        }
        (true, false) => fields.duration("at").map(When::At),
        (false, true) => fields.duration("after").map(When::After),
        (false, false) => Some(When::After(Duration::ZERO)),
    }
}

fn term(fields: &Fields<'_>) -> Option<Term> {
    match (fields.has("within"), fields.has("throughout")) {
        (true, false) => fields.duration("within").map(Term::Within),
        (false, true) => fields.duration("throughout").map(Term::Throughout),
        (true, true) => {
            fields.flaw("throughout", "is one too many beside within");
            None
        }
        (false, false) => {
            fields.flawed("says not how long it is expected: within for by then, or throughout for all the time");
            None
        }
    }
}

/// A flaw as whoever wrote the file would look for it; its line says of which step it is.
fn said(flaw: &Flaw) -> String {
    let tokens = flaw.pointer.split('/').filter(|token| !token.is_empty() && !token.bytes().all(|octet| octet.is_ascii_digit()));
    let path = tokens.map(|token| token.replace("~1", "/").replace("~0", "~")).collect::<Vec<_>>().join(".");
    if path.is_empty() { flaw.detail.clone() } else { format!("{path} {}", flaw.detail) }
}

/// A value as TOML has it, on one line, with its keys in this order.
fn written(value: &Value, order: &[&str]) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(|item| written(item, &[])).collect::<Vec<_>>().join(", ")),
        Value::Object(pairs) => {
            let mut pairs: Vec<(&String, &Value)> = pairs.iter().collect();
            pairs.sort_by_key(|(key, _)| order.iter().position(|known| *known == key.as_str()));
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {}", written(value, &[]))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
