//! From the JSON of a check to a check.

use std::{ops::RangeInclusive, path::PathBuf};

use serde_json::Value;

use super::{Reading, Shown};
use crate::model::{
    Check, CheckId, Status,
    check::{DEFAULT_INTERVAL, DEFAULT_TIMEOUT, HttpProbe, Probe},
    instance::Flaw,
};

/// The fields of a check. One of `http`, `tcp` and `ttl` says what kind it is.
pub const FIELDS: &[&str] = &[
    "id",
    "http",
    "tcp",
    "ttl",
    "interval",
    "timeout",
    "rise",
    "fall",
    "initial",
    "method",
    "headers",
    "statuses",
    "redirects",
    "ca_file",
    "verify",
];
/// Those that only a check by HTTP has.
const HTTP_FIELDS: &[&str] = &["method", "headers", "statuses", "redirects", "ca_file", "verify"];
/// Those that a check with a ttl has no use for.
const RUN_FIELDS: &[&str] = &["interval", "timeout"];
/// Ranges of statuses that may be named.
const STATUSES: usize = 16;
/// Redirections that may be followed.
const REDIRECTS: u8 = 10;

/// The check at a pointer. What is wrong with it is added to what is wrong with the definition.
pub(super) fn read<'a>(definition: &mut Reading<'a>, pointer: &str, value: &'a Value) -> Option<Check> {
    let Value::Object(fields) = value else {
        definition.flaw(pointer, format!("is {}; a check is an object", Shown(value)));
        return None;
    };
    let mut reading = Reading { fields, flaws: Vec::new(), what: "a check", known: FIELDS };
    let check = reading.check();
    let flaws = std::mem::take(&mut reading.flaws);
    let sound = flaws.is_empty();
    definition.flaws.extend(flaws.into_iter().map(|flaw| Flaw::new(format!("{pointer}{}", flaw.pointer), flaw.detail)));
    check.filter(|_| sound)
}

impl<'a> Reading<'a> {
    fn check(&mut self) -> Option<Check> {
        self.refuse_unknown_fields();
        let id: Option<CheckId> = self.required("id").and_then(|value| self.name("/id", value));
        let interval = self.optional("interval").and_then(|value| self.duration("/interval", value)).unwrap_or(DEFAULT_INTERVAL);
        let timeout = self.optional("timeout").and_then(|value| self.duration("/timeout", value));
        let rise = self.optional("rise").and_then(|value| self.number("/rise", value, "rise")).unwrap_or(1);
        let fall = self.optional("fall").and_then(|value| self.number("/fall", value, "fall")).unwrap_or(1);
        let initial = self.optional("initial").and_then(|value| self.status("/initial", value)).unwrap_or(Status::Critical);
        let probe = self.probe();
        Some(Check { id: id?, probe: probe?, interval, timeout: timeout.unwrap_or(DEFAULT_TIMEOUT.min(interval)), rise, fall, initial })
    }

