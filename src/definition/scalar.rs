//! Numbers and durations, as strictly as they are described.

use serde_json::Value;

/// Digits of a number in a duration.
pub const DIGITS: usize = 9;

/// A whole number, `80.0` included: JSON does not tell the two apart (RFC 8259, 6).
pub(super) fn whole(value: &Value) -> Option<u64> {
    let exact = |float: f64| (float >= 0.0 && float <= f64::from(u32::MAX) && float.fract() == 0.0).then_some(float as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(exact))
}

/// Whole numbers of `h`, `m`, `s` and `ms`, the largest first, each once, with a space between or none.
pub(super) fn is_duration(text: &str) -> bool {
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
            assert!(is_duration(text) && text.parse::<jiff::SignedDuration>().is_ok(), "{text}");
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
            assert!(!is_duration(text), "{text}");
        }
    }
}
