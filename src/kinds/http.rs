//! A check that asks over HTTP/1.1 and judges the status of the answer.

mod run;
mod statuses;

use std::{collections::BTreeMap, ops::RangeInclusive, path::PathBuf, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Field, Kind, Way,
    target::{HOST, PORT, is_host, is_port},
};
use crate::{
    fields::{
        Reading, Shown,
        scalar::whole,
        schema::{self, defaults},
    },
    model::instance::escape_pointer,
};

/// Ranges of statuses that may be named.
const STATUSES: usize = 16;
/// Redirections that may be followed.
const REDIRECTS: u8 = 10;
/// A token of HTTP (RFC 9110, 5.6.2): a method, or the name of a header.
const TOKEN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/// A character of a path or a query.
const TARGET: &str = r"[!$-;=?-\[\]_a-z~]";

/// A request, and which answers to it are good.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Http {
    /// `http://` or `https://`.
    #[serde(rename = "http")]
    url: String,
    /// In upper case.
    method: String,
    /// Sent along, to the target that is named and to no other. They may hold secrets.
    headers: BTreeMap<String, String>,
    /// Those that pass; all others are critical, but for 429, which is a warning where it does not pass.
    #[serde(with = "statuses")]
    #[schemars(with = "Vec<String>")]
    statuses: Vec<RangeInclusive<u16>>,
    /// Redirections that are followed; 0 judges the redirection itself.
    redirects: u8,
    /// Certificates in PEM, to trust in place of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    /// Whether the certificate of the target is verified.
    verify: bool,
}

impl Kind for Http {
    const FIELDS: &'static [Field] = &[
        Field {
            name: "http",
            schema: || {
                let pattern = format!(r"^[Hh][Tt][Tt][Pp][Ss]?://{HOST}(:{PORT})?([/?]{TARGET}*)?$");
                json!({"type": "string", "description": "A URL", "pattern": pattern})
            },
        },
        Field { name: "method", schema: || defaults(json!({"type": "string", "pattern": TOKEN}), "GET") },
        Field {
            name: "headers",
            schema: || {
                let values = json!({"type": "string", "pattern": r"^[\t -~]*$"});
                json!({"type": "object", "propertyNames": {"pattern": TOKEN}, "additionalProperties": values})
            },
        },
        Field {
            name: "statuses",
            schema: || {
                let items = statuses::schema();
                json!({"type": "array", "maxItems": STATUSES, "description": "200-299 unless said", "items": items})
            },
        },
        Field { name: "redirects", schema: || defaults(schema::whole(0, REDIRECTS.into()), 0) },
        Field {
            name: "ca_file",
            schema: || json!({"type": "string", "description": "A file of PEM certificates on the host of the agent"}),
        },
        Field { name: "verify", schema: || defaults(json!({"type": "boolean"}), true) },
    ];
    const TAKES: &'static str = "a URL";
    const WAY: Way<Self> = Way::Asks(|it| Arc::new(it));

    fn read(reading: &mut Reading<'_>) -> Option<Http> {
        let value = reading.required("http")?;
        let url = reading.text("/http", value)?;
        if !is_url(url) || url.parse::<http::Uri>().is_err() {
            let takes = "it takes a URL with http:// or https:// and a host, and no user or fragment";
            reading.flaw("/http", format!("is {}; {takes}", Shown(value)));
        }
        let method = method(reading)?;
        let headers = headers(reading);
        let statuses = reading.list("statuses", STATUSES, statuses::read);
        let redirects = match reading.optional("redirects") {
            None => 0,
            Some(value) => redirects(reading, value)?,
        };
        let ca_file = reading.optional("ca_file").and_then(|value| reading.text("/ca_file", value)).map(PathBuf::from);
        let verify = match reading.optional("verify") {
            None => true,
            Some(Value::Bool(verify)) => *verify,
            Some(other) => {
                reading.flaw("/verify", format!("is {}; it takes true or false", Shown(other)));
                return None;
            }
        };
        let statuses = if statuses.is_empty() { vec![200..=299] } else { statuses };
        Some(Http { url: url.to_owned(), method, headers, statuses, redirects, ca_file, verify })
    }

    fn asked(&self) -> String {
        self.url.clone()
    }

    #[cfg(test)]
    fn samples() -> Vec<Value> {
        tests::samples()
    }
}

fn method(reading: &mut Reading<'_>) -> Option<String> {
    let method = match reading.optional("method") {
        None => "GET".to_owned(),
        Some(value) => reading.text("/method", value)?.to_ascii_uppercase(),
    };
    if http::Method::from_bytes(method.as_bytes()).is_err() {
        reading.flaw("/method", format!("is {method:?}; it takes a method such as GET or HEAD"));
    }
    Some(method)
}

fn headers(reading: &mut Reading<'_>) -> BTreeMap<String, String> {
    let headers = reading.pairs("headers");
    for (name, value) in &headers {
        let visible = value.bytes().all(|octet| matches!(octet, b'\t' | b' '..=b'~'));
        if http::HeaderName::try_from(name.as_str()).is_err() || !visible {
            let pointer = format!("/headers/{}", escape_pointer(name));
            reading.flaw(pointer, "is no header: a name and a value in visible ASCII");
        }
    }
    headers
}

fn redirects(reading: &mut Reading<'_>, value: &Value) -> Option<u8> {
    let number = whole(value).and_then(|number| u8::try_from(number).ok()).filter(|number| *number <= REDIRECTS);
    if number.is_none() {
        reading.flaw("/redirects", format!("is {}; it takes a whole number from 0 to {REDIRECTS}", Shown(value)));
    }
    number
}

/// A URL that can be asked for: nothing in it is left out of the request.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let sound = match authority.rsplit_once(':').filter(|_| !authority.ends_with(']')) {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(authority),
    };
    let visible = |octet: u8| matches!(octet, b'!' | b'$'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~');
    sound && target.bytes().all(visible) && ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests;
