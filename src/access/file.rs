//! A file of tokens (TOML): a `[[token]]` table for each, with the hash of its secret and never the secret itself.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Scope, Token};

/// Tokens that a file may have: each is looked at in each request that shows one.
const TOKENS: usize = 1_000;
const HASH: &str = "sha256:";

/// The fields of a `[[token]]` table.
pub const FIELDS: [&str; 4] = ["name", "hash", "scopes", "expires"];

/// What is wrong with a file, each with its line, counted from 1.
pub type Flaws = Vec<(usize, String)>;

/// Understands the text of a file of tokens.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Token>, Flaws> {
    let line_of = |offset: usize| 1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|octet| **octet == b'\n').count();
    let table =
        DeTable::parse(text).map_err(|error| vec![(error.span().map_or(1, |span| line_of(span.start)), error.message().to_owned())])?;
    let mut flaws = Flaws::new();
    let mut tokens = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        match (key.get_ref().as_ref(), value.get_ref().as_array()) {
            ("token", Some(items)) if items.iter().all(|item| item.get_ref().is_table()) => {
                for item in items.iter() {
                    let mut reader = Reader { flaws: &mut flaws, line_of: &line_of, line: line_of(item.span().start) };
                    tokens.extend(item.get_ref().as_table().and_then(|table| reader.token(table)));
                }
            }
            ("token", _) => flaws.push((line, "token is a list of tables: write [[token]] and the fields of each below it".into())),
            (other, _) => flaws.push((line, format!("unknown key {other}; a file of tokens has [[token]] tables and nothing else"))),
        }
    }
    let mut names = BTreeSet::new();
    flaws.extend(
        tokens
            .iter()
            .filter(|(_, token)| !names.insert(token.name.as_str()))
            .map(|(line, token)| (*line, format!("another token is called {:?}", token.name))),
    );
    if tokens.len() > TOKENS {
        flaws.push((1, format!("there are {} tokens; at most {TOKENS} are allowed", tokens.len())));
    }
    flaws.sort_by_key(|(line, _)| *line);
    if flaws.is_empty() { Ok(tokens.into_iter().map(|(_, token)| token).collect()) } else { Err(flaws) }
}

struct Reader<'a> {
    flaws: &'a mut Flaws,
    line_of: &'a dyn Fn(usize) -> usize,
    line: usize,
}

impl Reader<'_> {
    fn token(&mut self, table: &DeTable<'_>) -> Option<(usize, Token)> {
        let (mut name, mut hash, mut scopes, mut expires) = (None, None, None, None);
        for (key, value) in table {
            let line = (self.line_of)(value.span().start);
            match key.get_ref().as_ref() {
                "name" => {
                    name = self.read(line, "name", value, |text| {
                        if text.is_empty() || text.len() > 63 { Err("takes 1 to 63 octets".into()) } else { Ok(text.to_owned()) }
                    })
                }
                "hash" => hash = self.read(line, "hash", value, hash_of),
                "expires" => expires = self.read(line, "expires", value, time_of),
                "scopes" => scopes = self.scopes(line, value),
                other => self.flaws.push((line, format!("unknown key {other}; known are {}", FIELDS.join(", ")))),
            }
        }
        for (field, is_there) in
            [("name", table_has(table, "name")), ("hash", table_has(table, "hash")), ("scopes", table_has(table, "scopes"))]
        {
            if !is_there {
                self.flaws.push((self.line, format!("{field} is missing")));
            }
        }
        Some((self.line, Token { name: name?, hash: hash?, scopes: scopes?, expires }))
    }

    fn scopes(&mut self, line: usize, value: &Spanned<DeValue<'_>>) -> Option<Vec<Scope>> {
        let items = value.get_ref().as_array().filter(|items| !items.is_empty());
        let Some(items) = items else {
            self.flaws.push((line, r#"scopes takes a list of texts, as in scopes = ["read"]"#.into()));
            return None;
        };
        items.iter().map(|item| self.read(line, "scopes", item, str::parse)).collect()
    }

    fn read<T>(&mut self, line: usize, field: &str, value: &Spanned<DeValue<'_>>, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let result = match value.get_ref().as_str() {
            Some(text) => parse(text),
            None => Err("takes a text in quotes".into()),
        };
        result.map_err(|what| self.flaws.push((line, format!("{field}: {what}")))).ok()
    }
}

