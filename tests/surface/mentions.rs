//! What a feature file names of the program's surface. Text is read as people write it: names stand in quotes,
//! backticks, table cells or doc strings. Comments name nothing.

use toml::de::{DeTable, DeValue};

/// One name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) text: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// All names in some feature files, by kind.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// Method and path without its query, or a path under `/v1` alone.
    pub(crate) routes: Vec<Mention>,
    /// With their hyphens.
    pub(crate) flags: Vec<Mention>,
    /// The words that follow `tidings` in a command line, up to the first that is no plain word.
    pub(crate) commands: Vec<Mention>,
    /// Environment variables of the program.
    pub(crate) variables: Vec<Mention>,
    /// Keys in TOML doc strings, dotted from the root of the file.
    pub(crate) keys: Vec<Mention>,
    /// Keys in TOML doc strings that are scenarios of the simulator, which have a title.
    pub(crate) scenario_keys: Vec<Mention>,
    /// From `/problems/` on.
    pub(crate) problems: Vec<Mention>,
    /// Names of metrics.
    pub(crate) metrics: Vec<Mention>,
    /// DNS names without the domain; `@` for the domain itself.
    pub(crate) names: Vec<Mention>,
}

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Mentions {
    /// Adds what this file names. `domain` is the one that the names in features end in.
    pub(crate) fn read(&mut self, file: &str, text: &str, domain: &str) {
        let mut doc: Option<Doc> = None;
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            match doc.as_mut() {
                Some(open) if line == open.fence => {
                    let doc = doc.take().expect("it is open");
                    self.doc(file, &doc, domain);
                }
                Some(open) => open.lines.push(line),
                None if line.starts_with('#') => {}
                None => match ["\"\"\"", "```"].into_iter().find(|fence| line.starts_with(fence)) {
                    Some(fence) => doc = Some(Doc { fence, first: number + 1, lines: Vec::new() }),
                    None => self.line(file, number, line, domain, false),
                },
            }
        }
    }

    /// Adds what a whole scenario names.
    pub(crate) fn read_scenario(&mut self, file: &str, text: &str) {
        let lines = text.lines().collect();
        self.doc(file, &Doc { fence: "", first: 1, lines }, "");
    }

    fn doc(&mut self, file: &str, doc: &Doc<'_>, domain: &str) {
        let toml = doc.is_toml();
        for (line, number) in doc.lines.iter().zip(doc.first..) {
            if !toml {
                self.line(file, number, line, domain, true);
            }
        }
        if toml {
            let text = doc.lines.join("\n");
            // A file that is wrong on purpose names the keys that can be read.
            let (table, _) = DeTable::parse_recoverable(&text);
            let line_of = |offset: usize| doc.first + text[..offset].matches('\n').count();
            let mentions = if table.get_ref().contains_key("title") { &mut self.scenario_keys } else { &mut self.keys };
            keys(table.get_ref(), "", &mut |text, offset| {
                mentions.push(Mention { text, file: file.to_owned(), line: line_of(offset) });
            });
        }
    }

    fn line(&mut self, file: &str, number: usize, line: &str, domain: &str, in_doc: bool) {
        let at = |text: String| Mention { text, file: file.to_owned(), line: number };
        let words: Vec<&str> = line.split(is_delimiter).filter(|word| !word.is_empty() && *word != "|").collect();
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map_or("", |before| words[before]);
            self.routes.extend(routes(before, word).into_iter().map(at));
            self.flags.extend(flag(word).map(at));
            self.names.extend(name(word, domain).map(at));
        }
        self.variables.extend(after_each(line, "TIDINGS_", |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_').map(at));
        for start in ["tidings_", "process_"] {
            self.metrics.extend(after_each(line, start, |c| c.is_ascii_lowercase() || c == '_').map(at));
        }
        self.problems.extend(after_each(line, "/problems/", |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-').map(at));
        self.commands.extend(commands(line, in_doc).into_iter().map(at));
    }
}

struct Doc<'a> {
    fence: &'a str,
    first: usize,
    lines: Vec<&'a str>,
}

impl Doc<'_> {
    /// True when the first line that says something is a table or a key with its value.
    fn is_toml(&self) -> bool {
        let first = self.lines.iter().find(|line| !line.is_empty() && !line.starts_with('#'));
        first.is_some_and(|line| {
            let header = line.starts_with('[') && line.ends_with(']') && !line.contains(['"', ',', '{', ' ']);
            let key = line.split_once('=').is_some_and(|(key, _)| !key.trim().is_empty() && key.trim().chars().all(is_key));
            header || key
        })
    }
}

