//! A table that is being read: strictly, and on to its end, whatever is wrong with it.

use std::{cell::RefCell, time::Duration};

use serde_json::{Map, Value};

use super::{keys::Table, quantity};
use crate::{
    fields::{Shown, nearest},
    model::instance::{Flaw, escape_pointer},
};

/// Everything that was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Flaws(RefCell<Vec<Flaw>>);

impl Flaws {
    pub(super) fn add(&self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.borrow_mut().push(Flaw::new(pointer, detail));
    }

    pub(super) fn extend(&self, pointer: &str, flaws: Vec<Flaw>) {
        self.0.borrow_mut().extend(flaws.into_iter().map(|flaw| Flaw::new(format!("{pointer}{}", flaw.pointer), flaw.detail)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(super) fn into_inner(self) -> Vec<Flaw> {
        self.0.into_inner()
    }
}

/// A table of the file, and the keys that it may have. What is asked for and not there, or flawed, is `None`; the flaw is noted.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// The JSON pointer to it.
    at: String,
    flaws: &'a Flaws,
}

impl<'a> Fields<'a> {
    /// Opens a table, and notes the keys that it must not have.
    pub(super) fn open(flaws: &'a Flaws, at: impl Into<String>, value: &'a Value, table: &Table) -> Option<Fields<'a>> {
        Fields::open_with(flaws, at, value, table.keys.to_vec())
    }

    /// The same for a table with these keys.
    pub(super) fn open_with(flaws: &'a Flaws, at: impl Into<String>, value: &'a Value, known: Vec<&'static str>) -> Option<Fields<'a>> {
        let at = at.into();
        let Value::Object(map) = value else {
            flaws.add(at, format!("is {}; it is a table with {}", Shown(value), known.join(", ")));
            return None;
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let hint = match nearest(name, known.iter().copied()) {
                Some(key) => format!("did you mean {key}?"),
                None => format!("known are {}", known.join(", ")),
            };
            flaws.add(format!("{at}/{}", escape_pointer(name)), format!("is not known; {hint}"));
        }
        Some(Fields { map, at, flaws })
    }

    /// The table that stands in this one.
    pub(super) fn inner(&self, table: &Table) -> Option<Fields<'a>> {
        Fields::open(self.flaws, self.pointer(table.name), self.get(table.name)?, table)
    }

    pub(super) fn flaws(&self) -> &'a Flaws {
        self.flaws
    }

    pub(super) fn pointer(&self, key: &str) -> String {
        format!("{}/{}", self.at, escape_pointer(key))
    }

    pub(super) fn flaw(&self, key: &str, detail: impl Into<String>) {
        self.flaws.add(self.pointer(key), detail);
    }

    /// Something is wrong with the table as a whole.
    pub(super) fn flawed(&self, detail: impl Into<String>) {
        self.flaws.add(self.at.clone(), detail);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// The value under a key that must be there.
    pub(super) fn required(&self, key: &str) -> Option<&'a Value> {
        let value = self.get(key);
        if value.is_none() {
            self.flaw(key, "is missing");
        }
        value
    }

    /// The keys of `among` that are there.
    pub(super) fn those(&self, among: impl IntoIterator<Item = &'static str>) -> Vec<&'static str> {
        among.into_iter().filter(|key| self.has(key)).collect()
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.parsed(key, Ok)
    }

    /// A text that something is made of.
    pub(super) fn parsed<T>(&self, key: &str, parse: impl FnOnce(&'a str) -> Result<T, String>) -> Option<T> {
        let value = self.get(key)?;
        let Some(text) = value.as_str() else {
            self.flaw(key, format!("is {}; it takes a text in quotes", Shown(value)));
            return None;
        };
        parse(text).map_err(|detail| self.flaw(key, detail)).ok()
    }

    /// The same for a name, whose errors are sentences of their own.
    pub(super) fn name<T, E: ToString>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.parsed(key, |text| parse(text).map_err(|error| format!("is wrong: {}", error.to_string())))
    }

    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        self.parsed(key, quantity::duration)
    }

    pub(super) fn yes_or_no(&self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        if value.as_bool().is_none() {
            self.flaw(key, format!("is {}; it is true or false", Shown(value)));
        }
        value.as_bool()
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, key: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.get(key)?;
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.flaw(key, format!("is {}; it is a whole number from {least} to {most}", Shown(value)));
        }
        number
    }

    /// The items of a list, with their pointers.
    pub(super) fn list(&self, key: &str, most: usize) -> Option<Vec<(String, &'a Value)>> {
        let value = self.get(key)?;
        let Value::Array(items) = value else {
            self.flaw(key, format!("is {}; it is a list", Shown(value)));
            return None;
        };
        if items.len() > most {
            self.flaw(key, format!("has {} items; at most {most} are allowed", items.len()));
            return None;
        }
        Some(items.iter().enumerate().map(|(index, item)| (format!("{}/{index}", self.pointer(key)), item)).collect())
    }
}