fn table_has(table: &DeTable<'_>, field: &str) -> bool {
    table.keys().any(|key| key.get_ref() == field)
}

fn hash_of(text: &str) -> Result<[u8; 32], String> {
    let form = "takes sha256: and 64 hexadecimal digits, as `tidings tokens generate` prints them; the secret itself has no place here";
    let digits = text.strip_prefix(HASH).filter(|digits| digits.len() == 64 && digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
    let digits = digits.ok_or(form)?;
    let mut hash = [0; 32];
    for (place, octet) in hash.iter_mut().enumerate() {
        *octet = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).map_err(|_| form)?;
    }
    Ok(hash)
}

fn time_of(text: &str) -> Result<SystemTime, String> {
    let time: Timestamp = text.parse().map_err(|_| format!("{text:?} is no time: it takes RFC 3339, as in \"2027-01-31T12:00:00Z\""))?;
    // What was before 1970 is over, too.
    Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(time.as_millisecond().try_into().unwrap_or(0)))
}

impl Token {
    /// Its table, as it stands in a file.
    pub fn table(&self) -> String {
        let mut table = format!("[[token]]\nname = {}\nhash = \"{HASH}", toml_text(&self.name));
        for octet in self.hash {
            let _ = write!(table, "{octet:02x}");
        }
        let scopes: Vec<String> = self.scopes.iter().map(|scope| toml_text(&scope.to_string())).collect();
        let _ = writeln!(table, "\"\nscopes = [{}]", scopes.join(", "));
        if let Some(end) = self.expires.and_then(|end| Timestamp::try_from(end).ok()) {
            let _ = writeln!(table, "expires = \"{end:.0}\"");
        }
        table
    }
}

fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str) -> Token {
        let scopes = vec![Scope::Read, Scope::Register("web".into())];
        Token { name: name.into(), hash: [0xa7; 32], scopes, expires: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)) }
    }

    #[test]
    fn tokens_are_read_as_they_were_written() {
        let (one, other) = (token("ci \"one\""), Token { expires: None, scopes: vec![Scope::Operate], ..token("b") });
        assert_eq!(parse(&format!("# ours\n{}\n{}", one.table(), other.table())).unwrap(), [one, other]);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_line() {
        let text = "[[token]]\nname = \"a\"\nhash = \"tidings_secret\"\nscopes = [\"write\"]\nexpires = \"soon\"\n\n[[token]]\nname = 7\ncolour = \"red\"\n\n[other]";
        let flaws = parse(text).unwrap_err();
        let expected = [
            (3, "hash: takes sha256:"),
            (4, "scopes: \"write\" is no scope"),
            (5, "expires: \"soon\" is no time"),
            (7, "hash is missing"),
            (7, "scopes is missing"),
            (8, "name: takes a text in quotes"),
            (9, "unknown key colour"),
            (11, "unknown key other"),
        ];
        assert_eq!(flaws.len(), expected.len(), "{flaws:?}");
        for ((line, what), (on, says)) in flaws.iter().zip(expected) {
            assert!(*line == on && what.starts_with(says), "{line}: {what}, not {on}: {says}");
        }
        assert!(!format!("{flaws:?}").contains("tidings_secret"));
        assert_eq!(
            parse(&[token("a").table(), token("a").table()].concat()).unwrap_err(),
            [(6, "another token is called \"a\"".to_owned())]
        );
        assert_eq!(parse("[[token]\n").unwrap_err()[0].0, 1);
    }
}