fn is_key(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | ',' | ';' | '…')
}

/// The routes that a word names after another word: `GET|PUT` and a path or URL, or a path of the API alone.
fn routes(before: &str, word: &str) -> Vec<String> {
    let path = match word.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => word,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches(['.', ':', '!']);
    if !path.starts_with('/') {
        return Vec::new();
    }
    let methods: Vec<&str> = before.split('|').collect();
    if methods.iter().all(|method| METHODS.contains(method)) {
        methods.iter().map(|method| format!("{method} {path}")).collect()
    } else if path == "/v1" || path.starts_with("/v1/") {
        vec![path.to_owned()]
    } else {
        Vec::new()
    }
}

fn flag(word: &str) -> Option<String> {
    let name = word.strip_prefix("--")?;
    let end = name.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-').unwrap_or(name.len());
    let name = name[..end].trim_end_matches('-');
    (!name.is_empty()).then(|| format!("--{name}"))
}

fn name(word: &str, domain: &str) -> Option<String> {
    let word = word.trim_end_matches([':', '?', '!']).trim_end_matches('.').to_ascii_lowercase();
    if word.contains(['/', ':', '=']) {
        return None;
    }
    // Reverse names are below no domain.
    if word.ends_with(".in-addr.arpa") || word.ends_with(".ip6.arpa") {
        return Some(word);
    }
    if word == domain {
        return Some("@".to_owned());
    }
    word.strip_suffix(domain)?.strip_suffix('.').filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Each text that begins with `start` and goes on with at least one of such characters.
fn after_each<'a>(line: &'a str, start: &'a str, goes_on: fn(char) -> bool) -> impl Iterator<Item = String> + 'a {
    line.match_indices(start).filter_map(move |(at, _)| {
        let rest = &line[at + start.len()..];
        let end = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
        (end > 0).then(|| line[at..at + start.len() + end].to_owned())
    })
}

/// Command lines: `tidings` and words, in quotes or backticks, in a table cell, after a prompt, or on a line of a doc string.
fn commands(line: &str, in_doc: bool) -> Vec<String> {
    let starts = line.match_indices("tidings ").filter(|(at, _)| {
        let before = &line[..*at];
        before.ends_with(['"', '\'', '`']) || before.ends_with("$ ") || before.ends_with("| ") || (in_doc && before.is_empty())
    });
    let words = starts.map(|(at, start)| {
        let words = line[at + start.len()..].split(' ').map(|word| {
            let end = word.find(['"', '\'', '`', '|']).unwrap_or(word.len());
            (&word[..end], end == word.len())
        });
        let mut command = Vec::new();
        for (word, goes_on) in words {
            let plain = word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if plain {
                command.push(word);
            }
            if !plain || !goes_on {
                break;
            }
        }
        command.join(" ")
    });
    words.filter(|command| !command.is_empty()).collect()
}

/// Tells of every value that is no table, by its dotted key and where the key stands.
fn keys(table: &DeTable<'_>, above: &str, tell: &mut impl FnMut(String, usize)) {
    for (key, value) in table.iter() {
        let path = if above.is_empty() { key.get_ref().to_string() } else { format!("{above}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) => keys(inner, &path, tell),
            DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
                items.iter().filter_map(|item| item.get_ref().as_table()).for_each(|inner| keys(inner, &path, tell));
            }
            _ => tell(path, key.span().start),
        }
    }
}