    fn probe(&mut self) -> Option<Probe> {
        let (http, tcp, ttl) = (self.optional("http"), self.optional("tcp"), self.optional("ttl"));
        if [http, tcp, ttl].iter().flatten().count() != 1 {
            self.flaw("", r#"is of no kind or of several: give it "http" (a URL), "tcp" (HOST:PORT) or "ttl" (a duration)"#);
            return None;
        }
        if http.is_none() {
            self.refuse(HTTP_FIELDS, r#"only a check with "http" has it"#);
        }
        if let Some(value) = http {
            return self.http(value);
        }
        if let Some(value) = tcp {
            return self.target(value);
        }
        self.refuse(RUN_FIELDS, r#"a check with "ttl" is told and does not run"#);
        self.duration("/ttl", ttl?).map(|ttl| Probe::Ttl { ttl })
    }

    fn refuse(&mut self, fields: &[&str], why: &str) {
        for field in fields.iter().filter(|field| self.fields.contains_key(**field)) {
            self.flaw(format!("/{field}"), why);
        }
    }

    fn target(&mut self, value: &'a Value) -> Option<Probe> {
        let text = self.text("/tcp", value)?;
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            self.flaw("/tcp", format!("is {}; it takes HOST:PORT, with an IPv6 address in brackets", Shown(value)));
            return None;
        }
        Some(Probe::Tcp { target: text.to_owned() })
    }

    fn http(&mut self, value: &'a Value) -> Option<Probe> {
        let url = self.text("/http", value)?;
        let parsed = url.parse::<http::Uri>().ok();
        let sound = parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
        if !sound {
            self.flaw("/http", format!("is {}; it takes a URL with http:// or https:// and a host", Shown(value)));
        }
        let method = match self.optional("method") {
            None => "GET".to_owned(),
            Some(value) => self.text("/method", value)?.to_ascii_uppercase(),
        };
        if http::Method::from_bytes(method.as_bytes()).is_err() {
            self.flaw("/method", format!("is {method:?}; it takes a method such as GET or HEAD"));
        }
        let headers = self.pairs("headers");
        for (name, value) in &headers {
            let sound = http::HeaderName::try_from(name.as_str()).is_ok() && http::HeaderValue::try_from(value.as_str()).is_ok();
            if !sound {
                let pointer = format!("/headers/{}", super::escape_pointer(name));
                self.flaw(pointer, "is no header: a name and a value in visible ASCII");
            }
        }
        let statuses = self.list("statuses", STATUSES, Reading::statuses);
        let redirects = match self.optional("redirects") {
            None => 0,
            Some(value) => self.redirects(value)?,
        };
        let ca_file = self.optional("ca_file").and_then(|value| self.text("/ca_file", value)).map(PathBuf::from);
        let verify = match self.optional("verify") {
            None => true,
            Some(Value::Bool(verify)) => *verify,
            Some(other) => {
                self.flaw("/verify", format!("is {}; it takes true or false", Shown(other)));
                return None;
            }
        };
        let statuses = if statuses.is_empty() { vec![200..=299] } else { statuses };
        Some(Probe::Http(HttpProbe { url: url.to_owned(), method, headers, statuses, redirects, ca_file, verify }))
    }

    fn redirects(&mut self, value: &Value) -> Option<u8> {
        let number = value.as_u64().and_then(|number| u8::try_from(number).ok()).filter(|number| *number <= REDIRECTS);
        if number.is_none() {
            self.flaw("/redirects", format!("is {}; it takes a whole number from 0 to {REDIRECTS}", Shown(value)));
        }
        number
    }

    /// `204` or `"200-299"`.
    fn statuses(&mut self, pointer: &str, value: &'a Value) -> Option<RangeInclusive<u16>> {
        let range = match value {
            Value::Number(_) => value.as_u64().and_then(|code| u16::try_from(code).ok()).map(|code| code..=code),
            Value::String(text) => {
                text.split_once('-').and_then(|(first, last)| Some(first.trim().parse().ok()?..=last.trim().parse().ok()?))
            }
            _ => None,
        };
        let sound = range.filter(|range| (100..=599).contains(range.start()) && (*range.start()..=599).contains(range.end()));
        if sound.is_none() {
            self.flaw(pointer, format!(r#"is {}; it takes a status such as 204, or a range such as "200-299""#, Shown(value)));
        }
        sound
    }

    /// A word for a status.
    pub(super) fn status(&mut self, pointer: &str, value: &Value) -> Option<Status> {
        let all = [Status::Passing, Status::Warning, Status::Critical];
        let status = all.into_iter().find(|status| value.as_str() == Some(status.as_str()));
        if status.is_none() {
            self.flaw(pointer, format!(r#"is {}; a status is "passing", "warning" or "critical""#, Shown(value)));
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::{
        definition::read,
        model::{InstanceId, Status, check::Probe},
    };

    #[test]
    fn the_kinds_are_read_with_their_defaults() {
        let registration = registration(json!([
            {"id": "alive", "http": "http://10.0.0.5:8080/health", "interval": "5s", "timeout": "1s", "fall": 3},
            {"id": "port", "tcp": "[::1]:80"},
            {"id": "beat", "ttl": "15s", "initial": "passing"},
        ]))
        .unwrap();
        let [alive, port, beat] = registration.checks.as_slice() else { panic!("{registration:?}") };
        assert_eq!((alive.interval, alive.timeout, alive.rise, alive.fall), (Duration::from_secs(5), Duration::from_secs(1), 1, 3));
        assert!(matches!(&alive.probe, Probe::Http(http) if http.method == "GET" && http.statuses == [200..=299] && http.verify));
        assert_eq!((port.interval, port.timeout, port.initial), (Duration::from_secs(10), Duration::from_secs(5), Status::Critical));
        assert_eq!((beat.probe.clone(), beat.initial), (Probe::Ttl { ttl: Duration::from_secs(15) }, Status::Passing));
    }

    #[test]
    fn each_flaw_is_found_where_it_is() {
        check(json!({"id": "a"}), "", "of no kind");
        check(json!({"id": "a", "ttl": "1s", "tcp": "a:1"}), "", "of several");
        check(json!({"ttl": "1s"}), "/id", "is missing; a check has one");
        check(json!({"id": "a b", "ttl": "1s"}), "/id", "letters, digits");
        check(json!({"id": "a", "ttl": 15}), "/ttl", r#""10s""#);
        check(json!({"id": "a", "ttl": "-1s"}), "/ttl", r#""10s""#);
        check(json!({"id": "a", "ttl": "1ms"}), "/ttl", "100ms");
        check(json!({"id": "a", "ttl": "1s", "interval": "1s"}), "/interval", "does not run");
        check(json!({"id": "a", "tcp": "host"}), "/tcp", "HOST:PORT");
        check(json!({"id": "a", "tcp": "host:80", "method": "GET"}), "/method", r#"only a check with "http""#);
        check(json!({"id": "a", "http": "host/health"}), "/http", "http://");
        check(json!({"id": "a", "http": "ftp://host"}), "/http", "http://");
        check(json!({"id": "a", "http": "http://h", "statuses": ["2xx"]}), "/statuses/0", "200-299");
        check(json!({"id": "a", "http": "http://h", "statuses": [99]}), "/statuses/0", "200-299");
        check(json!({"id": "a", "http": "http://h", "headers": {"a b": "c"}}), "/headers/a b", "no header");
        check(json!({"id": "a", "http": "http://h", "redirects": 11}), "/redirects", "0 to 10");
        check(json!({"id": "a", "http": "http://h", "verify": "no"}), "/verify", "true or false");
        check(json!({"id": "a", "http": "http://h", "intervall": "1s"}), "/intervall", r#"did you mean "interval"?"#);
        check(json!({"id": "a", "http": "http://h", "fall": 101}), "/fall", "1 to 100");
        check(json!({"id": "a", "http": "http://h", "initial": "ok"}), "/initial", r#""passing""#);
        check(json!("http://h"), "", "is the string");
    }

    #[test]
    fn two_checks_of_one_id_are_one_too_many() {
        let flaws = registration(json!([{"id": "a", "ttl": "1s"}, {"id": "a", "ttl": "2s"}])).unwrap_err();
        assert_eq!(flaws[0].pointer, "/checks/1/id");
    }

    fn check(check: serde_json::Value, pointer: &str, detail: &str) {
        let flaws = registration(json!([check])).unwrap_err();
        let found = flaws.iter().any(|flaw| flaw.pointer == format!("/checks/0{pointer}") && flaw.detail.contains(detail));
        assert!(found, "{check}: {flaws:?}");
    }

    fn registration(checks: serde_json::Value) -> Result<crate::model::Registration, Vec<crate::model::instance::Flaw>> {
        read(InstanceId::new("web-1").unwrap(), &json!({"service": "web", "port": 80, "checks": checks}))
    }
}
