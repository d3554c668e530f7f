//! A client that looks a name up all the while.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinHandle, time::sleep};

use super::dns::{self, Way};

/// From an answer to the next question.
const BREATH: Duration = Duration::from_millis(5);

/// The client, and what it was told, until it is dropped.
#[derive(Debug)]
pub(crate) struct Asker {
    /// Whether the agent beside it is about to restart, or does not know its cluster again yet.
    away: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    asking: JoinHandle<()>,
}

/// How often each answer came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// While the agent was there.
    pub(crate) there: BTreeMap<String, u32>,
    /// While it restarted.
    pub(crate) away: BTreeMap<String, u32>,
}

impl Tally {
    /// How often it has asked.
    pub(crate) fn questions(&self) -> u32 {
        self.there.values().chain(self.away.values()).sum()
    }

    fn add(&mut self, is_away: bool, answer: String) {
        let answers = if is_away { &mut self.away } else { &mut self.there };
        *answers.entry(answer).or_default() += 1;
    }
}

impl Asker {
    pub(crate) fn start(server: SocketAddr, name: String, kind: String) -> Asker {
        let (away, tally) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Tally>>::default());
        let (is_away, kept) = (Arc::clone(&away), Arc::clone(&tally));
        let asking = tokio::spawn(async move {
            loop {
                let was_away = is_away.load(Ordering::SeqCst);
                let answer = match dns::look_up(server, &name, &kind, Way::Udp).await {
                    Ok(reply) if reply.outcome() == "NOERROR" => {
                        let mut data = reply.data();
                        data.sort();
                        data.join(" ")
                    }
                    Ok(reply) => reply.outcome(),
                    Err(_) => "no answer".to_owned(),
                };
                let is_away = was_away || is_away.load(Ordering::SeqCst);
                kept.lock().expect("nobody panics with it").add(is_away, answer);
                sleep(BREATH).await;
            }
        });
        Asker { away, tally, asking }
    }

    /// The agent is about to restart, or knows its cluster again.
    pub(crate) fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.asking.abort();
    }
}
