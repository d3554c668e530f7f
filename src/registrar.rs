//! The one way to write: a bounded queue of commands, each answered when it is durable.

use tokio::sync::{mpsc, oneshot};

use crate::model::{Command, Refusal, Reply};

/// Commands that may wait in the queue. Who submits one more waits for a place: the connections of the API bound how many that are.
pub const QUEUE: usize = 1_024;

/// A command that waits for its answer.
#[derive(Debug)]
pub struct Pending {
    /// What is to be written.
    pub command: Command,
    /// Where the answer goes. Whoever asked may have gone away.
    pub reply: oneshot::Sender<Reply>,
}

/// Hands commands to the core. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registrar {
    queue: mpsc::Sender<Pending>,
}

impl Registrar {
    /// A registrar, and the end of its queue that the agent drains.
    pub fn new() -> (Registrar, mpsc::Receiver<Pending>) {
        let (queue, pending) = mpsc::channel(QUEUE);
        (Registrar { queue }, pending)
    }

    /// Submits a command and waits until it is durable.
    ///
    /// # Errors
    /// [`Refusal::Stopping`] when the agent is ending, and whatever the core refuses. Nothing was written then.
    pub async fn submit(&self, command: Command) -> Reply {
        self.enqueue(command).await?.await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Submits a command and waits for a place in the queue only: the disk that an answer waits for may stall. Commands of one
    /// task are carried out in their order. Nothing was submitted when the future is dropped before its end.
    ///
    /// # Errors
    /// [`Refusal::Stopping`] when the agent is ending.
    pub async fn enqueue(&self, command: Command) -> Result<oneshot::Receiver<Reply>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Pending { command, reply }).await.map_err(|_| Refusal::Stopping)?;
        Ok(answer)
    }
}
