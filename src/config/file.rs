//! The file as it is written: which keys it sets, to what text, on which line. What the texts mean is not looked at here.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    block::Block,
    keys::{self, Key},
};

/// Octets of the largest file that is read.
const FILE_OCTETS: u64 = 1024 * 1024;

/// A text and the line it stands on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<T> {
    /// What is written.
    pub value: T,
    /// Where.
    pub line: usize,
}

impl Line<String> {
    /// What is wrong on a line of a file, and where that is.
    pub fn within(&self, path: &str) -> String {
        format!("{path}, line {}: {}", self.line, self.value)
    }
}

/// What a file sets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// The texts of each setting, by its key in the file.
    pub settings: BTreeMap<&'static str, Line<Vec<String>>>,
    /// The pairs of `[meta]`.
    pub meta: BTreeMap<String, Line<String>>,
    /// The line of `[meta]` itself.
    pub meta_line: usize,
    /// The `[[service]]` tables.
    pub services: Vec<Block>,
    /// The `[[check]]` tables.
    pub checks: Vec<Block>,
}

/// Reads a file as text.
///
/// # Errors
/// When it can't be read, is larger than what a configuration ever is, or is not UTF-8.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_OCTETS + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_OCTETS {
        return Err(io::Error::other(format!("it is larger than {FILE_OCTETS} octets")));
    }
    Ok(text)
}

/// Understands the text of a file.
///
/// # Errors
/// All that is wrong with it: what is no TOML, unknown keys, and values of the wrong kind, each with its line.
pub fn parse(text: &str) -> Result<Written, Vec<Line<String>>> {
    let (written, errors) = parse_all(text);
    if errors.is_empty() { Ok(written) } else { Err(errors) }
}

/// The same, and where something is wrong, what could be understood besides.
pub(super) fn parse_all(text: &str) -> (Written, Vec<Line<String>>) {
    read_with(text, |reader, table| reader.table("", table))
}

/// Understands the text of a file that has `[[service]]` tables and nothing else.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_services(text: &str) -> Result<Vec<Block>, Vec<Line<String>>> {
    let (written, errors) = read_with(text, Reader::services_alone);
    if errors.is_empty() { Ok(written.services) } else { Err(errors) }
}

fn read_with<'t>(text: &'t str, read: impl FnOnce(&mut Reader<'t>, &DeTable<'_>)) -> (Written, Vec<Line<String>>) {
    let table = match toml_of(text) {
        Ok(table) => table,
        Err(errors) => return (Written::default(), errors),
    };
    let mut reader = Reader { text, written: Written::default(), errors: Vec::new() };
    read(&mut reader, &table);
    reader.errors.sort_by_key(|error| error.line);
    (reader.written, reader.errors)
}

/// The table that a text is, or why it is no TOML.
pub(super) fn toml_of(text: &str) -> Result<DeTable<'_>, Vec<Line<String>>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table.into_inner());
    }
    let line = |error: &toml::de::Error| error.span().map_or(1, |span| line_of(text, span.start));
    Err(errors.iter().map(|error| Line { line: line(error), value: error.message().to_owned() }).collect())
}

