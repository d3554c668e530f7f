//! The store's thread: writes in groups, so that a thousand registrations at once do not cost a thousand fsyncs.

use std::{io, sync::mpsc as blocking, thread};

use tokio::sync::mpsc;

use crate::{
    core::io::Ticket,
    metrics::{Stopwatch, StoreMetrics},
    model::StoreOp,
    store::Store,
};

/// Writes that are put together at most. More wait for the next group.
const GROUP: usize = 1_024;
/// About how many octets they may take together: well below the limit of the store, so that a large write fails no other.
const GROUP_OCTETS: usize = 4 * 1024 * 1024;

/// A write that is done, or failed.
pub(super) type Stored = (Ticket, Result<(), String>);

/// Hands writes to the disk.
pub(super) struct Disk {
    queue: blocking::Sender<(Ticket, Vec<StoreOp>)>,
}

impl Disk {
    /// Starts the thread. What comes out of the receiver is in the order of the tickets. Both queues are bounded by
    /// the commands that the core lets wait.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(store: Store, metrics: StoreMetrics) -> io::Result<(Disk, mpsc::UnboundedReceiver<Stored>)> {
        let (queue, waiting) = blocking::channel();
        let (done, stored) = mpsc::unbounded_channel();
        thread::Builder::new().name("disk".into()).spawn(move || write_all(store, &metrics, &waiting, &done))?;
        Ok((Disk { queue }, stored))
    }

    /// Queues a write.
    pub(super) fn write(&self, ticket: Ticket, ops: Vec<StoreOp>) {
        // The thread ends with this handle, not before.
        let _ = self.queue.send((ticket, ops));
    }
}

fn write_all(
    mut store: Store,
    metrics: &StoreMetrics,
    waiting: &blocking::Receiver<(Ticket, Vec<StoreOp>)>,
    done: &mpsc::UnboundedSender<Stored>,
) {
    metrics.journal(store.octets(), store.compactions());
    let mut left_over = None;
    while let Some((first, mut ops)) = left_over.take().or_else(|| waiting.recv().ok()) {
        let mut tickets = vec![first];
        let mut octets = octets_of(&ops);
        while tickets.len() < GROUP
            && let Ok((ticket, more)) = waiting.try_recv()
        {
            octets += octets_of(&more);
            if octets > GROUP_OCTETS {
                left_over = Some((ticket, more));
                break;
            }
            tickets.push(ticket);
            ops.extend(more);
        }
        let result = if ops.is_empty() { Ok(()) } else { append(&mut store, metrics, tickets.len(), &ops) };
        for ticket in tickets {
            if done.send((ticket, result.clone())).is_err() {
                return;
            }
        }
    }
}

fn octets_of(ops: &[StoreOp]) -> usize {
    ops.iter().map(StoreOp::octets).sum()
}

fn append(store: &mut Store, metrics: &StoreMetrics, writes: usize, ops: &[StoreOp]) -> Result<(), String> {
    let begun = Stopwatch::start();
    let result = store.append(ops).map_err(|error| error.to_string());
    metrics.appended(writes, result.is_ok(), begun.elapsed());
    metrics.journal(store.octets(), store.compactions());
    result
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;
    use crate::{
        agent::figures,
        catalog::Publisher,
        metrics::Facts,
        model::{ClusterName, NodeId, record::Key},
    };

    #[test]
    fn what_waits_together_is_written_together() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = ClusterName::new("test").unwrap();
        let store = Store::open(folder.path(), &cluster, &mut StdRng::seed_from_u64(1)).unwrap().0;
        let metrics = figures::metrics(Publisher::new(NodeId(1)).1, Facts::default());
        let (queue, waiting) = blocking::channel();
        let (done, mut stored) = mpsc::unbounded_channel();
        for n in 0..1_000 {
            let instance = crate::model::InstanceId::new(&format!("web-{n}")).unwrap();
            let op = StoreOp::Put { key: Key::instance(&instance), definition: [1].into(), status: [2].into() };
            queue.send((Ticket(n), vec![op])).unwrap();
        }
        drop(queue);
        write_all(store, &metrics.store, &waiting, &done);
        let answered: Vec<Stored> = std::iter::from_fn(|| stored.try_recv().ok()).collect();
        assert_eq!(answered, (0..1_000).map(|n| (Ticket(n), Ok(()))).collect::<Vec<_>>());
        let text = metrics.text();
        for line in ["tidings_store_appends_total{result=\"done\"} 1", "tidings_store_writes_total 1000"] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
        let contents = Store::open(folder.path(), &cluster, &mut StdRng::seed_from_u64(1)).unwrap().1;
        assert_eq!(contents.records.len(), 1_000);
    }

    #[test]
    fn large_writes_that_wait_together_fail_none_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = ClusterName::new("test").unwrap();
        let store = Store::open(folder.path(), &cluster, &mut StdRng::seed_from_u64(1)).unwrap().0;
        let metrics = figures::metrics(Publisher::new(NodeId(1)).1, Facts::default());
        let (queue, waiting) = blocking::channel();
        let (done, mut stored) = mpsc::unbounded_channel();
        let put = |n: u64| {
            let instance = crate::model::InstanceId::new(&format!("web-{}", n % 50)).unwrap();
            StoreOp::Put { key: Key::instance(&instance), definition: vec![1; 60_000].into(), status: [2].into() }
        };
        for n in 0..10 {
            queue.send((Ticket(n), (0..50).map(put).collect())).unwrap();
            queue.send((Ticket(100 + n), vec![])).unwrap();
        }
        drop(queue);
        write_all(store, &metrics.store, &waiting, &done);
        let answered: Vec<Stored> = std::iter::from_fn(|| stored.try_recv().ok()).collect();
        let expected: Vec<Stored> = (0..10).flat_map(|n| [(Ticket(n), Ok(())), (Ticket(100 + n), Ok(()))]).collect();
        assert_eq!(answered, expected);
    }
}
