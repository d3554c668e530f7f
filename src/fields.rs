//! Fields of JSON objects: read, or refused with everything that is wrong with them, and described.
//!
//! [`Reading`] reads what people write, be it JSON or TOML. [`schema`] has the words of JSON Schema that say the same of it.

pub mod scalar;
pub mod schema;

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use serde_json::{Map, Value};

use self::scalar::{read_duration, whole};
use crate::model::{
    NameError, Status,
    instance::{Flaw, escape_pointer},
};

/// Characters of a wrong value that are repeated to whoever sent it.
const SHOWN: usize = 80;

/// An object that is being read, and what was found wrong with it so far.
pub struct Reading<'a> {
    fields: &'a Map<String, Value>,
    flaws: Vec<Flaw>,
    what: &'static str,
    known: &'static [&'static str],
}

impl<'a> Reading<'a> {
    /// Begins to read what should be `what` ("a check"), of which these fields are known.
    ///
    /// # Errors
    /// The flaw, where the value is no object.
    pub fn new(value: &'a Value, what: &'static str, known: &'static [&'static str]) -> Result<Reading<'a>, Flaw> {
        match value {
            Value::Object(fields) => Ok(Reading { fields, flaws: Vec::new(), what, known }),
            other => Err(Flaw::new("", format!("is {}; {what} is an object", Shown(other)))),
        }
    }

    /// Everything that was found wrong.
    pub fn into_flaws(self) -> Vec<Flaw> {
        self.flaws
    }

    /// Notes something that is wrong, at a pointer from the object that is read.
    pub fn flaw(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.flaws.push(Flaw::new(pointer, detail));
    }

    /// Notes what is wrong with something that stands at this pointer.
    pub fn flaws_at(&mut self, pointer: &str, flaws: Vec<Flaw>) {
        self.flaws.extend(flaws.into_iter().map(|flaw| Flaw::new(format!("{pointer}{}", flaw.pointer), flaw.detail)));
    }

    /// The value of a field, if it is there.
    pub fn optional(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field)
    }

    /// The value of a field that must be there.
    pub fn required(&mut self, field: &str) -> Option<&'a Value> {
        let value = self.fields.get(field);
        if value.is_none() {
            self.flaw(format!("/{field}"), format!("is missing; {} has one", self.what));
        }
        value
    }

    /// A string.
    pub fn text(&mut self, pointer: &str, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            self.flaw(pointer, format!("is {}; it is a string", Shown(value)));
        }
        text
    }

    /// A name, which says itself what is wrong with it.
    pub fn name<T: FromStr<Err = NameError>>(&mut self, pointer: &str, value: &'a Value) -> Option<T> {
        let text = self.text(pointer, value)?;
        text.parse().map_err(|error: NameError| self.flaw(pointer, error.to_string())).ok()
    }

    /// 1 to 65535. A number in a string is not taken for one: what is stored would differ from what was sent.
    pub fn number(&mut self, pointer: &str, value: &Value, what: &str) -> Option<u16> {
        let number = whole(value).and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
        if number.is_none() {
            self.flaw(pointer, format!("is {}; {what} is a whole number from 1 to 65535", Shown(value)));
        }
        number
    }

    /// For example `"10s"` or `"1m 30s"`.
    pub fn duration(&mut self, pointer: &str, value: &Value) -> Option<Duration> {
        let duration = value.as_str().and_then(read_duration);
        if duration.is_none() {
            self.flaw(pointer, format!(r#"is {}; a duration is a string such as "10s" or "1m 30s""#, Shown(value)));
        }
        duration
    }

    /// A word for a status.
    pub fn status(&mut self, pointer: &str, value: &Value) -> Option<Status> {
        let all = [Status::Passing, Status::Warning, Status::Critical];
        let status = all.into_iter().find(|status| value.as_str() == Some(status.as_str()));
        if status.is_none() {
            self.flaw(pointer, format!(r#"is {}; a status is "passing", "warning" or "critical""#, Shown(value)));
        }
        status
    }

    /// The items of a list. If one is flawed none are given, so that what is said later of the places of others is right.
    pub fn list<T>(&mut self, field: &str, limit: usize, item: impl Fn(&mut Self, &str, &'a Value) -> Option<T>) -> Vec<T> {
        let pointer = format!("/{field}");
        let items = match self.optional(field) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= limit => items,
            Some(Value::Array(items)) => {
                self.flaw(pointer, format!("has {} {field}; at most {limit} are allowed", items.len()));
                return Vec::new();
            }
            Some(other) => {
                self.flaw(pointer, format!("is {}; {field} are a list", Shown(other)));
                return Vec::new();
            }
        };
        let read: Vec<_> = items.iter().enumerate().filter_map(|(index, value)| item(self, &format!("{pointer}/{index}"), value)).collect();
        if read.len() == items.len() { read } else { Vec::new() }
    }

    /// An object whose values are strings.
    pub fn pairs(&mut self, field: &str) -> BTreeMap<String, String> {
        let pairs = match self.optional(field) {
            None => return BTreeMap::new(),
            Some(Value::Object(pairs)) => pairs,
            Some(other) => {
                self.flaw(format!("/{field}"), format!("is {}; {field} is an object whose values are strings", Shown(other)));
                return BTreeMap::new();
            }
        };
        let read = |(key, value): (&String, &'a Value)| {
            let text = self.text(&format!("/{field}/{}", escape_pointer(key)), value)?;
            Some((key.clone(), text.to_owned()))
        };
        pairs.iter().filter_map(read).collect()
    }

    /// Refuses fields that are known, and have no place here for this reason.
    pub fn refuse(&mut self, fields: &[&str], why: &str) {
        for field in fields.iter().filter(|field| self.fields.contains_key(**field)) {
            self.flaw(format!("/{field}"), why);
        }
    }

    /// Refuses fields that are not known.
    pub fn refuse_unknown_fields(&mut self) {
        for name in self.fields.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let hint = match nearest(name, self.known.iter().copied()) {
                Some(field) => format!("did you mean {field:?}?"),
                None => format!("the fields are {}", self.known.join(", ")),
            };
            self.flaw(format!("/{}", escape_pointer(name)), format!("is not a field of {}; {hint}", self.what));
        }
    }
}

/// The name, of those that are known, that a misspelt one was meant to be.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > SHOWN {
        return None;
    }
    let distance = |field: &str| strsim::damerau_levenshtein(&name.to_lowercase(), field);
    known
        .into_iter()
        .map(|field| (distance(field), field))
        .filter(|(distance, field)| *distance <= field.len() / 3)
        .min()
        .map(|(_, field)| field)
}

/// A wrong value as its sender would recognise it, in few words.
pub struct Shown<'a>(pub &'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::String(text) if text.chars().count() > SHOWN => {
                write!(f, "the string {:?}...", text.chars().take(SHOWN).collect::<String>())
            }
            Value::String(text) => write!(f, "the string {text:?}"),
            Value::Array(_) => f.write_str("a list"),
            Value::Object(_) => f.write_str("an object"),
        }
    }
}
