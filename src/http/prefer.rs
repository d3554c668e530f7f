//! `Prefer: wait=30` (RFC 7240, 4.3): how long a read may wait for a change of what it shows.

use std::time::Duration;

use axum::http::HeaderMap;

/// The longest wait; one that asks for more gets this.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How long the client would wait. What is no preference, or none that is known, is passed over, as that RFC has it.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(|value| split_unquoted(value, ','));
    // Of several, the first one counts.
    let (_, value) = preferences.filter_map(name_and_value).find(|(name, _)| name.eq_ignore_ascii_case("wait"))?;
    let seconds = value.trim_matches('"');
    let digits = !seconds.is_empty() && seconds.bytes().all(|octet| octet.is_ascii_digit());
    // A number that fits nothing is long all the same.
    digits.then(|| Duration::from_secs(seconds.parse().unwrap_or(u64::MAX)).min(LONGEST_WAIT))
}

/// A preference without its parameters.
fn name_and_value(preference: &str) -> Option<(&str, &str)> {
    let (name, value) = split_unquoted(preference, ';').next()?.split_once('=')?;
    Some((name.trim(), value.trim()))
}

/// The parts of a text between separators that stand in no quoted string (RFC 9110, 5.6.4).
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let ends = c == separator && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_among_preferences() {
        let check = |values: &[&str], seconds: Option<u64>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("prefer", value.parse().unwrap());
            }
            assert_eq!(wait(&headers), seconds.map(Duration::from_secs), "{values:?}");
        };
        check(&["wait=30"], Some(30));
        check(&["Wait = \"30\""], Some(30));
        check(&["respond-async, wait=7;strict"], Some(7));
        check(&["respond-async", "wait=7", "wait=8"], Some(7));
        check(&["a=\"x, wait=1\\\", wait=2\", wait=3"], Some(3));
        check(&["wait=301"], Some(300));
        check(&["wait=99999999999999999999999"], Some(300));
        check(&["wait=0"], Some(0));
        for none in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "waits=1", ""] {
            check(&[none], None);
        }
        check(&[], None);
    }
}
