//! Rules for what passes bridges, in a table of their own, and what their counters have counted.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

/// Puts such a table in the place of the one that was, if there was one, in one transaction. `nft` is the program where its network is.
pub(crate) fn set_table(mut nft: Command, name: &str, counters: &str, rules: &str) -> Result<(), String> {
    let text = format!(
        "table bridge {name}\n\
         delete table bridge {name}\n\
         table bridge {name} {{\n{counters}chain forward {{\ntype filter hook forward priority 0\n{rules}}}\n}}\n"
    );
    let failed = |error| format!("can't run nft: {error}");
    let mut child = nft.args(["-f", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() { Ok(()) } else { Err(format!("nft: {}\n{text}", String::from_utf8_lossy(&output.stderr).trim())) }
}

/// How many packets each counter of the table has counted.
pub(crate) fn read_counters(mut nft: Command, name: &str) -> Result<BTreeMap<String, u64>, String> {
    let output = nft.args(["-j", "list", "counters", "table", "bridge", name]).output();
    let output = output.map_err(|error| format!("can't run nft: {error}"))?;
    let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let counters = read["nftables"].as_array().into_iter().flatten().map(|item| &item["counter"]);
    Ok(counters.filter_map(|counter| Some((counter["name"].as_str()?.to_owned(), counter["packets"].as_u64()?))).collect())
}
