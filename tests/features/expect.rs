//! What a table in a feature expects, held against what was seen.

use serde_json::Value;

/// A cell as JSON: `8080`, `true`, `null`, `["v1"]` and `"80"` are what they look like, all else is a string.
pub(crate) fn value(cell: &str) -> Value {
    serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()))
}

/// Whether JSON has what a table of pointers (RFC 6901) and values says. `(absent)` means that there is nothing, `(present)` that
/// there is something, `~text` that it is a string with this text in it.
pub(crate) fn holds(json: &Value, rows: &[Vec<String>]) -> Result<(), String> {
    let wrong: Vec<String> = rows.iter().filter_map(|row| cell_holds(json, &row[0], &row[1]).err()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\nin {json:#}", wrong.join("\n"))) }
}

fn cell_holds(json: &Value, pointer: &str, expected: &str) -> Result<(), String> {
    let seen = json.pointer(pointer);
    let right = match expected {
        "(absent)" => seen.is_none_or(Value::is_null),
        "(present)" => seen.is_some_and(|seen| !seen.is_null()),
        _ => match expected.strip_prefix('~') {
            Some(part) => seen.and_then(Value::as_str).is_some_and(|seen| seen.contains(part)),
            None => seen == Some(&value(expected)),
        },
    };
    if right { Ok(()) } else { Err(format!("{pointer} is {}, not {expected}", seen.map_or("absent".to_owned(), Value::to_string))) }
}

/// Whether a collection's items are those of a table, whose first row names their keys; in any order.
pub(crate) fn lists(json: &Value, rows: &[Vec<String>]) -> Result<(), String> {
    let items = json.get("items").and_then(Value::as_array).ok_or_else(|| format!("no items in {json:#}"))?;
    let Some((keys, expected)) = rows.split_first() else {
        return if items.is_empty() { Ok(()) } else { Err(format!("not empty: {json:#}")) };
    };
    let pointers: Vec<String> = keys.iter().map(|key| format!("/{}", key.replace('.', "/"))).collect();
    let mut left: Vec<&Value> = items.iter().collect();
    for row in expected {
        let pairs: Vec<Vec<String>> = pointers.iter().zip(row).map(|(pointer, cell)| vec![pointer.clone(), cell.clone()]).collect();
        match left.iter().position(|item| holds(item, &pairs).is_ok()) {
            Some(index) => drop(left.swap_remove(index)),
            None => return Err(format!("no item with {}\nin {json:#}", row.join(", "))),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("{} items too many in {json:#}", left.len())) }
}
