//! What the system says of this process, under the names that every program's metrics have.

use std::{fmt, fs, time::SystemTime};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

/// Reads them at each scrape.
#[derive(Debug)]
pub(super) struct Process {
    started: f64,
}

impl Process {
    /// Of a process that starts now.
    pub(super) fn new() -> Process {
        #[expect(clippy::disallowed_methods, reason = "people want to know when the agent started; nothing is decided by it")]
        let now = SystemTime::now();
        Process { started: now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name: &str, help: &str, unit: Option<&Unit>, value: f64| {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)
        };
        gauge("process_resident_memory", "Resident memory.", Some(&Unit::Bytes), resident_memory())?;
        gauge("process_open_fds", "Open file descriptors.", None, open_descriptors())?;
        gauge("process_max_fds", "The most file descriptors that may be open.", None, most_descriptors())?;
        gauge("process_start_time", "When the agent started, since the Unix epoch.", Some(&Unit::Seconds), self.started)?;
        let help = "Time that processors spent on it.";
        let counter = encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), MetricType::Counter)?;
        ConstCounter::new(processor_time()).encode(counter)
    }
}

/// Zero where the system does not say, here and below: a scrape never fails for it.
fn resident_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kilobytes.unwrap_or_default() * 1_024.0
}

fn open_descriptors() -> f64 {
    // One of them is that of the folder which is read here.
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1)) as f64
}

fn most_descriptors() -> f64 {
    getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |most| most as f64)
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_all_of_it() {
        assert!(resident_memory() > 1_000_000.0 && open_descriptors() >= 3.0 && most_descriptors() > 3.0);
        assert!(processor_time() > 0.0 && Process::new().started > 1.7e9);
    }
}
