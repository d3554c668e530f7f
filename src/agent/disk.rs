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
    while let Ok(first) = waiting.recv() {
        let mut tickets = vec![first.0];
        let mut ops = first.1;
        while tickets.len() < GROUP
            && let Ok((ticket, more)) = waiting.try_recv()
        {
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

fn append(store: &mut Store, metrics: &StoreMetrics, writes: usize, ops: &[StoreOp]) -> Result<(), String> {
    let begun = Stopwatch::start();
    let result = store.append(ops).map_err(|error| error.to_string());
    metrics.appended(writes, result.is_ok(), begun.elapsed());
    metrics.journal(store.octets(), store.compactions());
    result
}
