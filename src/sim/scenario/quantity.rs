//! Durations, shares and rates as a scenario writes them.

use std::{fmt, time::Duration};

/// The longest duration, and the longest that a scenario may last: 31 days.
pub const LONGEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The units of a duration, the largest first, in microseconds.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];
/// Digits of a number: more would be longer than anything.
const DIGITS: usize = 9;

/// A duration: whole numbers with their units, the largest first, each once: `"2d"`, `"1m 30s"`.
///
/// # Errors
/// What is wrong with it, and what is allowed.
pub fn duration(text: &str) -> Result<Duration, String> {
    let micros = micros(text).ok_or_else(|| {
        format!(r#"is {text:?}; a duration is whole numbers with d, h, m, s, ms or us, the largest first, such as "1m 30s""#)
    })?;
    let duration = Duration::from_micros(micros);
    if duration > LONGEST {
        return Err(format!("is {text:?}; nothing lasts longer than {}", said(LONGEST)));
    }
    Ok(duration)
}

fn micros(text: &str) -> Option<u64> {
    let mut units = UNITS.as_slice();
    let mut rest = text;
    let mut sum = 0_u64;
    loop {
        let (number, behind) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let unit = &behind[..behind.bytes().take_while(u8::is_ascii_lowercase).count()];
        let place = units.iter().position(|(known, _)| *known == unit).filter(|_| number.len() <= DIGITS)?;
        sum = sum.saturating_add(number.parse::<u64>().ok()?.saturating_mul(units[place].1));
        units = &units[place + 1..];
        match &behind[unit.len()..] {
            "" => return Some(sum),
            more => rest = more.strip_prefix(' ').unwrap_or(more),
        }
    }
}

/// A duration in the form in which it is read.
pub fn said(duration: Duration) -> String {
    let mut left = duration.as_micros() as u64;
    let mut parts = Vec::new();
    for (unit, micros) in UNITS {
        if left >= micros {
            parts.push(format!("{}{unit}", left / micros));
            left %= micros;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// A share of something, exact to a millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share(u32);

const WHOLE: u32 = 1_000_000;

impl Share {
    /// As a probability, 0 to 1.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// So much of an amount, rounded up.
    pub fn of(self, amount: usize) -> usize {
        (amount as u64 * u64::from(self.0)).div_ceil(u64::from(WHOLE)) as usize
    }

    /// What is missing to the whole.
    #[must_use]
    pub fn rest(self) -> Share {
        Share(WHOLE - self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        match fraction {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{}%", format!("{fraction:04}").trim_end_matches('0')),
        }
    }
}

/// A share, as in `"20%"` or `"0.5%"`: four places at most.
///
/// # Errors
/// What is allowed.
pub fn share(text: &str) -> Result<Share, String> {
    percent(text).ok_or_else(|| format!(r#"is {text:?}; a share is "0%" to "100%", with at most four places, such as "0.5%""#))
}

fn percent(text: &str) -> Option<Share> {
    let number = text.strip_suffix('%')?;
    let (whole, fraction) = number.split_once('.').map_or((number, "0"), |(whole, fraction)| (whole, fraction));
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit());
    if !digits(whole, 3) || !digits(fraction, 4) {
        return None;
    }
    let millionths = whole.parse::<u32>().ok()? * 10_000 + format!("{fraction:0<4}").parse::<u32>().ok()?;
    (millionths <= WHOLE).then_some(Share(millionths))
}

/// The units of a rate, in bits a second.
const RATES: [(&str, u64); 4] = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

/// A rate as in `"10Mbit"`, in octets a second.
///
/// # Errors
/// What is allowed.
pub fn rate(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
        let (_, bits) = RATES.iter().find(|(known, _)| *known == unit)?;
        let octets = number.parse::<u64>().ok().filter(|_| number.len() <= DIGITS)? * bits / 8;
        (octets > 0).then_some(octets)
    };
    read().ok_or_else(|| format!(r#"is {text:?}; a rate is a whole number of bit, kbit, Mbit or Gbit a second, such as "10Mbit""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_said_alike() {
        for (text, micros) in
            [("0s", 0), ("500us", 500), ("1m 30s", 90_000_000), ("3d", 259_200_000_000), ("1d 2h 3m 4s 5ms 6us", 93_784_005_006)]
        {
            assert_eq!(duration(text), Ok(Duration::from_micros(micros)), "{text}");
            assert_eq!(said(Duration::from_micros(micros)), text);
        }
        assert_eq!(duration("1m30s"), duration("90s"));
        for text in ["", "5", "s", "5 s", "1s 1m", "1s 1s", "-1s", "1.5s", "1w", "1s ", "1m  1s", "5S", "1234567890s"] {
            assert!(duration(text).unwrap_err().contains("1m 30s"), "{text}");
        }
        for text in ["32d", "999999999d"] {
            assert!(duration(text).unwrap_err().contains("nothing lasts longer than 31d"), "{text}");
        }
    }

    #[test]
    fn shares_are_read_and_said_alike() {
        for (text, millionths) in [("0%", 0), ("100%", WHOLE), ("20%", 200_000), ("0.5%", 5_000), ("99.9999%", 999_999), ("0.0001%", 1)] {
            assert_eq!(share(text), Ok(Share(millionths)), "{text}");
            assert_eq!(Share(millionths).to_string(), text);
        }
        for text in ["", "20", "%", "101%", "0.00001%", "-1%", "1.%", ".5%", "1e2%", "0.2"] {
            assert!(share(text).unwrap_err().contains("0.5%"), "{text}");
        }
        assert_eq!([(50, 5), (50, 4), (1, 5), (0, 5)].map(|(percent, of)| Share(percent * 10_000).of(of)), [3, 2, 1, 0]);
    }

    #[test]
    fn rates_are_octets_a_second() {
        assert_eq!(rate("10Mbit"), Ok(1_250_000));
        assert_eq!(rate("64kbit"), Ok(8_000));
        for text in ["", "10", "Mbit", "10mbit", "0bit", "7bit", "1.5Mbit", "10 Mbit", "10MB"] {
            assert!(rate(text).unwrap_err().contains("10Mbit"), "{text}");
        }
    }
}