struct Reader<'t> {
    text: &'t str,
    written: Written,
    errors: Vec<Line<String>>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let line = line_of(self.text, name.span().start);
            let path = format!("{prefix}{}", name.get_ref());
            match (keys::by_file_key(&path), value.get_ref()) {
                (Some(key), value) => self.setting(key, line, value),
                (None, DeValue::Table(inner)) if path == keys::META => self.meta(line, inner),
                (None, value) if path == keys::SERVICE => self.written.services = self.blocks(&path, line, value),
                (None, value) if path == keys::CHECK => self.written.checks = self.blocks(&path, line, value),
                (None, DeValue::Table(inner)) if is_table(&path) => self.table(&format!("{path}."), inner),
                (None, _) if path == keys::META || is_table(&path) => self.error(line, not_a_table(&path)),
                (None, _) => self.error(line, unknown(&path)),
            }
        }
    }

    fn setting(&mut self, key: &'static Key, line: usize, value: &DeValue<'_>) {
        let file_key = key.file.expect("it was found by its key in the file");
        let texts = match value {
            DeValue::String(text) if !key.many => Some(vec![text.to_string()]),
            DeValue::Array(items) if key.many => items.iter().map(text_of).collect(),
            _ => None,
        };
        match texts {
            Some(value) => drop(self.written.settings.insert(file_key, Line { value, line })),
            None if key.many => self.error(line, format!(r#"{file_key} takes a list of texts, as in {file_key} = ["{}"]"#, key.value)),
            None => self.error(line, format!(r#"{file_key} takes a text in quotes, as in {} = "{}""#, last_part(file_key), key.value)),
        }
    }

    fn meta(&mut self, meta_line: usize, table: &DeTable<'_>) {
        self.written.meta_line = meta_line;
        for (name, value) in table {
            let line = line_of(self.text, name.span().start);
            match text_of(value) {
                Some(value) => drop(self.written.meta.insert(name.get_ref().to_string(), Line { value, line })),
                None => self.error(line, format!("meta.{} takes a text in quotes", name.get_ref())),
            }
        }
    }

    fn services_alone(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let line = line_of(self.text, name.span().start);
            match name.get_ref().as_ref() {
                keys::SERVICE => self.written.services = self.blocks(keys::SERVICE, line, value.get_ref()),
                other => self.error(line, format!("unknown key {other}; a service file has [[{}]] tables and nothing else", keys::SERVICE)),
            }
        }
    }

    /// The tables of a list.
    fn blocks(&mut self, name: &str, line: usize, value: &DeValue<'_>) -> Vec<Block> {
        let is_list = value.as_array().is_some_and(|items| items.iter().all(|item| item.get_ref().is_table()));
        let Some(items) = value.as_array().filter(|_| is_list) else {
            self.error(line, format!("{name} is a list of tables: write [[{name}]] and the fields of each below it"));
            return Vec::new();
        };
        let text = self.text;
        let line_of = |offset| line_of(text, offset);
        items.iter().map(|item| Block::read(item.get_ref(), line_of(item.span().start), &line_of)).collect()
    }

    fn error(&mut self, line: usize, value: String) {
        self.errors.push(Line { value, line });
    }
}

fn text_of(value: &Spanned<DeValue<'_>>) -> Option<String> {
    value.get_ref().as_str().map(str::to_owned)
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The table that a key stands in.
fn table_of(key: &str) -> Option<&str> {
    key.rsplit_once('.').map(|(table, _)| table)
}

fn is_table(path: &str) -> bool {
    keys::KEYS.iter().any(|key| key.file.and_then(table_of) == Some(path))
}

fn not_a_table(path: &str) -> String {
    let inside: Vec<&str> = keys::KEYS.iter().filter_map(|key| key.file).filter(|key| table_of(key) == Some(path)).map(last_part).collect();
    match inside.is_empty() {
        true => format!("{path} is a table: write [{path}] and its pairs below it"),
        false => format!("{path} is a table: write [{path}] and below it {}", inside.join(" or ")),
    }
}

fn unknown(path: &str) -> String {
    let meant = keys::nearest(path).map(|key| match table_of(key) {
        Some(table) if table_of(path) != Some(table) => format!("; did you mean {} in the table [{table}]?", last_part(key)),
        None if path.contains('.') => format!("; did you mean {key}, which stands above all tables?"),
        _ => format!("; did you mean {key}?"),
    });
    let hint = meant.unwrap_or_else(|| {
        let known: Vec<&str> = keys::KEYS.iter().filter_map(|key| key.file).chain(keys::TABLES).collect();
        format!("; known are {}", known.join(", "))
    });
    format!("unknown key {path}{hint}")
}

/// The line of an offset, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_can_be_written() {
        let written = parse(
            r#"
            name = "db-1"
            join = ["10.0.0.1", "seed:9000"]
            [gossip]
            listen = "10.0.0.5"
            [dns]
            domain = "corp.internal"
            [meta]
            rack = "r7"
            "#,
        )
        .unwrap();
        assert_eq!(written.settings["name"], Line { value: vec!["db-1".into()], line: 2 });
        assert_eq!(written.settings["join"].value, ["10.0.0.1", "seed:9000"]);
        assert_eq!(written.settings["gossip.listen"].line, 5);
        assert_eq!(written.settings["dns.domain"].value, ["corp.internal"]);
        assert_eq!(written.meta["rack"], Line { value: "r7".into(), line: 9 });
        assert_eq!(written.meta_line, 8);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_was_meant() {
        refused("\nnmae = \"x\"", 2, "unknown key nmae; did you mean name?");
        refused("[dns]\nlisten = \"::1\"\ndomian = \"x\"", 3, "unknown key dns.domian; did you mean dns.domain?");
        refused("advertise = \"10.0.0.1\"", 1, "unknown key advertise; did you mean advertise in the table [gossip]?");
        refused("[gossip]\njoin = []", 2, "unknown key gossip.join; did you mean join, which stands above all tables?");
        refused("[colours]\nred = 1", 1, "unknown key colours; known are name, zone, cluster");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        refused("name = 7", 1, r#"name takes a text in quotes, as in name = "NAME""#);
        refused("join = \"seed\"", 1, r#"join takes a list of texts, as in join = ["HOST[:PORT]"]"#);
        refused("join = [1]", 1, "join takes a list of texts");
        refused("gossip = \"10.0.0.5:8746\"", 1, "gossip is a table: write [gossip] and below it listen or advertise");
        refused("meta = \"x\"", 1, "meta is a table");
        refused("[meta]\nrack = 7", 2, "meta.rack takes a text in quotes");
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let errors = parse("name = \"a\"\nzone = \n").unwrap_err();
        assert_eq!(errors[0].line, 2, "{errors:?}");
        assert_eq!(parse("name = \"a\"\nname = \"b\"").unwrap_err()[0].line, 2);
    }

    #[test]
    fn all_errors_of_a_file_are_told_at_once_in_the_order_of_its_lines() {
        let errors = parse("zome = \"a\"\nname = 1\ncluser = \"b\"").unwrap_err();
        assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[track_caller]
    fn refused(text: &str, line: usize, message: &str) {
        let errors = parse(text).expect_err(text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].line, line);
        assert!(errors[0].value.contains(message), "{:?}", errors[0].value);
    }
}
