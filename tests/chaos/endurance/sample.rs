//! What each agent takes, read from outside every so often: memory and descriptors of its process, and what its host has sent.

use std::{cell::RefCell, collections::BTreeMap, fs, rc::Rc, time::Duration};

use tokio::{
    task::AbortHandle,
    time::{Instant, sleep},
};

use super::{
    super::{
        agent::{self, GOSSIP},
        api::HTTP,
        board::Board,
    },
    figures::{Descriptors, Sample},
};

/// The state of a socket that listens.
const LISTENS: &str = "0A";

/// What was read so far. Clones share it.
pub(crate) type Samples = Rc<RefCell<Vec<Sample>>>;

/// Reads all agents every so often, until it is dropped.
#[derive(Debug)]
pub(crate) struct Sampler(AbortHandle);

impl Sampler {
    pub(crate) fn begin(board: &Rc<Board>, pace: Duration, samples: &Samples) -> Sampler {
        Sampler(tokio::task::spawn_local(read_all(Rc::clone(board), pace, Rc::clone(samples))).abort_handle())
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read_all(board: Rc<Board>, pace: Duration, samples: Samples) {
    let mut born: BTreeMap<u32, Instant> = BTreeMap::new();
    for round in 0.. {
        for place in 0..board.count() as usize {
            let Some(process) = board.process(place) else { continue };
            let age = born.entry(process).or_insert_with(Instant::now).elapsed();
            // One that ends just now can't be read.
            if let Some(sample) = read(process) {
                samples.borrow_mut().push(Sample { round, at: board.now().since_start(), place, age, ..sample });
            }
            tokio::task::yield_now().await;
        }
        sleep(pace).await;
    }
}

/// What is to be read of a process itself.
fn read(process: u32) -> Option<Sample> {
    let descriptors = descriptors(process)?;
    // Afterwards: who ends gives up its memory first, and its files then.
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let (octets, packets) = sent(&fs::read_to_string(format!("/proc/{process}/net/dev")).ok()?)?;
    // Before it is the program it is what starts it.
    let name = status.lines().find_map(|line| line.strip_prefix("Name:\t"));
    if name.is_none_or(|name| !agent::program().file_name().is_some_and(|file| file.to_string_lossy().starts_with(name))) {
        return None;
    }
    let line = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some(Sample {
        process,
        resident: line("VmRSS:")? * 1_024,
        anonymous: line("RssAnon:")? * 1_024,
        threads: line("Threads:")?,
        descriptors,
        octets,
        packets,
        ..Sample::default()
    })
}

/// Octets and packets that the device of a host has sent.
fn sent(devices: &str) -> Option<(u64, u64)> {
    let line = devices.lines().find_map(|line| line.trim().strip_prefix("eth0:"))?;
    let figures: Vec<u64> = line.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    // Eight of what was received come first.
    Some((*figures.get(8)?, *figures.get(9)?))
}

fn descriptors(process: u32) -> Option<Descriptors> {
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).ok()?;
    let connections = connections(&table);
    let mut all = Descriptors::default();
    for entry in fs::read_dir(format!("/proc/{process}/fd")).ok()? {
        let link = fs::read_link(entry.ok()?.path()).unwrap_or_default();
        let link = link.to_string_lossy();
        let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        match inode.and_then(|inode| connections.get(inode)) {
            Some((local, remote)) if [local, remote].contains(&&GOSSIP) => all.streams += 1,
            Some((local, _)) if *local == HTTP => all.api += 1,
            _ => all.others += 1,
        }
    }
    Some(all)
}

/// Connections by the number of their socket: their ports on both ends. Listeners are none.
fn connections(table: &str) -> BTreeMap<&str, (u16, u16)> {
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let connection = |line| {
        let fields: Vec<&str> = str::split_whitespace(line).collect();
        let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
        if state == LISTENS { None } else { Some((inode, (port(local)?, port(remote)?))) }
    };
    table.lines().skip(1).filter_map(connection).collect()
}
