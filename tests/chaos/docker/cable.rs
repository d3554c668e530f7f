//! What a container is connected to its network by.

use std::{
    fs,
    process::{Command, Stdio},
};

/// The device of a container in its network.
const DEVICE: &str = "eth0";

/// Takes the cable of a container out, or puts it back: disables the port of the bridge.
pub(super) fn plug(pid: u32, out: bool) -> Result<(), String> {
    // Whoever has just ended has none.
    let Some(port) = port(pid) else { return Ok(()) };
    // As bridge(8) counts them: disabled, and forwarding.
    let state = if out { "0" } else { "3" };
    run(Command::new("bridge").args(["link", "set", "dev", &port, "state", state]))
}

/// The port of a bridge that a container is at, as it is called on this machine.
fn port(pid: u32) -> Option<String> {
    let other_end = fs::read_to_string(format!("/proc/{pid}/root/sys/class/net/{DEVICE}/iflink")).ok()?;
    let devices = fs::read_dir("/sys/class/net").ok()?.flatten();
    let is_it = |device: &fs::DirEntry| fs::read_to_string(device.path().join("ifindex")).is_ok_and(|index| index == other_end);
    { devices }.find(is_it).map(|device| device.file_name().to_string_lossy().into_owned())
}

/// A container sends at most so many octets a second.
pub(super) fn limit(pid: u32, octets: Option<u64>) -> Result<(), String> {
    let mut tc = Command::new("nsenter");
    tc.arg(format!("--net=/proc/{pid}/ns/net")).args(["tc", "qdisc"]);
    match octets {
        Some(octets) => tc
            .args(["replace", "dev", DEVICE, "root", "tbf", "rate"])
            .arg(format!("{}bit", octets * 8))
            .args(["burst", "8k", "latency", "200ms"]),
        None => tc.args(["delete", "dev", DEVICE, "root"]),
    };
    run(&mut tc)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("can't run {command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())) }
}
