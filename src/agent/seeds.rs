//! Whom to join: names, and the addresses that they have at the moment.

use std::{collections::BTreeSet, net::SocketAddr, ops::Range, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use tracing::{debug, warn};

use super::families::Families;
use crate::config::Seed;

/// How long a look-up of a seed's name may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a look-up.
#[derive(Debug)]
pub(super) struct Found {
    /// The seed's place, as in [`crate::core::io::Output::Resolve`].
    place: usize,
    /// Its addresses, or why it has none.
    result: Result<Vec<SocketAddr>, String>,
}

/// The seeds that are to be joined, and the place that the first of them has: see [`crate::core::io::Input::Seeds`].
#[derive(Debug)]
pub(super) struct Seeds {
    seeds: Vec<Seed>,
    first: usize,
    families: Families,
    under_way: BTreeSet<usize>,
    /// What was complained of already.
    told: BTreeSet<usize>,
    found: mpsc::UnboundedSender<Found>,
}

impl Seeds {
    /// Seeds that gossip reaches by these families; and where what is found comes out.
    pub(super) fn new(seeds: Vec<Seed>, families: Families) -> (Seeds, mpsc::UnboundedReceiver<Found>) {
        let (found, finds) = mpsc::unbounded_channel();
        (Seeds { seeds, first: 0, families, under_way: BTreeSet::new(), told: BTreeSet::new(), found }, finds)
    }

    /// Others from now on; gives their places.
    pub(super) fn replace(&mut self, seeds: Vec<Seed>) -> Range<usize> {
        self.first += self.seeds.len();
        self.seeds = seeds;
        self.first..self.first + self.seeds.len()
    }

    /// Looks one up, afresh each time and never in the loop.
    pub(super) fn look_up(&mut self, place: usize) {
        let Some(seed) = self.seed(place).cloned() else { return };
        if !self.under_way.insert(place) {
            return;
        }
        let found = self.found.clone();
        tokio::spawn(async move {
            let result = match timeout(PATIENCE, tokio::net::lookup_host((seed.host.as_str(), seed.port))).await {
                Ok(Ok(addresses)) => Ok(addresses.collect()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            // Nobody waits for it in an agent that ends.
            let _ = found.send(Found { place, result });
        });
    }

    /// Takes what was found: the seed's place, and those of its addresses that gossip can reach. That there are none is told to people
    /// once, until there are some.
    pub(super) fn take(&mut self, Found { place, result }: Found) -> (usize, Vec<SocketAddr>) {
        self.under_way.remove(&place);
        let wrong = match result {
            Ok(addresses) if addresses.is_empty() => "its name has no address".to_owned(),
            Err(error) => format!("its name has no address: {error}"),
            Ok(addresses) => {
                let of_no_use = addresses[0];
                let reached: Vec<SocketAddr> = addresses.into_iter().filter(|address| self.families.reach(*address)).collect();
                if !reached.is_empty() {
                    self.told.remove(&place);
                    return (place, reached);
                }
                self.families.why_not(of_no_use)
            }
        };
        if let Some(seed) = self.seed(place) {
            if self.told.contains(&place) {
                debug!(%seed, "can't join: {wrong}");
            } else {
                warn!(%seed, "can't join, and keeps trying: {wrong}");
                self.told.insert(place);
            }
        }
        (place, Vec::new())
    }

    fn seed(&self, place: usize) -> Option<&Seed> {
        self.seeds.get(place.checked_sub(self.first)?)
    }
}
