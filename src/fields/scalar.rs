//! Numbers and durations, as strictly as they are described.

use std::{fmt, time::Duration};

use jiff::SignedDuration;
use serde_json::Value;

/// Digits of a number in a duration.
pub const DIGITS: usize = 9;

/// A whole number, `80.0` included: JSON does not tell the two apart (RFC 8259, 6).
pub fn whole(value: &Value) -> Option<u64> {
    let exact = |float: f64| (float >= 0.0 && float <= f64::from(u32::MAX) && float.fract() == 0.0).then_some(float as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(exact))
}

/// A duration as people write it: whole numbers of `h`, `m`, `s` and `ms`, the largest first, each once, with a space between or none.
pub fn read_duration(text: &str) -> Option<Duration> {
    let signed = Some(text).filter(|text| is_duration(text))?.parse::<SignedDuration>().ok()?;
    signed.try_into().ok()
}

/// A duration as it is shown, for example `10s` or `1m 30s`: what was read is read again from it.
pub fn duration_text(duration: Duration) -> impl fmt::Display {
    struct Text(SignedDuration);
    impl fmt::Display for Text {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:#}", self.0)
        }
    }
    Text(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
}

/// For durations in what is serialized.
pub mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{duration_text, read_duration};

    /// As it is shown.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&duration_text(*duration))
    }

    /// As it is read.
    ///
    /// # Errors
    /// Where there is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        read_duration(&text).ok_or_else(|| D::Error::custom("no duration"))
    }
}

fn is_duration(text: &str) -> bool {
    let mut units = ["h", "m", "s", "ms"].as_slice();
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let unit = &behind[..behind.bytes().take_while(u8::is_ascii_alphabetic).count()];
        let Some(place) = units.iter().position(|known| *known == unit).filter(|_| (1..=DIGITS).contains(&number.len())) else {
            return false;
        };
        units = &units[place + 1..];
        match &behind[unit.len()..] {
            "" => return true,
            more => rest = more.strip_prefix(' ').unwrap_or(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (value, number) in [(json!(80), Some(80)), (json!(80.0), Some(80)), (json!(8e1), Some(80)), (json!(u64::MAX), Some(u64::MAX))] {
            assert_eq!(whole(&value), number, "{value}");
        }
        for value in [json!(80.5), json!(-1), json!(-1.0), json!(1e30), json!("80"), json!(null), json!(true)] {
            assert_eq!(whole(&value), None, "{value}");
        }
    }

    #[test]
    fn a_duration_has_its_units_in_order() {
        for text in ["10s", "100ms", "1m 30s", "1m30s", "1h 1ms", "0s", "999999999h"] {
            let duration = read_duration(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read_duration(&duration_text(duration).to_string()), Some(duration), "{text}");
        }
        for text in [
            "",
            " ",
            "10",
            "s",
            "10 s",
            "10s ",
            " 10s",
            "30s 1m",
            "1s 1s",
            "1m  30s",
            "1.5s",
            "-1s",
            "1d",
            "PT10S",
            "1 minute",
            "1000000000s",
        ] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }
}
