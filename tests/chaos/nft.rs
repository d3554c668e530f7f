//! Rules for what passes a bridge, in a table of their own, and what their counters have counted.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What puts such a table in the place of the one that was, if there was one, in one transaction.
pub(crate) fn table(name: &str, counters: &str, rules: &str) -> String {
    format!(
        "table bridge {name}\n\
         delete table bridge {name}\n\
         table bridge {name} {{\n{counters}chain forward {{\ntype filter hook forward priority 0\n{rules}}}\n}}\n"
    )
}

/// How many packets each counter of the table has counted, by what `nft` says.
pub(crate) fn read_counters(mut nft: Command, name: &str) -> Result<BTreeMap<String, u64>, String> {
    let output = nft.args(["-j", "list", "counters", "table", "bridge", name]).output();
    let output = output.map_err(|error| format!("can't run nft: {error}"))?;
    let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let counters = read["nftables"].as_array().into_iter().flatten().map(|item| &item["counter"]);
    Ok(counters.filter_map(|counter| Some((counter["name"].as_str()?.to_owned(), counter["packets"].as_u64()?))).collect())
}
