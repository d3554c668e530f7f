//! Files of keys and of tokens.

use std::time::{Duration, SystemTime};

use tidings::{
    access,
    keyring::{Key, Keyring, lines, read_secret},
};

/// Reads lines of keys, as of a file and as `tidings keys add` does. Holds: a key is read as it is written, and no error has a secret in it.
pub fn key_file(octets: &[u8]) {
    let Ok(text) = read_secret(octets) else {
        return;
    };
    let mut keys = Vec::new();
    for (number, line) in lines(&text) {
        assert!(number <= 1 + text.matches('\n').count());
        match Key::parse(line) {
            Ok(key) => {
                assert_eq!(Key::parse(&key.text()).as_ref(), Ok(&key));
                keys.push(key);
            }
            Err(error) => keeps_secrets(line, &error),
        }
    }
    let Some(first) = keys.first().cloned() else {
        return;
    };
    match Keyring::new(keys.clone()) {
        Ok(mut ring) => {
            assert!(ring.keys().len() <= keys.len() && ring.get(first.id()) == Some(&first));
            assert_eq!(ring.ids().first(), Some(&first.id().get()));
            assert!(ring.promote(first.id()).is_ok() && ring.remove(first.id()).is_err(), "the one that encrypts stays");
        }
        Err(refusal) => keys.iter().for_each(|key| keeps_secrets(&key.text(), &refusal.to_string())),
    }
}

/// No run of eight octets of Base64 behind the colon is in the error, but for what it says to everybody.
fn keeps_secrets(line: &str, error: &str) {
    let said =
        Key::parse("").expect_err("nothing is no key") + &Key::parse("0:").expect_err("no id") + &Key::parse("1:").expect_err("no secret");
    let secret = line.rsplit(':').next().unwrap_or_default();
    let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
    for run in secret.as_bytes().windows(8).filter(|run| run.iter().all(|octet| is_digit(*octet))) {
        let run = std::str::from_utf8(run).expect("it is ASCII");
        assert!(!error.contains(run) || said.contains(run), "a part of a secret is told: {error}");
    }
}

/// Reads a file of tokens. Holds: what is read comes out again as it went in (to the second), and each flaw stands on a line.
pub fn token_file(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    let lines = 1 + text.matches('\n').count();
    match access::parse(text) {
        Ok(mut tokens) => {
            let written: String = tokens.iter().map(|token| token.table()).collect();
            let mut again = access::parse(&written).expect("what was written can be read");
            for token in tokens.iter_mut().chain(&mut again) {
                token.expires = token.expires.map(to_the_second);
            }
            assert_eq!(tokens, again);
        }
        Err(flaws) => {
            assert!(!flaws.is_empty());
            assert!(flaws.iter().all(|(line, what)| (1..=lines).contains(line) && !what.is_empty()), "{flaws:?} of {lines} lines");
        }
    }
}

fn to_the_second(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
