//! JSON whose objects name each key once. What is read of two that are the same differs between readers (RFC 8259, 4), so
//! that somebody who looked at a body before this agent may have seen another one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::model::instance::{Flaw, escape_pointer};

/// The value of a text, and each key that stands twice in one object, at its JSON pointer.
///
/// # Errors
/// When it is no JSON.
pub(super) fn read(text: &str) -> Result<(Value, Vec<Flaw>), serde_json::Error> {
    let mut reading = Reading { pointer: String::new(), flaws: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Place(&mut reading).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, reading.flaws))
}

/// Where the reading is, and what was found so far.
struct Reading {
    pointer: String,
    flaws: Vec<Flaw>,
}

impl Reading {
    /// Does something one step further down.
    fn within<T>(&mut self, token: &str, act: impl FnOnce(&mut Reading) -> T) -> T {
        let here = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escape_pointer(token));
        let done = act(self);
        self.pointer.truncate(here);
        done
    }
}

/// One value.
struct Place<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = self.0.within(&list.len().to_string(), |reading| items.next_element_seed(Place(reading)))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = pairs.next_key::<String>()? {
            let value = self.0.within(&key, |reading| {
                if object.contains_key(&key) {
                    reading.flaws.push(Flaw::new(reading.pointer.clone(), "is there twice; give it once"));
                }
                pairs.next_value_seed(Place(reading))
            })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_found_where_it_is() {
        let check = |text: &str, pointers: &[&str]| {
            let (_, flaws) = read(text).unwrap();
            assert_eq!(flaws.iter().map(|flaw| flaw.pointer.as_str()).collect::<Vec<_>>(), pointers, "{text}");
        };
        check(r#"{"a": 1, "b": {"a": 1}, "c": [{"a": 1}, {"a": 1}]}"#, &[]);
        check(r#"{"a": 1, "a": 1}"#, &["/a"]);
        check(r#"{"a": 1, "\u0061": 2, "a": 3}"#, &["/a", "/a"]);
        check(r#"{"x": [0, {"a/b": {"c": 1, "c": 2}}], "x": null}"#, &["/x/1/a~1b/c", "/x"]);
    }

    #[test]
    fn what_is_no_json_is_none_here_either() {
        for text in ["", "{", "{} {}", "[1,]", "nul", "1e999", r#"{"a" 1}"#, &"[".repeat(200)] {
            assert!(read(text).is_err() && serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_read_as_serde_json_reads_it(value in value()) {
            let text = value.to_string();
            let (read, flaws) = read(&text).unwrap();
            prop_assert_eq!(&read, &serde_json::from_str::<Value>(&text).unwrap());
            prop_assert!(flaws.is_empty());
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".{0,4}", inner, 0..4).prop_map(|pairs| pairs.into_iter().collect()),
            ]
        })
    }
}
