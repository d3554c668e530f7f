//! A cluster to which nothing happens, and which nobody asks anything.

use std::{fs, time::Duration};

use tokio::time::{Instant, sleep};

use super::{agents::Agents, process::Process, system::System};

/// What agents need while nothing happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest {
    /// Octets of memory (VmRSS) at the end: of all agents the mean, and the most.
    pub(crate) memory: f64,
    pub(crate) most_memory: f64,
    /// Share of one processor: of all agents the mean, and the most.
    pub(crate) processor: f64,
    pub(crate) most_processor: f64,
    /// Octets and packets of IP that an agent sends in a second, both protocols, all that is on loopback divided by the agents.
    pub(crate) octets: f64,
    pub(crate) packets: f64,
}

/// Looks at it for so long.
pub(crate) async fn look<S: System>(agents: &mut Agents<S>, window: Duration) -> Result<Rest, String> {
    let unreadable = || "can't read in /proc what an agent uses".to_owned();
    let all = |read: fn(&Process) -> Option<Duration>, agents: &Agents<S>| agents.processes().map(read).collect::<Option<Vec<_>>>();
    let (start, packets_before) = (Instant::now(), loopback()?);
    let before = all(Process::processor_time, agents).ok_or_else(unreadable)?;
    sleep(window).await;
    let (seconds, packets_after) = (start.elapsed().as_secs_f64(), loopback()?);
    let after = all(Process::processor_time, agents).ok_or_else(unreadable)?;
    agents.check()?;

    let memory: Vec<f64> =
        agents.processes().map(|process| process.resident().map(|octets| octets as f64)).collect::<Option<_>>().ok_or_else(unreadable)?;
    let processor: Vec<f64> = before.iter().zip(&after).map(|(before, after)| (*after - *before).as_secs_f64() / seconds).collect();
    let count = memory.len() as f64;
    Ok(Rest {
        memory: memory.iter().sum::<f64>() / count,
        most_memory: memory.iter().copied().fold(0.0, f64::max),
        processor: processor.iter().sum::<f64>() / count,
        most_processor: processor.iter().copied().fold(0.0, f64::max),
        octets: (packets_after.octets - packets_before.octets) as f64 / seconds / count,
        packets: (packets_after.packets - packets_before.packets) as f64 / seconds / count,
    })
}

struct Sent {
    octets: u64,
    packets: u64,
}

/// What went over the loopback device so far, in octets of IP.
fn loopback() -> Result<Sent, String> {
    let devices = fs::read_to_string("/proc/net/dev").map_err(|error| format!("can't read /proc/net/dev: {error}"))?;
    let counted = devices.lines().find_map(|line| {
        // Octets and packets received come first; what is sent on loopback is received there.
        let mut fields = line.trim().strip_prefix("lo:")?.split_whitespace().map_while(|field| field.parse::<u64>().ok());
        // The loopback device has no link header to count.
        let (octets, packets) = (fields.next()?, fields.next()?);
        Some(Sent { octets, packets })
    });
    counted.ok_or_else(|| "there is no loopback device in /proc/net/dev".to_owned())
}
