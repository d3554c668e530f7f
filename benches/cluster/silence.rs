//! A host that falls silent: whatever it sends and whatever is sent to it is lost, and nobody is told.

use std::{
    fs,
    io::Write as _,
    net::Ipv4Addr,
    process::{Command, Stdio},
};

const TABLE: &str = "tidings_bench";

/// Why no host can be silenced here, if that is so.
pub(crate) fn obstacle() -> Option<String> {
    // Rules about packets are not made in a network that others use.
    let devices = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    if devices.lines().filter_map(|line| line.split_once(':')).any(|(device, _)| device.trim() != "lo") {
        return Some("this network has more than a loopback device, so it is not one of its own (unshare --net)".to_owned());
    }
    run_nft("list tables\n").err()
}

/// The host of this loopback address is silent until this is dropped.
#[derive(Debug)]
pub(crate) struct Silence(());

impl Silence {
    /// From now on.
    pub(crate) fn of(address: Ipv4Addr) -> Result<Silence, String> {
        // Where packets come in: refused where they leave, their sender would hear of it.
        let silence = Silence(());
        let rules = format!("ip saddr {address} drop\nip daddr {address} drop");
        run_nft(&format!("table inet {TABLE} {{\nchain input {{\ntype filter hook input priority 0\n{rules}\n}}\n}}\n"))?;
        Ok(silence)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // The first line sees to it that there is something to delete.
        if let Err(error) = run_nft(&format!("table inet {TABLE}\ndelete table inet {TABLE}\n")) {
            eprintln!("the rules that silence a host could not be taken away: {error}");
        }
    }
}

fn run_nft(commands: &str) -> Result<(), String> {
    let failed = |error| format!("can't run nft (Debian has it in the package nftables): {error}");
    let mut nft = Command::new("nft");
    nft.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = nft.spawn().map_err(failed)?;
    child.stdin.take().expect("it is piped").write_all(commands.as_bytes()).map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() { Ok(()) } else { Err(format!("nft: {}", String::from_utf8_lossy(&output.stderr).trim())) }
}
