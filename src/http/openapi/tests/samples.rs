//! What schemas and readers are tried with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{kinds::KINDS, model::limits};

/// Values of every type, on both sides of every limit.
pub(super) fn values() -> Vec<Value> {
    let mut values = vec![json!(null), json!(true), json!(false), json!([]), json!({}), json!([[]]), json!([null]), json!([{}])];
    values.extend([0, 1, -1, 2, 10, 11, 99, 100, 101, 599, 600, 65_535, 65_536].map(Value::from));
    values.extend([0.5, 1.0, 80.0, -1.0, 1e30].map(Value::from));
    for text in texts() {
        values.extend([json!(text), json!([text]), json!({"key": text}), json!({text: "value"})]);
    }
    for count in [limits::ADDRESSES, limits::TAGS, limits::CHECKS, limits::META_PAIRS] {
        for count in [count, count + 1] {
            values.push((0..count).map(|n| json!(format!("t{n}"))).collect());
            values.push((0..count).map(|n| json!(format!("10.0.0.{n}"))).collect());
            values.push((0..count).map(|n| json!({"id": format!("c{n}"), "ttl": "10s"})).collect());
            values.push(json!((0..count).map(|n| (format!("k{n}"), "v")).collect::<BTreeMap<_, _>>()));
        }
    }
    values.push(json!(["10.0.0.1", "10.0.0.1"]));
    values.push(json!(["v1", "v1"]));
    values.extend(of_kinds().filter(|value| !value.is_string()));
    values
}

/// Texts on both sides of every pattern.
pub(super) fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\n",
        "\u{1}",
        "\u{85}",
        "\u{7f}",
        "a",
        "A",
        "web-1",
        "-a",
        "a-",
        "a.b",
        ".a",
        "a_b",
        "_a",
        "a b",
        " a",
        "a ",
        "a\n",
        "a\nb",
        "ü",
        "a:b",
        ":",
        "a:",
        ":a",
        "a~b/c",
        "tcp",
        "udp",
        "TCP",
        "passing",
        "warning",
        "critical",
        "Passing",
        "any",
        "alive",
        "down",
        "left",
        "node",
        "instance",
        "ready",
        // Addresses.
        "10.0.0.1",
        "10.0.0.01",
        "10.0.0.256",
        "10.0.0",
        "0.0.0.0",
        "0.0.0.1",
        "223.255.255.255",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "::",
        "::1",
        "0:0:0:0:0:0:0:0",
        "::0.0.0.0",
        "fd00::5",
        "ff02::1",
        "FF02::1",
        "ff::1",
        "0ff0::1",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "[::1]",
        "10.0.0.1:80",
        "1::2::3",
        "12345::",
        // Durations.
        "100ms",
        "10s",
        "1m 30s",
        "1m30s",
        "24h",
        "23h 59m 59s 999ms",
        "1h 30m",
        "1h  30m",
        "1 h",
        "10",
        "s",
        "10S",
        "1.5s",
        "-1s",
        "+1s",
        "30s 1m",
        "1s 1s",
        "10s ",
        " 10s",
        "1d",
        "PT10S",
        "1000000000ms",
        "1us",
        "1 minute",
        // Numbers, pairs, cursors.
        "0",
        "1",
        "10000",
        "10001",
        "-1",
        "1e3",
        "ten",
        "git:a1",
        "00000000000000ab",
        "00000000000000AB",
        "0ab",
        "00000000000000ab.web-1",
        "00000000000000ab.",
        "00000000000000ab.-a",
    ]
    .map(str::to_owned)
    .to_vec();
    for count in [limits::LABEL_OCTETS, limits::META_KEY_OCTETS, limits::REASON_OCTETS, limits::META_VALUE_OCTETS, limits::OUTPUT_OCTETS] {
        texts.extend([count, count + 1].map(|count| "a".repeat(count)));
    }
    texts.extend(of_kinds().filter_map(|value| value.as_str().map(str::to_owned)));
    texts
}

/// What the kinds of check have to add.
fn of_kinds() -> impl Iterator<Item = Value> {
    KINDS.iter().flat_map(|kind| (kind.samples)())
}
