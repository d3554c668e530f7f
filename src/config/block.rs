//! A table of a file that is read elsewhere, and the line that each part of it stands on.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use toml::{Spanned, de::DeValue};

use super::file::{self, Line};
use crate::model::instance::escape_pointer;

/// A value as JSON has it, so that one reader serves files and the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What is written. What JSON does not know is there as a text.
    pub value: Value,
    /// The line of each part, by its JSON pointer (RFC 6901).
    lines: BTreeMap<String, usize>,
}

impl Block {
    /// A whole file.
    ///
    /// # Errors
    /// Why it is no TOML.
    pub fn parse(text: &str) -> Result<Block, Vec<Line<String>>> {
        let table = file::toml_of(text)?;
        Ok(Block::read(&DeValue::Table(table), 1, &|offset| file::line_of(text, offset)))
    }

    /// A value of a file. `line_of` knows the line of an offset, `line` that of the value itself.
    pub(super) fn read(value: &DeValue<'_>, line: usize, line_of: &dyn Fn(usize) -> usize) -> Block {
        let mut lines = BTreeMap::from([(String::new(), line)]);
        let value = convert(value, "", line_of, &mut lines);
        Block { value, lines }
    }

    /// The line of what a JSON pointer names, or where that is not there, of what it would be a part of.
    pub fn line_of(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            match (self.lines.get(pointer), pointer.rsplit_once('/')) {
                (Some(line), _) => return *line,
                (None, Some((parent, _))) => pointer = parent,
                (None, None) => return 1,
            }
        }
    }
}

fn convert(value: &DeValue<'_>, at: &str, line_of: &dyn Fn(usize) -> usize, lines: &mut BTreeMap<String, usize>) -> Value {
    let part = |token: &str, start: usize, value: &Spanned<DeValue<'_>>, lines: &mut BTreeMap<String, usize>| {
        let pointer = format!("{at}/{}", escape_pointer(token));
        lines.insert(pointer.clone(), line_of(start));
        convert(value.get_ref(), &pointer, line_of, lines)
    };
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok().and_then(Number::from_f64);
            parsed.map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => {
            Value::Array(items.iter().enumerate().map(|(n, item)| part(&n.to_string(), item.span().start, item, lines)).collect())
        }
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(name, value)| {
                let key = name.get_ref().to_string();
                let value = part(&key, name.span().start, value, lines);
                (key, value)
            });
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}
